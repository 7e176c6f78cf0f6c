//! What is done with fuzzed bytes; also run over cut and flipped captures by `cargo test` (`tests/fuzz.rs`).

use std::io::Write;
use std::sync::{Arc, Mutex};
use sysreel::engine::import;
use sysreel::reel::{Reader, Writer};
use sysreel::source::scap::Input;

/// A file in memory.
#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Vec<u8>>>);

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().map_or(Ok(0), |mut all| all.write(bytes))
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Imports bytes as a capture; whatever came of it is a reel that can be read, and verifies.
pub fn import_everything(bytes: &[u8]) {
    let memory = Memory::default();
    let out = memory.clone();
    let create = |header: &sysreel::reel::Header| {
        let failed = |error| sysreel::engine::Error::Write { path: "memory".into(), error };
        Writer::new(out, header).map_err(failed)
    };
    if import(Input::of_bytes(bytes.to_vec()), create, &mut |_, _| {}).is_err() {
        return;
    }
    let reel = memory.0.lock().map(|all| all.clone()).unwrap_or_default();
    let reader = Reader::of_bytes(Arc::new(reel));
    assert!(reader.is_ok_and(|reader| reader.verify().damages.is_empty()), "an import is a whole reel");
}
