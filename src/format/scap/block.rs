//! Blocks: `type u32, length u32, body, length u32`, little endian; the length counts all of it and is a multiple of 4.

/// Section header: begins a file, and each further section of one that was put together from several.
pub const SECTION: u32 = 0x0A0D_0D0A;
/// The byte order magic of a section header, as a little-endian machine wrote it.
pub const BYTE_ORDER: u32 = 0x1A2B_3C4D;
/// Major version of the format; a greater one has another layout.
pub const MAJOR: u16 = 1;
/// Minor version of what is written today.
pub const MINOR: u16 = 2;
/// Bytes around a body.
pub const FRAMING: usize = 12;
/// Flag of a block of events with flags: the event changes the state and is not shown.
pub const STATE_ONLY: u32 = 1;
/// The thread of an event that no thread made.
pub const NO_THREAD: u64 = u64::MAX;
/// The most bytes of a block of events that is not a large one.
pub const SMALL_EVENT: usize = 0x1_0000;

/// What the code of a block says about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Block {
    /// A section begins.
    Section,
    /// The machine: processors, memory, name.
    Machine,
    /// Threads, in the layout of a version from 1 to 9.
    Threads(u8),
    /// Descriptors of a process, in the layout of version 1 or 2.
    Descriptors(u8),
    /// An event.
    Event {
        /// Whether its flags stand before it.
        flags: bool,
        /// Whether it says how many parameters it has (version 2).
        counted: bool,
        /// Whether it may be longer than [`SMALL_EVENT`].
        large: bool,
    },
    /// Network interfaces, version 1 or 2.
    Interfaces(u8),
    /// Users and groups, version 1 or 2.
    Users(u8),
    /// A code that this version does not know.
    Other,
}

/// Code and meaning of each block. Where several codes mean the same, the first is the one to write.
const BLOCKS: &[(u32, Block)] = &[
    (SECTION, Block::Section),
    (0x201, Block::Machine),
    (0x8002_ABCD, Block::Machine),
    (0x215, Block::Threads(9)),
    (0x214, Block::Threads(8)),
    (0x213, Block::Threads(7)),
    (0x212, Block::Threads(6)),
    (0x211, Block::Threads(5)),
    (0x210, Block::Threads(4)),
    (0x209, Block::Threads(3)),
    (0x207, Block::Threads(2)),
    (0x202, Block::Threads(1)),
    (0x8000_ABCD, Block::Threads(1)),
    (0x8013_ABCD, Block::Threads(2)),
    (0x8014_ABCD, Block::Threads(3)),
    (0x218, Block::Descriptors(2)),
    (0x203, Block::Descriptors(1)),
    (0x8001_ABCD, Block::Descriptors(1)),
    (0x216, Block::Event { flags: false, counted: true, large: false }),
    (0x217, Block::Event { flags: true, counted: true, large: false }),
    (0x221, Block::Event { flags: false, counted: true, large: true }),
    (0x222, Block::Event { flags: true, counted: true, large: true }),
    (0x204, Block::Event { flags: false, counted: false, large: false }),
    (0x8010_ABCD, Block::Event { flags: false, counted: false, large: false }),
    (0x208, Block::Event { flags: true, counted: false, large: false }),
    (0x219, Block::Interfaces(2)),
    (0x205, Block::Interfaces(1)),
    (0x8011_ABCD, Block::Interfaces(1)),
    (0x220, Block::Users(2)),
    (0x206, Block::Users(1)),
    (0x8012_ABCD, Block::Users(1)),
];

impl Block {
    /// The meaning of a code.
    pub fn of(code: u32) -> Block {
        BLOCKS.iter().find(|b| b.0 == code).map_or(Block::Other, |b| b.1)
    }

    /// The code to write; [`Block::Other`] has none.
    pub fn code(self) -> Option<u32> {
        BLOCKS.iter().find(|b| b.1 == self).map(|b| b.0)
    }

    /// What it is called in messages.
    pub fn name(self) -> &'static str {
        match self {
            Block::Section => "section header",
            Block::Machine => "machine",
            Block::Threads(_) => "process list",
            Block::Descriptors(_) => "descriptor list",
            Block::Event { .. } => "event",
            Block::Interfaces(_) => "interface list",
            Block::Users(_) => "user list",
            Block::Other => "unknown block",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_that_are_written_mean_what_they_say() {
        for (i, &(code, block)) in BLOCKS.iter().enumerate() {
            assert_eq!(Block::of(code), block);
            assert_eq!(BLOCKS.iter().position(|b| b.0 == code), Some(i), "{code:#x} twice");
            let written = block.code().unwrap();
            assert!(written == SECTION || written < 0x300, "{block:?}");
        }
        assert_eq!((Block::of(0x216).name(), Block::of(7)), ("event", Block::Other));
        assert_eq!(Block::Other.code(), None);
    }
}
