//! [`Selection`]: which rows of a batch matched, kept in the coarsest form that says it.
//!
//! A row is selected if its kind's part admits its position in the kind's table *and* the row part admits the row.
//! A condition on kinds or descriptors never touches the row columns, and one on threads never touches the tables.

use crate::batch::{Batch, Error, Row};

/// A bit per row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bits {
    words: Box<[u64]>,
    len: usize,
}

impl Bits {
    /// `len` bits, all clear.
    pub fn new(len: usize) -> Bits {
        Bits { words: vec![0; len.div_ceil(64)].into(), len }
    }

    /// One bit per answer.
    pub fn of(answers: impl Iterator<Item = bool>) -> Bits {
        let mut words = Vec::with_capacity(answers.size_hint().0.div_ceil(64));
        let (mut word, mut len) = (0u64, 0usize);
        for answer in answers {
            word |= u64::from(answer) << (len % 64);
            len += 1;
            if len.is_multiple_of(64) {
                words.push(word);
                word = 0;
            }
        }
        if !len.is_multiple_of(64) {
            words.push(word);
        }
        Bits { words: words.into(), len }
    }

    /// One bit per value, by a test without branches: a word of them is made at a time.
    pub(super) fn of_values<T: Copy>(values: &[T], mut test: impl FnMut(T) -> bool) -> Bits {
        let word = |chunk: &[T]| chunk.iter().enumerate().fold(0, |word, (n, &v)| word | u64::from(test(v)) << n);
        Bits { words: values.chunks(64).map(word).collect(), len: values.len() }
    }

    /// Bits of which runs are alike: an answer for each run, and its length.
    pub(super) fn of_runs(len: usize, runs: impl Iterator<Item = (bool, usize)>) -> Bits {
        let mut words = Vec::with_capacity(len / 64 + 1);
        // Where two processors are busy most runs are a row or two long: each is written from its first row to the end of
        // the word, and the next one over it, so that no branch depends on an answer.
        let (mut word, mut at) = (0u64, 0usize);
        for (answer, length) in runs {
            let fill = u64::from(answer).wrapping_neg();
            word = word & ((1 << at) - 1) | fill << at;
            at += length;
            while at >= 64 {
                words.push(word);
                (word, at) = (fill, at - 64);
            }
        }
        words.push(word & ((1 << at) - 1));
        let held = words.len() * 64;
        let mut bits = Bits { words: words.into(), len: held };
        bits.resize(len);
        bits
    }

    /// `len` bits, all set.
    pub fn ones(len: usize) -> Bits {
        let mut bits = Bits { words: vec![u64::MAX; len.div_ceil(64)].into(), len };
        bits.clear_tail();
        bits
    }

    fn clear_tail(&mut self) {
        if let Some(last) = self.words.last_mut().filter(|_| !self.len.is_multiple_of(64)) {
            *last &= (1 << (self.len % 64)) - 1;
        }
    }

    /// Cuts, or appends clear bits.
    pub(super) fn resize(&mut self, len: usize) {
        if len != self.len {
            let mut words = std::mem::take(&mut self.words).into_vec();
            words.resize(len.div_ceil(64), 0);
            *self = Bits { words: words.into(), len };
            self.clear_tail();
        }
    }

    /// Numbers of the bits that are set, ascending.
    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.words.iter().enumerate().flat_map(|(n, &word)| {
            std::iter::successors(Some(word), |w| Some(w & w.wrapping_sub(1)))
                .take_while(|&w| w != 0)
                .map(move |w| n * 64 + w.trailing_zeros() as usize)
        })
    }

    pub(super) fn and(&mut self, other: &Bits) {
        self.words.iter_mut().zip(&other.words).for_each(|(a, b)| *a &= b);
    }

    pub(super) fn or(&mut self, other: &Bits) {
        self.words.iter_mut().zip(&other.words).for_each(|(a, b)| *a |= b);
    }

    pub(super) fn invert(&mut self) {
        self.words.iter_mut().for_each(|w| *w = !*w);
        self.clear_tail();
    }

    /// Number of bits.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether it has no bits.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether bit `i` is set.
    pub fn get(&self, i: usize) -> bool {
        self.words[i / 64] >> (i % 64) & 1 != 0
    }

    /// Sets bit `i`.
    pub fn set(&mut self, i: usize) {
        self.words[i / 64] |= 1 << (i % 64);
    }

    /// The words, 64 bits each, least significant first.
    pub fn words(&self) -> &[u64] {
        &self.words
    }

    /// The words, for bulk operations; bits past the end must stay clear.
    pub fn words_mut(&mut self) -> &mut [u64] {
        &mut self.words
    }

    /// Number of bits set.
    pub fn count(&self) -> usize {
        self.words.iter().map(|w| w.count_ones() as usize).sum()
    }
}

/// Which rows of one kind's table are admitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KindSelection {
    /// None of them; the table need not be read.
    None,
    /// All of them.
    All,
    /// Those whose bit (by position in the table) is set.
    Some(Bits),
}

/// Which rows of a batch matched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    /// By local kind.
    pub kinds: Vec<KindSelection>,
    /// By row; `None` admits every row.
    pub rows: Option<Bits>,
}

impl KindSelection {
    /// The coarsest form that says the same.
    pub(super) fn simplified(self) -> KindSelection {
        match self {
            KindSelection::Some(bits) => match bits.count() {
                0 => KindSelection::None,
                n if n == bits.len() => KindSelection::All,
                _ => KindSelection::Some(bits),
            },
            other => other,
        }
    }

    pub(super) fn intersect(&mut self, other: KindSelection) {
        *self = match (std::mem::replace(self, KindSelection::None), other) {
            (KindSelection::None, _) | (_, KindSelection::None) => KindSelection::None,
            (KindSelection::All, x) | (x, KindSelection::All) => x,
            (KindSelection::Some(mut a), KindSelection::Some(b)) => {
                a.and(&b);
                KindSelection::Some(a)
            }
        };
    }

    fn unite(&mut self, other: KindSelection) {
        *self = match (std::mem::replace(self, KindSelection::None), other) {
            (KindSelection::All, _) | (_, KindSelection::All) => KindSelection::All,
            (KindSelection::None, x) | (x, KindSelection::None) => x,
            (KindSelection::Some(mut a), KindSelection::Some(b)) => {
                a.or(&b);
                KindSelection::Some(a)
            }
        };
    }

    fn invert(&mut self) {
        match self {
            KindSelection::None => *self = KindSelection::All,
            KindSelection::All => *self = KindSelection::None,
            KindSelection::Some(bits) => bits.invert(),
        }
    }
}

impl Selection {
    /// Every row of a batch with `kinds` kinds.
    pub fn all(kinds: usize) -> Selection {
        Selection { kinds: vec![KindSelection::All; kinds], rows: None }
    }

    /// No row.
    pub fn none(kinds: usize) -> Selection {
        Selection { kinds: vec![KindSelection::None; kinds], rows: None }
    }

    /// Whether certainly no row matched.
    pub fn is_none(&self) -> bool {
        self.kinds.iter().all(|k| matches!(k, KindSelection::None))
            || self.rows.as_ref().is_some_and(|r| r.words().iter().all(|&w| w == 0))
    }

    /// An answer for each kind that is in question here.
    pub(super) fn by_kind(&self, mut answer: impl FnMut(usize) -> KindSelection) -> Selection {
        let kinds = self.kinds.iter().enumerate().map(|(k, scope)| match scope {
            KindSelection::None => KindSelection::None,
            _ => answer(k),
        });
        Selection { kinds: kinds.collect(), rows: None }
    }

    /// The same with answers that can fail.
    pub(super) fn try_by_kind(
        &self,
        mut answer: impl FnMut(usize) -> Result<KindSelection, Error>,
    ) -> Result<Selection, Error> {
        let kinds = self.kinds.iter().enumerate().map(|(k, scope)| match scope {
            KindSelection::None => Ok(KindSelection::None),
            _ => answer(k),
        });
        Ok(Selection { kinds: kinds.collect::<Result<_, _>>()?, rows: None })
    }

    /// Keeps the rows that are in both.
    pub fn intersect(&mut self, other: Selection) {
        for (a, b) in self.kinds.iter_mut().zip(other.kinds) {
            a.intersect(b);
        }
        match (&mut self.rows, other.rows) {
            (Some(a), Some(b)) => a.and(&b),
            (None, Some(b)) => self.rows = Some(b),
            (_, None) => {}
        }
    }

    /// Whether it admits all kinds that are in question in `scope`.
    fn is_by_row(&self, scope: &Selection) -> bool {
        let in_question = scope.kinds.iter().map(|k| !matches!(k, KindSelection::None));
        self.kinds.iter().zip(in_question).all(|(k, asked)| !asked || matches!(k, KindSelection::All))
    }

    /// The rows of either; both are answers about `scope`.
    pub(super) fn union(mut self, other: Selection, scope: &Selection, batch: &Batch) -> Result<Selection, Error> {
        if self.rows.is_none() && other.rows.is_none() {
            for (a, b) in self.kinds.iter_mut().zip(other.kinds) {
                a.unite(b);
            }
            return Ok(self);
        }
        if self.is_none() {
            return Ok(other);
        }
        if other.is_none() {
            return Ok(self);
        }
        let mut rows = self.to_rows(batch)?;
        rows.or(&other.to_rows(batch)?);
        Ok(Selection { rows: Some(rows), ..scope.by_kind(|_| KindSelection::All) })
    }

    /// The rows of `scope` that are not in this answer about it (and perhaps rows outside of it).
    pub(super) fn complement(mut self, scope: &Selection, batch: &Batch) -> Result<Selection, Error> {
        if self.rows.is_some() && !self.is_by_row(scope) {
            self = Selection { rows: Some(self.to_rows(batch)?), ..scope.by_kind(|_| KindSelection::All) };
        }
        if let Some(rows) = &mut self.rows {
            rows.invert();
            return Ok(self);
        }
        let kinds = std::mem::take(&mut self.kinds);
        Ok(scope.by_kind(|k| {
            let mut kind = kinds[k].clone();
            kind.invert();
            kind
        }))
    }

    /// The selection as one bit per row.
    pub fn to_rows(&self, batch: &Batch) -> Result<Bits, Error> {
        let rows = || self.rows.clone().unwrap_or_else(|| Bits::ones(batch.rows()));
        if self.kinds.iter().all(|k| matches!(k, KindSelection::All)) {
            return Ok(rows());
        }
        if self.is_none() {
            return Ok(Bits::new(batch.rows()));
        }
        let mut bits = rows();
        let kind = batch.kind()?;
        let mut admitted = [0u8; 256];
        for (slot, k) in admitted.iter_mut().zip(&self.kinds) {
            *slot = u8::from(!matches!(k, KindSelection::None));
        }
        let mut all = admitted.iter().enumerate().filter(|(_, yes)| **yes != 0).map(|(k, _)| k as u8);
        let only = all.next().filter(|_| all.next().is_none());
        // Rows past the end of a damaged column have no kind, and are not selected.
        let mut chunks = kind.chunks(64);
        for word in &mut bits.words {
            let kinds = chunks.next().unwrap_or_default();
            if *word != 0 {
                *word &= match only {
                    Some(only) => mask_of_one(kinds, only),
                    None => mask(kinds, &admitted),
                };
            }
        }
        if self.kinds.iter().any(|k| matches!(k, KindSelection::Some(_))) {
            self.clear_by_position(&mut bits, kind, batch.positions()?);
        }
        Ok(bits)
    }

    fn clear_by_position(&self, bits: &mut Bits, kind: &[u8], positions: &[u32]) {
        for (n, word) in bits.words.iter_mut().enumerate() {
            let mut left = *word;
            while left != 0 {
                let bit = left.trailing_zeros();
                left &= left - 1;
                let row = n * 64 + bit as usize;
                let admits = match &self.kinds[usize::from(kind[row])] {
                    KindSelection::Some(of_kind) => {
                        let at = positions[row] as usize;
                        at < of_kind.len() && of_kind.get(at)
                    }
                    other => *other == KindSelection::All,
                };
                *word &= !(u64::from(!admits) << bit);
            }
        }
    }

    /// Number of rows.
    pub fn count(&self, batch: &Batch) -> Result<usize, Error> {
        if self.rows.is_some() {
            return Ok(self.to_rows(batch)?.count());
        }
        let rows = self.kinds.iter().zip(&batch.head().kinds).map(|(k, of)| match k {
            KindSelection::None => 0,
            KindSelection::All => of.rows as usize,
            KindSelection::Some(bits) => bits.count(),
        });
        Ok(rows.sum())
    }

    /// Calls `f` for each row, in row order.
    pub fn for_each_row<'b>(&self, batch: &'b Batch, mut f: impl FnMut(Row<'b>)) -> Result<(), Error> {
        if self.is_none() {
            return Ok(());
        }
        let bits = self.to_rows(batch)?;
        let (kind, positions) = (batch.kind()?, batch.positions()?);
        let mut runs = batch.thread()?.iter();
        let (mut thread, mut run_end) = (0, 0);
        for index in bits.iter() {
            while index >= run_end {
                // Runs of a damaged column may end early: what is left belongs to the last thread.
                let Some((next, length)) = runs.next() else {
                    run_end = usize::MAX;
                    break;
                };
                (thread, run_end) = (next, run_end + length);
            }
            let (Some(&kind), Some(&position)) = (kind.get(index), positions.get(index)) else { break };
            if usize::from(kind) >= self.kinds.len() {
                continue;
            }
            f(Row { batch, index, kind: usize::from(kind), position: position as usize, thread });
        }
        Ok(())
    }
}

/// A bit for each of up to 64 rows whose kind is admitted.
fn mask(kinds: &[u8], admitted: &[u8; 256]) -> u64 {
    kinds.iter().enumerate().fold(0, |mask, (n, &k)| mask | u64::from(admitted[usize::from(k)]) << n)
}

/// A bit for each of up to 64 rows that are of one kind; eight rows are compared at a time.
fn mask_of_one(kinds: &[u8], only: u8) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const LOW_BITS: u64 = !(ONES << 7);
    // A product in which each of eight lowest bits of bytes reaches a bit of the highest byte.
    const GATHER: u64 = 0x0102_0408_1020_4080;
    let (eights, rest) = kinds.as_chunks::<8>();
    let mut mask = 0;
    for (n, eight) in eights.iter().enumerate() {
        let differs = u64::from_le_bytes(*eight) ^ (ONES * u64::from(only));
        let equal = !(((differs & LOW_BITS) + LOW_BITS) | differs | LOW_BITS) >> 7;
        mask |= (equal.wrapping_mul(GATHER) >> 56) << (8 * n);
    }
    rest.iter().enumerate().fold(mask, |mask, (n, &k)| mask | u64::from(k == only) << (8 * eights.len() + n))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn bits_of_runs_are_their_rows(runs in proptest::collection::vec((any::<bool>(), 1usize..257), 0..60), cut in 0usize..9) {
            let rows: Vec<bool> = runs.iter().flat_map(|&(yes, length)| std::iter::repeat_n(yes, length)).collect();
            let len = rows.len().saturating_sub(cut);
            prop_assert_eq!(Bits::of_runs(len, runs.into_iter()), Bits::of(rows.into_iter().take(len)));
        }

        #[test]
        fn rows_of_one_kind_are_found_as_those_of_several(kinds in proptest::collection::vec(0u8..=255, 0..65), only: u8, near in 0u8..3) {
            let kinds: Vec<u8> = kinds.iter().map(|&k| if k < 128 { only.wrapping_add(k % 3).wrapping_sub(near) } else { k }).collect();
            let mut admitted = [0; 256];
            admitted[usize::from(only)] = 1;
            prop_assert_eq!(mask_of_one(&kinds, only), mask(&kinds, &admitted));
        }
    }
}
