//! What is done with fuzzed bytes; also run over the corpus by `cargo test` (`tests/fuzz.rs`).

use std::io::Write;
use std::sync::{Arc, Mutex};
use sysreel::engine::import_audit;
use sysreel::event::join_audit;
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

/// Reads bytes as an audit log twice over, so that the second time forms are known: whatever came of it is a reel that verifies, and
/// the text of each of its events stands in the bytes.
pub fn import_log(bytes: &[u8]) {
    let memory = Memory::default();
    let out = memory.clone();
    let create = |header: &sysreel::reel::Header| {
        let failed = |error| sysreel::engine::Error::Write { path: "memory".into(), error };
        Writer::new(out, header).map_err(failed)
    };
    let log = || ("log".to_owned(), Input::of_bytes(bytes.to_vec()));
    let imported = import_audit(vec![log(), log()], create, &mut |_, _| {});
    let counts = imported.expect("memory takes what is written").counts;
    let reel = memory.0.lock().map(|all| all.clone()).unwrap_or_default();
    let reader = Reader::of_bytes(Arc::new(reel)).expect("an import is a reel");
    assert!(reader.verify().damages.is_empty(), "an import is a whole reel");
    let is_packed =
        [&b"\x1f\x8b"[..], b"\x28\xb5\x2f\xfd", b"\x04\x22\x4d\x18"].iter().any(|magic| bytes.starts_with(magic));
    let (mut env, mut text, mut events) = (Vec::new(), Vec::new(), 0);
    for batch in (0..reader.segments().len()).flat_map(|segment| reader.batches(segment)) {
        let each = |row: sysreel::batch::Row<'_>| {
            let event = row.event(&mut env);
            events += 1;
            text.clear();
            let part = |part: sysreel::event::AuditPart| event.args[part.place()];
            join_audit(part, event.time, event.duration, &mut text);
            assert!(is_packed || memchr::memmem::find(bytes, &text).is_some(), "an event's text stands in its log");
        };
        batch.expect("a whole batch").for_each_row(each).expect("whole columns");
    }
    assert_eq!(events, counts.events);
}
