//! Appending a [`Delta`] to a [`Dict`], as a reader does; tolerant of deltas that were lost in between.

use super::DescRow;
use super::dict::{APART, Delta, Dict, ImageRow, ThreadRow};

/// The most strings of a segment's dictionary; it ends at about 16 MiB.
const MAX_STRINGS: u64 = APART as u64;

/// The most images, threads or descriptors of a segment's dictionary.
const MAX_TABLE: u64 = 1 << 20;

/// Why a delta cannot be appended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{table}: expected {expected}, found {found}\nhelp: this dictionary frame is damaged; the rest of the reel can be read"
)]
pub struct DeltaError {
    /// Which table.
    pub table: &'static str,
    /// What the rows so far call for.
    pub expected: String,
    /// What stands there.
    pub found: String,
}

impl Delta {
    /// Appends the delta that came next; an error where one between them is missing.
    pub fn follow(&mut self, next: Delta) -> Result<(), DeltaError> {
        let tables = [
            (
                "strings",
                &mut self.first_string,
                self.string_lengths.len(),
                next.first_string,
                next.string_lengths.len(),
            ),
            (
                "texts apart",
                &mut self.first_apart,
                self.apart_lengths.len(),
                next.first_apart,
                next.apart_lengths.len(),
            ),
            ("images", &mut self.first_image, self.images.len(), next.first_image, next.images.len()),
            ("threads", &mut self.first_thread, self.threads.len(), next.first_thread, next.threads.len()),
            ("descriptors", &mut self.first_desc, self.descs.len(), next.first_desc, next.descs.len()),
        ];
        for (table, own, have, first, count) in tables {
            if count > 0 && have == 0 {
                *own = first;
            } else if count > 0 && *own as usize + have != first as usize {
                let expected = format!("row {}", *own as usize + have);
                return Err(DeltaError { table, expected, found: format!("row {first}") });
            }
        }
        self.extend(next);
        Ok(())
    }
}

impl Dict {
    /// Appends a copy of what a segment's recorder appended, see [`Dict::append`].
    pub fn apply(&mut self, delta: &Delta) -> Result<(), DeltaError> {
        self.append(delta.clone())
    }

    /// Appends what a segment's recorder appended. Rows lost between here and the delta's first become empty ones.
    /// The delta is checked before anything is changed.
    pub fn append(&mut self, mut delta: Delta) -> Result<(), DeltaError> {
        let strings = std::mem::take(&mut delta.string_bytes);
        self.append_with(delta, &strings)
    }

    /// The same with the bytes of the delta's strings beside it.
    pub fn append_with(&mut self, mut delta: Delta, strings: &[u8]) -> Result<(), DeltaError> {
        let tables = [
            ("strings", self.strings.len(), delta.first_string, delta.string_lengths.len(), MAX_STRINGS),
            ("texts apart", self.strings.apart().len(), delta.first_apart, delta.apart_lengths.len(), MAX_STRINGS),
            ("images", self.images.len(), delta.first_image, delta.images.len(), MAX_TABLE),
            ("threads", self.threads.len(), delta.first_thread, delta.threads.len(), MAX_TABLE),
            ("descriptors", self.descs.len(), delta.first_desc, delta.descs.len(), MAX_TABLE),
        ];
        for (table, have, first, count, most) in tables {
            check(table, have, first, count, most)?;
        }
        for (table, lengths, bytes) in [
            ("strings", &delta.string_lengths, strings),
            ("texts apart", &delta.apart_lengths, delta.apart_bytes.as_slice()),
        ] {
            let total: u64 = lengths.iter().map(|&l| u64::from(l)).sum();
            if total != bytes.len() as u64 || self.strings.size() as u64 + total > u64::from(u32::MAX) {
                let found = format!("{}", bytes.len());
                return Err(DeltaError { table, expected: format!("{total} bytes"), found });
            }
        }
        self.append_strings(&delta, strings);
        let apart = self.strings.apart_mut();
        apart.skip_to(delta.first_apart as usize);
        apart.extend(&delta.apart_bytes, &delta.apart_lengths);
        pad(&mut self.images, delta.first_image, delta.images.len(), ImageRow::default);
        self.images.append(&mut delta.images);
        pad(&mut self.threads, delta.first_thread, delta.threads.len(), ThreadRow::lost);
        let next = self.threads.len() as u32;
        self.threads.extend(delta.threads.into_iter().zip(next..).map(|(row, index)| backward(row, index)));
        pad(&mut self.descs, delta.first_desc, delta.descs.len(), DescRow::default);
        self.descs.append(&mut delta.descs);
        self.users.extend(delta.users.iter().copied());
        self.accounts.extend(delta.accounts.iter().copied());
        self.groups.extend(delta.groups.iter().copied());
        Ok(())
    }

    fn append_strings(&mut self, delta: &Delta, strings: &[u8]) {
        if delta.string_lengths.is_empty() {
            return;
        }
        self.strings.lose_until(delta.first_string);
        self.strings.extend(strings, &delta.string_lengths);
    }
}

/// An empty table's first row is not looked at; any other must not overlap what is there, nor pass the limit.
fn check(table: &'static str, have: usize, first: u32, count: usize, most: u64) -> Result<(), DeltaError> {
    if count == 0 {
        return Ok(());
    }
    if (first as usize) < have {
        let expected = format!("rows from {have} on");
        return Err(DeltaError { table, expected, found: format!("row {first}") });
    }
    let end = u64::from(first) + count as u64;
    if end > most {
        return Err(DeltaError { table, expected: format!("at most {most} rows"), found: format!("{end}") });
    }
    Ok(())
}

fn pad<T>(rows: &mut Vec<T>, first: u32, count: usize, empty: fn() -> T) {
    if count > 0 {
        rows.resize_with(rows.len().max(first as usize), empty);
    }
}

/// The row with references only to earlier rows: one that pointed elsewhere could lead a reader round in circles.
fn backward(mut row: ThreadRow, index: u32) -> ThreadRow {
    for reference in [&mut row.parent, &mut row.creator, &mut row.leader, &mut row.session] {
        if *reference >= index {
            *reference = 0;
        }
    }
    row
}

#[cfg(test)]
mod tests {
    use super::super::dict::StrId;
    use super::*;

    fn texts(first: u32, texts: &[&str]) -> Delta {
        Delta {
            first_string: first,
            string_lengths: texts.iter().map(|t| t.len() as u32).collect(),
            string_bytes: texts.concat().into_bytes(),
            ..Delta::default()
        }
    }

    #[test]
    fn deltas_in_order_make_the_dictionary() {
        let mut dict = Dict::new();
        dict.apply(&texts(1, &["a", "", "bc"])).unwrap();
        let row = ThreadRow { tid: 7, comm: StrId(3), ..ThreadRow::default() };
        dict.apply(&Delta { first_thread: 1, threads: vec![row.clone()], ..texts(4, &["d"]) }).unwrap();
        assert_eq!(dict.text(StrId(3)), b"bc");
        assert_eq!(dict.strings.get(StrId(2)), Some(&b""[..]));
        assert_eq!(dict.text(StrId(4)), b"d");
        assert_eq!(dict.thread(1), &row);
    }

    #[test]
    fn a_lost_delta_leaves_empty_rows_and_the_later_ones_in_place() {
        let mut dict = Dict::new();
        dict.apply(&texts(1, &["a"])).unwrap();
        let row = DescRow { ino: 9, ..DescRow::default() };
        dict.apply(&Delta { first_desc: 3, descs: vec![row], ..texts(5, &["e"]) }).unwrap();
        let found: Vec<_> = (0..7).map(|i| dict.strings.get(StrId(i))).collect();
        let (a, e) = (Some(&b"a"[..]), Some(&b"e"[..]));
        assert_eq!(found, [None, a, None, None, None, e, None]);
        assert_eq!([dict.desc(1).ino, dict.desc(2).ino, dict.desc(3).ino], [0, 0, 9]);
    }

    #[test]
    fn a_row_that_refers_forward_refers_to_nothing() {
        let mut dict = Dict::new();
        let row = |parent| ThreadRow { parent, ..ThreadRow::default() };
        let delta = Delta { first_thread: 1, threads: vec![row(1), row(1), row(9)], ..Delta::default() };
        dict.apply(&delta).unwrap();
        assert_eq!([1, 2, 3].map(|i| dict.thread(i).parent), [0, 1, 0]);
    }

    #[test]
    fn what_does_not_fit_is_refused_and_changes_nothing() {
        let wild = Delta { first_thread: u32::MAX, threads: vec![ThreadRow::default()], ..Delta::default() };
        let short = Delta { string_bytes: Vec::new(), ..texts(1, &["abc"]) };
        for bad in [texts(0, &["x"]), texts(u32::MAX, &["x"]), wild, short] {
            let mut dict = Dict::new();
            assert!(dict.apply(&bad).is_err());
            assert_eq!((dict.strings.len(), dict.threads.len()), (1, 1));
        }
    }
}
