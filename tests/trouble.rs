//! Recordings whose disk, reader, clock or neighbours make trouble: the recorded command goes on undisturbed, the file
//! opens, and what is missing is told.

#![cfg(feature = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on fails, and says so"
)]

mod common;

use common::live::{Small, able, program, sysreel, until};
use common::skip;
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

const SYSREEL: &str = env!("CARGO_BIN_EXE_sysreel");

/// A scratch folder with the storm program in it.
struct Scene {
    folder: tempfile::TempDir,
    storm: PathBuf,
}

impl Scene {
    fn new(test: &str) -> Option<Scene> {
        let folder = tempfile::tempdir().unwrap();
        let storm = able(test).then(|| program(test, "storm", folder.path())).flatten()?;
        Some(Scene { folder, storm })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A command that makes a storm, then says with a file that it came to its end undisturbed.
    fn storm(&self, kind: &str, count: u64) -> Vec<String> {
        let [begun, done] = ["begun", "done"].map(|name| self.path(name).display().to_string());
        let script = format!("touch {begun} && {} {kind} {count} && touch {done}", self.storm.display());
        vec!["sh".to_owned(), "-c".to_owned(), script]
    }

    /// What the recorder said.
    fn said(&self) -> String {
        std::fs::read_to_string(self.path("said")).unwrap()
    }

    fn is_done(&self) -> bool {
        self.path("done").exists()
    }

    fn recorder(&self, file: &Path, options: &[&str], command: &[String]) -> Command {
        let mut recorder = Command::new(SYSREEL);
        recorder.args(["-q", "-w"]).arg(file).args(options).arg("--").args(command).current_dir(self.folder.path());
        // The command has the same, and may keep it open for longer than the recorder lives.
        recorder.stdout(Stdio::null()).stderr(Stdio::from(std::fs::File::create(self.path("said")).unwrap()));
        recorder
    }
}

/// Rows of a filter and events lost, by a replay that must work.
fn counts(file: &Path, filter: &str) -> (u64, u64) {
    let file = file.to_str().unwrap();
    let rows = text(&sysreel(&["-r", file, "-D", "-p", "%evt.num", filter])).lines().count() as u64;
    let lost = text(&sysreel(&["-r", file, "-p", "%evt.rawarg.count", "evt.type=loss"]));
    (rows, lost.lines().map(|l| l.parse::<u64>().unwrap()).sum())
}

/// What a replay that must work printed.
fn text(out: &Output) -> String {
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8_lossy(&out.stdout).into_owned()
}

fn signal(child: &Child, name: &str) {
    assert!(Command::new("kill").args(["-s", name]).arg(child.id().to_string()).status().unwrap().success());
}

#[test]
fn a_full_disk_ends_the_recording_with_what_fitted_and_not_the_command() {
    let test = "a_full_disk_ends_the_recording_with_what_fitted_and_not_the_command";
    let Some(scene) = Scene::new(test) else { return };
    let Some(disk) = Small::mount(test, scene.path("disk"), "192k") else { return };
    let file = disk.0.join("x.reel");
    let ended = scene.recorder(&file, &["--flush", "0.05"], &scene.storm("opens", 200_000)).status().unwrap();
    let said = scene.said();
    assert_eq!(ended.code(), Some(2), "{said}");
    assert!(said.contains("full disk") && said.contains("help:"), "{said}");
    until("the command came to its end", || scene.is_done());
    let verdict = sysreel(&["-r", file.to_str().unwrap(), "-D", "-p", "%evt.num"]);
    assert!(text(&verdict).lines().count() > 1000);
    let said = String::from_utf8_lossy(&verdict.stderr);
    assert!(!said.contains("bytes lost"), "the file ends with a whole frame: {said}");
    assert!(said.contains("expected the end of a recording"), "{said}");
}

#[test]
fn a_limit_on_file_sizes_is_a_full_disk_and_no_death() {
    let test = "a_limit_on_file_sizes_is_a_full_disk_and_no_death";
    let Some(scene) = Scene::new(test) else { return };
    let file = scene.path("x.reel");
    // 256 blocks of 1 KiB; beyond them the kernel sends SIGXFSZ, whose default is death (setrlimit(2)).
    let limited = "ulimit -f 256; exec \"$0\" \"$@\"";
    let inner = scene.recorder(&file, &["--flush", "0.05"], &scene.storm("opens", 400_000));
    let mut recorder = Command::new("bash");
    recorder.args(["-c", limited]).arg(inner.get_program()).args(inner.get_args()).current_dir(scene.folder.path());
    let said = std::fs::File::create(scene.path("said")).unwrap();
    let ended = recorder.stdout(Stdio::null()).stderr(said).status().unwrap();
    let said = scene.said();
    assert_eq!(ended.code(), Some(2), "{said}");
    assert!(said.contains("too large") && said.contains("help:"), "{said}");
    until("the command came to its end", || scene.is_done());
    assert!(counts(&file, "evt.type in (open, openat)").0 > 100);
}

#[test]
fn a_reader_that_does_not_read_costs_losses_and_never_stops_the_command() {
    let test = "a_reader_that_does_not_read_costs_losses_and_never_stops_the_command";
    let Some(scene) = Scene::new(test) else { return };
    let made = 1_500_000;
    let mut recorder = scene.recorder(Path::new("-"), &["--ring", "1MiB"], &scene.storm("writes", made));
    let mut recorder = recorder.stdout(Stdio::piped()).spawn().unwrap();
    // Nobody reads: the pipe is full after 64 KiB.
    until("the command came to its end", || scene.is_done());
    let mut bytes = Vec::new();
    recorder.stdout.take().unwrap().read_to_end(&mut bytes).unwrap();
    assert!(recorder.wait().unwrap().success());
    let file = scene.path("read.reel");
    std::fs::write(&file, bytes).unwrap();
    let (kept, lost) = counts(&file, "evt.type=write and fd.name=/dev/null");
    println!("{kept} rows and {lost} lost of {made}");
    assert!(kept <= made && kept + lost >= made, "{kept} rows and {lost} lost of {made}");
    assert!(lost > 0, "a reader that does not read for the whole storm costs something");
    let report = sysreel(&["-r", file.to_str().unwrap(), "-c", "topprocs_file"]);
    let said = text(&report) + &String::from_utf8_lossy(&report.stderr);
    assert!(said.contains("events were lost"), "every report over a loss says so: {said}");
}

#[test]
fn a_recorder_that_was_stopped_tells_what_it_missed() {
    let test = "a_recorder_that_was_stopped_tells_what_it_missed";
    let Some(scene) = Scene::new(test) else { return };
    let (file, made) = (scene.path("x.reel"), 1_500_000);
    let mut recorder = scene.recorder(&file, &["--ring", "1MiB"], &scene.storm("writes", made)).spawn().unwrap();
    // Not before: the command is started by the recorder.
    until("the command began", || scene.path("begun").exists());
    signal(&recorder, "STOP");
    until("the command came to its end", || scene.is_done());
    signal(&recorder, "CONT");
    assert!(recorder.wait().unwrap().success());
    let (kept, lost) = counts(&file, "evt.type=write and fd.name=/dev/null");
    println!("{kept} rows and {lost} lost of {made}");
    assert!(lost > 0 && kept <= made && kept + lost >= made, "{kept} rows and {lost} lost of {made}");
}

#[test]
fn two_recorders_at_once_are_both_whole() {
    let test = "two_recorders_at_once_are_both_whole";
    let Some(scene) = Scene::new(test) else { return };
    let files = [scene.path("a.reel"), scene.path("b.reel")];
    let command = scene.storm("peers", 300);
    let recorders: Vec<Child> = files.iter().map(|f| scene.recorder(f, &[], &command).spawn().unwrap()).collect();
    for (mut recorder, file) in recorders.into_iter().zip(&files) {
        assert!(recorder.wait().unwrap().success());
        let (sent, lost) = counts(file, "evt.type=sendto");
        assert!(sent <= 600 && sent + lost >= 600, "{sent} rows and {lost} lost of 600");
    }
}

#[test]
fn a_command_that_outlives_the_recording_goes_on() {
    let test = "a_command_that_outlives_the_recording_goes_on";
    let Some(scene) = Scene::new(test) else { return };
    let file = scene.path("x.reel");
    let script =
        format!("until [ -e go ]; do read -t 0.05 x < /dev/zero; done; touch {}", scene.path("done").display());
    let command = ["bash".to_owned(), "-c".to_owned(), script];
    assert!(scene.recorder(&file, &["-M", "1"], &command).status().unwrap().success(), "{}", scene.said());
    assert!(counts(&file, "proc.name=bash").0 > 10);
    std::fs::write(scene.path("go"), "").unwrap();
    until("the command came to its end", || scene.is_done());
}

#[test]
fn each_signal_to_end_ends_with_a_whole_file() {
    let test = "each_signal_to_end_ends_with_a_whole_file";
    let Some(scene) = Scene::new(test) else { return };
    for name in ["INT", "TERM"] {
        let file = scene.path(name);
        let command = ["bash".to_owned(), "-c".to_owned(), "exec sleep 300".to_owned()];
        let mut recorder = scene.recorder(&file, &["--flush", "0.05"], &command);
        // A process group of its own: the command must not be asked too.
        let mut recorder = recorder.process_group(0).spawn().unwrap();
        until("the command was recorded", || {
            std::fs::metadata(&file).is_ok_and(|m| m.len() > 0)
                && counts(&file, "evt.type=execve and proc.name=sleep").0 > 0
        });
        signal(&recorder, name);
        assert!(recorder.wait().unwrap().success(), "{name}");
        let out = sysreel(&["-r", file.to_str().unwrap(), "-n", "1", "-p", "%proc.pid", "proc.name=sleep"]);
        assert_eq!(String::from_utf8_lossy(&out.stderr), "", "{name}: the file is whole");
        let sleeper = String::from_utf8_lossy(&out.stdout).trim().to_owned();
        assert!(Command::new("kill").arg(sleeper).status().unwrap().success(), "the command still ran");
    }
}

/// Seconds since boot.
fn uptime() -> f64 {
    std::fs::read_to_string("/proc/uptime").unwrap().split(' ').next().unwrap().parse().unwrap()
}

/// The machine's clock, set forward for a moment.
struct Ahead;

impl Ahead {
    fn set(test: &str) -> Option<Ahead> {
        if Ahead::step(AHEAD) {
            return Some(Ahead);
        }
        skip(test, "may not set the clock");
        None
    }

    fn step(seconds: f64) -> bool {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs_f64() + seconds;
        Command::new("date").arg("-s").arg(format!("@{now:.6}")).output().is_ok_and(|out| out.status.success())
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        Ahead::step(-AHEAD);
    }
}

/// How far the clock is set, seconds.
const AHEAD: f64 = 1.5;

#[test]
fn a_clock_that_is_set_makes_a_segment_of_its_own_and_a_note() {
    let test = "a_clock_that_is_set_makes_a_segment_of_its_own_and_a_note";
    let Some(scene) = Scene::new(test) else { return };
    let file = scene.path("x.reel");
    // It sleeps by a clock that nobody sets, which a shell does not.
    let Some(load) = program(test, "load", scene.folder.path()) else { return };
    let command = [load.display().to_string(), scene.folder.path().display().to_string(), "1".to_owned()];
    let mut recorder = scene.recorder(&file, &["--flush", "0.05"], &command).spawn().unwrap();
    until("the recording began", || {
        std::fs::metadata(&file).is_ok_and(|m| m.len() > 0) && counts(&file, "evt.type=unlink").0 > 0
    });
    let began = uptime();
    {
        let Some(_ahead) = Ahead::set(test) else {
            recorder.kill().unwrap();
            recorder.wait().unwrap();
            return std::fs::write(scene.path("stop"), "").unwrap();
        };
        until("a second passed", || uptime() > began + 1.0);
    }
    until("another second passed", || uptime() > began + 2.0);
    std::fs::write(scene.path("stop"), "").unwrap();
    assert!(recorder.wait().unwrap().success(), "{}", scene.said());
    let out = sysreel(&["-r", file.to_str().unwrap(), "-p", "%evt.rawtime", "evt.type=unlink"]);
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(
        said.contains("the clock was set forward by 1.") && said.contains("the clock was set back by 1."),
        "{said}"
    );
    let times: Vec<i64> = text(&out).lines().map(|l| l.parse().unwrap()).collect();
    let steps: Vec<i64> = times.windows(2).map(|t| t[1] - t[0]).collect();
    // Two jumps in the story, and otherwise a row every few milliseconds.
    assert!(steps.iter().any(|&s| s > 1_300_000_000) && steps.iter().any(|&s| s < -1_000_000_000), "{steps:?}");
    // Names are as true behind a jump as before it.
    let named = text(&sysreel(&["-r", file.to_str().unwrap(), "-p", "%proc.name %fd.filename", "evt.type=pwrite"]));
    assert!(
        named.lines().count() > 100 && named.lines().all(|l| l == "load w.0"),
        "{}",
        &named[..named.len().min(500)]
    );
}

/// A file that the kernel refuses to execute.
fn no_program(scene: &Scene) -> String {
    let path = scene.path("no program");
    std::fs::write(&path, "nothing that a kernel runs").unwrap();
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    path.display().to_string()
}

#[test]
fn an_older_file_outlives_a_command_that_cannot_run_and_stays_with_its_reader_when_one_can() {
    let test = "an_older_file_outlives_a_command_that_cannot_run_and_stays_with_its_reader_when_one_can";
    let Some(scene) = Scene::new(test) else { return };
    let file = scene.path("x.reel");
    let words = |words: &[&str]| words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>();
    assert!(scene.recorder(&file, &[], &words(&["true"])).status().unwrap().success());
    let older = std::fs::read(&file).unwrap();
    for source in ["--ebpf", "--ptrace"] {
        let refused = scene.recorder(&file, &[source], &[no_program(&scene)]).status().unwrap();
        assert!(refused.code() == Some(2) && scene.said().contains("could not be executed"), "{}", scene.said());
        assert!(std::fs::read(&file).unwrap() == older, "{source}: the older file is as it was");
        assert!(!scene.path("x.reel.part").exists(), "{source}");
    }
    let mut reader = std::fs::File::open(&file).unwrap();
    assert!(scene.recorder(&file, &[], &words(&["sh", "-c", "exit 0"])).status().unwrap().success());
    let mut kept = Vec::new();
    reader.read_to_end(&mut kept).unwrap();
    assert!(kept == older, "whoever reads the older file keeps it");
    assert!(std::fs::read(&file).unwrap() != older && counts(&file, "proc.name=sh").0 > 0);
}

#[test]
fn a_file_that_is_removed_while_it_is_written_is_told_and_can_be_saved() {
    let test = "a_file_that_is_removed_while_it_is_written_is_told_and_can_be_saved";
    let Some(scene) = Scene::new(test) else { return };
    let (file, go) = (scene.path("x.reel"), scene.path("go"));
    let script = format!("touch begun; while [ ! -e {} ]; do sleep 0.02; done; touch done", go.display());
    let command = ["sh", "-c", &script].map(str::to_owned);
    let mut recorder = scene.recorder(&file, &["--flush", "0.05"], &command).spawn().unwrap();
    until("the recording began", || scene.path("begun").exists());
    std::fs::remove_file(&file).unwrap();
    until("it was told", || scene.said().contains("was removed while it is written"));
    let said = scene.said();
    let copy = said.split("cp ").nth(1).and_then(|rest| rest.split(" FILE").next()).unwrap();
    std::fs::copy(copy, scene.path("saved.reel")).unwrap();
    std::fs::write(&go, "").unwrap();
    assert!(recorder.wait().unwrap().success());
    assert!(scene.is_done() && !file.exists());
    assert_eq!(scene.said(), said, "it is told once");
    assert!(counts(&scene.path("saved.reel"), "proc.name=sh").0 > 0);
}

#[test]
fn a_file_that_is_moved_while_it_is_written_is_told_after_a_while_and_goes_on() {
    let test = "a_file_that_is_moved_while_it_is_written_is_told_after_a_while_and_goes_on";
    let Some(scene) = Scene::new(test) else { return };
    let (file, moved, go) = (scene.path("x.reel"), scene.path("moved.reel"), scene.path("go"));
    let script = format!("touch begun; while [ ! -e {} ]; do sleep 0.02; done; touch done", go.display());
    let mut recorder =
        scene.recorder(&file, &["--flush", "0.05"], &["sh", "-c", &script].map(str::to_owned)).spawn().unwrap();
    until("the recording began", || scene.path("begun").exists());
    std::fs::rename(&file, &moved).unwrap();
    until("it was told", || scene.said().contains("was moved while it is written"));
    std::fs::write(&go, "").unwrap();
    assert!(recorder.wait().unwrap().success());
    assert!(counts(&moved, "evt.type=procexit").0 > 0, "its end is in it");
}
