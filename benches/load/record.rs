//! Live recordings of a load, and what they cost: what the recorder says of itself, and its memory.

#![allow(dead_code, reason = "each bench takes a part")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// Memory of the rings, MB: the recorder's default.
pub(crate) const RINGS_MB: f64 = 33.6;

/// What a recorder said of a recording.
#[derive(Debug, Default, Clone)]
pub(crate) struct Recording {
    pub(crate) reel: PathBuf,
    pub(crate) events: f64,
    pub(crate) bytes: f64,
    pub(crate) lost: f64,
    /// Processor time per event, ns: all, and on the threads drain, build, encode and write.
    pub(crate) cpu: [f64; 5],
    /// Memory at its peak, MB, rings included.
    pub(crate) peak: f64,
}

/// The number before a word in a text; 0 where there is none.
fn before(text: &str, word: &str) -> f64 {
    let words: Vec<&str> = text[..text.find(word).unwrap_or(0)].split_whitespace().collect();
    words.last().and_then(|number| number.parse().ok()).unwrap_or(0.0)
}

/// The number behind a word in a text; 0 where there is none.
fn behind(text: &str, word: &str) -> f64 {
    let Some(at) = text.find(word) else { return 0.0 };
    let number: String = text[at + word.len()..].chars().take_while(char::is_ascii_digit).collect();
    number.parse().unwrap_or(0.0)
}

/// Peak resident memory of a process that runs, MB.
fn peak(pid: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok());
    line.unwrap_or(0.0) * 1.024e-3
}

/// Records a command into a reel of a folder.
pub(crate) fn record(folder: &Path, name: &str, command: &[&str]) -> Recording {
    let reel = folder.join(name).with_extension("reel");
    let told = folder.join("told");
    let mut recorder = Command::new(env!("CARGO_BIN_EXE_sysreel"))
        .args(["-v", "-w"])
        .arg(&reel)
        .arg("--")
        .args(command)
        .current_dir(folder)
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(&told).expect("scratch directory"))
        .spawn()
        .expect("the recorder starts");
    let mut most = 0_f64;
    while recorder.try_wait().expect("the recorder").is_none() {
        // The peak is kept by the kernel, so that it is enough to look now and then.
        most = most.max(peak(recorder.id()));
        std::thread::sleep(Duration::from_millis(20));
    }
    let told = std::fs::read_to_string(&told).unwrap_or_default();
    let cpu = [
        before(&told, "ns of processor time"),
        behind(&told, "(drain "),
        behind(&told, ", build "),
        behind(&told, ", encode "),
        behind(&told, ", write "),
    ];
    let bytes = std::fs::metadata(&reel).map_or(0, |made| made.len()) as f64;
    let lost = before(&told, "events were lost");
    Recording { reel, events: before(&told, "events seen"), bytes, lost, cpu, peak: most }
}

/// The script of the mixed load.
pub(crate) fn script() -> String {
    format!("{}/benches/load/mixed.sh", env!("CARGO_MANIFEST_DIR"))
}

/// Records the mixed load in a folder of its own.
pub(crate) fn mixed(folder: &Path, rounds: u32) -> Recording {
    let work = folder.join("work");
    std::fs::create_dir_all(&work).expect("scratch directory");
    let (script, rounds) = (script(), rounds.to_string());
    let done = record(folder, "mixed", &["sh", &script, work.to_str().expect("a plain path"), &rounds]);
    // A database that was cut off leaves files of another user.
    std::fs::remove_dir_all(&work).ok();
    done
}

/// The storms: what they are called, and their words for `storm`.
pub(crate) const STORMS: [(&str, [&str; 2]); 6] = [
    ("getppid, 3 M", ["calls", "3000000"]),
    ("write, 1 byte, 3 M", ["writes", "3000000"]),
    ("open and close, 1 M", ["files", "1000000"]),
    ("opens of distinct paths, 1 M", ["opens", "1000000"]),
    ("UDP with 10,000 peers", ["peers", "10000"]),
    ("5,000 forks", ["forks", "5000"]),
];
