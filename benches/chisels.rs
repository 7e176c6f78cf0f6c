//! Chisels over a large capture beside sysdig's over the same one: `cargo bench --bench chisels`.
//!
//! The capture is made anew: a program that makes five million calls on files, directories and sockets is recorded with
//! the probe, and exported as scap for `sysdig`. Both answer the same question about it, in turns; the figure is calls a
//! second of wall time (the scap holds two events a call). Without BPF, or without `sysdig`, what is missing is said.
//! `SYSREEL_BENCH_REEL=file` takes a reel that is there.

#![expect(clippy::unwrap_used, reason = "a bench that cannot run has nothing to say")]
#![expect(clippy::print_stdout, reason = "its figures are its purpose")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

/// Calls that the program makes, at least.
const CALLS: u64 = 5_000_000;

/// Each question: ours and sysdig's name, and the argument.
const QUESTIONS: &[(&str, Option<&str>)] = &[
    ("topprocs_file", None),
    ("topfiles_bytes", None),
    ("fdbytes_by", Some("fd.name")),
    ("topscalls_time", None),
    ("netstat", None),
    ("spy_users", None),
];

/// Makes calls: reads and writes of files, looks at names, a pair of connected sockets, a shell now and then.
const LOAD: &str = r#"
import os, socket, subprocess, sys
calls = int(sys.argv[1])
server = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(server.getsockname())
peer, _ = server.accept()
names = ["file%d" % n for n in range(200)]
for name in names:
    open(name, "w").close()
made = 0
turn = 0
while made < calls:
    name = names[turn % len(names)]
    fd = os.open(name, os.O_RDWR)
    for n in range(20):
        os.pwrite(fd, b"x" * 100, 0)
        os.pread(fd, 100, 0)
        os.stat(name)
    os.close(fd)
    client.send(b"question")
    peer.recv(64)
    made += 64
    turn += 1
    if turn % 20000 == 0:
        subprocess.run(["bash", "-c", "ls file1; cat file2"], stdout=subprocess.DEVNULL)
"#;

fn record(folder: &Path) -> Option<PathBuf> {
    let reel = folder.join("load.reel");
    std::fs::write(folder.join("load.py"), LOAD).unwrap();
    let calls = CALLS.to_string();
    let status = Command::new(env!("CARGO_BIN_EXE_sysreel"))
        .current_dir(folder)
        .args(["-q", "--ebpf", "-w", "load.reel", "--", "python3", "load.py", &calls])
        .status()
        .unwrap();
    status.success().then_some(reel)
}

/// Seconds of the best of some runs.
fn best(runs: usize, mut command: impl FnMut() -> Command) -> Option<f64> {
    let mut best = f64::MAX;
    for _ in 0..runs {
        let start = Instant::now();
        let status = command().stdout(Stdio::null()).stderr(Stdio::null()).status().ok()?;
        if !status.success() {
            return None;
        }
        best = best.min(start.elapsed().as_secs_f64());
    }
    Some(best)
}

fn ours(reel: &Path, name: &str, arg: Option<&str>, threads: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sysreel"));
    command.arg("-r").arg(reel).args(["--threads", threads, "-c", name]).args(arg);
    command
}

fn main() {
    let folder = std::env::temp_dir().join(format!("sysreel-bench-chisels-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let given = std::env::var_os("SYSREEL_BENCH_REEL").map(PathBuf::from);
    let Some(reel) = given.or_else(|| record(&folder)) else {
        println!("no capture: the probe cannot be used here");
        return;
    };
    let calls = sysreel::reel::Reader::open(&reel)
        .unwrap()
        .segments()
        .iter()
        .map(sysreel::reel::SegmentInfo::rows)
        .sum::<u64>();
    let scap = folder.join("load.scap");
    let export =
        Command::new(env!("CARGO_BIN_EXE_sysreel")).arg("-q").arg("-r").arg(&reel).arg("-w").arg(&scap).status();
    let has_sysdig = export.is_ok_and(|status| status.success())
        && Command::new("sysdig").arg("--version").stdout(Stdio::null()).status().is_ok_and(|status| status.success());
    println!("{:.1} M calls{}", calls as f64 / 1e6, if has_sysdig { "" } else { "; sysdig is missing" });
    for (name, arg) in QUESTIONS {
        let rate = |seconds: Option<f64>| seconds.map_or(f64::NAN, |s| calls as f64 / s / 1e6);
        let one = rate(best(5, || ours(&reel, name, *arg, "1")));
        let two = rate(best(5, || ours(&reel, name, *arg, "2")));
        let peer = if has_sysdig {
            let theirs = || {
                let mut command = Command::new("sysdig");
                command.arg("-r").arg(&scap).args(["-c", name]).args(*arg);
                command
            };
            rate(best(1, theirs))
        } else {
            f64::NAN
        };
        println!(
            "{name:<16} {one:>8.1} M calls/s on one core ({:.1} x sysdig's {peer:.2}), {two:>8.1} on two ({:.2} x one)",
            one / peer,
            two / one
        );
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
