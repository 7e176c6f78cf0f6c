//! [`Texts`]: texts end to end, and [`Unopened`]: some that are read when the first of them is asked for.

use std::fmt;
use std::sync::{Arc, OnceLock};

/// Bytes of texts from which on their memory grows by a quarter at a time.
const GROWS_SLOWLY_FROM: usize = 1 << 20;

/// Texts end to end, by their places; place 0 is none.
#[derive(Debug, Clone)]
pub struct Texts {
    bytes: Vec<u8>,
    ends: Vec<u32>,
}

impl Default for Texts {
    fn default() -> Self {
        Texts { bytes: Vec::new(), ends: vec![0] }
    }
}

impl Texts {
    /// Texts of these lengths, end to end; `None` where the lengths are not those of the bytes.
    pub fn of(lengths: &[u32], bytes: Vec<u8>) -> Option<Texts> {
        let mut end = 0u32;
        let mut ends = Vec::with_capacity(lengths.len() + 1);
        ends.push(0);
        for &length in lengths {
            end = end.checked_add(length)?;
            ends.push(end);
        }
        (end as usize == bytes.len()).then_some(Texts { bytes, ends })
    }

    /// Appends a text and returns its place.
    pub(super) fn push(&mut self, text: &[u8]) -> u32 {
        // As large tables of rows do: by a quarter.
        let (length, room) = (self.bytes.len(), self.bytes.capacity());
        if room - length < text.len() && length >= GROWS_SLOWLY_FROM {
            self.bytes.reserve_exact((length / 4).max(text.len()));
        }
        self.bytes.extend_from_slice(text);
        self.ends.push(self.bytes.len() as u32);
        (self.ends.len() - 1) as u32
    }

    /// Appends texts that stand end to end, by their lengths, which come to as many bytes.
    pub(super) fn extend(&mut self, bytes: &[u8], lengths: &[u32]) {
        // Who reads a dictionary appends a few large pieces: room that doubles is copied least.
        self.ends.reserve(lengths.len());
        let mut end = self.bytes.len() as u32;
        self.ends.extend(lengths.iter().map(|&length| {
            end = end.saturating_add(length);
            end
        }));
        self.bytes.extend_from_slice(bytes);
    }

    /// The text at a place.
    pub(super) fn get(&self, place: usize) -> Option<&[u8]> {
        let end = *self.ends.get(place)? as usize;
        self.bytes.get(*self.ends.get(place.checked_sub(1)?)? as usize..end)
    }

    /// The bytes at a place; none where there are not so many.
    pub(super) fn slice(&self, start: u32, length: u32) -> &[u8] {
        self.bytes.get(start as usize..start as usize + length as usize).unwrap_or_default()
    }

    /// Leaves the places before `next` empty, so that `next` is the next one.
    pub(super) fn skip_to(&mut self, next: usize) {
        self.ends.resize(self.ends.len().max(next), self.bytes.len() as u32);
    }

    /// Number of places, the none included.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Bytes of all texts.
    pub(super) fn size(&self) -> usize {
        self.bytes.len()
    }

    /// Bytes of memory held.
    pub(super) fn capacity(&self) -> usize {
        self.bytes.capacity() + self.ends.capacity() * size_of::<u32>()
    }
}

/// Where texts are read from.
pub trait TextSource: Send + Sync {
    /// All of them; `None` where they cannot be read.
    fn texts(&self) -> Option<Texts>;
}

/// Texts that stand one behind the other and are read when the first of them is asked for.
#[derive(Clone)]
pub struct Unopened {
    first: u32,
    count: u32,
    source: Arc<dyn TextSource>,
    texts: OnceLock<Option<Texts>>,
}

impl Unopened {
    /// `count` texts, the first of which has the place `first`.
    pub fn new(first: u32, count: u32, source: Arc<dyn TextSource>) -> Unopened {
        Unopened { first, count, source, texts: OnceLock::new() }
    }

    /// The place of its first text, and the one behind its last.
    pub(super) fn places(&self) -> (u64, u64) {
        (u64::from(self.first), u64::from(self.first) + u64::from(self.count))
    }

    /// The text at a place.
    pub(super) fn get(&self, place: u32) -> Option<&[u8]> {
        let at = place.checked_sub(self.first).filter(|at| *at < self.count)?;
        self.texts.get_or_init(|| self.source.texts()).as_ref()?.get(at as usize + 1)
    }
}

impl fmt::Debug for Unopened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} texts from {}", self.count, self.first)
    }
}
