//! The bodies of the fuzz targets over their corpus and the kept reels.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails, and says so")]

#[path = "../fuzz/reel.rs"]
#[allow(unreachable_pub, reason = "shared with the fuzz target")]
mod reel;

use std::path::{Path, PathBuf};

fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|f| f.unwrap().path()).collect();
    files.retain(|f| f.is_file());
    files.sort();
    files
}

#[test]
fn the_corpus_is_read_without_a_panic() {
    let corpus = files("fuzz/corpus/reel");
    assert!(corpus.len() > 3);
    for file in corpus.iter().chain(&files("captures/compat")) {
        reel::read_everything(&std::fs::read(file).unwrap());
    }
}
