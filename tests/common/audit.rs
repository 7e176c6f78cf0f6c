//! What tests of audit events that come live share: a recorder that runs, what it recorded, what an API server sends.

use super::shared;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};
use sysreel::source::scap;

/// Far longer than anything here takes, also on a slow machine.
pub const LONG: Duration = Duration::from_secs(180);

/// Standard output of the program, which must succeed.
pub fn sysreel(words: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_sysreel")).args(words).output().unwrap();
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A recorder that runs.
pub struct Recorder {
    pub child: Child,
    said: Receiver<String>,
    heard: Vec<String>,
}

impl Recorder {
    pub fn start(words: &[&str]) -> Recorder {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sysreel"));
        command.args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (tell, said) = channel();
        let errors = BufReader::new(child.stderr.take().unwrap());
        std::thread::spawn(move || errors.lines().map_while(Result::ok).try_for_each(|line| tell.send(line)));
        Recorder { child, said, heard: Vec::new() }
    }

    /// What it says that has a text in it.
    pub fn hear(&mut self, text: &str) -> String {
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
    pub fn address(&mut self) -> String {
        self.hear("listens on ").rsplit_once(' ').unwrap().1.to_owned()
    }

    /// Kills it, as the kernel does.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Ends it as Ctrl-C does; returns all it said.
    pub fn end(mut self) -> Vec<String> {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
        let status = self.child.wait().unwrap();
        self.heard.extend(self.said.iter());
        assert!(status.success(), "{:?}", self.heard);
        self.heard
    }

    /// Most memory that it had, KiB.
    pub fn peak(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }
}

/// The recordings in a folder, as words for `-r`.
pub fn reels(folder: &Path) -> Vec<String> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.retain(|path| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        name.contains(".reel") && !name.contains(".position")
    });
    found.sort();
    found.into_iter().map(|path| path.to_string_lossy().into_owned()).collect()
}

/// The lines of all audit events in recordings, sorted.
pub fn recorded(files: &[String]) -> Vec<String> {
    let words: Vec<&str> = ["convert", "--to", "jsonl"].into_iter().chain(files.iter().map(String::as_str)).collect();
    let mut lines: Vec<String> = sysreel(&words).lines().map(str::to_owned).collect();
    lines.sort_unstable();
    lines
}

/// An event with a number, which says its time too (ms from 21:22), and so many bytes more than it needs.
pub fn event(n: usize, padding: usize) -> String {
    let time = format!("2026-11-21T21:{:02}:{:02}.{:03}", 22 + n / 60_000, n / 1000 % 60, n % 1000);
    format!(
        "{{\"kind\":\"Event\",\"auditID\":\"{n:08x}-0000-4000-8000-000000000000\",\"stage\":\"ResponseComplete\",\"requestURI\":\"/api/{n}\",\"verb\":\"get\",\"requestReceivedTimestamp\":\"{time}000Z\",\"stageTimestamp\":\"{time}100Z\",\"note\":\"{}\"}}",
        "x".repeat(padding)
    )
}

/// Events of a real log.
pub fn real_lines() -> Option<Vec<String>> {
    let path = shared()?.join("data/k8s/run4-seed000-trunc/k8s_audit.log.zst");
    let mut text = String::new();
    scap::open(&path).ok()?.read_to_string(&mut text).ok()?;
    Some(text.lines().map(str::to_owned).collect())
}

/// Whether a position says that a log was read to its end.
pub fn is_read(position: &Path, log: &Path) -> bool {
    let Ok(text) = std::fs::read(position) else { return false };
    let Ok(found) = serde_json::from_slice::<serde_json::Value>(&text) else { return false };
    let size = std::fs::metadata(log).map_or(0, |about| about.len());
    found["files"].as_array().and_then(|files| files.last()).is_some_and(|last| last["offset"] == size)
}

/// Sends a request and returns status, head and body of the answer; `None`: no answer came.
pub fn send(address: &str, request: &[u8]) -> Option<(u16, String)> {
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
pub fn post(address: &str, body: &[u8]) -> Option<u16> {
    let head = format!(
        "POST /k8s-audit?timeout=30s HTTP/1.1\r\nHost: {address}\r\nUser-Agent: Go-http-client/1.1\r\nContent-Length: {}\r\nAccept: application/json, */*\r\nContent-Type: application/json\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n",
        body.len()
    );
    send(address, &[head.as_bytes(), body].concat()).map(|(status, _)| status)
}
