//! The API server's webhook as it was: bodies of a real one in their order, over kills of the recorder and a full disk; and
//! one event at a time.

#![cfg(feature = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on fails, and says so"
)]

mod common;

use common::audit::{Recorder, event, post, recorded, reels, sysreel};
use common::live::{Small, has, until};
use common::{shared, skip};
use std::collections::BTreeSet;
use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;
use sysreel::source::scap;

/// Some of what the real server sent, in its order; `SYSREEL_LONG=1`: all 400.
const SOME: [u32; 23] =
    [1, 3, 4, 40, 80, 120, 160, 200, 202, 206, 210, 212, 217, 223, 229, 231, 238, 260, 300, 340, 345, 380, 399];

/// Bodies that its receiver refused for 25 s (`webhook/index.jsonl`).
const REFUSED: RangeInclusive<u32> = 201..=221;

/// Connections at a time.
const CLIENTS: usize = 4;

/// Most memory of a recorder, KiB.
const MEMORY: u64 = 200 << 10;

fn is_long() -> bool {
    std::env::var_os("SYSREEL_LONG").is_some()
}

/// Puts bodies of a real API server's webhook in a folder, by number.
fn unpack(numbers: &[u32], folder: &Path) -> Option<()> {
    let mut archive = scap::open(&shared()?.join("data/k8s/run2-full/webhook.tar.zst")).ok()?;
    let mut header = [0; 512];
    let mut left = numbers.len();
    while left > 0 && archive.read_exact(&mut header).is_ok() && header[0] != 0 {
        let text = |range: std::ops::Range<usize>| {
            let bytes = &header[range];
            let end = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len());
            String::from_utf8_lossy(&bytes[..end]).trim().to_owned()
        };
        let size = u64::from_str_radix(&text(124..136), 8).unwrap();
        let name = text(0..100);
        let stem = name.rsplit('/').next().unwrap_or_default().trim_end_matches(".json");
        let number = stem.parse().ok().filter(|number| name.contains("bodies/") && numbers.contains(number));
        let mut data = (&mut archive).take(size.next_multiple_of(512));
        if let Some(number) = number {
            std::io::copy(&mut (&mut data).take(size), &mut File::create(body(folder, number)).unwrap()).unwrap();
            left -= 1;
        }
        std::io::copy(&mut data, &mut std::io::sink()).unwrap();
    }
    (left == 0).then_some(())
}

fn body(folder: &Path, number: u32) -> PathBuf {
    folder.join(format!("{number:06}.json"))
}

/// An API server, and the recorder that it sends to.
struct Replay<'a> {
    bodies: &'a Path,
    reel: &'a str,
    recorder: Mutex<Option<Recorder>>,
    address: Mutex<String>,
    acknowledged: Mutex<BTreeSet<u32>>,
    refusals: Mutex<Vec<u16>>,
    failures: AtomicUsize,
}

impl Replay<'_> {
    fn start(&self) {
        let mut recorder = Recorder::start(&["-w", self.reel, "--audit-webhook", "127.0.0.1:0"]);
        *self.address.lock().unwrap() = recorder.address();
        *self.recorder.lock().unwrap() = Some(recorder);
    }

    /// Kills the recorder, which had no more memory than it may have.
    fn kill(&self) {
        let recorder = self.recorder.lock().unwrap().take().unwrap();
        let peak = recorder.peak();
        recorder.kill();
        assert!(peak < MEMORY, "{peak} KiB");
        println!("killed with {} bodies acknowledged, at most {peak} KiB", self.acknowledged.lock().unwrap().len());
    }

    /// Sends a body once; says whether it was acknowledged.
    fn send(&self, number: u32) -> bool {
        let address = self.address.lock().unwrap().clone();
        match post(&address, &std::fs::read(body(self.bodies, number)).unwrap()) {
            Some(200) => {
                self.acknowledged.lock().unwrap().insert(number);
                return true;
            }
            Some(status) => self.refusals.lock().unwrap().push(status),
            None => {
                self.failures.fetch_add(1, Ordering::Relaxed);
            }
        }
        false
    }

    /// Sends bodies until each is acknowledged, several at a time, while the recorder is killed and started so many times.
    fn send_all(&self, numbers: &[u32], kills: usize) {
        let next = AtomicUsize::new(0);
        let done = || self.acknowledged.lock().unwrap().len();
        let before = done();
        std::thread::scope(|threads| {
            for _ in 0..CLIENTS {
                threads.spawn(|| {
                    while let Some(&number) = numbers.get(next.fetch_add(1, Ordering::Relaxed)) {
                        until("a body is taken", || self.send(number));
                    }
                });
            }
            for kill in 1..=kills {
                until("some are acknowledged", || done() >= before + kill * numbers.len() / (kills + 1));
                self.kill();
                self.start();
            }
        });
    }

    /// Sends bodies while the disk is full, each from several servers at once: none is taken, and all are told to come again.
    fn send_in_vain(&self, numbers: &[u32], disk: &Path, copies: usize) {
        let ballast = disk.join("ballast");
        let mut file = File::create(&ballast).unwrap();
        while file.write_all(&[0; 4096]).is_ok() {}
        std::thread::scope(|threads| {
            let send = |number: &u32| {
                threads.spawn({
                    let number = *number;
                    move || self.send(number)
                })
            };
            let sent: Vec<_> = numbers.iter().cycle().take(numbers.len() * copies).map(send).collect();
            assert!(sent.into_iter().all(|sent| !sent.join().unwrap()));
        });
        std::fs::remove_file(ballast).unwrap();
    }
}

/// What jq makes of JSON: a value that stands for each line, sorted.
fn lines_of_jq(query: &str, files: &[PathBuf]) -> Vec<u64> {
    let mut jq = Command::new("jq").args(["-c", query]).args(files).stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(jq.stdout.take().unwrap()).split(b'\n');
    let hash = |line: std::io::Result<Vec<u8>>| {
        let mut hasher = DefaultHasher::new();
        line.unwrap().hash(&mut hasher);
        hasher.finish()
    };
    let mut found: Vec<u64> = lines.map(hash).collect();
    assert!(jq.wait().unwrap().success());
    found.sort_unstable();
    found
}

#[test]
fn every_acknowledged_event_of_a_real_server_is_there_once_over_kills_and_a_full_disk() {
    let test = "every_acknowledged_event_of_a_real_server_is_there_once_over_kills_and_a_full_disk";
    if !has(test, "jq") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = Small::mount(test, folder.path().join("disk"), "128m") else { return };
    let numbers: Vec<u32> = if is_long() { (1..=400).collect() } else { SOME.to_vec() };
    if unpack(&numbers, folder.path()).is_none() {
        return skip(test, "no shared data");
    }
    let reel = disk.0.join("x.reel");
    let replay = Replay {
        bodies: folder.path(),
        reel: reel.to_str().unwrap(),
        recorder: Mutex::default(),
        address: Mutex::default(),
        acknowledged: Mutex::default(),
        refusals: Mutex::default(),
        failures: AtomicUsize::new(0),
    };
    let part = |is_in: &dyn Fn(u32) -> bool| numbers.iter().copied().filter(|n| is_in(*n)).collect::<Vec<u32>>();
    let begun = Instant::now();
    replay.start();
    replay.send_all(&part(&|n| n < *REFUSED.start()), 2);
    let refused = part(&|n| REFUSED.contains(&n));
    replay.send_in_vain(&refused, &disk.0, 48 / refused.len());
    // The real server sent them again later, and so does this one.
    replay.send_all(&[&refused[..], &part(&|n| n > *REFUSED.end())].concat(), 2);
    // Killed behind the last answer: what was acknowledged is on the disk.
    replay.kill();
    let refusals = replay.refusals.into_inner().unwrap();
    let count = |status: u16| refusals.iter().filter(|found| **found == status).count();
    // By what came first of a full memory and a full disk.
    assert!(!refusals.is_empty() && count(429) + count(503) == refusals.len(), "{refusals:?}");
    assert!(replay.acknowledged.into_inner().unwrap().into_iter().eq(numbers.iter().copied()));
    let sent: Vec<PathBuf> = numbers.iter().map(|number| body(folder.path(), *number)).collect();
    let mut want = lines_of_jq(".items[]", &sent);
    let all = want.len();
    want.dedup();
    let files = reels(&disk.0);
    assert_eq!(files.len(), 5, "{files:?}");
    let lines = folder.path().join("lines");
    let words: Vec<&str> = ["convert", "--to", "jsonl"].into_iter().chain(files.iter().map(String::as_str)).collect();
    let out = Command::new(common::live::SYSREEL).args(words).stdout(File::create(&lines).unwrap()).status().unwrap();
    assert!(out.success());
    let found = lines_of_jq(".", &[lines]);
    assert!(found == want && want.len() > 2500, "{} and {}", found.len(), want.len());
    println!(
        "{} bodies with {all} events, {} of them different, in {:.0?}: {} answers 429, {} answers 503, {} posts without an answer",
        numbers.len(),
        want.len(),
        begun.elapsed(),
        count(429),
        count(503),
        replay.failures.load(Ordering::Relaxed)
    );
    // In order of time, although they did not come so.
    let mut words: Vec<&str> = files.iter().flat_map(|file| ["-r", file.as_str()]).collect();
    words.extend(["-p", "%evt.rawtime"]);
    let times: Vec<u64> = sysreel(&words).lines().map(|time| time.parse().unwrap()).collect();
    assert!(times.is_sorted());
    // Items of a list have no kind of their own, and the list has nothing to say of itself.
    assert!(lines_of_jq(".items[] | select(.kind or .apiVersion)", &sent[..4]).is_empty());
    assert_eq!(lines_of_jq("select(.metadata == {}) | .kind", &sent[..4]).len(), 4);
    // The same bodies, read as files.
    let paths: Vec<String> = sent.iter().take(4).map(|path| path.to_string_lossy().into_owned()).collect();
    let mut want = lines_of_jq(".items[]", &sent[..4]);
    want.dedup();
    assert_eq!(recorded(&paths).len(), want.len());
}

#[test]
fn who_finds_no_room_is_told_to_come_again_and_is_taken_then() {
    const ALL: usize = 48 << 20;
    const EACH: usize = 8 << 20;
    let folder = tempfile::tempdir().unwrap();
    let reel = folder.path().join("x.reel");
    let mut recorder = Recorder::start(&["-w", reel.to_str().unwrap(), "--audit-webhook", "127.0.0.1:0"]);
    let address = recorder.address();
    // They have the room for bodies that they do not send.
    let stalled: Vec<TcpStream> = (0..ALL / EACH)
        .map(|_| {
            let mut stream = TcpStream::connect(&address).unwrap();
            write!(stream, "POST / HTTP/1.1\r\nContent-Length: {EACH}\r\n\r\n").unwrap();
            stream
        })
        .collect();
    let body = format!("{{\"items\":[{}]}}", event(1, 500));
    until("there is no room", || post(&address, body.as_bytes()) == Some(429));
    drop(stalled);
    until("there is room", || post(&address, body.as_bytes()) == Some(200));
    recorder.end();
    assert_eq!(recorded(&reels(folder.path())), [event(1, 500)]);
}

/// Sends events in bodies of their own, on one connection.
fn send_each(address: &str, events: std::ops::Range<usize>) {
    let mut stream = TcpStream::connect(address).unwrap();
    let mut answers = BufReader::new(stream.try_clone().unwrap());
    for n in events {
        let body = format!("{{\"items\":[{}]}}", event(n, 500));
        write!(stream, "POST / HTTP/1.1\r\nContent-Length: {}\r\n\r\n{body}", body.len()).unwrap();
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert!(answers.read_line(&mut head).unwrap() > 0, "{head}");
        }
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    }
}

#[test]
fn events_one_by_one_from_many_clients_are_written_in_groups() {
    let long: &[(usize, usize, &[&str])] = &[
        (1, 50, &[]),
        (16, 50, &[]),
        (400, 50, &[]),
        (1, 500, &["--flush", "0.001"]),
        (16, 200, &["--flush", "0.001"]),
    ];
    let runs = if is_long() { long } else { &[(200, 3, &[] as &[&str])] };
    for &(clients, each, more) in runs {
        let folder = tempfile::tempdir().unwrap();
        let reel = folder.path().join("x.reel");
        let words = ["-w", reel.to_str().unwrap(), "--audit-webhook", "127.0.0.1:0"];
        let mut recorder = Recorder::start(&[&words, more].concat());
        let address = recorder.address();
        let begun = Instant::now();
        std::thread::scope(|threads| {
            for client in 0..clients {
                let address = &address;
                threads.spawn(move || send_each(address, client * each..(client + 1) * each));
            }
        });
        let lasted = begun.elapsed();
        let peak = recorder.peak();
        assert!(peak < MEMORY, "{peak} KiB");
        recorder.end();
        let all = clients * each;
        assert_eq!(recorded(&reels(folder.path())).len(), all);
        // A reel that had a frame for each would have a few hundred bytes more for each.
        let bytes = std::fs::metadata(&reel).unwrap().len();
        assert!(clients < 100 || bytes < 200 * all as u64, "{bytes} bytes");
        println!(
            "{clients} clients, {more:?}: {:.0} events/s, {} bytes each, at most {peak} KiB",
            all as f64 / lasted.as_secs_f64(),
            bytes / all as u64
        );
    }
}
