//! The reels that the tests damage, and what is looked for in them.

use crate::batch::codec::Bytes;
use crate::batch::codec::tests::{columns, gather};
use crate::batch::{Columns, Encoded, Encoder, Schema, StoredBatch};
use crate::reel::{ClockPair, Damage, DamageKind, Error, HEADER_BYTES, Header, Loss, Reader, Writer};
use crate::world::{Delta, StrId, ThreadRow};
use std::io::{self, Write};
use std::sync::{Arc, LazyLock, Mutex};

/// A sink whose bytes can be looked at.
#[derive(Clone, Default)]
pub(super) struct Shared(pub(super) Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

pub(super) fn schema() -> Arc<Schema> {
    crate::batch::codec::tests::schema()
}

pub(super) fn header() -> Header {
    Header { host: "node".to_owned(), command_line: vec!["sysreel".to_owned()], snaplen: 80, ..Header::default() }
}

pub(super) fn delta(first: u32, text: &str) -> Delta {
    Delta {
        first_string: first,
        string_lengths: vec![text.len() as u32],
        string_bytes: text.as_bytes().to_vec(),
        first_thread: first,
        threads: vec![ThreadRow { tid: 100 + first, comm: StrId(first), ..ThreadRow::default() }],
        ..Delta::default()
    }
}

pub(super) fn loss() -> Loss {
    Loss { from: 1, to: 2, place: "ring".to_owned(), count: 3 }
}

pub(super) fn encoded(seed: u64) -> (Columns, Encoded) {
    let mut columns = columns(seed, 1_200, 3, &[4 | 8, 1, 2, 7]);
    columns.first_num = 1 + 1_200 * (seed / 10 * 3 + seed % 10);
    let encoded = Encoder::new().encode(&columns, &schema()).unwrap();
    (columns, encoded)
}

/// Two segments of three batches and as many dictionary frames, a snapshot, a loss and a note.
pub(super) struct Sample {
    pub(super) bytes: Vec<u8>,
    /// By offset of its frame.
    pub(super) batches: Vec<(u64, Columns)>,
    /// Where each frame begins; the end.
    pub(super) frames: Vec<u64>,
}

pub(super) static SAMPLE: LazyLock<Sample> = LazyLock::new(|| {
    let sink = Shared::default();
    let mut writer = Writer::new(sink.clone(), &header()).unwrap();
    let mut batches = Vec::new();
    for segment in 0..2u64 {
        writer.begin_segment(&schema(), &[ClockPair { boot: 1, utc: 2 }]).unwrap();
        writer.snapshot(&encoded(segment + 50).1).unwrap();
        for n in 0..3u32 {
            writer.dictionary(&delta(n + 1, ["zero", "one", "two"][n as usize])).unwrap();
            let (columns, encoded) = encoded(segment * 10 + u64::from(n));
            batches.push((writer.bytes(), columns));
            writer.batch(&encoded).unwrap();
        }
        writer.loss(&loss()).unwrap();
        writer.close_segment().unwrap();
    }
    let totals = writer.finish().unwrap();
    let bytes = sink.0.lock().unwrap().clone();
    assert_eq!(totals.bytes, bytes.len() as u64);
    let mut frames = vec![0];
    while let Some(header) = crate::reel::frame::FrameHeader::parse(&bytes[frames[frames.len() - 1] as usize..]) {
        frames.push(frames[frames.len() - 1] + HEADER_BYTES as u64 + u64::from(header.length));
    }
    assert_eq!(frames.last(), Some(&totals.bytes));
    Sample { bytes, batches, frames }
});

pub(super) fn read(bytes: &[u8]) -> Result<Reader, Error> {
    Reader::of_bytes(Arc::new(bytes.to_vec()))
}

/// Offsets of the batches that decode, each equal to what was written. Every error must say where.
pub(super) fn intact(reader: &Reader, bytes: &[u8]) -> Vec<u64> {
    let shared: Bytes = Arc::new(bytes.to_vec());
    let mut whole = Vec::new();
    for (index, segment) in reader.segments().iter().enumerate() {
        let Some(schema) = &segment.schema else { continue };
        for at in &segment.batches {
            let body = at.offset as usize + HEADER_BYTES;
            let range = body..body + at.bytes as usize;
            let found = StoredBatch::open(Arc::clone(&shared), range, Arc::clone(schema))
                .and_then(|(head, store)| gather(&head, &store, schema));
            match found {
                Ok(columns) => {
                    let written = SAMPLE.batches.iter().find(|b| b.0 == at.offset).unwrap();
                    assert!(written.1 == columns, "batch at {:#x} differs", at.offset);
                    whole.push(at.offset);
                }
                Err(error) => assert!(error.found.contains("offset 0x"), "{error}"),
            }
        }
        reader.batches(index).filter_map(Result::err).for_each(|e| assert!(e.to_string().contains("offset 0x")));
    }
    whole
}

/// Places, kinds and costs in bytes.
pub(super) fn said(damages: &[Damage]) -> Vec<(u64, DamageKind, u64)> {
    damages.iter().map(|d| (d.offset, d.kind.clone(), d.lost)).collect()
}

/// First numbers of all batches that can be read.
pub(super) fn intact_numbers(reader: &Reader) -> Vec<u64> {
    let segments = 0..reader.segments().len();
    segments.flat_map(|s| reader.batches(s).map(|b| b.unwrap().head().first_num).collect::<Vec<_>>()).collect()
}

/// A reel of one kind and two events, all of whose bodies are too small to be compressed.
pub(super) fn small(header: &Header) -> Vec<u8> {
    let param = |name: &str, class| crate::batch::ParamInfo {
        name: name.to_owned(),
        ty: crate::event::ParamType::Int,
        table: None,
        class,
    };
    let kind = crate::batch::KindInfo {
        name: "read".to_owned(),
        category: crate::event::Category::IoRead,
        flags: crate::event::KindFlags::CALL,
        ret: Some(("res".to_owned(), crate::event::ParamType::Errno)),
        fd: Some(0),
        size: None,
        params: vec![param("fd", crate::event::Class::Int), param("data", crate::event::Class::Data)],
    };
    let columns = Columns {
        first_num: 1,
        time: vec![1_000, 1_250],
        cpu: vec![0, 0],
        thread: vec![1, 1],
        kind: vec![0, 0],
        tables: vec![crate::batch::Table {
            ret: vec![2, -9],
            duration: vec![101, 51],
            desc: vec![0, 0],
            ints: vec![vec![3, 4]],
            data: vec![crate::batch::DataColumn { lengths: vec![2, 0], bytes: b"hi".to_vec(), shares: Vec::new() }],
            ..crate::batch::Table::default()
        }],
        ..Columns::default()
    };
    let schema = Schema { kinds: vec![kind] };
    let sink = Shared::default();
    let mut writer = Writer::new(sink.clone(), header).unwrap();
    writer.begin_segment(&schema, &[ClockPair { boot: 5, utc: 900 }]).unwrap();
    writer.dictionary(&delta(1, "cat")).unwrap();
    writer.batch(&Encoder::new().encode(&columns, &schema).unwrap()).unwrap();
    writer.finish().unwrap();
    sink.0.lock().unwrap().clone()
}
