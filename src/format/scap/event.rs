//! [`RawEvent`]: one event of a capture, in scap's own terms.

use super::block::{Block, STATE_ONLY};
use super::types::{EventType, event_type};

/// Bytes of an event's head that says how many parameters it has.
pub const HEAD: usize = 26;
/// Bytes of one that does not.
const OLD_HEAD: usize = 22;
/// Types whose lengths old recorders wrote 3 bytes too long: `notification` and `infra`.
const LONG: [u16; 2] = [280, 286];

/// One event, its parameters still as bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RawEvent<'a> {
    /// Nanoseconds since 1970 UTC.
    pub time: u64,
    /// The thread; [`NO_THREAD`](super::block::NO_THREAD): none.
    pub tid: u64,
    /// The processor.
    pub cpu: u16,
    /// It changes the state and is not shown.
    pub state_only: bool,
    /// Number of its type.
    pub number: u16,
    /// Its parameters.
    pub params: Params<'a>,
}

/// Parameters as bytes; a length of 0 says that a value is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Params<'a> {
    width: usize,
    lengths: &'a [u8],
    values: &'a [u8],
}

impl<'a> Params<'a> {
    /// How many there are.
    pub fn count(&self) -> usize {
        self.lengths.len() / self.width
    }

    /// Each in its order.
    pub fn iter(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let mut rest = self.values;
        let width = self.width;
        self.lengths.chunks_exact(width).map(move |length| {
            let (value, behind) = rest.split_at(length_of(length).min(rest.len()));
            rest = behind;
            value
        })
    }

    /// One by its place.
    pub fn get(&self, place: usize) -> Option<&'a [u8]> {
        self.iter().nth(place)
    }

    /// Those of an event of which all but the head is known.
    pub fn of(number: u16, count: usize, bytes: &'a [u8]) -> Params<'a> {
        let width = event_type(number).map_or(2, EventType::length_width);
        let (lengths, values) = bytes.split_at((count * width).min(bytes.len()));
        Params { width, lengths, values }
    }
}

fn length_of(bytes: &[u8]) -> usize {
    match *bytes {
        [a, b] => usize::from(u16::from_le_bytes([a, b])),
        [a, b, c, d] => u32::from_le_bytes([a, b, c, d]) as usize,
        _ => 0,
    }
}

fn sum(lengths: &[u8], width: usize) -> usize {
    lengths.chunks_exact(width).map(length_of).fold(0, usize::saturating_add)
}

fn number<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at + N)?.first_chunk().copied()
}

impl<'a> RawEvent<'a> {
    /// Lengths and values of its parameters, as they stand in the event.
    pub fn bytes(&self) -> (&'a [u8], &'a [u8]) {
        (self.params.lengths, self.params.values)
    }

    /// Reads the body of an event block.
    ///
    /// # Errors
    /// What was expected and what was found.
    pub fn parse(block: Block, body: &'a [u8]) -> Result<RawEvent<'a>, &'static str> {
        let Block::Event { flags, counted, .. } = block else { return Err("expected an event, found another block") };
        let short = "expected the head of an event, found its end";
        let cpu = u16::from_le_bytes(number(body, 0).ok_or(short)?);
        let state_only = flags && u32::from_le_bytes(number(body, 2).ok_or(short)?) & STATE_ONLY != 0;
        let event = body.get(if flags { 6 } else { 2 }..).ok_or(short)?;
        let time = u64::from_le_bytes(number(event, 0).ok_or(short)?);
        let tid = u64::from_le_bytes(number(event, 8).ok_or(short)?);
        let length = u32::from_le_bytes(number(event, 16).ok_or(short)?) as usize;
        let number_of_type = u16::from_le_bytes(number(event, 20).ok_or(short)?);
        let width = event_type(number_of_type).map_or(2, EventType::length_width);
        let (table, params) = if counted {
            let count = u32::from_le_bytes(number(event, OLD_HEAD).ok_or(short)?) as usize;
            let table = event.get(HEAD..length).ok_or("expected an event as long as it says, found less")?;
            (table, count)
        } else {
            // The odd lengths of some types end behind the event: what is there is padding.
            let end = if LONG.contains(&number_of_type) { length.min(event.len()) } else { length };
            let table = event.get(OLD_HEAD..end).ok_or("expected an event as long as it says, found less")?;
            let count =
                count(number_of_type, table, width).ok_or("expected lengths that add up to the event's, found none")?;
            (table, count)
        };
        let lengths = params.checked_mul(width).and_then(|bytes| table.get(..bytes));
        let lengths = lengths.ok_or("expected the lengths of all parameters, found fewer")?;
        let values = &table[lengths.len()..];
        if sum(lengths, width) > values.len() {
            return Err("expected parameters inside the event, found longer ones");
        }
        Ok(RawEvent { time, tid, cpu, state_only, number: number_of_type, params: Params { width, lengths, values } })
    }
}

/// How many parameters an event has that does not say so: the most of its type whose lengths add up.
fn count(number: u16, table: &[u8], width: usize) -> Option<usize> {
    let most = event_type(number)?.params.len();
    let spare = if LONG.contains(&number) { 3 } else { 0 };
    (0..=most).rev().find(|&count| {
        let bytes = count * width;
        table.get(..bytes).is_some_and(|lengths| {
            let used = bytes + sum(lengths, width);
            used == table.len() || (spare > 0 && used <= table.len() && table.len() - used <= spare)
        })
    })
}
