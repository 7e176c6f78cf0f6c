//! A reel written, cut and flipped anywhere, gives back what is whole and says what is not.

use super::*;
use crate::batch::codec::Bytes;
use crate::batch::codec::tests::{columns, gather};
use crate::batch::{Columns, Encoded, Encoder, Schema, StoredBatch};
use crate::world::{Delta, Dict, StrId, ThreadRow};
use proptest::prelude::*;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::{Arc, LazyLock, Mutex};

/// A sink whose bytes can be looked at.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn schema() -> Arc<Schema> {
    crate::batch::codec::tests::schema()
}

fn header() -> Header {
    Header { host: "node".to_owned(), command_line: vec!["sysreel".to_owned()], snaplen: 80, ..Header::default() }
}

fn delta(first: u32, text: &str) -> Delta {
    Delta {
        first_string: first,
        string_lengths: vec![text.len() as u32],
        string_bytes: text.as_bytes().to_vec(),
        first_thread: first,
        threads: vec![ThreadRow { tid: 100 + first, comm: StrId(first), ..ThreadRow::default() }],
        ..Delta::default()
    }
}

fn loss() -> Loss {
    Loss { from: 1, to: 2, place: "ring".to_owned(), count: 3 }
}

fn encoded(seed: u64) -> (Columns, Encoded) {
    let mut columns = columns(seed, 1_200, 3, &[4 | 8, 1, 2, 7]);
    columns.first_num = 1 + 1_200 * (seed / 10 * 3 + seed % 10);
    let encoded = Encoder::new().encode(&columns, &schema()).unwrap();
    (columns, encoded)
}

/// Two segments of three batches and as many dictionary frames, a snapshot, a loss and a note.
struct Sample {
    bytes: Vec<u8>,
    /// By offset of its frame.
    batches: Vec<(u64, Columns)>,
    /// Where each frame begins; the end.
    frames: Vec<u64>,
}

static SAMPLE: LazyLock<Sample> = LazyLock::new(|| {
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
    while let Some(header) = super::frame::FrameHeader::parse(&bytes[frames[frames.len() - 1] as usize..]) {
        frames.push(frames[frames.len() - 1] + HEADER_BYTES as u64 + u64::from(header.length));
    }
    assert_eq!(frames.last(), Some(&totals.bytes));
    Sample { bytes, batches, frames }
});

fn read(bytes: &[u8]) -> Result<Reader, Error> {
    Reader::of_bytes(Arc::new(bytes.to_vec()))
}

/// Offsets of the batches that decode, each equal to what was written. Every error must say where.
fn intact(reader: &Reader, bytes: &[u8]) -> Vec<u64> {
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
fn said(damages: &[Damage]) -> Vec<(u64, DamageKind, u64)> {
    damages.iter().map(|d| (d.offset, d.kind.clone(), d.lost)).collect()
}

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
fn a_reel_cut_at_or_beside_any_frame_gives_all_frames_before() {
    for &end in &SAMPLE.frames[1..] {
        for cut in [end - 1, end, end + 1] {
            let bytes = &SAMPLE.bytes[..(cut as usize).min(SAMPLE.bytes.len())];
            let Ok(reader) = read(bytes) else {
                assert!(cut < SAMPLE.frames[1]);
                continue;
            };
            let whole: Vec<u64> =
                SAMPLE.frames.windows(2).filter(|w| w[1] <= bytes.len() as u64).map(|w| w[0]).collect();
            let expected: Vec<u64> = SAMPLE.batches.iter().map(|b| b.0).filter(|o| whole.contains(o)).collect();
            assert_eq!(intact(&reader, bytes), expected);
            let cut_inside = bytes.len() as u64 != whole.last().map_or(0, |_| SAMPLE.frames[whole.len()]);
            assert_eq!(reader.damages().len(), usize::from(cut_inside), "{:?}", reader.damages());
        }
    }
}

#[test]
fn a_lost_dictionary_frame_leaves_its_rows_empty_and_the_numbers_in_place() {
    // Frames: header, segment, snapshot, dictionary, batch, dictionary, …
    for at in [SAMPLE.frames[5] as usize + 10, SAMPLE.frames[5] as usize + HEADER_BYTES + 10] {
        let mut bytes = SAMPLE.bytes.clone();
        bytes[at] ^= 4;
        let reader = read(&bytes).unwrap();
        let dict = reader.dict(0).unwrap();
        let texts: Vec<_> = (1..4).map(|i| dict.strings.get(StrId(i))).collect();
        assert_eq!(texts, [Some(&b"zero"[..]), None, Some(&b"two"[..])]);
        assert_eq!((dict.thread(1).tid, dict.thread(2).tid, dict.thread(3).tid), (101, 0, 103));
        assert_eq!(intact(&reader, &bytes).len(), 6);
        assert_eq!(reader.damages()[0].offset, SAMPLE.frames[5]);
    }
}

#[test]
fn a_reel_in_the_data_of_another_is_not_taken_for_its_frames() {
    let other = {
        let sink = Shared::default();
        let mut writer = Writer::new(sink.clone(), &Header { host: "other".to_owned(), ..header() }).unwrap();
        writer.note(&Note { time: 1, text: "not here".to_owned() }).unwrap();
        writer.finish().unwrap();
        sink.0.lock().unwrap().clone()
    };
    let at = SAMPLE.frames[2] as usize;
    let mut bytes = SAMPLE.bytes[..at].to_vec();
    bytes.extend_from_slice(&other);
    bytes.extend_from_slice(&SAMPLE.bytes[at..]);
    let reader = read(&bytes).unwrap();
    assert_eq!(reader.notes(), []);
    assert_eq!(said(&reader.damages()), [(at as u64, DamageKind::Garbage, other.len() as u64)]);
}

#[test]
fn frames_of_a_later_kind_are_skipped() {
    let mut header = super::frame::FrameHeader::parse(&SAMPLE.bytes).unwrap();
    header.kind = FrameKind::Unknown(b'?');
    header.length = 3;
    header.number = 1_000;
    let mut bytes = SAMPLE.bytes.clone();
    bytes.extend_from_slice(&header.seal(b"new"));
    bytes.extend_from_slice(b"new");
    let reader = read(&bytes).unwrap();
    assert_eq!(intact(&reader, &bytes).len(), 6);
}

/// The hash of everything that a reader answers, but for whether it was told by an index.
fn answers(reader: &Reader) -> u32 {
    let mut said = format!("{:?} {:?} {:?} {:?}", reader.header(), reader.losses(), reader.notes(), reader.span());
    for (index, segment) in reader.segments().iter().enumerate() {
        said += &format!("{segment:?} {:?}", reader.heads(index).unwrap());
        for batch in reader.batches(index).chain(reader.snapshots(index)) {
            let batch = batch.unwrap();
            said += &format!("{:?} {:?}", batch.head(), batch.time().unwrap());
        }
        said += &format!("{:?}", reader.dict(index).unwrap().threads);
    }
    crc32fast::hash(said.as_bytes())
}

#[test]
fn an_index_changes_no_answer() {
    let reader = read(&SAMPLE.bytes).unwrap();
    assert!(reader.is_indexed() && reader.is_closed());
    let walked = Reader::of_walk(Arc::new(SAMPLE.bytes.clone())).unwrap();
    assert!(!walked.is_indexed() && walked.is_closed());
    assert_eq!(answers(&reader), answers(&walked));
}

#[test]
fn a_reel_without_its_footer_is_walked_and_known_to_lack_its_end() {
    let footer = SAMPLE.frames[SAMPLE.frames.len() - 2] as usize;
    let reader = read(&SAMPLE.bytes[..footer]).unwrap();
    assert!(!reader.is_indexed() && !reader.is_closed());
    assert_eq!(reader.damages(), []);
    assert_eq!(answers(&reader), answers(&read(&SAMPLE.bytes).unwrap()));
}

#[test]
fn an_index_that_does_not_fit_is_not_believed() {
    let whole = answers(&read(&SAMPLE.bytes).unwrap());
    let footer = SAMPLE.frames[SAMPLE.frames.len() - 2] as usize;
    let index = SAMPLE.frames[SAMPLE.frames.len() - 3] as usize;
    // A flip in the Footer's header, body and length, in the header and the table of an Index.
    let places =
        [footer + 40, footer + HEADER_BYTES + 20, SAMPLE.bytes.len() - 2, index + 20, index + HEADER_BYTES + 14];
    for at in places {
        let mut bytes = SAMPLE.bytes.clone();
        bytes[at] ^= 1;
        let reader = read(&bytes).unwrap();
        assert!(!reader.is_indexed(), "{at:#x}");
        assert_eq!(answers(&reader), whole, "{at:#x}");
        assert!(!reader.verify().is_intact());
    }
    // Frames behind the Footer; a Footer that tells of another place.
    let mut longer = SAMPLE.bytes.clone();
    longer.extend_from_slice(b"something else");
    let mut shifted = SAMPLE.bytes[..SAMPLE.frames[2] as usize].to_vec();
    shifted.extend_from_slice(&[0; 4096]);
    shifted.extend_from_slice(&SAMPLE.bytes[SAMPLE.frames[2] as usize..]);
    for bytes in [longer, shifted] {
        let reader = read(&bytes).unwrap();
        assert!(!reader.is_indexed());
        assert_eq!(intact_numbers(&reader), intact_numbers(&read(&SAMPLE.bytes).unwrap()));
        assert_eq!(reader.damages().len(), 1);
    }
}

/// First numbers of all batches that can be read.
fn intact_numbers(reader: &Reader) -> Vec<u64> {
    let segments = 0..reader.segments().len();
    segments.flat_map(|s| reader.batches(s).map(|b| b.unwrap().head().first_num).collect::<Vec<_>>()).collect()
}

/// The sample with the lengths of a Footer's or Index's table changed, and every checksum right again.
fn forged(frame: usize, change: impl Fn(&mut Vec<u8>)) -> Vec<u8> {
    let (start, end) = (SAMPLE.frames[frame] as usize, SAMPLE.frames[frame + 1] as usize);
    let body = &SAMPLE.bytes[start + HEADER_BYTES..end];
    let (mut plain, rest) = super::body::take_part(body, 1 << 20).unwrap();
    change(&mut plain);
    let mut forged = Vec::new();
    super::body::put_part(&mut forged, &plain);
    forged.extend_from_slice(rest);
    if SAMPLE.bytes[start + 4] == FrameKind::Footer.code() {
        let length = forged.len() as u32;
        let at = forged.len() - 4;
        forged[at..].copy_from_slice(&length.to_le_bytes());
    }
    let mut header = super::frame::FrameHeader::parse(&SAMPLE.bytes[start..]).unwrap();
    header.length = forged.len() as u32;
    let sealed = header.seal(&forged);
    [&SAMPLE.bytes[..start], &sealed, &forged, &SAMPLE.bytes[end..]].concat()
}

#[test]
fn an_index_that_lies_leads_nowhere() {
    let whole = answers(&read(&SAMPLE.bytes).unwrap());
    let last = SAMPLE.frames.len() - 2;
    for frame in [last, last - 1] {
        for at in 0..24 {
            for byte in [0, 1, 0x7f, 0xff] {
                let bytes = forged(frame, |plain| {
                    if let Some(b) = plain.get_mut(at) {
                        *b = byte;
                    }
                });
                let reader = read(&bytes).unwrap();
                if !reader.is_indexed() {
                    assert_eq!(answers(&reader), whole, "frame {frame}, byte {at} made {byte:#x}");
                }
            }
        }
    }
}

#[test]
fn reels_one_behind_the_other_are_all_read() {
    let other = small(&Header { host: "other".to_owned(), ..header() });
    let twice = [SAMPLE.bytes.as_slice(), &other].concat();
    for reader in [read(&twice).unwrap(), Reader::of_walk(Arc::new(twice.clone())).unwrap()] {
        assert_eq!(reader.damages(), []);
        assert_eq!(reader.headers().len(), 2);
        let segments: Vec<_> = reader.segments().iter().map(|s| (s.part, s.number, s.batches.len())).collect();
        assert_eq!(segments, [(0, 1, 3), (0, 2, 3), (1, 1, 1)]);
        assert_eq!(reader.batches(2).next().unwrap().unwrap().time().unwrap(), [1_000, 1_250]);
        assert_eq!(said(&reader.verify().damages), []);
    }
    let same = [SAMPLE.bytes.as_slice(), &SAMPLE.bytes].concat();
    let reader = read(&same).unwrap();
    assert_eq!((reader.segments().len(), reader.damages().len()), (2, SAMPLE.frames.len() - 1));
}

#[test]
fn frames_out_of_their_order_are_read_in_their_place() {
    let frame = |i: usize| &SAMPLE.bytes[SAMPLE.frames[i] as usize..SAMPLE.frames[i + 1] as usize];
    let order = |order: &[usize]| order.iter().flat_map(|&i| frame(i)).copied().collect::<Vec<u8>>();
    let mut numbers: Vec<usize> = (0..SAMPLE.frames.len() - 1).collect();
    let whole = intact_numbers(&read(&SAMPLE.bytes).unwrap());
    numbers.swap(4, 6);
    let swapped = order(&numbers);
    let reader = read(&swapped).unwrap();
    assert_eq!(intact_numbers(&reader), whole);
    assert!(!reader.verify().is_intact());
    numbers.swap(4, 6);
    numbers.insert(9, 4);
    let doubled = order(&numbers);
    let reader = read(&doubled).unwrap();
    assert_eq!(intact_numbers(&reader), whole);
    assert_eq!(reader.damages().iter().map(|d| d.kind.clone()).collect::<Vec<_>>(), [DamageKind::Repeated]);
}

#[test]
fn a_frame_that_is_gone_is_told_with_its_rows() {
    // The second batch of the second segment; with the indices behind it, and without.
    let at = SAMPLE.frames.iter().position(|&f| f == SAMPLE.batches[4].0).unwrap();
    let (start, end) = (SAMPLE.frames[at] as usize, SAMPLE.frames[at + 1] as usize);
    let gone = [&SAMPLE.bytes[..start], &SAMPLE.bytes[end..]].concat();
    let reader = read(&gone).unwrap();
    let damages = reader.damages();
    assert_eq!(said(&damages), [(start as u64, DamageKind::Missing, 0)]);
    let first = SAMPLE.batches[4].1.first_num;
    let hit = Hit { segments: Some((2, 2)), rows: Some((first, first + 1_199)), is_open: false };
    assert_eq!(damages[0].hit, hit);
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
fn an_edited_frame_with_new_checksums_breaks_the_chain() {
    let (start, end) = (SAMPLE.frames[1] as usize, SAMPLE.frames[2] as usize);
    let mut bytes = SAMPLE.bytes.clone();
    let mut body = bytes[start + HEADER_BYTES..end].to_vec();
    let last = body.len() - 1;
    body[last] ^= 1;
    let sealed = super::frame::FrameHeader::parse(&bytes[start..]).unwrap().seal(&body);
    bytes[start..start + HEADER_BYTES].copy_from_slice(&sealed);
    bytes[start + HEADER_BYTES..end].copy_from_slice(&body);
    let verdict = read(&bytes).unwrap().verify();
    assert_eq!(said(&verdict.damages), [(SAMPLE.frames[2], DamageKind::Chain, 0)]);
}

#[test]
fn a_dictionary_body_comes_back() {
    let delta = Delta {
        string_lengths: vec![0, 3, 0, 2],
        string_bytes: b"abcde".to_vec(),
        users: vec![(0, StrId(2))],
        ..delta(1, "")
    };
    let body = super::dictionary::store(&delta).unwrap();
    assert_eq!(super::dictionary::load(&body, &mut 4096).unwrap(), delta);
    assert!(Dict::new().apply(&delta).is_ok());
}

#[test]
fn a_dictionary_past_its_segments_limit_is_refused() {
    let body = super::dictionary::store(&delta(1, "a text")).unwrap();
    let mut left = usize::MAX;
    super::dictionary::load(&body, &mut left).unwrap();
    let needed = usize::MAX - left;
    assert!(super::dictionary::load(&body, &mut (needed - 1)).unwrap_err().contains("at most"));
    assert!(super::dictionary::load(&body, &mut { needed }).is_ok());
}

#[test]
fn a_lost_segment_frame_costs_its_clocks_but_no_batch() {
    for at in [SAMPLE.frames[12] as usize + 50, SAMPLE.frames[12] as usize + HEADER_BYTES + 50] {
        let mut bytes = SAMPLE.bytes.clone();
        bytes[at] ^= 1;
        let reader = read(&bytes).unwrap();
        assert_eq!(reader.segments()[1].clocks, []);
        assert_eq!(intact(&reader, &bytes).len(), 6);
        assert_eq!(reader.damages().iter().map(|d| d.offset).collect::<Vec<_>>(), [SAMPLE.frames[12]]);
    }
}

#[test]
fn the_only_schema_lost_is_said_and_takes_its_batches_with_it() {
    let mut bytes = SAMPLE.bytes[..SAMPLE.frames[12] as usize].to_vec();
    bytes[SAMPLE.frames[1] as usize + HEADER_BYTES + 50] ^= 1;
    let reader = read(&bytes).unwrap();
    assert!(reader.damages().iter().any(|d| d.kind == DamageKind::Schema));
    assert!(matches!(reader.batches(0).next(), Some(Err(Error::Frame { kind: FrameKind::Segment, .. }))));
}

/// A reel of one kind and two events, all of whose bodies are too small to be compressed.
fn example() -> Vec<u8> {
    small(&header())
}

fn small(header: &Header) -> Vec<u8> {
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
            data: vec![crate::batch::DataColumn { lengths: vec![2, 0], bytes: b"hi".to_vec() }],
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

/// The bytes of the example at the end of `docs/format.md`: all lines of its `hex` block that are no remark.
fn documented() -> Vec<u8> {
    let text = include_str!("../../docs/format.md");
    let block = text.split("```hex\n").nth(1).and_then(|t| t.split("```").next()).unwrap_or_default();
    let lines = block.lines().filter(|l| !l.starts_with('#'));
    lines.flat_map(str::split_whitespace).map(|b| u8::from_str_radix(b, 16).unwrap()).collect()
}

#[test]
fn the_example_of_the_documented_format_is_read_as_it_says() {
    let reader = read(&documented()).unwrap();
    assert!(reader.verify().is_intact());
    assert_eq!(reader.header().host, "node");
    let batch = reader.batches(0).next().unwrap().unwrap();
    assert_eq!(batch.kind_info(0).name, "read");
    assert_eq!(batch.time().unwrap(), [1_000, 1_250]);
    assert_eq!(batch.ret(0).unwrap(), [2, -9]);
    assert_eq!(batch.int(0, 0).unwrap(), [3, 4]);
    assert_eq!(batch.data(0, 0, 0).unwrap(), b"hi");
    assert_eq!(batch.dict().text(batch.thread_row(0).comm), b"cat");
}

#[test]
fn the_example_of_the_documented_format_is_what_is_written() {
    if std::env::var_os("BLESS").is_some() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/format.md");
        let text = std::fs::read_to_string(&path).unwrap();
        let (before, block) = text.split_once("```hex\n").unwrap();
        let (_, after) = block.split_once("```").unwrap();
        return std::fs::write(path, format!("{before}```hex\n{}```{after}", dump(&example()))).unwrap();
    }
    assert!(documented() == example(), "docs/format.md should hold\n{}", dump(&example()));
}

/// Bytes as the documentation shows them: a remark before each frame's header and body.
fn dump(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    let mut rest = bytes;
    let mut line = |what: &str, bytes: &[u8]| {
        writeln!(text, "# {what}").unwrap();
        for row in bytes.chunks(24) {
            let row: Vec<String> = row.iter().map(|b| format!("{b:02x}")).collect();
            writeln!(text, "{}", row.join(" ")).unwrap();
        }
    };
    while let Some(header) = super::frame::FrameHeader::parse(rest) {
        let (head, tail) = rest.split_at(HEADER_BYTES);
        let (body, after) = tail.split_at(header.length as usize);
        line(&format!("{:?} frame: header", header.kind), head);
        line("body", body);
        rest = after;
    }
    text
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_reel_cut_anywhere_gives_every_batch_before(cut: prop::sample::Index) {
        let bytes = &SAMPLE.bytes[..cut.index(SAMPLE.bytes.len())];
        if let Ok(reader) = read(bytes) {
            let ends = SAMPLE.frames.windows(2).filter(|w| w[1] <= bytes.len() as u64);
            let whole: Vec<u64> = ends.map(|w| w[0]).collect();
            let expected: Vec<u64> = SAMPLE.batches.iter().map(|b| b.0).filter(|o| whole.contains(o)).collect();
            prop_assert_eq!(intact(&reader, bytes), expected);
        }
    }

    #[test]
    fn a_flipped_bit_costs_only_the_frame_it_hits(at: prop::sample::Index, bit in 0u32..8) {
        let mut bytes = SAMPLE.bytes.clone();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        let reader = read(&bytes).unwrap();
        let hit = SAMPLE.frames.iter().rposition(|&f| f <= at as u64).unwrap();
        let whole = intact(&reader, &bytes);
        for (offset, _) in &SAMPLE.batches {
            let lost = *offset == SAMPLE.frames[hit];
            prop_assert!(lost || whole.contains(offset), "batch at {:#x} lost by a flip at {:#x}", offset, at);
        }
        prop_assert!(!reader.verify().is_intact());
    }

    #[test]
    fn random_bytes_behind_a_magic_never_panic(tail in prop::collection::vec(any::<u8>(), 0..400)) {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(tail);
        prop_assert!(read(&bytes).is_err());
    }

    #[test]
    fn random_dictionaries_never_panic(body in prop::collection::vec(any::<u8>(), 0..300)) {
        if let Ok(delta) = super::dictionary::load(&body, &mut 4096) {
            let _ = Dict::new().apply(&delta);
        }
        let mut framed = (body.len() as u32).to_le_bytes().to_vec();
        framed.extend(&body);
        if let Ok(delta) = super::dictionary::load(&framed, &mut 4096) {
            let _ = Dict::new().apply(&delta);
        }
        let _ = super::body::load::<SegmentStart>(&framed);
    }
}
