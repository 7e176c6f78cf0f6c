//! A reel that is cut, flipped or put together anew gives back what is whole and says what is not.

use super::sample::{SAMPLE, Shared, header, intact, intact_numbers, read, said, small};
use crate::reel::{DamageKind, Error, FrameKind, HEADER_BYTES, Header, Hit, MAGIC, Note, Reader, SegmentStart, Writer};
use crate::world::{Dict, StrId};
use proptest::prelude::*;
use std::sync::Arc;

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
    let mut bytes = SAMPLE.bytes.clone();
    bytes[SAMPLE.frames[5] as usize + HEADER_BYTES + 10] ^= 4;
    let reader = read(&bytes).unwrap();
    let dict = reader.dict(0).unwrap();
    let texts: Vec<_> = (1..4).map(|i| dict.strings.get(StrId(i))).collect();
    assert_eq!(texts, [Some(&b"zero"[..]), None, Some(&b"two"[..])]);
    assert_eq!((dict.thread(1).tid, dict.thread(2).tid, dict.thread(3).tid), (101, 0, 103));
    assert_eq!(intact(&reader, &bytes).len(), 6);
    assert_eq!(reader.damages()[0].offset, SAMPLE.frames[5]);
}

#[test]
fn a_damaged_header_costs_nothing_with_or_without_an_index() {
    // Without its last frame the reel is walked.
    let walked = SAMPLE.frames[SAMPLE.frames.len() - 2] as usize;
    for (whole, at) in [SAMPLE.bytes.len(), walked].into_iter().flat_map(|w| [4, 10, 14, 40, 70].map(|at| (w, at))) {
        for frame in [4, 5] {
            let mut bytes = SAMPLE.bytes[..whole].to_vec();
            bytes[SAMPLE.frames[frame] as usize + at] ^= 4;
            let reader = read(&bytes).unwrap();
            let dict = reader.dict(0).unwrap();
            let texts: Vec<_> = (1..4).filter_map(|i| dict.strings.get(StrId(i))).collect();
            assert_eq!(texts, [&b"zero"[..], b"one", b"two"], "byte {at} of frame {frame}");
            assert_eq!(intact(&reader, &bytes).len(), 6, "byte {at} of frame {frame}");
            let kind = if frame == 4 { FrameKind::Batch } else { FrameKind::Dictionary };
            let told = (SAMPLE.frames[frame], DamageKind::Mended(kind), 0);
            assert!(said(&reader.verify().damages).contains(&told), "byte {at} of frame {frame}");
            assert_eq!(reader.verify().damages.len(), 1);
        }
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
    let mut header = crate::reel::frame::FrameHeader::parse(&SAMPLE.bytes).unwrap();
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
fn a_frame_that_lost_bytes_does_not_cover_those_behind_it() {
    let whole = intact_numbers(&read(&SAMPLE.bytes).unwrap());
    let at = |i: usize| SAMPLE.frames[i] as usize;
    let all = &SAMPLE.bytes;
    // The first batch is frame 4. What is left of it is shorter than its length, which reaches into a frame behind it,
    // exactly to the start of one, or exactly to the end of the file.
    let (inside, short) = (at(4) + HEADER_BYTES + 10, at(5) - (at(6) - at(5)));
    let cases = [
        ("into a frame", inside, &all[inside + 50..]),
        ("to the start of a frame", short, &all[at(5)..]),
        ("to the end", inside, &all[at(5)..at(5) + at(5) - inside]),
    ];
    for (what, cut, rest) in cases {
        let reader = read(&[&all[..cut], rest].concat()).unwrap();
        assert_eq!(reader.dict(0).unwrap().strings.get(StrId(2)), Some(&b"one"[..]), "{what}");
        let damages = reader.verify().damages;
        let told: Vec<_> = damages.iter().filter(|d| matches!(d.kind, DamageKind::Body(..))).collect();
        assert_eq!((told.len(), told[0].offset), (1, SAMPLE.frames[4]), "{what}: {damages:?}");
        assert!(told[0].lost < SAMPLE.frames[5] - SAMPLE.frames[4], "{what}: {damages:?}");
        if what != "to the end" {
            let hit = Hit { segments: Some((1, 1)), rows: Some((1, 1_200)), is_open: false };
            assert_eq!((damages.len(), &told[0].hit), (1, &hit), "{what}: {damages:?}");
            assert!(intact_batches(&reader).ends_with(&whole[1..]), "{what}");
        }
    }
}

/// First numbers of the batches of events whose rows' times can be read.
fn intact_batches(reader: &Reader) -> Vec<u64> {
    let segments = 0..reader.segments().len();
    let batches = segments.flat_map(|s| reader.batches(s).flatten().collect::<Vec<_>>());
    batches.filter(|b| b.time().is_ok()).map(|b| b.head().first_num).collect()
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
fn an_edited_frame_with_new_checksums_breaks_the_chain() {
    let (start, end) = (SAMPLE.frames[1] as usize, SAMPLE.frames[2] as usize);
    let mut bytes = SAMPLE.bytes.clone();
    let mut body = bytes[start + HEADER_BYTES..end].to_vec();
    let last = body.len() - 1;
    body[last] ^= 1;
    let sealed = crate::reel::frame::FrameHeader::parse(&bytes[start..]).unwrap().seal(&body);
    bytes[start..start + HEADER_BYTES].copy_from_slice(&sealed);
    bytes[start + HEADER_BYTES..end].copy_from_slice(&body);
    let verdict = read(&bytes).unwrap().verify();
    assert_eq!(said(&verdict.damages), [(SAMPLE.frames[2], DamageKind::Chain, 0)]);
}

#[test]
fn a_lost_segment_frame_costs_its_clocks_but_no_batch() {
    let mut bytes = SAMPLE.bytes.clone();
    bytes[SAMPLE.frames[12] as usize + HEADER_BYTES + 50] ^= 1;
    let reader = read(&bytes).unwrap();
    assert_eq!(reader.segments()[1].clocks, []);
    assert_eq!(intact(&reader, &bytes).len(), 6);
    assert_eq!(reader.damages().iter().map(|d| d.offset).collect::<Vec<_>>(), [SAMPLE.frames[12]]);
}

#[test]
fn the_only_schema_lost_is_said_and_takes_its_batches_with_it() {
    let mut bytes = SAMPLE.bytes[..SAMPLE.frames[12] as usize].to_vec();
    bytes[SAMPLE.frames[1] as usize + HEADER_BYTES + 50] ^= 1;
    let reader = read(&bytes).unwrap();
    assert!(reader.damages().iter().any(|d| d.kind == DamageKind::Schema));
    assert!(matches!(reader.batches(0).next(), Some(Err(Error::Frame { kind: FrameKind::Segment, .. }))));
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
            let lost = *offset == SAMPLE.frames[hit] && at >= *offset as usize + HEADER_BYTES;
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
        if let Ok(delta) = crate::reel::dictionary::load(&body, &mut 4096) {
            let _ = Dict::new().apply(&delta);
        }
        let mut framed = (body.len() as u32).to_le_bytes().to_vec();
        framed.extend(&body);
        if let Ok(delta) = crate::reel::dictionary::load(&framed, &mut 4096) {
            let _ = Dict::new().apply(&delta);
        }
        let _ = crate::reel::body::load::<SegmentStart>(&framed);
        let framed = [&[1, 0, 0, 0, (body.len() / 4) as u8, 0, 0, 0][..], &framed].concat();
        for body in [&body, &framed] {
            if let Ok(delta) = crate::reel::dictionary::load_texts(body, &mut 4096) {
                let _ = Dict::new().apply(&delta);
            }
        }
    }
}
