//! The bodies of the fuzz targets over their corpus, the kept reels and a few thousand mutations of them.

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

#[test]
fn mutations_of_small_reels_are_read_without_a_panic() {
    // The smallest of the corpus, with every byte made another, and checksums of headers made right again.
    for file in files("fuzz/corpus/reel") {
        let bytes = std::fs::read(&file).unwrap();
        if bytes.len() > 4_000 {
            continue;
        }
        for at in 0..bytes.len() {
            for value in [0, 0xff, bytes[at] ^ 1] {
                let mut other = bytes.clone();
                other[at] = value;
                reel::read_everything(&sealed(other));
            }
        }
    }
}

/// The bytes with the CRC-32 of every frame's header right, so that what stands in the header is believed.
fn sealed(mut reel: Vec<u8>) -> Vec<u8> {
    let starts: Vec<usize> = memchr::memmem::find_iter(&reel, b"\xf5SRL").collect();
    for at in starts {
        if let Some(header) = reel.get_mut(at..at + 100) {
            let crc = crc32fast::hash(&header[..96]).to_le_bytes();
            header[96..].copy_from_slice(&crc);
        }
    }
    reel
}
