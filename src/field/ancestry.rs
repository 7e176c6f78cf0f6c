//! Who started whom: walks over rows of parents.

use crate::world::{Dict, ThreadRow};

/// The most ancestors that are looked at; a dictionary that claims more is damaged or made to hurt.
const MAX_DEPTH: usize = 256;

/// The parents of a thread's process, nearest first. Row numbers must fall, so a hostile dictionary cannot loop.
pub(super) fn ancestors<'a>(dict: &'a Dict, thread: &'a ThreadRow) -> impl Iterator<Item = &'a ThreadRow> {
    let first = Some(thread.parent).filter(|&p| p != 0);
    std::iter::successors(first, move |&row| Some(dict.thread(row).parent).filter(|&p| p != 0 && p < row))
        .take(MAX_DEPTH)
        .map(move |row| dict.thread(row))
}

/// The thread's process for 0, its n-th ancestor otherwise.
pub(super) fn nth<'a>(dict: &'a Dict, thread: &'a ThreadRow, n: u32) -> Option<&'a ThreadRow> {
    if n == 0 { Some(process(dict, thread)) } else { ancestors(dict, thread).nth(n as usize - 1) }
}

/// The first thread stands for its process.
pub(super) fn process<'a>(dict: &'a Dict, thread: &'a ThreadRow) -> &'a ThreadRow {
    if thread.leader == 0 { thread } else { dict.thread(thread.leader) }
}
