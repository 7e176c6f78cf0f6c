//! Captures of sysdig: every event is there, under its number.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on fails, and says so"
)]

mod common;

use common::scap::{Scap, story, text, wide, word};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use sysreel::engine::{Batches, Reels};
use sysreel::event::{Flags, KindFlags};

fn shared() -> PathBuf {
    std::env::var_os("SYSREEL_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from)
        .join("data/scap")
}

const SAMPLES: &[&str] = &[
    "falco_privileged",
    "falco_run_as_user_0_container",
    "falco_syscall",
    "libs_curl_google",
    "libs_test_ipv6_client",
];

/// What is shown of an event: whether it is a return, and its type.
type Shown = (bool, String);

/// The events that sysdig showed, by number.
fn golden(sample: &str) -> BTreeMap<u64, Shown> {
    let text = std::fs::read_to_string(shared().join("golden").join(sample).join("events.txt")).unwrap();
    let mut events = BTreeMap::new();
    for line in text.lines() {
        // A line of text in an event may go on in the next one.
        let mut words = line.split_whitespace();
        let Some(Ok(num)) = words.next().map(str::parse::<u64>) else { continue };
        let words: Vec<&str> = words.collect();
        let Some(at) = words.iter().position(|word| *word == "<" || *word == ">") else { continue };
        events.insert(num, (words[at] == "<", words[at + 1].to_owned()));
    }
    events
}

/// Our rows by number: whether they are returns, their type, and whether an entry was joined.
fn ours(path: &Path) -> BTreeMap<u64, (Shown, bool)> {
    let reels = Reels::open(&[path.to_owned()]).unwrap();
    let mut events = BTreeMap::new();
    for index in 0..reels.len() {
        let batch = reels.batch(index).unwrap();
        batch
            .for_each_row(|row| {
                let (info, flags) = (row.info(), row.flags());
                let hidden = KindFlags::SNAPSHOT.with(KindFlags::INTERNAL);
                if info.flags.0 & hidden.0 != 0 {
                    return;
                }
                let returns = info.flags.has(KindFlags::CALL) && !flags.has(Flags::IN_FLIGHT);
                let joined = returns && row.duration().is_some();
                let before = events.insert(row.num(), ((returns, info.name.clone()), joined));
                assert_eq!(before, None, "{} twice", row.num());
            })
            .unwrap();
    }
    events
}

/// Types that sysdig 0.29 calls otherwise: (sysdig's, ours, why).
const NAMES: &[(&str, &str, &str)] = &[(
    "sigreturn",
    "rt_sigreturn",
    "the call has number 15 on x86-64, which is `rt_sigreturn` in today's table of codes",
)];

/// Events that only one of the two shows: (sample, type, how many more we show, why).
const EXPLAINED: &[(&str, &str, i64, &str)] = &[(
    "falco_run_as_user_0_container",
    "container",
    2,
    "sysdig takes those before the first other event as part of the state",
)];

#[test]
fn the_events_that_sysdig_shows_are_our_rows_and_the_entries_joined_with_them() {
    if !shared().is_dir() {
        println!(
            "skipped: the_events_that_sysdig_shows_are_our_rows_and_the_entries_joined_with_them (no shared folder)"
        );
        return;
    }
    for sample in SAMPLES {
        let (theirs, ours) = (golden(sample), ours(&shared().join(format!("{sample}.scap"))));
        let mut counts: BTreeMap<(String, bool), i64> = BTreeMap::new();
        for (returns, name) in theirs.values() {
            let name = NAMES.iter().find(|n| n.0 == name).map_or(name.as_str(), |n| n.1);
            *counts.entry((name.to_owned(), *returns)).or_default() -= 1;
        }
        for ((returns, name), joined) in ours.values() {
            *counts.entry((name.clone(), *returns)).or_default() += 1;
            if *joined {
                *counts.entry((name.clone(), false)).or_default() += 1;
            }
        }
        let differences: Vec<_> = counts.into_iter().filter(|(_, count)| *count != 0).collect();
        let explained: Vec<_> =
            EXPLAINED.iter().filter(|e| e.0 == *sample).map(|e| ((e.1.to_owned(), false), e.2)).collect();
        assert_eq!(differences, explained, "{sample}: more (or fewer) than sysdig shows");
        // Returns keep their numbers, and what is no call too.
        for (num, (returns, name)) in theirs.iter().filter(|(_, (returns, _))| *returns) {
            let name = NAMES.iter().find(|n| n.0 == name).map_or(name.as_str(), |n| n.1);
            assert_eq!(ours.get(num).map(|o| (o.0.0, o.0.1.as_str())), Some((*returns, name)), "{sample} {num}");
        }
    }
}

/// All of a packed or plain file, as rows.
fn rows_of(path: &Path) -> usize {
    ours(path).len()
}

#[test]
fn a_cut_or_damaged_capture_gives_what_is_whole() {
    let sample = shared().join("libs_curl_google.scap");
    if !sample.is_file() {
        println!("skipped: a_cut_or_damaged_capture_gives_what_is_whole (no shared folder)");
        return;
    }
    let all = rows_of(&sample);
    let packed = std::fs::read(&sample).unwrap();
    let mut plain = Vec::new();
    std::io::Read::read_to_end(&mut sysreel::source::scap::open(&sample).unwrap(), &mut plain).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.scap");
    let notes = |bytes: &[u8]| {
        std::fs::write(&file, bytes).unwrap();
        let notes = Reels::open(std::slice::from_ref(&file)).unwrap().notes();
        (rows_of(&file), notes.join("\n"))
    };
    assert_eq!(notes(&plain), (all, String::new()), "the same without gzip");
    let (rows, text) = notes(&packed[..packed.len() / 2]);
    assert!(rows > 20 && rows < all && text.contains("damage at 0x"), "{rows} of {all}: {text}");
    // A length in the middle of the events.
    let mut hurt = plain.clone();
    let middle = plain.len() - 20_000;
    hurt[middle..middle + 40].fill(0xee);
    let (rows, text) = notes(&hurt);
    assert!(rows > all - 10 && rows < all && text.contains("bytes passed over"), "{rows} of {all}: {text}");
    let (rows, text) = notes(&plain[..plain.len() - 5]);
    assert!(rows >= all - 2 && text.contains("found the end"), "{rows} of {all}: {text}");
    // One behind the other: both.
    let (rows, text) = notes(&[packed.clone(), packed.clone()].concat());
    assert_eq!(text, "");
    assert!(rows > all, "{rows}");
}

/// Writes a capture and gives its rows as lines.
fn lines(scap: &Scap, format: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.scap");
    std::fs::write(&file, &scap.bytes).unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_sysreel"))
        .args(["-r", file.to_str().unwrap(), "-p", format])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn both_halves_of_a_call_are_one_event_with_its_duration() {
    let format = "%evt.num %evt.dir %evt.type %evt.latency %evt.rawres %fd.name %proc.name %evt.arg.data";
    let format = format!("*{format}");
    assert_eq!(
        lines(&story(), &format),
        [
            "2 < open 500 4 /etc/passwd first <NA>",
            "4 < read 300 5 /etc/passwd first hello",
            "5 > clone <NA> <NA> <NA> first <NA>",
            "7 < procexit <NA> <NA> <NA> first <NA>",
        ]
    );
}

#[test]
fn an_entry_of_another_call_is_not_taken_for_the_one_that_returns() {
    let scap = Scap::default()
        .section(0)
        .process(5)
        .old(6, 1_000, 100, &[wide(3), word(100)])
        // The return of the read was lost, and the entry of the write.
        .old(9, 1_500, 100, &[wide(2), b"hi".to_vec()])
        .old(6, 2_000, 100, &[wide(3), word(7)])
        .old(6, 3_000, 100, &[wide(3), word(8)])
        // Times may step back.
        .old(7, 2_500, 100, &[wide(1), b"x".to_vec()]);
    let format = "*%evt.num %evt.dir %evt.type %evt.latency %evt.rawres %fd.name %evt.rawarg.size";
    assert_eq!(
        lines(&scap, format),
        [
            "1 > read <NA> <NA> /var/log/x 100",
            "2 < write <NA> 2 <NA> <NA>",
            "3 > read <NA> <NA> /var/log/x 7",
            "5 < read <NA> 1 /var/log/x 8",
        ]
    );
}

/// Parameters of a clone's return, up to the ids of the child in its namespace.
fn clone(res: i64, tid: i64, ptid: i64) -> Vec<Vec<u8>> {
    let mut params = vec![wide(res), text("/bin/first"), Vec::new(), wide(tid), wide(tid), wide(ptid), text("/home/")];
    params.extend([wide(1024), wide(0), wide(1), word(1), word(2), word(0), text("first"), Vec::new()]);
    params.extend([word(0), word(1000), word(1001), wide(tid), wide(tid), wide(0)]);
    params
}

#[test]
fn a_child_is_made_once_whoever_of_the_two_tells_it_first() {
    let start = || Scap::default().section(2).process(9);
    let read = |scap: Scap| scap.event(7, 3_000, 200, &[wide(1), b"x".to_vec(), wide(3), word(1)]);
    let format = "*%evt.num %evt.type %proc.pid %proc.ppid %proc.name %fd.name %container.id %user.loginuid";
    let child = "3 read 200 100 first /var/log/x 3ad7b26ded6d 500";
    for (first, second) in [(100, 200), (200, 100)] {
        let told = |scap: Scap, tid: u64| {
            let params = if tid == 100 { clone(200, 100, 1) } else { clone(0, 200, 100) };
            scap.event(223, 2_000, tid, &params)
        };
        let shown = lines(&read(told(told(start(), first), second)), format);
        assert_eq!((shown.len(), shown[2].as_str()), (3, child), "{first} first: {shown:?}");
    }
    // One half alone is enough.
    let shown =
        lines(&read(start().event(223, 2_000, 100, &clone(200, 100, 1)).event(146, 2_500, 1, &[wide(2)])), format);
    assert_eq!(shown[2], child);
}

#[test]
fn what_only_changes_the_state_is_applied_and_not_kept() {
    let scap = Scap::default()
        .section(2)
        .process(8)
        .state(3, 1_000, 100, &[wide(9), text("/tmp/state"), word(1), word(0)])
        .event(7, 2_000, 100, &[wide(1), b"x".to_vec(), wide(9), word(1)]);
    assert_eq!(lines(&scap, "%evt.num %evt.type %fd.name"), ["2 read /tmp/state"]);
}

#[test]
fn threads_of_every_version_are_the_initial_state() {
    let read = |scap: Scap| scap.event(7, 2_000, 100, &[wide(1), b"x".to_vec(), wide(3), word(1)]);
    for version in 1..=9 {
        let shown = lines(
            &read(Scap::default().section(2).process(version)),
            "*%proc.name %proc.exe %proc.args %proc.cwd %user.uid %group.gid %fd.name",
        );
        assert_eq!(shown, ["first /bin/first -x /home/ 1000 1001 /var/log/x"], "version {version}");
    }
    let shown = lines(
        &read(Scap::default().section(2).process(9)),
        "*%proc.exepath %proc.env %proc.sid %container.id %user.loginuid",
    );
    assert_eq!(shown, ["/usr/bin/first A=1 90 3ad7b26ded6d 500"]);
}

#[test]
fn a_second_section_begins_anew_and_numbers_go_on() {
    let mut scap =
        Scap::default().section(2).process(9).event(3, 1_000, 100, &[wide(4), text("/one"), word(1), word(0)]);
    let second = Scap::default()
        .section(2)
        .process(9)
        .event(7, 2_000, 100, &[wide(1), b"x".to_vec(), wide(4), word(1)])
        .event(7, 2_001, 100, &[wide(1), b"x".to_vec(), wide(3), word(1)]);
    scap.bytes.extend(second.bytes);
    let shown = lines(&scap, "*%evt.num %evt.type %fd.name");
    assert_eq!(shown, ["1 open /one", "2 read <NA>", "3 read /var/log/x"]);
}

#[test]
fn a_later_version_and_what_is_no_scap_are_errors() {
    let mut later = Scap::default().section(2).bytes;
    later[12] = 2;
    let folder = tempfile::tempdir().unwrap();
    for (bytes, want) in
        [(later, "expected scap of version 1, found version 2.2"), (b"hello".to_vec(), "expected a reel")]
    {
        let file = folder.path().join("x.scap");
        std::fs::write(&file, bytes).unwrap();
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_sysreel"))
            .args(["-r", file.to_str().unwrap()])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(want), "{said}");
    }
}

#[test]
fn a_folder_of_captures_becomes_a_folder_of_reels() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a.scap", "b.scap"] {
        std::fs::write(folder.path().join(name), story().bytes).unwrap();
    }
    std::fs::write(folder.path().join("notes.txt"), "hi").unwrap();
    let reels = folder.path().join("reels");
    let run = |args: &[&str]| std::process::Command::new(env!("CARGO_BIN_EXE_sysreel")).args(args).output().unwrap();
    let output = run(&["-r", folder.path().to_str().unwrap(), "-w", reels.to_str().unwrap()]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for name in ["a.reel", "b.reel"] {
        assert_eq!(ours(&reels.join(name)).len(), 4, "{name}");
        let verified = run(&["verify", reels.join(name).to_str().unwrap()]);
        assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
    }
    // A capture has no checksums. What is told of the reels beside it is told none the less.
    let files = [reels.join("a.reel"), folder.path().join("a.scap"), reels.join("b.reel")];
    let verified = run(&["verify", files[0].to_str().unwrap(), files[1].to_str().unwrap(), files[2].to_str().unwrap()]);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert_eq!((verified.status.code(), text(&verified.stdout).matches(".reel  whole ").count()), (Some(2), 2));
    assert!(
        text(&verified.stderr).contains("a.scap: expected a reel, found a scap file"),
        "{}",
        text(&verified.stderr)
    );
}

#[test]
fn the_reel_of_each_sample_is_smaller_than_the_sample_compressed() {
    let test = "the_reel_of_each_sample_is_smaller_than_the_sample_compressed";
    if !shared().exists() {
        return common::skip(test, "needs the shared captures");
    }
    let folder = tempfile::tempdir().unwrap();
    let reel = folder.path().join("x.reel");
    for sample in SAMPLES {
        let scap = shared().join(format!("{sample}.scap"));
        let mut convert = std::process::Command::new(env!("CARGO_BIN_EXE_sysreel"));
        assert!(convert.args(["-q", "-r"]).arg(&scap).arg("-w").arg(&reel).status().unwrap().success());
        let bytes = |path: &Path| std::fs::metadata(path).unwrap().len();
        assert_eq!(std::fs::read(&scap).unwrap()[..2], [0x1f, 0x8b], "{sample} is gzip");
        assert!(bytes(&reel) <= bytes(&scap), "{sample}: {} bytes, its gzip {}", bytes(&reel), bytes(&scap));
    }
}

#[test]
fn what_a_small_reel_leaves_to_its_dictionary_is_told_as_before() {
    let folder = tempfile::tempdir().unwrap();
    let (scap, reel) = (folder.path().join("x.scap"), folder.path().join("x.reel"));
    std::fs::write(&scap, story().bytes).unwrap();
    let convert = ["-q", "-r", scap.to_str().unwrap(), "-w", reel.to_str().unwrap()];
    let run = |args: &[&str]| std::process::Command::new(env!("CARGO_BIN_EXE_sysreel")).args(args).output().unwrap();
    assert!(run(&convert).status.success());
    let mut told = BTreeMap::new();
    for batch in sysreel::reel::Reader::open(&reel).unwrap().snapshots(0) {
        let tell = |row: sysreel::batch::Row<'_>| {
            let mut env = Vec::new();
            let event = row.event(&mut env);
            let spec = event.kind.spec();
            let here = spec.params.iter().zip(&event.args).filter(|(_, arg)| **arg != sysreel::event::Arg::Missing);
            let names: Vec<&str> = here.map(|(param, _)| param.name).collect();
            told.entry(spec.name).or_insert_with(|| (row.info().params.len(), names));
        };
        batch.unwrap().for_each_row(tell).unwrap();
    }
    let (stored, names) = &told["snap_thread"];
    assert!(*stored < names.len(), "{stored} stored, {names:?} told");
    for name in ["tid", "ppid", "uid", "comm", "exe", "cwd"] {
        assert!(names.contains(&name), "{name} of {names:?}");
    }
}
