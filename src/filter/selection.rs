//! [`Selection`]: which rows of a batch matched, kept in the coarsest form that says it.
//!
//! A row is selected if its kind's part admits its position in the kind's table *and* the row part admits the row.
//! A condition on kinds or descriptors never touches the row columns, and one on threads never touches the tables.

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

impl Selection {
    /// Whether certainly no row matched.
    pub fn is_none(&self) -> bool {
        self.kinds.iter().all(|k| matches!(k, KindSelection::None))
            || self.rows.as_ref().is_some_and(|r| r.words().iter().all(|&w| w == 0))
    }
}
