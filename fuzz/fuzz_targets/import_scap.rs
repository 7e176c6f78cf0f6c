//! Any bytes as a capture of sysdig: `cargo +nightly fuzz run import_scap fuzz/corpus/scap`.

#![no_main]

#[path = "../scap.rs"]
mod scap;
#[path = "../memory.rs"]
mod memory;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| scap::import_everything(bytes));
