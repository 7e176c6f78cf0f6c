//! [`Texts`] and [`TextsOf`]: texts that are made once and copied from then on, which is what most of a line is.

/// Texts up to this length are copied by a few instructions and not by a call.
const SHORT: usize = 32;

/// Bytes of texts that are kept at most; then all are forgotten.
const LIMIT: usize = 8 << 20;

/// A text that is appended as often as not.
#[derive(Debug, Clone)]
pub struct Fixed {
    short: [u8; SHORT],
    long: Vec<u8>,
}

impl Fixed {
    /// Of these bytes.
    pub fn new(text: &[u8]) -> Fixed {
        let mut short = [0; SHORT];
        short.iter_mut().zip(text).for_each(|(to, &from)| *to = from);
        Fixed { short, long: text.to_vec() }
    }

    /// Appends it.
    #[inline]
    pub fn put(&self, out: &mut Vec<u8>) {
        if self.long.len() <= SHORT {
            let end = out.len() + self.long.len();
            out.extend_from_slice(&self.short);
            out.truncate(end);
        } else {
            out.extend_from_slice(&self.long);
        }
    }
}

/// Texts of things that are numbered from 0.
#[derive(Debug, Clone, Default)]
pub struct Texts {
    /// Where each stands, in the upper half; below its length times four, 2 for what its maker said, and 1: it was made.
    places: Vec<u64>,
    /// One behind the other, with room behind the last so that each can be copied as a short one.
    bytes: Vec<u8>,
    used: usize,
}

impl Texts {
    /// For `count` things.
    pub fn new(count: usize) -> Texts {
        // Memory that nothing was written to is not there yet, however many things there are.
        Texts { places: vec![0; count], bytes: Vec::new(), used: 0 }
    }

    /// Appends the text of a thing, which `make` appends the first time; what `make` said then.
    #[inline]
    pub fn put(&mut self, thing: usize, out: &mut Vec<u8>, make: impl FnOnce(&mut Vec<u8>) -> bool) -> bool {
        match self.places.get(thing) {
            Some(&place) if place != 0 => {
                copy(&self.bytes, (place >> 32) as usize, (place as u32 >> 2) as usize, out);
                place & 2 != 0
            }
            _ => self.make(thing, out, make),
        }
    }

    #[cold]
    #[inline(never)]
    fn make(&mut self, thing: usize, out: &mut Vec<u8>, make: impl FnOnce(&mut Vec<u8>) -> bool) -> bool {
        let from = out.len();
        let said = make(out);
        let text = out.get(from..).unwrap_or_default();
        if text.len() > LIMIT / 4 {
            return said;
        }
        if self.used + text.len() > LIMIT {
            self.places.fill(0);
            self.used = 0;
        }
        if let Some(place) = self.places.get_mut(thing) {
            *place = (self.used as u64) << 32 | (text.len() as u64) << 2 | u64::from(said) << 1 | 1;
            self.bytes.truncate(self.used);
            self.bytes.extend_from_slice(text);
            self.used = self.bytes.len();
            self.bytes.resize(self.used + SHORT, 0);
        }
        said
    }
}

/// Appends `bytes[start..start + length]`.
#[inline]
fn copy(bytes: &[u8], start: usize, length: usize, out: &mut Vec<u8>) {
    if length <= SHORT
        && let Some(padded) = bytes.get(start..).and_then(<[u8]>::first_chunk::<SHORT>)
    {
        let end = out.len() + length;
        out.extend_from_slice(padded);
        out.truncate(end);
    } else {
        out.extend_from_slice(bytes.get(start..start + length).unwrap_or_default());
    }
}

/// How many numbers [`TextsOf`] keeps.
const NUMBERS: usize = 64;

/// Texts of numbers of which few are frequent, such as sets of flags.
#[derive(Debug, Clone)]
pub struct TextsOf {
    numbers: [i64; NUMBERS],
    texts: Texts,
}

impl Default for TextsOf {
    fn default() -> Self {
        TextsOf { numbers: [0; NUMBERS], texts: Texts::new(NUMBERS) }
    }
}

impl TextsOf {
    /// Appends the text of a number, which `make` appends unless it is known; what `make` said.
    #[inline]
    pub fn put(&mut self, number: i64, out: &mut Vec<u8>, make: impl FnOnce(&mut Vec<u8>) -> bool) -> bool {
        let place = (number ^ number >> 6 ^ number >> 12 ^ number >> 18) as usize % NUMBERS;
        if self.numbers[place] != number {
            self.numbers[place] = number;
            self.texts.places[place] = 0;
        }
        self.texts.put(place, out, make)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fixed_text_is_appended_whatever_its_length() {
        for length in [0, 1, 31, 32, 33, 100] {
            let (text, mut out) = (vec![b'x'; length], b"y".to_vec());
            Fixed::new(&text).put(&mut out);
            assert_eq!(out, [b"y", &text[..]].concat());
        }
    }

    #[test]
    fn a_text_is_made_once_and_then_the_same() {
        let mut texts = Texts::new(3);
        let mut made = 0;
        for round in 0..3 {
            for thing in 0..4 {
                let mut out = b"before ".to_vec();
                let said = texts.put(thing, &mut out, |out| {
                    made += 1;
                    out.extend(std::iter::repeat_n(b'a' + thing as u8, thing * 30));
                    thing != 1
                });
                assert_eq!(out.len(), 7 + thing * 30, "{round}");
                assert!(out[7..].iter().all(|&b| b == b'a' + thing as u8));
                assert_eq!(said, thing != 1);
            }
        }
        // The fourth has no place.
        assert_eq!(made, 3 + 3);
    }

    #[test]
    fn many_texts_are_forgotten_and_made_again() {
        let long = vec![b'x'; LIMIT / 5];
        let mut texts = Texts::new(20);
        for thing in (0..20).chain(0..20) {
            let mut out = Vec::new();
            texts.put(thing, &mut out, |out| {
                out.extend_from_slice(&long);
                out.push(thing as u8);
                true
            });
            assert_eq!(out.len(), long.len() + 1);
            assert_eq!(out.last(), Some(&(thing as u8)));
            assert!(texts.bytes.len() <= LIMIT + SHORT);
        }
    }

    #[test]
    fn texts_of_numbers_that_share_a_place_are_their_own() {
        let mut texts = TextsOf::default();
        for number in (-300..300).chain([i64::MIN, i64::MAX, 0, 0]).chain(-300..300) {
            let mut out = Vec::new();
            texts.put(number, &mut out, |out| {
                out.extend_from_slice(number.to_string().as_bytes());
                true
            });
            assert_eq!(out, number.to_string().as_bytes());
        }
    }
}
