//! Bodies of small frames: postcard, under zstd where that is smaller. Fields are only ever added at the end, so
//! readers ignore what follows what they know.

use super::error::Error;
use crate::batch::Schema;
use crate::batch::codec::limits::MAX_SMALL_BODY;
use crate::batch::codec::{compress, decompress};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Where a reel comes from.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Header {
    /// Version of the format; written by [`Writer`](super::Writer).
    pub format_version: u32,
    /// Host name (`evt.host`).
    pub host: String,
    /// `/proc/sys/kernel/random/boot_id`.
    pub boot_id: String,
    /// Kernel release, as `uname -r`.
    pub kernel: String,
    /// Machine, as `uname -m`.
    pub arch: String,
    /// Seconds east of UTC, for times as the host's people read them.
    pub tz_offset_s: i32,
    /// Version of the program that wrote it.
    pub tool_version: String,
    /// Command line that recorded it.
    pub command_line: Vec<String>,
    /// Filter at recording time; events that did not match it are not in the reel.
    pub filter: Option<String>,
    /// Most bytes kept of each buffer.
    pub snaplen: u32,
    /// What saw the events: `ebpf`, `scap`, …
    pub probe: String,
    /// User name of who recorded it.
    pub operator: String,
    /// When the recording started, ns since 1970 UTC.
    pub started: u64,
    /// What was looked at, where it is not the whole host; empty for all.
    pub scope: String,
    /// Whether its recorder ends it with a Footer frame, so that one without is known to lack its end; written by
    /// [`Writer`](super::Writer).
    pub footed: bool,
    /// Its place in a row of files that one recording wrote one after the other.
    pub link: Link,
    /// What was taken out of it since it was recorded; `None`: it stands as its recorder wrote it, or in no row.
    pub pruned: Option<Pruned>,
}

/// What was taken out of a reel, by `prune` or by its recorder; nothing, at time 0, where it was only written again
/// (`convert --compact`).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Pruned {
    /// Hash of the last frame of the reel as it was recorded: what the next file of its row is linked to.
    pub hash: [u8; 32],
    /// When that was done last, ns since 1970 UTC.
    pub time: u64,
    /// What was asked for then (`--keep`).
    pub keep: String,
    /// Events that went, all times together.
    pub events: u64,
    /// Events that went without their response, and those without both bodies.
    pub bodies: [u64; 2],
}

/// A reel's place in a row of files that follow each other without a gap, so that a missing one is noticed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Link {
    /// Number of the file in the row, from 1; 0 for a reel that stands alone.
    pub sequence: u64,
    /// The row: the time at which its first file was begun, ns UTC.
    pub row: u64,
    /// How its files are named: what `-w` was given, without folders.
    pub naming: String,
    /// Name of the file before, without folders; empty for the first.
    pub previous: String,
    /// Hash of the last frame of the file before; zero for the first.
    pub hash: [u8; 32],
}

/// The boot clock and UTC at one moment, ns each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockPair {
    /// `CLOCK_BOOTTIME`.
    pub boot: u64,
    /// `CLOCK_REALTIME`: ns since 1970 UTC.
    pub utc: u64,
}

/// Body of a segment frame.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentStart {
    /// Number of the segment in its reel, from 1.
    pub number: u32,
    /// Most bytes kept of each buffer.
    pub snaplen: u32,
    /// Clocks when it began.
    pub clocks: Vec<ClockPair>,
    /// Kinds that its batches use.
    pub schema: Schema,
}

/// Events that were lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loss {
    /// Earliest time that they may have had, ns UTC.
    pub from: u64,
    /// Latest time, ns UTC.
    pub to: u64,
    /// Where they were lost: `ring`, `queue`, …
    pub place: String,
    /// How many.
    pub count: u64,
}

/// A remark of the recorder or of somebody who looked at the reel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// When, ns UTC.
    pub time: u64,
    /// What.
    pub text: String,
}

/// Sums of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Close {
    /// Batches of events.
    pub batches: u32,
    /// Their rows.
    pub rows: u64,
    /// Events lost.
    pub losses: u64,
    /// Dictionary frames.
    pub dictionaries: u32,
}

impl SegmentStart {
    /// Id of a schema in frame headers.
    pub(super) fn schema_id(schema: &Schema) -> Result<u16, Error> {
        let bytes = postcard::to_stdvec(schema).map_err(|e| Error::Encode(e.to_string()))?;
        Ok(crc32fast::hash(&bytes) as u16)
    }
}

/// Bodies from this many bytes on are compressed.
const COMPRESS_FROM: usize = 256;

/// Effort of zstd for small bodies and dictionaries.
pub(super) const QUICK: i32 = 3;

/// The same for dictionaries while recording, where time counts.
pub(super) const HASTY: i32 = 1;

/// The same where a capture is small and at rest: some milliseconds for a tenth of the bytes.
pub(super) const THOROUGH: i32 = 19;

/// A small body: its inflated length (u32), then postcard or zstd of it.
pub(super) fn store<T: Serialize>(value: &T) -> Result<Vec<u8>, Error> {
    store_at(value, QUICK)
}

/// The same with a level of zstd.
pub(super) fn store_at<T: Serialize>(value: &T, level: i32) -> Result<Vec<u8>, Error> {
    let plain = postcard::to_stdvec(value).map_err(|e| Error::Encode(e.to_string()))?;
    pack(&plain, MAX_SMALL_BODY, level)
}

/// Inflated length (u32), then the bytes or zstd of them, whichever is shorter.
pub(super) fn pack(plain: &[u8], limit: usize, level: i32) -> Result<Vec<u8>, Error> {
    if plain.len() > limit {
        return Err(Error::Encode(format!("expected a body of at most {limit} bytes, found {}", plain.len())));
    }
    let mut out = (plain.len() as u32).to_le_bytes().to_vec();
    let packed = if plain.len() < COMPRESS_FROM { None } else { compress(plain, level).ok() };
    match packed.filter(|p| p.len() < plain.len()) {
        Some(packed) => out.extend_from_slice(&packed),
        None => out.extend_from_slice(plain),
    }
    Ok(out)
}

/// The inverse of [`pack`].
pub(super) fn unpack(body: &[u8], limit: usize) -> Result<Vec<u8>, String> {
    let Some((length, stored)) = body.split_first_chunk::<4>() else {
        return Err(format!("expected 4 bytes of length, found {}", body.len()));
    };
    let length = u32::from_le_bytes(*length) as usize;
    if length > limit {
        return Err(format!("expected at most {limit} bytes inflated, found {length}"));
    }
    if stored.len() == length {
        return Ok(stored.to_vec());
    }
    let plain = decompress(stored, length).map_err(|e| format!("expected zstd, found {e}"))?;
    if plain.len() == length {
        Ok(plain)
    } else {
        Err(format!("expected {length} bytes inflated, found {}", plain.len()))
    }
}

/// Zeros behind a plain body: fields that a later version added are zero, empty or none in what an earlier one wrote.
const LATER_FIELDS: usize = 256;

/// The inverse of [`store`]; what follows the fields known here is ignored, and fields that are not there are zero.
pub(super) fn load<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    postcard::take_from_bytes(&plain(body)?).map(|(value, _)| value).map_err(|e| e.to_string())
}

/// The plain bytes of a small body, with zeros behind them for the fields of later versions.
pub(super) fn plain(body: &[u8]) -> Result<Vec<u8>, String> {
    let mut plain = unpack(body, MAX_SMALL_BODY)?;
    plain.resize(plain.len() + LATER_FIELDS, 0);
    Ok(plain)
}

/// Bytes before a part: its stored and its plain length and the CRC-32 of what is stored.
const PART_PREFIX: usize = 12;

/// Appends a part of a body that can be read and checked without the others.
pub(super) fn put_part(out: &mut Vec<u8>, plain: &[u8]) {
    let packed = compress(plain, QUICK).ok().filter(|p| p.len() < plain.len());
    let stored = packed.as_deref().unwrap_or(plain);
    for number in [stored.len() as u32, plain.len() as u32, crc32fast::hash(stored)] {
        out.extend_from_slice(&number.to_le_bytes());
    }
    out.extend_from_slice(stored);
}

/// What follows the part at the front, which is not looked at.
pub(super) fn skip_part(bytes: &[u8]) -> Option<&[u8]> {
    let (stored, _) = bytes.split_first_chunk::<4>()?;
    bytes.get(PART_PREFIX..)?.get(u32::from_le_bytes(*stored) as usize..)
}

/// The plain bytes of the part at the front, and what follows it.
pub(super) fn take_part(bytes: &[u8], limit: usize) -> Result<(Vec<u8>, &[u8]), String> {
    let (prefix, rest) = bytes
        .split_first_chunk::<PART_PREFIX>()
        .ok_or_else(|| format!("expected {PART_PREFIX} bytes before a part, found {}", bytes.len()))?;
    let number = |at: usize| u32::from_le_bytes([prefix[at], prefix[at + 1], prefix[at + 2], prefix[at + 3]]);
    let (stored, plain, crc) = (number(0) as usize, number(4) as usize, number(8));
    let (bytes, rest) =
        rest.split_at_checked(stored).ok_or_else(|| format!("expected {stored} bytes, found {}", rest.len()))?;
    if plain > limit {
        return Err(format!("expected at most {limit} bytes inflated, found {plain}"));
    }
    if crc32fast::hash(bytes) != crc {
        return Err("expected the checksum of a part, found another".to_owned());
    }
    if stored == plain {
        return Ok((bytes.to_vec(), rest));
    }
    let inflated = decompress(bytes, plain).map_err(|e| format!("expected zstd, found {e}"))?;
    if inflated.len() == plain {
        Ok((inflated, rest))
    } else {
        Err(format!("expected {plain} bytes inflated, found {}", inflated.len()))
    }
}
