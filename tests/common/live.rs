//! What live tests share: named skips, programs compiled when they are needed, waiting with a deadline.

use super::skip;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Whether live capture can work here at all; says why not.
pub fn able(test: &str) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let effective =
        status.lines().find_map(|l| l.strip_prefix("CapEff:")).and_then(|v| u64::from_str_radix(v.trim(), 16).ok());
    // CAP_PERFMON is 38, CAP_BPF 39 (include/uapi/linux/capability.h).
    if effective.is_none_or(|caps| caps >> 38 & 3 != 3) {
        skip(test, "needs CAP_BPF and CAP_PERFMON");
        return false;
    }
    if !Path::new("/sys/kernel/btf/vmlinux").exists() {
        skip(test, "this kernel has no BTF");
        return false;
    }
    true
}

/// Whether a program is installed; says so if not.
pub fn has(test: &str, program: &str) -> bool {
    let found = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !found {
        skip(test, &format!("needs {program}"));
    }
    found
}

/// Compiles `tests/programs/NAME.c` into a folder; says so where there is no compiler.
pub fn program(test: &str, name: &str, folder: &Path) -> Option<PathBuf> {
    if !has(test, "cc") {
        return None;
    }
    let source = format!("{}/tests/programs/{name}.c", env!("CARGO_MANIFEST_DIR"));
    let out = folder.join(name);
    let done = Command::new("cc").args(["-O1", "-w", "-pthread", "-o"]).arg(&out).arg(source).status().unwrap();
    assert!(done.success(), "{name}.c does not compile");
    Some(out)
}

/// Runs the program under test to its end.
pub fn sysreel(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sysreel")).args(words).output().unwrap()
}

/// Waits for a condition with a deadline.
pub fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < Duration::from_secs(60), "{what} did not happen");
        // Spinning would take a processor from whoever is to make it happen.
        std::thread::sleep(Duration::from_millis(1));
    }
}
