//! The floor of whatever sees calls at the two tracepoints of all calls: programs that do nothing there, read the clock once each, or
//! keep what a record is made of.

#![allow(clippy::unwrap_used, reason = "a bench that cannot go on stops")]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// Programs at the tracepoints (`benches/floor.py`), until this is dropped.
pub(crate) struct Floor(Child);

impl Floor {
    /// Puts them there; `options`: none for empty ones, `clock` for ones that read the clock,
    /// `record` for ones that keep what a record is made of.
    pub(crate) fn hold(options: &[&str]) -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/floor.py");
        let mut child = Command::new("python3")
            .arg(script)
            .args(options)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line.trim(), "ready");
        Self(child)
    }
}

impl Drop for Floor {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        self.0.wait().unwrap();
    }
}
