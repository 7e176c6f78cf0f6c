//! What indices tell, and what they do not.

use super::sample::{SAMPLE, intact_numbers, read};
use crate::reel::{FrameKind, HEADER_BYTES, Reader};
use std::sync::Arc;

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

/// The sample with the lengths of a Footer's or Index's table changed, and every checksum right again.
fn forged(frame: usize, change: impl Fn(&mut Vec<u8>)) -> Vec<u8> {
    let (start, end) = (SAMPLE.frames[frame] as usize, SAMPLE.frames[frame + 1] as usize);
    let body = &SAMPLE.bytes[start + HEADER_BYTES..end];
    let (mut plain, rest) = crate::reel::body::take_part(body, 1 << 20).unwrap();
    change(&mut plain);
    let mut forged = Vec::new();
    crate::reel::body::put_part(&mut forged, &plain);
    forged.extend_from_slice(rest);
    if SAMPLE.bytes[start + 4] == FrameKind::Footer.code() {
        let length = forged.len() as u32;
        let at = forged.len() - 4;
        forged[at..].copy_from_slice(&length.to_le_bytes());
    }
    let mut header = crate::reel::frame::FrameHeader::parse(&SAMPLE.bytes[start..]).unwrap();
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
