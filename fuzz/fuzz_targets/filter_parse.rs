//! Any text as a filter: `cargo +nightly fuzz run filter_parse fuzz/corpus/filter -- -dict=fuzz/filter.dict -max_len=400`.

#![no_main]

#[path = "../filter.rs"]
#[allow(dead_code, reason = "the other target's part")]
mod filter;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| drop(filter::parse(bytes)));
