//! What is done with fuzzed bytes; also run over the corpus by `cargo test` (`tests/fuzz.rs`).

use super::memory::Memory;
use sysreel::engine::import_audit;
use sysreel::event::join_audit;
use sysreel::source::scap::Input;

/// Reads bytes as an audit log twice over, so that the second time forms are known: whatever came of it is a reel that verifies, and
/// the text of each of its events stands in the bytes.
pub fn import_log(bytes: &[u8]) {
    let memory = Memory::default();
    let log = || ("log".to_owned(), Input::of_bytes(bytes.to_vec()));
    let imported = import_audit(vec![vec![log(), log()]], |header| memory.create(header), &mut |_, _| {});
    let counts = imported.expect("memory takes what is written").counts;
    let reader = memory.whole();
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
