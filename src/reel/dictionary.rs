//! The body of a dictionary frame: varint lengths of the strings, their bytes, then the rows as postcard; zstd.

use super::body;
use super::columns::{self, Column};
use super::error::Error;
use crate::batch::codec::limits::MAX_DICTIONARY;
use crate::batch::codec::{put_varint, take_varint};
use crate::world::{Delta, DescRow, ImageRow, StrId, ThreadRow};
use serde::{Deserialize, Serialize};

/// The rows of a delta; its strings stand before them.
#[derive(Serialize, Deserialize)]
struct Rows<I, T, D, N> {
    first_image: u32,
    images: I,
    first_thread: u32,
    threads: T,
    first_desc: u32,
    descs: D,
    users: N,
    groups: N,
}

type Names = Vec<(u32, StrId)>;
type Owned = Rows<Vec<ImageRow>, Vec<ThreadRow>, Vec<DescRow>, Names>;

/// The body of a delta, with a level of zstd.
pub(super) fn store(delta: &Delta, level: i32) -> Result<Vec<u8>, Error> {
    let mut plain = Vec::with_capacity(delta.string_bytes.len() + 64 * 1024);
    put_varint(&mut plain, u64::from(delta.first_string));
    put_varint(&mut plain, delta.string_lengths.len() as u64);
    delta.string_lengths.iter().for_each(|&l| put_varint(&mut plain, u64::from(l)));
    plain.extend_from_slice(&delta.string_bytes);
    let rows = Rows {
        first_image: delta.first_image,
        images: delta.images.as_slice(),
        first_thread: delta.first_thread,
        threads: delta.threads.as_slice(),
        first_desc: delta.first_desc,
        descs: delta.descs.as_slice(),
        users: &delta.users,
        groups: &delta.groups,
    };
    let mut plain = postcard::to_extend(&rows, plain).map_err(|e| Error::Encode(e.to_string()))?;
    let added = columns::of(&delta.images, &delta.threads, &delta.accounts);
    if !added.is_empty() {
        plain = postcard::to_extend(&added, plain).map_err(|e| Error::Encode(e.to_string()))?;
    }
    body::pack(&plain, MAX_DICTIONARY, level)
}

/// The delta of a body. `left` is how many plain bytes the segment's dictionary may still have.
pub(super) fn load(bytes: &[u8], left: &mut usize) -> Result<Delta, String> {
    let plain = body::unpack(bytes, MAX_DICTIONARY.min(*left))?;
    *left -= plain.len();
    let mut rest = plain.as_slice();
    let mut next = || take_varint(&mut rest).and_then(|v| u32::try_from(v).ok());
    let (first_string, count) = next().zip(next()).ok_or("expected a first string and a count, found neither")?;
    if count as usize > plain.len() {
        return Err(format!("expected at most {} strings, found {count}", plain.len()));
    }
    let lengths: Option<Vec<u32>> = (0..count).map(|_| next()).collect();
    let string_lengths = lengths.ok_or_else(|| format!("expected {count} lengths of strings, found fewer"))?;
    let total: u64 = string_lengths.iter().map(|&l| u64::from(l)).sum();
    let (strings, rest) = usize::try_from(total)
        .ok()
        .and_then(|total| rest.split_at_checked(total))
        .ok_or_else(|| format!("expected {total} bytes of strings, found {}", rest.len()))?;
    let (mut rows, behind) = postcard::take_from_bytes::<Owned>(rest).map_err(|e| e.to_string())?;
    let mut accounts = Vec::new();
    if !behind.is_empty() {
        let (added, _) = postcard::take_from_bytes::<Vec<Column>>(behind).map_err(|e| e.to_string())?;
        accounts = columns::users(&added);
        columns::fill(&added, &mut rows.images, &mut rows.threads);
    }
    Ok(Delta {
        first_string,
        string_lengths,
        string_bytes: strings.to_vec(),
        first_image: rows.first_image,
        images: rows.images,
        first_thread: rows.first_thread,
        threads: rows.threads,
        first_desc: rows.first_desc,
        descs: rows.descs,
        users: rows.users,
        accounts,
        groups: rows.groups,
    })
}
