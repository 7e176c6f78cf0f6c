//! Filters against their plain meaning: `cargo +nightly fuzz run filter_eval fuzz/corpus/filter -- -dict=fuzz/filter.dict -max_len=400`.

#![no_main]

#[path = "../filter.rs"]
mod filter;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| filter::evaluate(bytes));
