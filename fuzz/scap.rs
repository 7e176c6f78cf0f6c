//! What is done with fuzzed bytes; also run over cut and flipped captures by `cargo test` (`tests/fuzz.rs`).

use super::memory::Memory;
use sysreel::engine::import;
use sysreel::source::scap::Input;

/// Imports bytes as a capture; whatever came of it is a reel that can be read, and verifies.
pub fn import_everything(bytes: &[u8]) {
    let memory = Memory::default();
    if import(Input::of_bytes(bytes.to_vec()), |header| memory.create(header), &mut |_, _| {}).is_err() {
        return;
    }
    memory.whole();
}
