//! The body of a dictionary frame: varint lengths of the strings, their bytes, then the rows as postcard; zstd. And that of a frame of
//! texts apart: place of the first and count (u32), then varint lengths and bytes; zstd.

use super::body;
use super::columns::{self, Column};
use super::error::Error;
use super::images::Images;
use crate::batch::codec::limits::MAX_DICTIONARY;
use crate::batch::codec::{Bytes, put_varint, take_varint};
use crate::world::{Delta, DescRow, Dict, StrId, TextSource, Texts, ThreadRow, Unopened};
use serde::{Deserialize, Serialize};
use std::ops::Range;
use std::sync::Arc;

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
type Owned = Rows<Images, Vec<ThreadRow>, Vec<DescRow>, Names>;

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

/// Appends the delta of a body to a dictionary; its strings are copied once. `left` is how many plain bytes the segment's
/// dictionary may still have.
pub(super) fn append(bytes: &[u8], left: &mut usize, dict: &mut Dict) -> Result<(), String> {
    let plain = inflated(bytes, left)?;
    let (delta, strings) = delta(&plain)?;
    dict.append_with(delta, strings).map_err(|e| e.to_string())
}

/// The delta of a body. `left` is as above.
pub(super) fn load(bytes: &[u8], left: &mut usize) -> Result<Delta, String> {
    let plain = inflated(bytes, left)?;
    let (delta, strings) = delta(&plain)?;
    Ok(Delta { string_bytes: strings.to_vec(), ..delta })
}

fn inflated(bytes: &[u8], left: &mut usize) -> Result<Vec<u8>, String> {
    let plain = body::unpack(bytes, MAX_DICTIONARY.min(*left))?;
    *left -= plain.len();
    Ok(plain)
}

/// The delta of an inflated body, without the bytes of its strings, and those.
fn delta(plain: &[u8]) -> Result<(Delta, &[u8]), String> {
    let mut rest = plain;
    let mut next = || take_varint(&mut rest).and_then(|v| u32::try_from(v).ok());
    let (first_string, count) = next().zip(next()).ok_or("expected a first string and a count, found neither")?;
    if count as usize > plain.len() {
        return Err(format!("expected at most {} strings, found {count}", plain.len()));
    }
    let mut string_lengths = Vec::with_capacity(count as usize);
    for _ in 0..count {
        string_lengths.push(next().ok_or_else(|| format!("expected {count} lengths of strings, found fewer"))?);
    }
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
        columns::fill(&added, &mut rows.images.0, &mut rows.threads);
    }
    let delta = Delta {
        first_string,
        string_lengths,
        first_image: rows.first_image,
        images: rows.images.0,
        first_thread: rows.first_thread,
        threads: rows.threads,
        first_desc: rows.first_desc,
        descs: rows.descs,
        users: rows.users,
        accounts,
        groups: rows.groups,
        ..Delta::default()
    };
    Ok((delta, strings))
}

/// Bytes before the packed part of a frame of texts: place of the first, count.
const TEXTS_PREFIX: usize = 8;

/// The body of a delta's texts apart, with a level of zstd.
pub(super) fn store_texts(delta: &Delta, level: i32) -> Result<Vec<u8>, Error> {
    let mut plain = Vec::with_capacity(delta.apart_bytes.len() + 2 * delta.apart_lengths.len());
    delta.apart_lengths.iter().for_each(|&length| put_varint(&mut plain, u64::from(length)));
    plain.extend_from_slice(&delta.apart_bytes);
    let mut body = [delta.first_apart, delta.apart_lengths.len() as u32].map(u32::to_le_bytes).concat();
    body.extend(body::pack(&plain, MAX_DICTIONARY, level)?);
    Ok(body)
}

/// What the body of a frame of texts says without being inflated.
pub(super) struct TextsHead {
    first: u32,
    count: u32,
}

/// Looks at the body of a frame of texts. `left` is how many plain bytes the segment's dictionary may still have.
pub(super) fn texts(body: &[u8], left: &mut usize) -> Result<TextsHead, String> {
    let word = |at: usize| body.get(at..at + 4).and_then(|word| word.try_into().ok()).map(u32::from_le_bytes);
    let (Some(first), Some(count), Some(plain)) = (word(0), word(4), word(TEXTS_PREFIX)) else {
        return Err(format!("expected {} bytes before texts, found {}", TEXTS_PREFIX + 4, body.len()));
    };
    let (plain, most) = (plain as usize, MAX_DICTIONARY.min(*left));
    if plain > most || count as usize > plain {
        return Err(format!("expected at most {most} bytes of at most as many texts, found {plain} of {count}"));
    }
    *left -= plain;
    Ok(TextsHead { first, count })
}

impl TextsHead {
    /// The texts of the body that stands at a place of `bytes`, to be read when one of them is asked for.
    pub(super) fn unopened(&self, bytes: Bytes, body: Range<usize>) -> Unopened {
        Unopened::new(self.first, self.count, Arc::new(StoredTexts { bytes, body, count: self.count }))
    }
}

/// The delta of a frame of texts.
pub(super) fn load_texts(body: &[u8], left: &mut usize) -> Result<Delta, String> {
    let head = texts(body, left)?;
    let (apart_lengths, apart_bytes) = open_texts(body, head.count)?;
    Ok(Delta { first_apart: head.first, apart_lengths, apart_bytes, ..Delta::default() })
}

/// Lengths and bytes of the texts of a body.
fn open_texts(body: &[u8], count: u32) -> Result<(Vec<u32>, Vec<u8>), String> {
    let mut plain = body::unpack(body.get(TEXTS_PREFIX..).unwrap_or_default(), MAX_DICTIONARY)?;
    let mut rest = plain.as_slice();
    let lengths: Option<Vec<u32>> =
        (0..count).map(|_| take_varint(&mut rest).and_then(|length| u32::try_from(length).ok())).collect();
    let lengths = lengths.ok_or_else(|| format!("expected {count} lengths of texts, found fewer"))?;
    let start = plain.len() - rest.len();
    plain.drain(..start);
    Ok((lengths, plain))
}

/// Texts in a reel. Their frame's hash was compared when its head was looked at.
struct StoredTexts {
    bytes: Bytes,
    body: Range<usize>,
    count: u32,
}

impl TextSource for StoredTexts {
    fn texts(&self) -> Option<Texts> {
        let body = (*self.bytes).as_ref().get(self.body.clone())?;
        let (lengths, bytes) = open_texts(body, self.count).ok()?;
        Texts::of(&lengths, bytes)
    }
}
