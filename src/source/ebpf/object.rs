//! The compiled probe, and the size of its rings.
//!
//! The loader library can set how many elements a map has but not how large one is, and a ring is one element (it must
//! be, or the verifier could not bound it). So the object holds a number that stands for the size, once, in its type
//! information, and we write the real size in its place.

use super::Error;
use crate::sys::SLACK;

static PROBE: &[u8] = aya::include_bytes_aligned!("probe.bpf.o");

/// `RING_SENTINEL` in the probe.
const SENTINEL: [u8; 4] = 0x51ee_1b0c_u32.to_le_bytes();
/// The most bytes of one record; `MAX_RECORD` in the probe.
pub(super) const MAX_RECORD: usize = 58_368;
/// The least and the most that one ring may have, bytes. The kernel's verifier takes no offsets of 2^29 and more
/// (`BPF_MAX_VAR_OFF`), and a record starts anywhere in the ring and ends behind that.
const RING_LIMITS: (usize, usize) = (256 << 10, 256 << 20);

/// Bytes of one ring: `total` shared among the processors, rounded down to a power of two.
pub(super) fn ring_bytes(total: usize, processors: usize) -> usize {
    let share = (total / processors.max(1)).clamp(RING_LIMITS.0, RING_LIMITS.1);
    1 << share.ilog2()
}

/// The probe with rings of a size, at an address that is a multiple of 16 as the loader's ELF parser wants it.
#[derive(Debug)]
pub(super) struct Object {
    bytes: Vec<u8>,
    start: usize,
}

impl Object {
    pub(super) fn with_rings(ring_bytes: usize) -> Result<Object, Error> {
        Object::patched(PROBE, ring_bytes)
    }

    fn patched(probe: &[u8], ring_bytes: usize) -> Result<Object, Error> {
        let found: Vec<usize> = memchr::memmem::find_iter(probe, &SENTINEL).collect();
        let &[at] = found.as_slice() else {
            return Err(Error::Object {
                expected: "the number that stands for the size of a ring once",
                found: format!("it {} times", found.len()),
            });
        };
        let mut bytes = vec![0; probe.len() + 16];
        let start = bytes.as_ptr().align_offset(16).min(16);
        bytes[start..start + probe.len()].copy_from_slice(probe);
        let size = (ring_bytes + SLACK) as u32;
        bytes[start + at..start + at + SENTINEL.len()].copy_from_slice(&size.to_le_bytes());
        Ok(Object { bytes, start })
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[self.start..self.start + PROBE.len().min(self.bytes.len() - 16)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_is_shared_rounded_down_and_has_a_floor() {
        for (total, processors, expected) in [
            (32 << 20, 2, 16 << 20),
            (32 << 20, 3, 8 << 20),
            (32 << 20, 256, 256 << 10),
            (0, 1, 256 << 10),
            (1 << 40, 1, 256 << 20),
        ] {
            assert_eq!(ring_bytes(total, processors), expected, "{total} / {processors}");
        }
    }

    #[test]
    fn the_size_is_written_where_the_number_stood_and_nothing_else_changes() {
        let object = Object::with_rings(1 << 20).unwrap();
        let changed: Vec<usize> = (0..PROBE.len()).filter(|&i| object.bytes()[i] != PROBE[i]).collect();
        assert!(!changed.is_empty() && changed.len() <= 4 && changed[changed.len() - 1] - changed[0] < 4);
        assert_eq!(object.bytes().len(), PROBE.len());
        assert!(object.bytes().as_ptr().align_offset(16) == 0);
    }

    #[test]
    fn an_object_without_the_number_or_with_two_is_refused() {
        assert!(Object::patched(b"nothing here", 1 << 20).is_err());
        let twice = [SENTINEL, SENTINEL].concat();
        assert!(Object::patched(&twice, 1 << 20).unwrap_err().to_string().contains("it 2 times"));
    }
}
