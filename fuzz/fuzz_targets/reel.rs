//! Any bytes as a reel: `cargo +nightly fuzz run reel fuzz/corpus/reel captures captures/compat`.

#![no_main]

#[path = "../reel.rs"]
mod reel;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| reel::read_everything(bytes));
