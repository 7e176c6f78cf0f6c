//! A second reader of reels, written from `docs/format.md` alone: it uses nothing of the library but to compare. What the
//! page says and what the library does are the same, or this fails.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails, and says so")]

use std::path::{Path, PathBuf};
use sysreel::reel::Reader;

/// Bytes from front to back: numbers as §§ "varint", "zigzag" and "postcard" of the page say.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count);
        self.0 = rest;
        taken
    }

    fn byte(&mut self) -> u8 {
        self.take(1)[0]
    }

    fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.take(4).try_into().unwrap())
    }

    fn varint(&mut self) -> u64 {
        let (mut value, mut shift) = (0, 0);
        loop {
            let byte = self.byte();
            value |= u64::from(byte & 0x7f) << shift;
            shift += 7;
            if byte < 0x80 {
                return value;
            }
        }
    }

    fn zigzag(&mut self) -> i64 {
        let code = self.varint();
        (code >> 1) as i64 ^ -((code & 1) as i64)
    }

    fn text(&mut self) -> String {
        let length = self.varint() as usize;
        String::from_utf8(self.take(length).to_vec()).unwrap()
    }

    fn list<T>(&mut self, mut one: impl FnMut(&mut Self) -> T) -> Vec<T> {
        let count = self.varint();
        (0..count).map(|_| one(self)).collect()
    }

    fn option<T>(&mut self, one: impl FnOnce(&mut Self) -> T) -> Option<T> {
        (self.byte() == 1).then(|| one(self))
    }

    /// §5: a part, its checksum right.
    fn part(&mut self) -> Vec<u8> {
        let (stored, plain, crc) = (self.u32() as usize, self.u32() as usize, self.u32());
        let bytes = self.take(stored);
        assert_eq!(crc32fast::hash(bytes), crc);
        inflated(bytes, plain)
    }
}

fn inflated(bytes: &[u8], plain: usize) -> Vec<u8> {
    if bytes.len() == plain { bytes.to_vec() } else { zstd::bulk::decompress(bytes, plain).unwrap() }
}

/// §1.
#[derive(Debug)]
struct Frame<'a> {
    kind: u8,
    rows: u32,
    number: u32,
    segment: u32,
    schema: u16,
    offset: usize,
    body: &'a [u8],
}

/// §1: all frames of a whole reel, their checksums, hashes and the chain right.
fn frames(reel: &[u8]) -> Vec<Frame<'_>> {
    let (mut frames, mut at, mut previous, mut id) = (Vec::new(), 0, [0u8; 32], None);
    while at < reel.len() {
        let header = &reel[at..at + 100];
        let u32_at = |i: usize| u32::from_le_bytes(header[i..i + 4].try_into().unwrap());
        assert_eq!((&header[..4], header[5]), (&b"\xf5SRL"[..], 1));
        assert_eq!(crc32fast::hash(&header[..96]), u32_at(96));
        let body = &reel[at + 100..at + 100 + u32_at(8) as usize];
        let hash = blake3::Hasher::new().update(&header[..64]).update(body).finalize();
        assert_eq!(hash.as_bytes(), &header[64..96]);
        assert_eq!(header[32..64], previous);
        let mine: [u8; 8] = blake3::hash(body).as_bytes()[..8].try_into().unwrap();
        let id: [u8; 8] = *id.get_or_insert(mine);
        assert_eq!(header[24..32], id);
        previous = *hash.as_bytes();
        assert_eq!(u32_at(16) as usize, frames.len());
        let schema = u16::from_le_bytes([header[6], header[7]]);
        let (rows, number, segment) = (u32_at(12), u32_at(16), u32_at(20));
        frames.push(Frame { kind: header[4], rows, number, segment, schema, offset: at, body });
        at += 100 + body.len();
    }
    frames
}

/// §2: a small body and 64 zeros.
fn small(body: &[u8]) -> Vec<u8> {
    let mut bytes = Bytes(body);
    let plain = bytes.u32() as usize;
    let mut plain = inflated(bytes.0, plain);
    plain.resize(plain.len() + 64, 0);
    plain
}

/// §2: names of the kinds, and how many columns each has by §4.1.
fn schema(body: &[u8], number: u32) -> Vec<(String, usize)> {
    let plain = small(body);
    let mut start = Bytes(&plain);
    assert_eq!(start.varint(), u64::from(number));
    start.varint();
    start.list(|b| (b.varint(), b.varint()));
    start.list(|b| {
        let name = b.text();
        b.varint();
        b.varint();
        b.option(|b| (b.text(), b.varint()));
        b.option(Bytes::byte);
        b.option(Bytes::byte);
        let classes = b.list(|b| (b.text(), b.varint(), b.option(Bytes::text), b.varint()).3);
        // Return, duration, its lowest plane, descriptor, flags, missing; then the parameters.
        let columns = classes.iter().map(|class| match class {
            0 | 1 => 1,
            2 => 2,
            _ => 0,
        });
        (name, 6 + columns.sum::<usize>())
    })
}

/// §4.1: the head of a batch, as directories and indices hold it.
#[derive(Debug, PartialEq)]
struct Head {
    first: u64,
    rows: u32,
    snapshot: bool,
    times: (u64, u64),
    kinds: Vec<(u64, u64)>,
    threads: Vec<u32>,
    descriptors: Vec<u32>,
}

fn head(b: &mut Bytes<'_>) -> Head {
    let (first, rows, snapshot, order) = (b.varint(), b.varint() as u32, b.byte() == 1, b.varint());
    assert_eq!(order, 0);
    let times = (b.varint(), b.varint());
    let kinds = b.list(|b| (b.varint(), b.varint()));
    assert_eq!((b.varint(), b.varint()), (0, 0), "the two empty lists");
    let length = b.varint() as usize;
    let mut bytes = Bytes(b.take(length));
    let (mut threads, mut row) = (Vec::new(), 0);
    while !bytes.0.is_empty() {
        row += bytes.zigzag();
        threads.push(row as u32);
    }
    let length = b.varint() as usize;
    let mut bytes = Bytes(b.take(length));
    let (mut descriptors, mut row) = (Vec::new(), 0);
    while !bytes.0.is_empty() {
        row += bytes.varint();
        descriptors.push(row as u32);
    }
    Head { first, rows, snapshot, times, kinds, threads, descriptors }
}

/// §4.3: the codes of a packed column; `low` is the column behind it.
fn packed(bytes: &[u8], low: &[u8], rows: usize) -> Vec<u64> {
    let mut b = Bytes(bytes);
    match b.byte() {
        0 => vec![b.varint(); rows],
        1 => {
            let count = usize::from(b.byte()) + 1;
            let places = b.take(rows).to_vec();
            let values: Vec<u64> = (0..count).map(|_| b.varint()).collect();
            places.iter().map(|&p| values[usize::from(p)]).collect()
        }
        2 => (0..rows).map(|_| b.varint()).collect(),
        3 => {
            let mut value = 0i64;
            let mut next = || {
                value = value.wrapping_add(b.zigzag());
                value as u64
            };
            (0..rows).map(|_| next()).collect()
        }
        tag @ (4 | 5) => {
            let (width, base) = (usize::from(b.byte()), b.varint());
            let mut codes = vec![0u64; rows];
            for plane in 0..width {
                let bytes = if tag == 5 && plane == 0 { low } else { b.take(rows) };
                codes.iter_mut().zip(bytes).for_each(|(code, &byte)| *code |= u64::from(byte) << (8 * plane));
            }
            codes.iter().map(|code| code.wrapping_add(base)).collect()
        }
        tag => panic!("tag {tag} in a column of times"),
    }
}

/// §4.2: a value for each row.
fn runs(bytes: &[u8]) -> Vec<u16> {
    let mut b = Bytes(bytes);
    let (width, count) = (b.byte(), b.u32() as usize);
    let value =
        |b: &mut Bytes<'_>| if width == 1 { u16::from(b.byte()) } else { u16::from_le_bytes([b.byte(), b.byte()]) };
    let values: Vec<u16> = (0..count).map(|_| value(&mut b)).collect();
    values.iter().flat_map(|&v| vec![v; usize::from(b.byte()) + 1]).collect()
}

/// The four columns by row.
#[derive(Debug, PartialEq)]
struct Rows {
    kind: Vec<u8>,
    thread: Vec<u16>,
    time: Vec<u64>,
    cpu: Vec<u16>,
}

/// §4: a batch's head, and its columns by row.
fn batch(body: &[u8], schema: &[(String, usize)]) -> (Head, Rows) {
    let mut b = Bytes(body);
    let plain = b.part();
    let stored = b.0;
    let mut d = Bytes(&plain);
    let head = head(&mut d);
    let places = d.list(|d| [d.varint() as usize, d.varint() as usize, d.varint() as usize, d.varint() as usize]);
    let columns = d.list(|d| (d.varint() as usize, d.varint() as usize));
    assert_eq!(columns.len(), 5 + head.kinds.iter().map(|k| schema[k.0 as usize].1).sum::<usize>());
    let mut used = vec![0; places.len()];
    let mut first_columns = Vec::new();
    for &(frame, length) in &columns[..5] {
        let [offset, stored_length, plain_length, crc] = places[frame];
        let bytes = &stored[offset..offset + stored_length];
        assert_eq!(crc32fast::hash(bytes) as usize, crc);
        let plain = inflated(bytes, plain_length);
        first_columns.push(plain[used[frame]..used[frame] + length].to_vec());
        used[frame] += length;
    }
    let [kind, thread, time, low, cpu] = first_columns.try_into().unwrap();
    let mut at = u64::from_le_bytes(time[..8].try_into().unwrap());
    let mut step = |code: u64| {
        at = at.wrapping_add(code ^ 1 << 63);
        at
    };
    let time = packed(&time[8..], &low, head.rows as usize).into_iter().map(&mut step).collect();
    (head, Rows { kind, thread: runs(&thread), time, cpu: runs(&cpu) })
}

/// Every reel that is kept: samples and one of each version of the format.
fn reels() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures");
    let files = |folder: PathBuf| std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path());
    let mut all: Vec<PathBuf> = files(root.clone()).chain(files(root.join("compat"))).collect();
    all.retain(|p| p.extension().is_some_and(|e| e == "reel"));
    all.sort();
    assert!(all.len() > 3);
    all
}

#[test]
fn a_reader_made_from_the_page_reads_what_the_library_reads() {
    let mut indexed = 0;
    for path in reels() {
        let bytes = std::fs::read(&path).unwrap();
        let reader = Reader::open(&path).unwrap();
        let frames = frames(&bytes);
        let plain = small(frames[0].body);
        let mut header = Bytes(&plain);
        assert_eq!((header.varint(), header.text()), (1, reader.header().host.clone()));
        assert_eq!((header.text(), header.text()), (reader.header().boot_id.clone(), reader.header().kernel.clone()));
        assert_eq!(header.text(), reader.header().arch);
        assert_eq!(header.zigzag(), i64::from(reader.header().tz_offset_s));
        let mut heads = Vec::new();
        for (index, segment) in reader.segments().iter().enumerate() {
            let of_segment = |kind: u8| frames.iter().filter(move |f| f.segment == segment.number && f.kind == kind);
            let schema = schema(of_segment(b'S').next().unwrap().body, segment.number);
            let names: Vec<&String> = segment.schema.as_ref().unwrap().kinds.iter().map(|k| &k.name).collect();
            assert_eq!(schema.iter().map(|s| &s.0).collect::<Vec<_>>(), names);
            let theirs = reader.snapshots(index).chain(reader.batches(index));
            let mut count = 0;
            for (frame, theirs) in of_segment(b'W').chain(of_segment(b'B')).zip(theirs) {
                let (head, rows) = batch(frame.body, &schema);
                let theirs = theirs.unwrap();
                let thread = theirs.thread().unwrap().iter().flat_map(|(v, n)| vec![v; n]).collect();
                let (kind, time) = (theirs.kind().unwrap().to_vec(), theirs.time().unwrap().to_vec());
                assert!(rows == Rows { kind, thread, time, cpu: theirs.cpu().unwrap().to_vec() }, "{}", path.display());
                let h = theirs.head();
                assert_eq!((head.first, head.rows, head.snapshot), (h.first_num, h.rows, h.snapshot));
                assert_eq!((&head.threads, &head.descriptors), (&h.threads, &h.descs));
                heads.push((frame.number, head));
                count += 1;
            }
            assert_eq!(count, segment.snapshots.len() + segment.batches.len());
        }
        heads.sort_by_key(|h| h.0);
        indexed += usize::from(index(&bytes, &frames, heads));
    }
    assert!(indexed > 0, "no reel that is kept has an index");
}

/// §5: the indices, found from the end, tell of every frame; `false` where there is none, or no Footer.
fn index(bytes: &[u8], frames: &[Frame<'_>], heads: Vec<(u32, Head)>) -> bool {
    let length = u32::from_le_bytes(bytes[bytes.len() - 4..].try_into().unwrap()) as usize;
    let Some(footer) = frames.last().filter(|f| f.kind == b'F') else { return false };
    assert_eq!(footer.offset, bytes.len() - length - 100);
    let plain = Bytes(footer.body).part();
    let mut b = Bytes(&plain);
    assert_eq!(b.varint() as usize, footer.offset);
    let entries = b.list(|b| [b.varint(), b.varint(), b.varint(), b.varint(), b.varint(), b.varint()]);
    if entries.is_empty() {
        // What was written to be small has none.
        assert!(footer.number <= 16, "{} frames without an index", footer.number);
        return false;
    }
    let mut told = Vec::new();
    let mut heads = heads.into_iter();
    for [number, offset, batches, rows, earliest, latest] in entries {
        let frame = &frames[number as usize];
        assert_eq!((frame.kind, frame.offset as u64), (b'I', offset));
        let mut parts = Bytes(frame.body);
        let (table, heads_bytes) = (parts.part(), parts.part());
        let mut t = Bytes(&table);
        let (first, mut at) = (t.varint() as u32, t.varint() as usize);
        let kinds = t.list(Bytes::byte);
        let [lengths, rows_of, segments, schemas] = [(); 4].map(|()| t.list(Bytes::varint));
        let (mut sum, mut rest, mut times) = ((0, 0), Bytes(&heads_bytes), (u64::MAX, 0));
        for (i, &kind) in kinds.iter().enumerate() {
            let frame = &frames[first as usize + i];
            assert_eq!((kind, at), (frame.kind, frame.offset));
            assert_eq!((lengths[i], rows_of[i]), (frame.body.len() as u64, u64::from(frame.rows)));
            assert_eq!((segments[i], schemas[i]), (u64::from(frame.segment), u64::from(frame.schema)));
            at += 100 + frame.body.len();
            if matches!(kind, b'B' | b'W') {
                let told = head(&mut rest);
                assert_eq!(heads.next().map(|h| h.1).as_ref(), Some(&told));
                if kind == b'B' {
                    sum = (sum.0 + 1, sum.1 + u64::from(told.rows));
                    times = (times.0.min(told.times.0), times.1.max(told.times.1));
                }
            }
        }
        let times = if sum.0 == 0 { (0, 0) } else { times };
        assert_eq!((sum, times), ((batches, rows), (earliest, latest)));
        told.extend(first..first + kinds.len() as u32);
        told.push(number as u32);
    }
    assert_eq!(told, (0..footer.number).collect::<Vec<_>>());
    assert!(heads.next().is_none());
    true
}
