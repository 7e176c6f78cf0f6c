//! The directory of a batch: its head, its frames, and where each column stands in them.

use super::limits::{MAX_COLUMNS, MAX_DATA, MAX_DIRECTORY, MAX_FRAMES};
use super::{Fault, varint};
use crate::batch::{Error, Head, MAX_KINDS, MAX_ROWS, ParamInfo, Schema};
use crate::event::Class;
use serde::{Deserialize, Serialize};

/// Classes of columns. Columns of one class share a frame; a kind with many rows has its own for each class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Group {
    Kind,
    Thread,
    Time,
    /// Lowest planes of times, raw.
    TimeLow,
    Cpu,
    Ret,
    Duration,
    /// Lowest planes of durations, raw.
    DurationLow,
    Desc,
    /// Event flags and missing parameters.
    Flags,
    Ints,
    Texts,
    Data,
}

/// Number of groups; each group's shared frame has the group's number.
pub(super) const GROUPS: usize = 13;

/// Columns by row, which come first in [`Directory::chunks`], in the order of their groups.
pub(super) const ROW_CHUNKS: usize = 5;

/// Columns of a kind before its parameters: return, duration, lowest plane, descriptor, flags, missing.
pub(super) const TABLE_CHUNKS: usize = 6;

/// Bytes compressed together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Frame {
    /// From the end of the directory.
    pub(super) offset: u32,
    /// Bytes stored; as many as inflated if it is raw.
    pub(super) stored: u32,
    /// Bytes inflated.
    pub(super) inflated: u32,
    /// CRC-32 (IEEE) of the stored bytes.
    pub(super) crc: u32,
}

/// A column's bytes in a frame; those of a frame stand there one after the other in directory order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Chunk {
    pub(super) frame: u16,
    pub(super) length: u32,
}

/// A head as directories and indices store it: rows as differences.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct PackedHead {
    /// Without threads and descriptors.
    pub(super) head: Head,
    /// Thread rows: zigzag differences as varints.
    pub(super) threads: Vec<u8>,
    /// Descriptor rows: differences as varints.
    pub(super) descs: Vec<u8>,
}

impl PackedHead {
    /// A head to store.
    pub fn of(head: &Head) -> PackedHead {
        let mut packed = PackedHead {
            head: Head { kinds: head.kinds.clone(), threads: Vec::new(), descs: Vec::new(), ..*head },
            ..PackedHead::default()
        };
        put_rows(&mut packed.threads, &head.threads, true);
        put_rows(&mut packed.descs, &head.descs, false);
        packed
    }

    /// The head, if it is one that a batch of this schema can have.
    pub fn open(&self, schema: &Schema) -> Result<Head, Error> {
        let head = self.unpack().map_err(|fault| fault.of_column("head"))?;
        check_head(&head, schema).map_err(|fault| fault.of_column("head"))?;
        Ok(head)
    }

    /// The number of rows that the body of a batch tells, unchecked: where its frame's header is lost.
    pub fn rows_in(body: &[u8]) -> Option<u32> {
        Directory::take(body).ok().map(|(directory, _)| directory.head.head.rows)
    }

    /// First number and rows, unchecked: where no schema is left to check a head against.
    pub fn numbers(&self) -> (u64, u32) {
        (self.head.first_num, self.head.rows)
    }

    pub(super) fn unpack(&self) -> Result<Head, Fault> {
        Ok(Head { threads: rows_of(&self.threads, true)?, descs: rows_of(&self.descs, false)?, ..self.head.clone() })
    }
}

/// The directory as it is stored (postcard).
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Directory {
    pub(super) head: PackedHead,
    pub(super) frames: Vec<Frame>,
    pub(super) chunks: Vec<Chunk>,
    /// Gaps between the rows' numbers, where there are any: stands behind the rest, so that who does not know it passes over it.
    #[serde(skip)]
    pub(super) numbers: Option<Chunk>,
}

/// Directories below this many bytes are stored as they are.
const COMPRESS_FROM: usize = 256;

/// Bytes before the directory: stored and inflated length and CRC-32 of the stored bytes, u32 each.
pub(super) const PREFIX: usize = 12;

impl Directory {
    /// The directory with its prefix.
    pub(super) fn bytes(&self, level: i32) -> Result<Vec<u8>, Fault> {
        let failed = |e: postcard::Error| Fault::new("a directory to store", e.to_string());
        let mut plain = postcard::to_stdvec(self).map_err(failed)?;
        if let Some(numbers) = &self.numbers {
            plain.extend(postcard::to_stdvec(numbers).map_err(failed)?);
        }
        if plain.len() > MAX_DIRECTORY {
            return Err(Fault::new(format!("at most {MAX_DIRECTORY} bytes"), format!("{}", plain.len())));
        }
        let packed = if plain.len() < COMPRESS_FROM {
            None
        } else {
            compress(&plain, level).ok().filter(|p| p.len() < plain.len())
        };
        let stored = packed.as_ref().unwrap_or(&plain);
        let mut out = Vec::with_capacity(PREFIX + stored.len());
        for number in [stored.len() as u32, plain.len() as u32, crc32fast::hash(stored)] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        out.extend_from_slice(stored);
        Ok(out)
    }

    /// How many bytes the directory takes that begins with a prefix; `None` where that is not whole.
    pub(super) fn length(prefix: &[u8]) -> Option<usize> {
        let (stored, _) = prefix.get(..PREFIX)?.split_first_chunk::<4>()?;
        Some(PREFIX + u32::from_le_bytes(*stored) as usize)
    }

    /// The directory at the front of a batch's body, and how many bytes it takes there.
    pub(super) fn take(body: &[u8]) -> Result<(Directory, usize), Fault> {
        let Some((prefix, rest)) = body.split_first_chunk::<PREFIX>() else {
            return Err(Fault::new(format!("{PREFIX} bytes of prefix"), format!("{}", body.len())));
        };
        let number = |i: usize| u32::from_le_bytes([prefix[i], prefix[i + 1], prefix[i + 2], prefix[i + 3]]);
        let (stored, inflated, crc) = (number(0) as usize, number(4) as usize, number(8));
        let Some(bytes) = rest.get(..stored) else {
            return Err(Fault::new(format!("{stored} bytes"), format!("{}", rest.len())));
        };
        check_crc(bytes, crc)?;
        let plain = inflate(bytes, inflated, MAX_DIRECTORY)?;
        let (mut directory, behind): (Directory, &[u8]) =
            postcard::take_from_bytes(&plain).map_err(|e| Fault::new("a directory", e.to_string()))?;
        directory.numbers = if behind.is_empty() { None } else { postcard::from_bytes(behind).ok() };
        Ok((directory, PREFIX + stored))
    }

    /// Whether everything fits the head, the limits, the schema, and `room` bytes of frames.
    pub(super) fn check(&self, head: &Head, schema: &Schema, room: usize) -> Result<(), Fault> {
        check_head(head, schema)?;
        if self.frames.len() > MAX_FRAMES || self.frames.len() < GROUPS {
            let found = format!("{}", self.frames.len());
            return Err(Fault::new(format!("{GROUPS} to {MAX_FRAMES} frames"), found));
        }
        let mut left = MAX_COLUMNS;
        for (i, frame) in self.frames.iter().enumerate() {
            let is_data = i == Group::Data as usize;
            let limit = if is_data { MAX_DATA } else { left };
            let (inflated, end) = (frame.inflated as usize, frame.offset as usize + frame.stored as usize);
            if inflated > limit || end > room {
                let expected = format!("frame {i} within {room} bytes, inflated at most {limit}");
                return Err(Fault::new(expected, format!("{frame:?}")));
            }
            left -= if is_data { 0 } else { inflated };
        }
        let chunks = ROW_CHUNKS + head.kinds.iter().map(|k| chunks_of(schema, usize::from(k.kind))).sum::<usize>();
        if chunks != self.chunks.len() {
            return Err(Fault::new(format!("{chunks} columns"), format!("{}", self.chunks.len())));
        }
        Ok(())
    }
}

/// How many columns a kind has.
pub(super) fn chunks_of(schema: &Schema, kind: usize) -> usize {
    let of = |param: &ParamInfo| match param.class {
        Class::Int | Class::Text => 1,
        Class::Data => 2,
        Class::Env => 0,
    };
    TABLE_CHUNKS + schema.kinds.get(kind).map_or(0, |info| info.params.iter().map(of).sum())
}

fn check_head(head: &Head, schema: &Schema) -> Result<(), Fault> {
    let rows = head.rows as usize;
    let limits = [
        ("rows", rows, MAX_ROWS),
        ("kinds", head.kinds.len(), MAX_KINDS),
        ("threads", head.threads.len(), rows),
        ("descriptors", head.descs.len(), rows),
    ];
    for (what, found, most) in limits {
        if found > most {
            return Err(Fault::new(format!("at most {most} {what}"), format!("{found}")));
        }
    }
    if head.first_num.checked_add(MAX_ROWS as u64).is_none() {
        return Err(Fault::new("a first number that leaves room for the rows", format!("{}", head.first_num)));
    }
    let sum: u64 = head.kinds.iter().map(|k| u64::from(k.rows)).sum();
    if sum != rows as u64 {
        return Err(Fault::new(format!("{rows} rows over all kinds"), format!("{sum}")));
    }
    match head.kinds.iter().find(|k| usize::from(k.kind) >= schema.kinds.len()) {
        Some(k) => Err(Fault::new(format!("kinds below {}", schema.kinds.len()), format!("kind {}", k.kind))),
        None => Ok(()),
    }
}

/// Appends differences of row numbers as varints, `signed` where they may step back.
fn put_rows(out: &mut Vec<u8>, rows: &[u32], signed: bool) {
    let mut before = 0;
    for &row in rows {
        let step = i64::from(row) - before;
        varint::put(out, if signed { varint::zigzag(step) } else { step as u64 });
        before = i64::from(row);
    }
}

fn rows_of(bytes: &[u8], signed: bool) -> Result<Vec<u32>, Fault> {
    // Each varint ends in a byte below 0x80.
    let count = bytes.iter().filter(|&&byte| byte < 0x80).count();
    if count > MAX_ROWS {
        return Err(Fault::new(format!("at most {MAX_ROWS} rows, one per event"), format!("{count}")));
    }
    let mut rows = vec![0; count];
    let (mut row, mut wrong, mut least) = (0i64, None, 0);
    varint::take_all(bytes, &mut rows, |code| {
        row = row.wrapping_add(if signed { varint::unzigzag(code) } else { code as i64 });
        if u32::try_from(row).is_err() || code < least {
            wrong.get_or_insert(row);
        }
        least = u64::from(!signed);
        row as u32
    })?;
    match wrong {
        Some(row) => Err(Fault::new("row numbers, ascending where they are sorted", format!("row {row}"))),
        None => Ok(rows),
    }
}

/// Whether stored bytes are what was written.
pub(super) fn check_crc(bytes: &[u8], crc: u32) -> Result<(), Fault> {
    let found = crc32fast::hash(bytes);
    if found == crc { Ok(()) } else { Err(Fault::new(format!("checksum {crc:#010x}"), format!("{found:#010x}"))) }
}

thread_local! {
    static DECOMPRESSOR: std::cell::RefCell<Option<zstd::bulk::Decompressor<'static>>> =
        const { std::cell::RefCell::new(None) };
}

/// The highest level whose compressor is kept: those above take many megabytes, and whoever asks for them has time.
const KEPT_LEVEL: i32 = 3;

thread_local! {
    static COMPRESSOR: std::cell::RefCell<Option<(i32, zstd::bulk::Compressor<'static>)>> =
        const { std::cell::RefCell::new(None) };
}

/// Bytes under zstd, at a level. This thread keeps the compressor: the memory of a new one is a hundred page faults.
pub(crate) fn compress(plain: &[u8], level: i32) -> std::io::Result<Vec<u8>> {
    if level > KEPT_LEVEL {
        return zstd::bulk::compress(plain, level);
    }
    COMPRESSOR.with_borrow_mut(|slot| {
        let (kept, zstd) = match slot {
            Some(slot) => slot,
            none => none.insert((level, zstd::bulk::Compressor::new(level)?)),
        };
        if *kept != level {
            zstd.set_compression_level(level)?;
            *kept = level;
        }
        zstd.compress(plain)
    })
}

/// The bytes of a frame: as stored if the lengths are equal, else inflated to exactly `inflated` bytes.
pub(super) fn inflate(bytes: &[u8], inflated: usize, limit: usize) -> Result<Vec<u8>, Fault> {
    if inflated > limit {
        return Err(Fault::new(format!("at most {limit} bytes inflated"), format!("{inflated}")));
    }
    if bytes.len() == inflated {
        return Ok(bytes.to_vec());
    }
    let failed = |e: std::io::Error| Fault::new(format!("{inflated} bytes under zstd"), e.to_string());
    let plain = decompress(bytes, inflated).map_err(failed)?;
    if plain.len() == inflated {
        Ok(plain)
    } else {
        Err(Fault::new(format!("{inflated} bytes inflated"), format!("{}", plain.len())))
    }
}

/// At most `inflated` bytes of what is under zstd, with the decompressor that this thread keeps: one is 160 KB, and a
/// segment has a hundred frames.
pub(crate) fn decompress(bytes: &[u8], inflated: usize) -> std::io::Result<Vec<u8>> {
    DECOMPRESSOR.with_borrow_mut(|slot| {
        let zstd = match slot {
            Some(zstd) => zstd,
            None => slot.insert(zstd::bulk::Decompressor::new()?),
        };
        zstd.decompress(bytes, inflated)
    })
}
