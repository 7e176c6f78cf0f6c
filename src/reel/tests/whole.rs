//! What was written is read.

use super::sample::{SAMPLE, Shared, delta, encoded, header, intact, loss, read, schema};
use crate::reel::{Close, Error, Header, Reader, Writer};
use crate::world::{Delta, Dict, LateFact, LateValue, StrId};
use std::io;
use std::path::PathBuf;

#[test]
fn what_was_written_is_read() {
    let reader = read(&SAMPLE.bytes).unwrap();
    assert_eq!(reader.header(), &Header { format_version: 1, footed: true, ..header() });
    let segments = reader.segments();
    assert_eq!(
        segments.iter().map(|s| (s.number, s.snapshots.len(), s.batches.len())).collect::<Vec<_>>(),
        [(1, 1, 3), (2, 1, 3)]
    );
    let close = Close { batches: 3, rows: 3_600, losses: 3, dictionaries: 3 };
    assert!(segments.iter().all(|s| s.close == Some(close) && s.rows() == 3_600));
    assert_eq!(reader.losses(), [loss(), loss()]);
    assert_eq!(intact(&reader, &SAMPLE.bytes).len(), 6);
    assert_eq!(reader.damages(), []);
    let verdict = reader.verify();
    assert!(verdict.is_intact() && verdict.closed);
    assert_eq!(verdict.frames, SAMPLE.frames.len() - 1);
}

#[test]
fn every_batch_has_the_whole_dictionary_of_its_segment() {
    let reader = read(&SAMPLE.bytes).unwrap();
    for batch in reader.batches(1).chain(reader.snapshots(0)) {
        let batch = batch.unwrap();
        assert_eq!(batch.dict().text(StrId(3)), b"two");
        assert_eq!(batch.dict().thread(2).tid, 102);
        assert_eq!(batch.rows(), 1_200);
    }
}

#[test]
fn what_is_no_reel_is_refused() {
    for bytes in [&b""[..], b"\x0a\x0d\x0d\x0a", &[0xf5, b'S', b'R', b'L'], &[0xf5; 300]] {
        assert!(matches!(read(bytes), Err(Error::NotAReel { .. })), "{bytes:?}");
    }
}

#[test]
fn a_file_is_mapped_and_read_back() {
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("a.reel");
    let mut writer = Writer::create(&path, &header()).unwrap();
    writer.begin_segment(&schema(), &[]).unwrap();
    let (columns, encoded) = encoded(1);
    writer.batch(&encoded).unwrap();
    writer.finish().unwrap();
    let reader = Reader::open(&path).unwrap();
    let batch = reader.batches(0).next().unwrap().unwrap();
    assert_eq!(batch.time().unwrap(), columns.time);
    assert!(matches!(Reader::open(&scratch.path().join("none")), Err(Error::Io { .. })));
}

#[test]
fn a_full_device_is_an_error_that_says_so() {
    let path = PathBuf::from("/dev/full");
    if path.exists() {
        assert!(matches!(Writer::create(&path, &header()), Err(Error::Full { offset: 0, .. })));
    }
}

#[test]
fn a_batch_outside_a_segment_is_refused() {
    let mut writer = Writer::new(io::sink(), &header()).unwrap();
    assert!(matches!(writer.batch(&encoded(1).1), Err(Error::Order { .. })));
}

#[test]
fn a_dictionary_body_comes_back() {
    let delta = Delta {
        string_lengths: vec![0, 3, 0, 2],
        string_bytes: b"abcde".to_vec(),
        users: vec![(0, StrId(2))],
        ..delta(1, "")
    };
    let body = crate::reel::dictionary::store(&delta, 3).unwrap();
    assert_eq!(crate::reel::dictionary::load(&body, &mut 4096).unwrap(), delta);
    assert!(Dict::new().apply(&delta).is_ok());
}

/// A reel of one segment whose dictionary has texts apart, in two frames.
fn with_texts_apart() -> Vec<u8> {
    let sink = Shared::default();
    let mut writer = Writer::new(sink.clone(), &header()).unwrap();
    writer.begin_segment(&schema(), &[]).unwrap();
    for (n, text) in ["/api/v1/pods", "/api/v1/nodes"].into_iter().enumerate() {
        let first_apart = n as u32 + 1;
        let (apart_lengths, apart_bytes) = (vec![text.len() as u32], text.as_bytes().to_vec());
        let delta = Delta { first_apart, apart_lengths, apart_bytes, ..delta(n as u32 + 1, "get") };
        writer.dictionary(&delta).unwrap();
        assert_eq!(writer.segment().unwrap().dictionaries, n as u32 + 1);
    }
    writer.finish().unwrap();
    sink.0.lock().unwrap().clone()
}

#[test]
fn texts_apart_are_read_and_lost_apart() {
    let apart = [1, 2].map(StrId::of_apart);
    let mut bytes = with_texts_apart();
    let reader = read(&bytes).unwrap();
    assert!(reader.verify().is_intact());
    let dict = reader.dict(0).unwrap();
    assert_eq!(apart.map(|id| dict.text(id)), [&b"/api/v1/pods"[..], b"/api/v1/nodes"]);
    assert_eq!(dict.strings.get(StrId::of_apart(3)), None);
    let delta = reader.delta(0).unwrap();
    assert_eq!((delta.first_apart, delta.apart_lengths.as_slice()), (1, &[12, 13][..]));
    assert_eq!(delta.apart_bytes, b"/api/v1/pods/api/v1/nodes");
    let at = memchr::memmem::find(&bytes, b"/api/v1/pods").unwrap();
    bytes[at] = b'!';
    let reader = read(&bytes).unwrap();
    let dict = reader.dict(0).unwrap();
    assert_eq!(apart.map(|id| dict.strings.get(id)), [None, Some(&b"/api/v1/nodes"[..])]);
    assert_eq!(dict.text(StrId(1)), b"get");
    assert!(reader.damages().iter().any(|d| d.to_string().contains("names and ids that this frame brought")));
}

#[test]
fn a_dictionary_past_its_segments_limit_is_refused() {
    let body = crate::reel::dictionary::store(&delta(1, "a text"), 3).unwrap();
    let mut left = usize::MAX;
    crate::reel::dictionary::load(&body, &mut left).unwrap();
    let needed = usize::MAX - left;
    assert!(crate::reel::dictionary::load(&body, &mut (needed - 1)).unwrap_err().contains("at most"));
    assert!(crate::reel::dictionary::load(&body, &mut { needed }).is_ok());
}

/// A reel of as many segments, each with one thread row; in the first of them stand facts.
fn with_facts(segments: u32, facts: &[LateFact]) -> Reader {
    let sink = Shared::default();
    let mut writer = Writer::new(sink.clone(), &header()).unwrap();
    for segment in 0..segments {
        writer.begin_segment(&schema(), &[]).unwrap();
        writer.dictionary(&delta(1, "comm")).unwrap();
        if segment == 0 && !facts.is_empty() {
            writer.late(facts).unwrap();
        }
    }
    writer.finish().unwrap();
    read(&sink.0.lock().unwrap().clone()).unwrap()
}

#[test]
fn what_the_next_file_knows_of_a_row_is_told_of_the_right_segment_and_of_no_other() {
    // Back from the first segment of its file: 1 is the last one of the file before, 2 the one before that.
    let facts = [1, 2].map(|back| LateFact {
        kind: "snap_thread".to_owned(),
        back,
        id: 1,
        values: vec![("ppid".to_owned(), LateValue::Int(1_000 + i64::from(back)))],
    });
    let next = with_facts(2, &facts);
    let parents = |reader: &Reader| -> Vec<u32> {
        (0..reader.segments().len()).map(|segment| reader.dict(segment).unwrap().thread(1).ppid).collect()
    };
    assert_eq!(parents(&next), [0, 0], "they are not about its own rows");
    let mut before = with_facts(3, &[]);
    before.learn(&next);
    assert_eq!(parents(&before), [0, 1_002, 1_001]);
    let mut short = with_facts(1, &[]);
    short.learn(&next);
    assert_eq!(parents(&short), [1_001], "what is further back than the file is left alone");
}
