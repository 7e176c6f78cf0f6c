//! What was added to the rows of a dictionary since the first version: columns by name, behind the rows.
//!
//! Runs of equal values, because whole trees of processes have the same rights and limits.

use crate::world::{Account, Caps, ImageRow, StrId, ThreadRow};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A column of a table; what a version does not know by name it passes over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Column {
    name: String,
    /// How many rows have a value, in the order of the rows; rows behind the last have 0.
    runs: Vec<(u32, u64)>,
}

/// Facts about the program of an image, each 0 where it is not known: inode, times (ns since 1970 UTC), flags plus 1.
const OF_IMAGES: [&str; 4] = ["exe_ino", "exe_ino_ctime", "exe_ino_mtime", "exe_flags"];
/// Limit of descriptors of a thread (0 unknown), and its sets of capabilities plus 1 (0 unknown).
const OF_THREADS: [&str; 4] = ["fdlimit", "cap_inheritable", "cap_permitted", "cap_effective"];

/// Of users that became known: ids, and ids of the texts of home directories, each less the one before it (the first less -1
/// and 0), as lists of users count up; ids of the texts of shells.
const OF_USERS: [&str; 4] = ["user_id", "user_home", "user_shell", ""];
/// More users are not taken from a file.
const MAX_USERS: u32 = 1 << 20;
/// What the first user's id and home directory are counted from.
const BEFORE: (u32, u32) = (u32::MAX, 0);

fn user_columns(users: &[(u32, Account)], to: &mut Vec<Column>) {
    let mut last = BEFORE;
    let steps = users.iter().map(|(id, account)| {
        let step = [id.wrapping_sub(last.0), account.home.0.wrapping_sub(last.1), account.shell.0, 0];
        last = (*id, account.home.0);
        step.map(u64::from)
    });
    columns(&steps.collect::<Vec<_>>(), OF_USERS, |step| *step, to);
}

fn image_values(row: &ImageRow) -> [u64; 4] {
    let facts = &row.facts;
    [facts.ino, facts.ctime, facts.mtime, facts.flags.map_or(0, |flags| u64::from(flags) + 1)]
}

fn thread_values(row: &ThreadRow) -> [u64; 4] {
    let caps = row
        .caps
        .as_deref()
        .map_or([0; 3], |caps| [caps.inheritable, caps.permitted, caps.effective].map(|set| set.saturating_add(1)));
    [row.fdlimit, caps[0], caps[1], caps[2]]
}

/// The columns that are not all 0.
fn columns<T>(rows: &[T], names: [&str; 4], values: fn(&T) -> [u64; 4], to: &mut Vec<Column>) {
    let mut made = names.map(|name| Column { name: name.to_owned(), runs: Vec::new() });
    for row in rows {
        for (column, value) in made.iter_mut().zip(values(row)) {
            match column.runs.last_mut() {
                Some((count, last)) if *last == value => *count += 1,
                _ => column.runs.push((1, value)),
            }
        }
    }
    to.extend(made.into_iter().filter(|column| column.runs.iter().any(|(_, value)| *value != 0)));
}

/// The columns of new rows; empty where none of them has a fact.
pub(super) fn of(images: &[ImageRow], threads: &[ThreadRow], users: &[(u32, Account)]) -> Vec<Column> {
    let mut all = Vec::new();
    columns(images, OF_IMAGES, image_values, &mut all);
    columns(threads, OF_THREADS, thread_values, &mut all);
    user_columns(users, &mut all);
    all
}

/// Calls `each` with the number of a row and its values, for rows that have any.
fn spread(columns: &[Column], names: [&str; 4], rows: usize, mut each: impl FnMut(usize, [u64; 4])) {
    let mut cursors = names.map(|name| {
        let runs = columns.iter().find(|column| column.name == name).map_or(&[][..], |column| &column.runs);
        (runs.iter(), 0_u32, 0_u64)
    });
    if cursors.iter().all(|(runs, ..)| runs.len() == 0) {
        return;
    }
    for row in 0..rows {
        let values = cursors.each_mut().map(|(runs, left, value)| {
            while *left == 0 {
                (*left, *value) = runs.next().copied().unwrap_or((u32::MAX, 0));
            }
            *left -= 1;
            *value
        });
        if values != [0; 4] {
            each(row, values);
        }
    }
}

/// What became known of users.
pub(super) fn users(columns: &[Column]) -> Vec<(u32, Account)> {
    // Each has another id than the one before it, so no row is empty.
    let ids = columns.iter().find(|column| column.name == OF_USERS[0]);
    let count: u64 = ids.map_or(0, |ids| ids.runs.iter().map(|(count, _)| u64::from(*count)).sum());
    let (mut users, mut last) = (Vec::new(), BEFORE);
    spread(columns, OF_USERS, count.min(u64::from(MAX_USERS)) as usize, |_, step| {
        let [id, home, shell, _] = step.map(|value| value as u32);
        last = (last.0.wrapping_add(id), last.1.wrapping_add(home));
        users.push((last.0, Account { home: StrId(last.1), shell: StrId(shell) }));
    });
    users
}

/// Gives rows their facts.
pub(super) fn fill(columns: &[Column], images: &mut [ImageRow], threads: &mut [ThreadRow]) {
    spread(columns, OF_IMAGES, images.len(), |row, [ino, ctime, mtime, flags]| {
        let facts = &mut images[row].facts;
        (facts.ino, facts.ctime, facts.mtime) = (ino, ctime, mtime);
        facts.flags = flags.checked_sub(1).map(|flags| flags as u32);
    });
    // Rows of one tree share what they have in common, as they did when they were written.
    let mut last: Option<Arc<Caps>> = None;
    spread(columns, OF_THREADS, threads.len(), |row, [limit, inheritable, permitted, effective]| {
        threads[row].fdlimit = limit;
        let (Some(inheritable), Some(permitted), Some(effective)) =
            (inheritable.checked_sub(1), permitted.checked_sub(1), effective.checked_sub(1))
        else {
            return;
        };
        let caps = Caps { inheritable, permitted, effective };
        if last.as_deref() != Some(&caps) {
            last = Some(Arc::new(caps));
        }
        threads[row].caps.clone_from(&last);
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::ExeFacts;

    fn thread(fdlimit: u64, caps: Option<u64>) -> ThreadRow {
        let caps = caps.map(|set| Arc::new(Caps { inheritable: 0, permitted: set, effective: set }));
        ThreadRow { fdlimit, caps, ..ThreadRow::default() }
    }

    #[test]
    fn rows_get_back_what_they_had() {
        let facts = ExeFacts { ino: 9, ctime: 1, mtime: u64::MAX, flags: Some(0) };
        let images = [ImageRow::default(), ImageRow { facts, ..ImageRow::default() }, ImageRow::default()];
        let threads = [thread(0, None), thread(1024, Some(7)), thread(1024, Some(0)), thread(u64::MAX, None)];
        let text = |id| Account { home: StrId(id), shell: StrId(id + 1) };
        let known = [(0, text(5)), (u32::MAX, text(7)), (33, text(5))];
        let stored = of(&images, &threads, &known);
        assert_eq!(users(&stored), known);
        let (mut read_images, mut read) = (vec![ImageRow::default(); 3], vec![ThreadRow::default(); 4]);
        fill(&stored, &mut read_images, &mut read);
        assert_eq!((read_images.as_slice(), read.as_slice()), (&images[..], &threads[..]));
        assert_eq!(of(&images[..1], &threads[..1], &[]), []);
    }

    #[test]
    fn columns_that_lie_change_no_more_than_there_is() {
        let column = |name: &str, runs: &[(u32, u64)]| Column { name: name.to_owned(), runs: runs.to_vec() };
        let lies = [
            column("fdlimit", &[(0, 5), (u32::MAX, 6), (u32::MAX, 7)]),
            column("cap_permitted", &[(1, 3)]),
            column("no_such", &[(1, 1)]),
        ];
        let mut threads = vec![ThreadRow::default(); 2];
        fill(&lies, &mut [], &mut threads);
        let many = [column("user_id", &[(u32::MAX, 1), (1, u64::MAX)]), column("user_home", &[(1, u64::MAX)])];
        assert_eq!(users(&many).len(), MAX_USERS as usize);
        assert_eq!(threads, [thread(6, None), thread(6, None)]);
    }
}
