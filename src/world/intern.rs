//! [`Interner`]: a [`Dict`] that is being written; equal texts, images and descriptors share a row.

use super::Delta;
use super::dict::{Account, DescRow, Dict, ImageRow, StrId};
use super::texts::Texts;
use foldhash::fast::RandomState;
use hashbrown::HashTable;
use std::hash::BuildHasher;

/// A dictionary that is being written.
#[derive(Debug)]
pub struct Interner {
    dict: Dict,
    /// Seeded anew each time: names of files are chosen by whoever is recorded.
    hasher: RandomState,
    strings: HashTable<Known>,
    apart: HashTable<Known>,
    images: HashTable<u32>,
    descs: HashTable<u32>,
    written: Written,
    last: StrId,
    users: Vec<(u32, StrId)>,
    accounts: Vec<(u32, Account)>,
    groups: Vec<(u32, StrId)>,
    /// Bytes of the images' lists of variables.
    environments: usize,
}

/// Texts of a column that are remembered ([`Interner::text_again`]).
pub const LAST_TEXTS: usize = 4;

/// A text that has an id. Where it stands is kept beside the id: one cache miss less for each text that is looked up,
/// and a text of another length is told apart without touching it.
#[derive(Debug, Clone, Copy)]
struct Known {
    id: StrId,
    start: u32,
    length: u32,
    /// Half of its hash, of which the table's is made: a table that grows touches no text.
    hash: u32,
}

impl Known {
    /// The hash of half of one.
    fn hash_of(half: u32) -> u64 {
        u64::from(half).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

/// Rows from which on a table grows by a quarter: the kernel moves such large ones without copying them (mremap(2)).
const GROWS_SLOWLY_FROM: usize = 1 << 14;

/// How much of each table [`Interner::take_delta`] has handed out.
#[derive(Debug, Clone, Copy)]
struct Written {
    bytes: usize,
    strings: usize,
    apart: usize,
    images: usize,
    threads: usize,
    descs: usize,
}

impl Default for Interner {
    fn default() -> Self {
        Self::new()
    }
}

impl Interner {
    /// An empty dictionary.
    pub fn new() -> Self {
        Interner {
            dict: Dict::new(),
            hasher: RandomState::default(),
            strings: HashTable::new(),
            apart: HashTable::new(),
            images: HashTable::new(),
            descs: HashTable::new(),
            written: Written { bytes: 0, strings: 1, apart: 1, images: 1, threads: 1, descs: 1 },
            last: StrId::NONE,
            users: Vec::new(),
            accounts: Vec::new(),
            groups: Vec::new(),
            environments: 0,
        }
    }

    /// The rows so far.
    pub fn dict(&self) -> &Dict {
        &self.dict
    }

    /// The id of a text, which is stored once.
    pub fn text(&mut self, text: &[u8]) -> StrId {
        // An event's path is asked for twice, as it was given and as it was resolved, and most are the same.
        if self.dict.strings.get(self.last) == Some(text) {
            return self.last;
        }
        let texts = self.dict.strings.own_mut();
        self.last = intern_text(&mut self.strings, texts, &self.hasher, text, StrId);
        self.last
    }

    /// The same for a text that is likely one of the `last` of its column, the one that was met last first: long ones (accounts, forms)
    /// are compared in less time than they are hashed and looked up.
    pub fn text_again(&mut self, text: &[u8], last: &mut [StrId; LAST_TEXTS]) -> StrId {
        let strings = &mut self.dict.strings;
        // An id of a segment before may be of another text now: it counts only if it is not.
        let known = last.iter().position(|&id| strings.get(id) == Some(text));
        last[..=known.unwrap_or(LAST_TEXTS - 1)].rotate_right(1);
        if known.is_none() {
            last[0] = intern_text(&mut self.strings, strings.own_mut(), &self.hasher, text, StrId);
        }
        last[0]
    }

    /// The id of a text that is kept apart, where it is stored once.
    pub fn text_apart(&mut self, text: &[u8]) -> StrId {
        let texts = self.dict.strings.apart_mut();
        intern_text(&mut self.apart, texts, &self.hasher, text, StrId::of_apart)
    }

    /// The row of an image.
    pub fn image(&mut self, row: &ImageRow) -> u32 {
        let known = self.dict.images.len();
        let id = intern(&mut self.images, &mut self.dict.images, &self.hasher, row);
        if self.dict.images.len() > known {
            self.environments += row.env.len() * size_of::<StrId>();
        }
        id
    }

    /// A row of a descriptor's own, whatever others say.
    pub fn push_desc(&mut self, row: DescRow) -> u32 {
        push(&mut self.dict.descs, row);
        (self.dict.descs.len() - 1) as u32
    }

    /// The row of a descriptor.
    pub fn desc(&mut self, row: &DescRow) -> u32 {
        intern(&mut self.descs, &mut self.dict.descs, &self.hasher, row)
    }

    /// Appends a thread row. Thread rows are made once per change, so they are not looked up.
    pub(super) fn push_thread(&mut self, row: super::ThreadRow) -> u32 {
        push(&mut self.dict.threads, row);
        (self.dict.threads.len() - 1) as u32
    }

    /// Names a user.
    pub(super) fn name_user(&mut self, uid: u32, name: StrId) {
        if self.dict.users.insert(uid, name) != Some(name) {
            self.users.push((uid, name));
        }
    }

    /// Says what is known of a user beside the name.
    pub(super) fn describe_user(&mut self, uid: u32, account: Account) {
        if account != Account::default() && self.dict.accounts.insert(uid, account) != Some(account) {
            self.accounts.push((uid, account));
        }
    }

    /// Names a group.
    pub(super) fn name_group(&mut self, gid: u32, name: StrId) {
        if self.dict.groups.insert(gid, name) != Some(name) {
            self.groups.push((gid, name));
        }
    }

    /// Bytes, about, of the rows made since [`Interner::take_delta`].
    pub fn pending(&self) -> usize {
        let (dict, from) = (&self.dict, self.written);
        dict.strings.size() - from.bytes
            + (dict.strings.len() - from.strings) * size_of::<u32>()
            + (dict.strings.apart().len() - from.apart) * size_of::<u32>()
            + (dict.threads.len() - from.threads) * size_of::<super::ThreadRow>()
            + (dict.descs.len() - from.descs) * size_of::<DescRow>()
    }

    /// Bytes of memory held for the rows and for finding them, which bounds a segment.
    pub fn size(&self) -> usize {
        let dict = &self.dict;
        dict.strings.capacity()
            + (self.strings.capacity() + self.apart.capacity()) * (size_of::<Known>() + 1)
            + dict.images.capacity() * size_of::<ImageRow>()
            + self.environments
            + dict.threads.capacity() * size_of::<super::ThreadRow>()
            + dict.descs.capacity() * size_of::<DescRow>()
            + (self.images.capacity() + self.descs.capacity()) * (size_of::<u32>() + 1)
    }

    /// What was appended since the last call.
    pub fn take_delta(&mut self) -> Delta {
        let (from, dict) = (self.written, &self.dict);
        let mut delta = Delta {
            first_string: from.strings as u32,
            first_apart: from.apart as u32,
            first_image: from.images as u32,
            images: dict.images[from.images..].to_vec(),
            first_thread: from.threads as u32,
            threads: dict.threads[from.threads..].to_vec(),
            first_desc: from.descs as u32,
            descs: dict.descs[from.descs..].to_vec(),
            users: std::mem::take(&mut self.users),
            accounts: std::mem::take(&mut self.accounts),
            groups: std::mem::take(&mut self.groups),
            ..Delta::default()
        };
        for id in from.strings..dict.strings.len() {
            let text = dict.text(StrId(id as u32));
            delta.string_lengths.push(text.len() as u32);
            delta.string_bytes.extend_from_slice(text);
        }
        for place in from.apart..dict.strings.apart().len() {
            let text = dict.text(StrId::of_apart(place as u32));
            delta.apart_lengths.push(text.len() as u32);
            delta.apart_bytes.extend_from_slice(text);
        }
        self.written = Written {
            bytes: dict.strings.size(),
            strings: dict.strings.len(),
            apart: dict.strings.apart().len(),
            images: dict.images.len(),
            threads: dict.threads.len(),
            descs: dict.descs.len(),
        };
        delta
    }
}

/// Appends a row. A large table grows by a quarter, not to twice its size: its memory is what bounds a segment.
fn push<T>(rows: &mut Vec<T>, row: T) {
    if rows.len() == rows.capacity() && rows.len() >= GROWS_SLOWLY_FROM {
        rows.reserve_exact(rows.len() / 4);
    }
    rows.push(row);
}

/// The id of a text among those of a table, made of its place.
fn intern_text(
    table: &mut HashTable<Known>,
    texts: &mut Texts,
    hasher: &RandomState,
    text: &[u8],
    id: fn(u32) -> StrId,
) -> StrId {
    let half = hasher.hash_one(text) as u32;
    let hash = Known::hash_of(half);
    let is_it = |known: &Known| {
        known.hash == half && known.length as usize == text.len() && texts.slice(known.start, known.length) == text
    };
    if let Some(known) = table.find(hash, is_it) {
        return known.id;
    }
    let (start, length) = (texts.size() as u32, text.len() as u32);
    let id = id(texts.push(text));
    table.insert_unique(hash, Known { id, start, length, hash: half }, |known| Known::hash_of(known.hash));
    id
}

fn intern<T: Clone + Eq + std::hash::Hash>(
    table: &mut HashTable<u32>,
    rows: &mut Vec<T>,
    hasher: &RandomState,
    row: &T,
) -> u32 {
    let hash = hasher.hash_one(row);
    if let Some(&id) = table.find(hash, |&id| rows[id as usize] == *row) {
        return id;
    }
    push(rows, row.clone());
    let id = (rows.len() - 1) as u32;
    table.insert_unique(hash, id, |&id| hasher.hash_one(&rows[id as usize]));
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_share_an_id_and_different_ones_do_not() {
        let mut interner = Interner::new();
        let a = interner.text(b"a");
        assert_eq!(interner.text(b""), StrId(2), "an empty text is a text");
        assert_eq!(interner.text(b"a"), a);
        assert_ne!(interner.text(b"b"), a);
        assert_eq!(interner.dict().text(a), b"a");
    }

    #[test]
    fn texts_that_come_again_have_the_ids_that_they_had_whatever_is_remembered() {
        let (mut plain, mut again) = (Interner::new(), Interner::new());
        let mut last = [StrId::NONE; LAST_TEXTS];
        let texts: Vec<String> =
            [3usize, 9, 4].iter().flat_map(|n| (0..40).map(move |i| "x".repeat(i * i % n))).collect();
        for text in &texts {
            assert_eq!(again.text_again(text.as_bytes(), &mut last), plain.text(text.as_bytes()));
        }
        // What is remembered is of another dictionary now.
        let mut next = Interner::new();
        next.text(b"other");
        let id = next.text_again(b"x", &mut last);
        assert_eq!(next.text(b"x"), id);
        assert_eq!(next.dict().text(id), b"x");
    }

    #[test]
    fn a_delta_holds_what_is_new_and_nothing_twice() {
        let mut interner = Interner::new();
        interner.text(b"one");
        let first = interner.take_delta();
        assert_eq!((first.first_string, first.string_bytes.as_slice()), (1, &b"one"[..]));
        assert!(interner.take_delta().is_empty());
        interner.text(b"one");
        assert!(interner.take_delta().is_empty());
        interner.text(b"two");
        let second = interner.take_delta();
        assert_eq!((second.first_string, second.string_bytes.as_slice()), (2, &b"two"[..]));
    }

    #[test]
    fn texts_apart_have_ids_of_their_own_and_come_with_the_delta() {
        let mut interner = Interner::new();
        let (own, apart) = (interner.text(b"pods"), interner.text_apart(b"pods"));
        assert_ne!(own, apart);
        assert_eq!((interner.text_apart(b"pods"), interner.text(b"pods")), (apart, own));
        let mut dict = Dict::new();
        dict.append(interner.take_delta()).unwrap();
        let later = interner.text_apart(b"nodes");
        let delta = interner.take_delta();
        assert!(!delta.is_empty() && delta.is_apart_only());
        dict.append(delta).unwrap();
        assert_eq!([own, apart, later].map(|id| dict.text(id)), [&b"pods"[..], b"pods", b"nodes"]);
    }
}
