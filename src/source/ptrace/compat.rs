//! 32-bit programs' calls that are many calls in one (`take_apart` in `probe/call.h`).

use super::items::small_words;

const SOCKETCALL: u64 = 102;
const IPC: u64 = 117;
/// The numbers that stand for them in the table are its last.
const FIRST_SOCKETCALL: u64 = 479;
const FIRST_IPC: u64 = 500;
/// Arguments that each part of socketcall has (`nargs[]`, net/socket.c).
const COUNTS: [usize; 21] = [0, 3, 3, 3, 2, 3, 3, 3, 4, 4, 4, 6, 6, 2, 5, 5, 3, 3, 4, 5, 4];

/// The number that stands for the call meant, and its arguments.
pub(super) fn take_apart(tid: u32, nr: u64, args: [u64; 6]) -> (u64, [u64; 6]) {
    let which = args[0] & 0xffff_ffff;
    match nr {
        SOCKETCALL => match COUNTS.get(which as usize).filter(|count| **count > 0) {
            Some(count) => {
                small_words(tid, args[1], *count).map_or((nr, args), |args| (FIRST_SOCKETCALL + which, args))
            }
            None => (nr, args),
        },
        IPC => match which & 0xffff {
            which @ 1..=4 => (FIRST_IPC + which - 1, args),
            which @ 11..=14 => (FIRST_IPC + which - 7, args),
            which @ 21..=24 => (FIRST_IPC + which - 13, args),
            _ => (nr, args),
        },
        _ => (nr, args),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_of_socketcall_are_in_memory_and_those_of_ipc_stay() {
        let words = [7_u32, 8, 9];
        let at = words.as_ptr().addr() as u64;
        let own = std::process::id();
        assert_eq!(take_apart(own, 102, [3, at, 0, 0, 0, 0]), (482, [7, 8, 9, 0, 0, 0]));
        assert_eq!(take_apart(own, 102, [3, 8, 0, 0, 0, 0]), (102, [3, 8, 0, 0, 0, 0]));
        assert_eq!(take_apart(own, 102, [21, at, 0, 0, 0, 0]).0, 102);
        assert_eq!(
            [1, 4, 11, 14, 21, 24, 5].map(|n| take_apart(own, 117, [n, 0, 0, 0, 0, 0]).0),
            [500, 503, 504, 507, 508, 511, 117]
        );
        assert_eq!(take_apart(own, 3, [1; 6]), (3, [1; 6]));
    }
}
