//! Audit events as they come: a log that is followed, the API server's webhook; killed and started again, every event once.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on fails, and says so"
)]

mod common;

use common::{shared, skip};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{OpenOptions, rename};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};
use sysreel::source::scap;

/// Far longer than anything here takes, also on a slow machine.
const LONG: Duration = Duration::from_secs(180);

fn sysreel(words: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_sysreel")).args(words).output().unwrap();
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + LONG;
    while !is_so() {
        assert!(Instant::now() < end, "waited in vain for: {what}");
        std::thread::yield_now();
    }
}

/// A recorder that runs.
struct Recorder {
    child: Child,
    said: Receiver<String>,
    heard: Vec<String>,
}

impl Recorder {
    fn start(words: &[&str]) -> Recorder {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sysreel"));
        command.args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (tell, said) = channel();
        let errors = BufReader::new(child.stderr.take().unwrap());
        std::thread::spawn(move || errors.lines().map_while(Result::ok).try_for_each(|line| tell.send(line)));
        Recorder { child, said, heard: Vec::new() }
    }

    /// What it says that has a text in it.
    fn hear(&mut self, text: &str) -> String {
        let end = Instant::now() + LONG;
        loop {
            if let Some(line) = self.heard.iter().find(|line| line.contains(text)) {
                return line.clone();
            }
            let left = end.saturating_duration_since(Instant::now());
            match self.said.recv_timeout(left) {
                Ok(line) => self.heard.push(line),
                Err(error) => panic!("waited in vain for `{text}` ({error}), heard {:?}", self.heard),
            }
        }
    }

    /// Where the webhook listens.
    fn address(&mut self) -> String {
        self.hear("listens on ").rsplit_once(' ').unwrap().1.to_owned()
    }

    /// Kills it, as the kernel does.
    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Ends it as Ctrl-C does; returns all it said.
    fn end(mut self) -> Vec<String> {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
        let status = self.child.wait().unwrap();
        self.heard.extend(self.said.iter());
        assert!(status.success(), "{:?}", self.heard);
        self.heard
    }

    /// Most memory that it had, KiB.
    fn peak(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }
}

/// The recordings in a folder, as words for `-r`.
fn reels(folder: &Path) -> Vec<String> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.retain(|path| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        name.contains(".reel") && !name.contains(".position")
    });
    found.sort();
    found.into_iter().map(|path| path.to_string_lossy().into_owned()).collect()
}

/// The lines of all audit events in recordings, sorted.
fn recorded(files: &[String]) -> Vec<String> {
    let words: Vec<&str> = ["convert", "--to", "jsonl"].into_iter().chain(files.iter().map(String::as_str)).collect();
    let mut lines: Vec<String> = sysreel(&words).lines().map(str::to_owned).collect();
    lines.sort_unstable();
    lines
}

/// Events of a real log.
fn real_lines() -> Option<Vec<String>> {
    let path = shared()?.join("data/k8s/run4-seed000-trunc/k8s_audit.log.zst");
    let mut text = String::new();
    scap::open(&path).ok()?.read_to_string(&mut text).ok()?;
    Some(text.lines().map(str::to_owned).collect())
}

fn event(n: usize, padding: usize) -> String {
    format!(
        "{{\"kind\":\"Event\",\"auditID\":\"{n:08x}-0000-4000-8000-000000000000\",\"stage\":\"ResponseComplete\",\"requestURI\":\"/api/{n}\",\"verb\":\"get\",\"requestReceivedTimestamp\":\"2026-11-21T21:22:{:02}.000000Z\",\"stageTimestamp\":\"2026-11-21T21:22:{:02}.000100Z\",\"note\":\"{}\"}}",
        n % 60,
        n % 60,
        "x".repeat(padding)
    )
}

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

    /// As lumberjack does.
    fn rename(&mut self) {
        self.rotated += 1;
        let name = format!("audit-2026-11-21T21-16-{:02}.000.log", self.rotated);
        rename(&self.path, self.path.with_file_name(name)).unwrap();
    }

    /// As logrotate does with copytruncate.
    fn copy_and_cut(&mut self) {
        self.rotated += 1;
        let name = format!("audit-2026-11-21T21-16-{:02}.000.log", self.rotated);
        std::fs::copy(&self.path, self.path.with_file_name(name)).unwrap();
        OpenOptions::new().write(true).open(&self.path).unwrap().set_len(0).unwrap();
    }

    /// Writes lines in pieces of so many, and does something else to the file behind each.
    fn write(&mut self, lines: &[String], step: usize) {
        for (n, lines) in lines.chunks(step).enumerate() {
            self.append(lines);
            match n % 3 {
                0 => self.rename(),
                1 => self.copy_and_cut(),
                _ => {}
            }
        }
    }
}

/// Whether a position says that a log was read to its end.
fn is_read(position: &Path, log: &Path) -> bool {
    let Ok(text) = std::fs::read(position) else { return false };
    let Ok(found) = serde_json::from_slice::<serde_json::Value>(&text) else { return false };
    let size = std::fs::metadata(log).map_or(0, |about| about.len());
    found["files"].as_array().and_then(|files| files.last()).is_some_and(|last| last["offset"] == size)
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

/// Sends a request and returns status, head and body of the answer; `None`: no answer came.
fn send(address: &str, request: &[u8]) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(LONG)).unwrap();
    // The answer to what is too large comes before all of it was sent.
    let _ = stream.write_all(request);
    let mut answer = String::new();
    BufReader::new(&stream).read_line(&mut answer).ok()?;
    let status = answer.split(' ').nth(1)?.parse().ok()?;
    let mut rest = String::new();
    let _ = stream.take(4096).read_to_string(&mut rest);
    Some((status, rest))
}

/// Posts a body as the API server does.
fn post(address: &str, body: &[u8]) -> Option<u16> {
    let head = format!(
        "POST /k8s-audit?timeout=30s HTTP/1.1\r\nHost: {address}\r\nUser-Agent: Go-http-client/1.1\r\nContent-Length: {}\r\nAccept: application/json, */*\r\nContent-Type: application/json\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n",
        body.len()
    );
    send(address, &[head.as_bytes(), body].concat()).map(|(status, _)| status)
}

/// Bodies of a real API server's webhook, by number.
fn real_bodies(wanted: &[u32]) -> Option<BTreeMap<u32, Vec<u8>>> {
    let path = shared()?.join("data/k8s/run2-full/webhook.tar.zst");
    let mut archive = scap::open(&path).ok()?;
    let mut bodies = BTreeMap::new();
    let mut header = [0; 512];
    while archive.read_exact(&mut header).is_ok() && header[0] != 0 {
        let text = |range: std::ops::Range<usize>| {
            let bytes = &header[range];
            let end = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len());
            String::from_utf8_lossy(&bytes[..end]).trim().to_owned()
        };
        let size = u64::from_str_radix(&text(124..136), 8).unwrap();
        let name = text(0..100);
        let stem = name.rsplit('/').next().unwrap_or_default().trim_end_matches(".json");
        let number = stem.parse().ok().filter(|number| name.contains("bodies/") && wanted.contains(number));
        let mut data = (&mut archive).take(size.next_multiple_of(512));
        if let Some(number) = number {
            let mut body = Vec::new();
            data.read_to_end(&mut body).unwrap();
            body.truncate(size as usize);
            bodies.insert(number, body);
        } else {
            std::io::copy(&mut data, &mut std::io::sink()).unwrap();
        }
    }
    (bodies.len() == wanted.len()).then_some(bodies)
}

/// Events of a body: audit id, stage, time of the request and URI.
fn keys(body: &[u8]) -> BTreeSet<[String; 4]> {
    let list: serde_json::Value = serde_json::from_slice(body).unwrap();
    let text = |item: &serde_json::Value, name: &str| item[name].as_str().unwrap_or_default().to_owned();
    let key = |item| ["auditID", "stage", "requestReceivedTimestamp", "requestURI"].map(|name| text(item, name));
    list["items"].as_array().unwrap().iter().map(key).collect()
}

#[test]
fn every_body_that_was_acknowledged_is_in_the_reel_once_over_refusals_and_a_killed_recorder() {
    // Some of what the real server sent, in its order: with the window in which it was refused (202 to 217), and what it
    // sent again in it and afterwards.
    const ORDER: [u32; 15] = [1, 3, 4, 202, 203, 206, 209, 210, 212, 217, 223, 229, 231, 238, 399];
    const REFUSED: std::ops::RangeInclusive<u32> = 202..=217;
    let Some(bodies) = real_bodies(&ORDER) else { return skip("audit webhook", "no shared data") };
    let folder = tempfile::tempdir().unwrap();
    let reel = folder.path().join("x.reel");
    let words = ["-w", reel.to_str().unwrap(), "--audit-webhook", "127.0.0.1:0"];
    let mut recorder = Recorder::start(&words);
    let address = recorder.address();
    let mut acknowledged = Vec::new();
    for number in ORDER.into_iter().take_while(|number| !REFUSED.contains(number)) {
        assert_eq!(post(&address, &bodies[&number]), Some(200), "{number}");
        acknowledged.push(number);
    }
    // Killed while one is on its way; then nobody is there, which the server takes for a refusal.
    let sent = {
        let (address, body) = (address.clone(), bodies[&202].clone());
        std::thread::spawn(move || post(&address, &body))
    };
    recorder.kill();
    if sent.join().unwrap() == Some(200) {
        acknowledged.push(202);
    }
    for number in ORDER.into_iter().filter(|number| REFUSED.contains(number) && *number != 202) {
        assert_eq!(post(&address, &bodies[&number]), None, "{number}");
    }
    let mut recorder = Recorder::start(&words);
    let address = recorder.address();
    // Several at once, as the server does; and one that had been taken before.
    let rest: Vec<u32> = ORDER.into_iter().filter(|number| *number > *REFUSED.end()).chain([3]).collect();
    std::thread::scope(|threads| {
        let posts: Vec<_> = rest.iter().map(|number| threads.spawn(|| post(&address, &bodies[number]))).collect();
        for (number, done) in rest.iter().zip(posts) {
            assert_eq!(done.join().unwrap(), Some(200), "{number}");
        }
    });
    acknowledged.extend(&rest);
    // Killed behind the last answer: what was acknowledged is on the disk.
    recorder.kill();
    let want: BTreeSet<[String; 4]> = acknowledged.iter().flat_map(|number| keys(&bodies[number])).collect();
    let found = recorded(&reels(folder.path()));
    let have: BTreeSet<[String; 4]> =
        found.iter().flat_map(|line| keys(format!("{{\"items\":[{line}]}}").as_bytes())).collect();
    assert_eq!((found.len(), have.len()), (want.len(), want.len()));
    assert!(have == want && want.len() > 2500, "{}", want.len());
    // The same bodies, read as files.
    let paths: Vec<String> = [1, 3, 4, 399]
        .iter()
        .map(|number| {
            let path = folder.path().join(format!("{number:06}.json"));
            std::fs::write(&path, &bodies[number]).unwrap();
            path.to_string_lossy().into_owned()
        })
        .collect();
    let want: BTreeSet<[String; 4]> = [1, 3, 4, 399].iter().flat_map(|number| keys(&bodies[number])).collect();
    assert_eq!(recorded(&paths).len(), want.len());
    // In order of time, although they did not come so.
    let files = reels(folder.path());
    let mut words: Vec<&str> = files.iter().flat_map(|file| ["-r", file.as_str()]).collect();
    words.extend(["-p", "%evt.rawtime"]);
    let times: Vec<u64> = sysreel(&words).lines().map(|time| time.parse().unwrap()).collect();
    assert!(times.is_sorted());
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
