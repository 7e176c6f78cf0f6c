//! The bodies of the fuzz targets over their corpus and the kept reels.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails, and says so")]

#[path = "../fuzz/reel.rs"]
#[allow(unreachable_pub, reason = "shared with the fuzz target")]
mod reel;

#[path = "../fuzz/scap.rs"]
#[allow(unreachable_pub, reason = "shared with the fuzz target")]
mod scap;

#[path = "../fuzz/audit.rs"]
#[allow(unreachable_pub, reason = "shared with the fuzz target")]
mod audit;

#[path = "../fuzz/memory.rs"]
#[allow(unreachable_pub, reason = "shared with the fuzz targets")]
mod memory;

#[path = "../fuzz/filter.rs"]
#[allow(unreachable_pub, reason = "shared with the fuzz target")]
mod filter;

#[path = "common/scap.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with other tests")]
mod capture;

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

#[test]
fn the_corpus_of_filters_means_for_batches_what_it_means_for_events() {
    let corpus = files("fuzz/corpus/filter");
    assert!(corpus.len() > 10);
    for file in corpus {
        let text = std::fs::read(&file).unwrap();
        filter::evaluate(&text);
        for end in 0..text.len() {
            filter::parse(&text[..end]);
        }
    }
}

#[test]
fn cut_and_flipped_audit_logs_are_read_without_a_panic_and_come_back() {
    let corpus = files("fuzz/corpus/audit");
    assert!(corpus.len() > 6);
    for file in corpus {
        let log = std::fs::read(&file).unwrap();
        audit::import_log(&log);
        let step = log.len() / 40 + 1;
        for end in (0..log.len()).step_by(step) {
            audit::import_log(&log[..end]);
        }
        for at in (0..log.len()).step_by(step) {
            let mut flipped = log.clone();
            flipped[at] ^= 1 << (at % 8);
            audit::import_log(&flipped);
        }
    }
}

#[test]
fn the_corpus_of_captures_becomes_whole_reels() {
    let corpus = files("fuzz/corpus/scap");
    assert!(!corpus.is_empty());
    for file in corpus {
        scap::import_everything(&std::fs::read(&file).unwrap());
    }
}

#[test]
fn cut_and_flipped_captures_are_imported_without_a_panic() {
    let story = capture::story().bytes;
    for end in (0..story.len()).step_by(7) {
        scap::import_everything(&story[..end]);
    }
    for at in (0..story.len()).step_by(3) {
        for bit in [0, 7] {
            let mut flipped = story.clone();
            flipped[at] ^= 1 << bit;
            scap::import_everything(&flipped);
        }
    }
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut packed, &story).unwrap();
    let packed = packed.finish().unwrap();
    for end in (0..packed.len()).step_by(11) {
        scap::import_everything(&packed[..end]);
    }
}
