//! Audit events as they come: a log that is followed, the API server's webhook; killed and started again, every event once.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on fails, and says so"
)]

mod common;

use common::audit::{Recorder, event, is_read, post, real_lines, recorded, reels, send, sysreel};
use common::live::until;
use common::skip;
use std::fs::{File, OpenOptions, rename};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A log and what its API server does to it.
struct Log {
    path: PathBuf,
    rotated: usize,
}

impl Log {
    fn append(&self, lines: &[String]) {
        let mut file = OpenOptions::new().append(true).create(true).open(&self.path).unwrap();
        for line in lines {
            // In two pieces, so that half a line stands there for a moment.
            let (start, end) = line.as_bytes().split_at(line.len() / 2);
            file.write_all(start).unwrap();
            file.write_all(end).unwrap();
            file.write_all(b"\n").unwrap();
        }
    }

    /// The name of the file that it is rotated into next, as lumberjack has them.
    fn next(&mut self) -> PathBuf {
        self.rotated += 1;
        let (minute, second) = (16 + self.rotated / 60, self.rotated % 60);
        self.path.with_file_name(format!("audit-2026-11-21T21-{minute:02}-{second:02}.000.log"))
    }

    /// As lumberjack does.
    fn rename(&mut self) -> PathBuf {
        let name = self.next();
        rename(&self.path, &name).unwrap();
        name
    }

    /// As logrotate does with copytruncate.
    fn copy_and_cut(&mut self) -> PathBuf {
        let name = self.next();
        std::fs::copy(&self.path, &name).unwrap();
        OpenOptions::new().write(true).open(&self.path).unwrap().set_len(0).unwrap();
        name
    }

    /// Writes lines in pieces of so many, and does something else to the file behind each.
    fn write(&mut self, lines: &[String], step: usize) {
        for (n, lines) in lines.chunks(step).enumerate() {
            self.append(lines);
            match n % 3 {
                0 => _ = self.rename(),
                1 => _ = self.copy_and_cut(),
                _ => {}
            }
        }
    }
}

/// Packs a file that a log was rotated into, as lumberjack does: for a while both are there.
fn pack(path: &Path) {
    let packed = File::create(format!("{}.gz", path.display())).unwrap();
    let mut packed = flate2::write::GzEncoder::new(packed, flate2::Compression::fast());
    packed.write_all(&std::fs::read(path).unwrap()).unwrap();
    packed.finish().unwrap();
    std::fs::remove_file(path).unwrap();
}

#[test]
fn a_log_is_followed_over_rotation_copies_and_a_killed_recorder_and_every_event_is_there_once() {
    let Some(lines) = real_lines() else { return skip("audit log, followed", "no shared data") };
    let folder = tempfile::tempdir().unwrap();
    let (reel, position) = (folder.path().join("x.reel"), folder.path().join("x.reel.position"));
    std::fs::create_dir(folder.path().join("log")).unwrap();
    let mut log = Log { path: folder.path().join("log/audit.log"), rotated: 0 };
    let path = log.path.clone();
    let words = ["-w", reel.to_str().unwrap(), "--audit-log", path.to_str().unwrap(), "--flush", "0.05"];
    let parts: Vec<&[String]> = lines.chunks(lines.len().div_ceil(3)).collect();
    log.append(&parts[0][..5]);
    let first = Recorder::start(&words);
    until("the first lines", || is_read(&position, &path));
    // While it reads, it is killed; what comes meanwhile is rotated away before the next one looks.
    log.write(&parts[0][5..], 60);
    first.kill();
    log.write(parts[1], 60);
    let second = Recorder::start(&words);
    log.write(parts[2], 60);
    log.append(&[event(1, 10)]);
    until("the last lines", || is_read(&position, &path));
    let said = second.end();
    assert!(said.iter().any(|line| line.contains("going on in")), "{said:?}");
    assert!(!said.iter().any(|line| line.contains("missing")), "{said:?}");
    let files = reels(folder.path());
    assert_eq!(files.len(), 2, "{files:?}");
    let mut want = lines.clone();
    want.push(event(1, 10));
    want.sort_unstable();
    assert!(recorded(&files) == want, "{} of {} events", recorded(&files).len(), want.len());
    // Nothing new: nothing is taken in again.
    let third = Recorder::start(&words);
    log.append(&[event(2, 10)]);
    until("one line more", || is_read(&position, &path));
    third.end();
    assert_eq!(recorded(&reels(folder.path())).len(), want.len() + 1);
}

#[test]
fn a_log_that_is_rotated_and_packed_under_load_is_followed_over_five_kills() {
    const EACH: usize = 300;
    const PARTS: usize = 40;
    let folder = tempfile::tempdir().unwrap();
    let (reel, position) = (folder.path().join("x.reel"), folder.path().join("x.reel.position"));
    std::fs::create_dir(folder.path().join("log")).unwrap();
    let path = folder.path().join("log/audit.log");
    let words = ["-w", reel.to_str().unwrap(), "--audit-log", path.to_str().unwrap(), "--flush", "0.01"];
    let mut want: Vec<String> = (0..=EACH * PARTS).map(|n| event(n, 300)).collect();
    let (lines, last) = want.split_at(EACH * PARTS);
    let (first, lines) = lines.split_at(1);
    let (allowed, kept) = (AtomicUsize::new(0), || std::fs::read(&position).unwrap_or_default());
    let mut log = Log { path: path.clone(), rotated: 0 };
    // What was rotated before a recorder looked for the first time is not its own.
    log.append(first);
    let recorder = Recorder::start(&words);
    until("the first line", || is_read(&position, &path));
    recorder.kill();
    let recorder = std::thread::scope(|threads| {
        let writer = threads.spawn(|| {
            for (n, lines) in lines.chunks(EACH).enumerate() {
                until("more may be written", || allowed.load(Ordering::Relaxed) > n);
                log.append(lines);
                let rotated = if n % 2 == 0 { log.rename() } else { log.copy_and_cut() };
                pack(&rotated);
            }
            log.append(last);
        });
        // Killed when it has kept something of what is written meanwhile, five times.
        for kill in 1..=5 {
            let (before, recorder) = (kept(), Recorder::start(&words));
            allowed.store(kill * PARTS / 6, Ordering::Relaxed);
            until("some lines are kept", || kept() != before && !kept().is_empty());
            recorder.kill();
        }
        let recorder = Recorder::start(&words);
        allowed.store(PARTS, Ordering::Relaxed);
        writer.join().unwrap();
        recorder
    });
    until("the last line", || is_read(&position, &path));
    let said = recorder.end();
    assert!(!said.iter().any(|line| line.contains("missing")), "{said:?}");
    want.sort_unstable();
    let found = recorded(&reels(folder.path()));
    assert!(found == want, "{} of {} events: {said:?}", found.len(), want.len());
}

#[test]
fn a_position_is_one_recorders_and_what_is_none_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let (reel, position) = (folder.path().join("x.reel"), folder.path().join("x.reel.position"));
    let log = Log { path: folder.path().join("audit.log"), rotated: 0 };
    log.append(&[event(1, 10)]);
    let words = ["-w", reel.to_str().unwrap(), "--audit-log", log.path.to_str().unwrap(), "--flush", "0.05"];
    let refused = |words: &[&str], want: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_sysreel")).args(words).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(2) && said.contains(want) && said.contains("help:"), "{want}: {said}");
    };
    let recorder = Recorder::start(&words);
    until("the line", || is_read(&position, &log.path));
    refused(&words, "expected a file that nobody writes, found one that is being recorded");
    let (other, state) = (folder.path().join("y.reel"), position.to_str().unwrap());
    let other = ["-w", other.to_str().unwrap(), "--audit-log", log.path.to_str().unwrap(), "--audit-state", state];
    refused(&other, "expected a position that nobody else keeps");
    recorder.end();
    std::fs::write(&position, b"{\"log\":").unwrap();
    refused(&words, "expected the position in an audit log");
    std::fs::remove_file(&position).unwrap();
    let state = folder.path().join("none/position");
    refused(&[&words[..], &["--audit-state", state.to_str().unwrap()]].concat(), "No such file");
    // None of them left a recording behind.
    assert_eq!(reels(folder.path()).len(), 1);
    assert_eq!(recorded(&reels(folder.path())), [event(1, 10)]);
}

#[test]
fn without_its_position_a_log_is_read_again_and_nothing_is_kept_twice() {
    let folder = tempfile::tempdir().unwrap();
    let (reel, position) = (folder.path().join("x.reel"), folder.path().join("p"));
    let log = Log { path: folder.path().join("audit.log"), rotated: 0 };
    let (reel, state, path) = (reel.to_str().unwrap(), position.to_str().unwrap(), log.path.to_str().unwrap());
    let words = ["-w", reel, "--audit-log", path, "--audit-state", state, "--flush", "0.05"];
    log.append(&(0..50).map(|n| event(n, 10)).collect::<Vec<_>>());
    for _ in 0..2 {
        let recorder = Recorder::start(&words);
        until("the lines", || is_read(&position, &log.path));
        recorder.end();
        std::fs::remove_file(&position).unwrap();
    }
    assert_eq!(recorded(&reels(folder.path())).len(), 50);
}

#[test]
fn long_lines_are_taken_over_with_little_memory_and_longer_ones_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let reel = folder.path().join("x.reel");
    let log = Log { path: folder.path().join("audit.log"), rotated: 0 };
    let (name, path) = (reel.to_str().unwrap(), log.path.to_str().unwrap());
    log.append(&[event(1, 5 << 20), event(2, 9 << 20), event(3, 10)]);
    let mut recorder = Recorder::start(&["-w", name, "--audit-log", path, "--audit-limit", "8M", "--flush", "0.05"]);
    let refused = recorder.hear("expected at most 8388608 bytes in a line");
    let place = format!("({:#x})", event(1, 5 << 20).len() + 1);
    assert!(refused.contains(&place), "{refused} {place}");
    until("the lines", || is_read(&folder.path().join("x.reel.position"), &log.path));
    assert!(recorder.peak() < 200 << 10, "{} KiB", recorder.peak());
    recorder.end();
    assert_eq!(recorded(&[name.to_owned()]), [event(1, 5 << 20), event(3, 10)]);
    let notes = sysreel(&["info", name]);
    assert!(notes.contains("expected at most 8388608 bytes in a line"), "{notes}");
}

#[test]
fn what_is_no_list_of_events_or_too_large_is_refused_and_the_rest_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let reel = folder.path().join("x.reel");
    let name = reel.to_str().unwrap();
    let mut recorder = Recorder::start(&["-w", name, "--audit-webhook", "127.0.0.1:0", "--audit-limit", "64K"]);
    let address = recorder.address();
    assert_eq!(post(&address, b"hello"), Some(400));
    assert_eq!(post(&address, b"{\"kind\":\"Status\"}"), Some(400));
    assert_eq!(post(&address, b"{\"kind\":\"EventList\",\"items\":[]}"), Some(200));
    let large = format!("{{\"items\":[{}]}}", event(1, 70_000));
    assert_eq!(post(&address, large.as_bytes()), Some(413));
    recorder.hear("413: expected at most 65536 bytes in a body");
    assert_eq!(send(&address, b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n").unwrap().0, 405);
    assert_eq!(send(&address, b"GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n").unwrap().0, 200);
    let chunked = format!("{{\"items\":[{}]}}", event(2, 10));
    let chunked = format!(
        "POST / HTTP/1.1\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{chunked}\r\n0\r\n\r\n",
        chunked.len()
    );
    assert_eq!(send(&address, chunked.as_bytes()).unwrap().0, 200);
    // The same id for another request: kept, and told.
    let other = event(2, 10).replace("/api/2", "/api/other");
    assert_eq!(post(&address, format!("{{\"items\":[{other}]}}").as_bytes()), Some(200));
    recorder.hear("several requests have the audit id 00000002-");
    recorder.end();
    assert_eq!(recorded(&[name.to_owned()]), [event(2, 10), other]);
}

#[test]
fn only_clients_with_a_certificate_are_let_in() {
    let has = |program: &str| Command::new(program).arg("version").output().is_ok();
    if !has("openssl") || !has("curl") {
        return skip("audit webhook, TLS", "no openssl or curl");
    }
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let openssl = |words: &[&str]| {
        let done = Command::new("openssl").args(words).current_dir(folder.path()).output().unwrap();
        assert!(done.status.success(), "{words:?}: {}", String::from_utf8_lossy(&done.stderr));
    };
    std::fs::write(file("san"), "subjectAltName=IP:127.0.0.1\nbasicConstraints=CA:FALSE\n").unwrap();
    let curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    for ca in ["ca", "other"] {
        let subject = format!("/CN={ca}");
        let (key, pem) = (format!("{ca}.key"), format!("{ca}.pem"));
        let words = ["req", "-x509", "-days", "2", "-subj", &subject, "-keyout", &key, "-out", &pem];
        openssl(&[words.as_slice(), &curve].concat());
    }
    for (name, ca) in [("server", "ca"), ("client", "ca"), ("stranger", "other")] {
        let (key, csr, pem, subject) =
            (format!("{name}.key"), format!("{name}.csr"), format!("{name}.pem"), format!("/CN={name}"));
        openssl(&[["req", "-subj", &subject, "-keyout", &key, "-out", &csr].as_slice(), &curve].concat());
        let (by, by_key) = (format!("{ca}.pem"), format!("{ca}.key"));
        let sign = ["x509", "-req", "-in", &csr, "-days", "2", "-CA", &by, "-CAkey", &by_key, "-CAcreateserial"];
        openssl(&[sign.as_slice(), &["-extfile", "san", "-out", &pem]].concat());
    }
    let reel = file("x.reel");
    let (cert, key, ca) = (file("server.pem"), file("server.key"), file("ca.pem"));
    let words = ["-w", &reel, "--audit-webhook", "127.0.0.1:0", "--tls-cert", &cert, "--tls-key", &key];
    let mut recorder = Recorder::start(&[words.as_slice(), &["--client-ca", &ca]].concat());
    let address = recorder.address();
    std::fs::write(file("body"), format!("{{\"items\":[{}]}}", event(1, 10))).unwrap();
    // As the kubeconfig that we write says.
    let config = sysreel(&[
        "audit",
        "kubeconfig",
        &address,
        "--ca",
        &ca,
        "--client-cert",
        &file("client.pem"),
        "--client-key",
        &file("client.key"),
    ]);
    let named = |name: &str| {
        let line = config.lines().find(|line| line.trim_start().starts_with(name)).unwrap();
        serde_json::from_str::<String>(line.split_once(": ").unwrap().1).unwrap()
    };
    let url = named("server:");
    assert_eq!(url, format!("https://{address}/k8s-audit"));
    let curl = |more: &[&str]| {
        let authority = named("certificate-authority:");
        let words = ["-s", "-o", "/dev/null", "-w", "%{http_code}", "--max-time", "60", "--cacert", &authority];
        let body = format!("@{}", file("body"));
        let done = Command::new("curl").args(words).args(more).args(["--data-binary", &body, &url]).output().unwrap();
        String::from_utf8(done.stdout).unwrap()
    };
    assert_eq!(curl(&[]), "000");
    assert_eq!(curl(&["--cert", &file("stranger.pem"), "--key", &file("stranger.key")]), "000");
    recorder.hear("was not let in");
    assert_eq!(recorded(std::slice::from_ref(&reel)).len(), 0);
    assert_eq!(curl(&["--cert", &named("client-certificate:"), "--key", &named("client-key:")]), "200");
    recorder.end();
    assert_eq!(recorded(&[reel]), [event(1, 10)]);
}

#[test]
fn a_log_in_a_folder_that_is_not_there_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("logs/audit.log");
    let words = ["--audit-log", log.to_str().unwrap(), "-M", "1"];
    let output = Command::new(env!("CARGO_BIN_EXE_sysreel")).args(words).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(2) && said.contains("found no folder"), "{said}");
}

#[test]
fn without_a_file_what_comes_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let log = Log { path: folder.path().join("audit.log"), rotated: 0 };
    log.append(&[event(1, 10), event(2, 10), event(3, 10)]);
    let shown =
        sysreel(&["--audit-log", log.path.to_str().unwrap(), "-n", "2", "-p", "%ka.verb %ka.uri", "ka.uri != /api/1"]);
    assert_eq!(shown, "get /api/2\nget /api/3\n");
}

#[test]
fn beside_the_calls_of_a_command_both_are_on_one_timeline() {
    if !common::live::able("audit beside calls") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let reel = folder.path().join("x.reel");
    let log = Log { path: folder.path().join("audit.log"), rotated: 0 };
    let name = reel.to_str().unwrap();
    let words = ["-w", name, "--audit-log", log.path.to_str().unwrap(), "--flush", "0.05", "--", "cat"];
    let mut recorder = Recorder::start(&words);
    log.append(&[event(1, 10)]);
    until("the line", || is_read(&folder.path().join("x.reel.position"), &log.path));
    // The command ends with its input, and the recording with it.
    drop(recorder.child.stdin.take());
    assert!(recorder.child.wait().unwrap().success());
    assert_eq!(recorded(&[name.to_owned()]), [event(1, 10)]);
    let calls = sysreel(&["-r", name, "-p", "%evt.type", "evt.type in (execve, k8saudit, procexit)"]);
    // The event is of 2026-11-21, before everything that was recorded.
    let kinds: Vec<&str> = calls.lines().collect();
    assert_eq!(kinds, ["k8saudit", "execve", "procexit"]);
}
