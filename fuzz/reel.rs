//! What is done with fuzzed bytes; also run over the corpus by `cargo test` (`tests/fuzz.rs`).

use std::sync::Arc;
use sysreel::reel::Reader;

/// Opens bytes as a reel, with its indices and without, and asks for everything that a reader has.
pub fn read_everything(bytes: &[u8]) {
    let indexed = Reader::of_bytes(Arc::new(bytes.to_vec()));
    let walked = Reader::of_walk(Arc::new(bytes.to_vec()));
    assert_eq!(indexed.is_ok(), walked.is_ok());
    for reader in [indexed, walked].into_iter().flatten() {
        for segment in 0..reader.segments().len() {
            let _ = (reader.segment_span(segment), reader.dict(segment));
            if let (Ok(heads), Ok(durations)) = (reader.heads(segment), reader.durations(segment)) {
                for (at, head) in reader.segments()[segment].batches.iter().zip(heads.iter()) {
                    let _ = head.as_ref().map(|head| durations.of(at, &head.kinds));
                }
            }
            for batch in reader.snapshots(segment).chain(reader.batches(segment)).flatten() {
                let mut env = Vec::new();
                let mut events = 0usize;
                let _ = batch.for_each_row(|row| events += row.event(&mut env).args.len());
            }
        }
        let _ = (reader.span(), reader.is_closed(), reader.verify(), reader.damages());
    }
}
