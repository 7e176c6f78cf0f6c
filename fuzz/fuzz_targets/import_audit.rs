//! Any bytes as a Kubernetes audit log: `cargo +nightly fuzz run import_audit fuzz/corpus/audit`.

#![no_main]

#[path = "../audit.rs"]
mod audit;
#[path = "../memory.rs"]
mod memory;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| audit::import_log(bytes));
