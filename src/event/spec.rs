//! [`Spec`]: the entry of one event kind in THE event table.

use serde::{Deserialize, Serialize};

/// Index into [`SPECS`](super::SPECS), and into the schema of a reel written by this version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Kind(pub u16);

impl Kind {
    /// The table entry.
    pub fn spec(self) -> &'static Spec {
        &super::SPECS[self.0 as usize]
    }
}

/// `evt.category` before it is refined by the descriptor's type (sysdig's words).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Category {
    /// Anything else.
    Other,
    /// Opens, removes, renames … files.
    File,
    /// Sockets.
    Net,
    /// Pipes, futexes, semaphores.
    Ipc,
    /// Waits for something.
    Wait,
    /// Signals.
    Signal,
    /// Sleeps.
    Sleep,
    /// Clocks and timers.
    Time,
    /// Processes and threads.
    Process,
    /// The scheduler.
    Scheduler,
    /// Memory maps.
    Memory,
    /// Users and groups.
    User,
    /// System-wide settings.
    System,
    /// Reads from a descriptor; file, net or ipc by its type.
    IoRead,
    /// Writes to a descriptor; file, net or ipc by its type.
    IoWrite,
    /// Other operations on a descriptor.
    IoOther,
    /// Made by the recorder.
    Internal,
}

impl Category {
    /// sysdig's word for it, before the kind of a descriptor refines it.
    pub const fn word(self) -> &'static str {
        match self {
            Category::Other => "other",
            Category::File => "file",
            Category::Net => "net",
            Category::Ipc => "ipc",
            Category::Wait => "wait",
            Category::Signal => "signal",
            Category::Sleep => "sleep",
            Category::Time => "time",
            Category::Process => "process",
            Category::Scheduler => "scheduler",
            Category::Memory => "memory",
            Category::User => "user",
            Category::System => "system",
            Category::IoRead => "io_read",
            Category::IoWrite => "io_write",
            Category::IoOther => "io_other",
            Category::Internal => "internal",
        }
    }
}

/// Facts that hold for every event of a kind, one bit each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, Serialize, Deserialize)]
pub struct KindFlags(pub u32);

impl KindFlags {
    /// None of them.
    pub const NONE: KindFlags = KindFlags(0);
    /// A system call (has a duration and a return value).
    pub const CALL: KindFlags = KindFlags(1);
    /// Makes one or more descriptors.
    pub const CREATES_FD: KindFlags = KindFlags(1 << 1);
    /// Closes descriptors.
    pub const DESTROYS_FD: KindFlags = KindFlags(1 << 2);
    /// Works on the descriptor in the parameter [`Spec::fd`].
    pub const USES_FD: KindFlags = KindFlags(1 << 3);
    /// `evt.is_io_read`.
    pub const READS: KindFlags = KindFlags(1 << 4);
    /// `evt.is_io_write`.
    pub const WRITES: KindFlags = KindFlags(1 << 5);
    /// `evt.is_wait`.
    pub const WAITS: KindFlags = KindFlags(1 << 6);
    /// Changes the world: always applied, whatever the filter (invariant 12).
    pub const STATE: KindFlags = KindFlags(1 << 7);
    /// Made by the recorder for itself (cputime, loss): not printed unless asked for.
    pub const INTERNAL: KindFlags = KindFlags(1 << 8);
    /// A row of the initial state: has no number and is no event.
    pub const SNAPSHOT: KindFlags = KindFlags(1 << 9);
    /// The probe also reports it when it is entered, because it may never return.
    pub const ENTER: KindFlags = KindFlags(1 << 10);

    /// Whether all bits of `other` are set.
    pub const fn has(self, other: KindFlags) -> bool {
        self.0 & other.0 == other.0
    }

    /// Both sets of bits.
    #[must_use]
    pub const fn with(self, other: KindFlags) -> KindFlags {
        KindFlags(self.0 | other.0)
    }
}

/// How a parameter is stored in a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Class {
    /// An integer column.
    Int,
    /// An id of the segment's string dictionary (paths, names, addresses).
    Text,
    /// Bytes in the batch's data run (I/O buffers).
    Data,
    /// Not stored with the event: the environment of the image of the event's thread row.
    Env,
}

/// What a parameter means, which decides how it is written and compared (sysdig's `PT_*`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ParamType {
    /// Signed decimal.
    Int,
    /// Unsigned decimal.
    Uint,
    /// Hexadecimal.
    Hex,
    /// Octal with a leading 0.
    Oct,
    /// 0 or more, or a negated errno.
    Errno,
    /// A descriptor number; negative is a negated errno, -100 is `AT_FDCWD`.
    Fd,
    /// A thread or process id.
    Pid,
    /// A user id.
    Uid,
    /// A group id.
    Gid,
    /// Signal number.
    Signal,
    /// Bit set, named by the table.
    Flags,
    /// One of the names of the table.
    Enum,
    /// File mode, octal, with names.
    Mode,
    /// A number of nanoseconds.
    Duration,
    /// Nanoseconds since 1970 UTC.
    Time,
    /// Text.
    Text,
    /// A path; relative ones are against the working directory.
    Path,
    /// A path relative to the descriptor in the parameter just before it.
    RelPath,
    /// Bytes of data, unprintable ones shown as dots.
    Bytes,
    /// NUL-separated list of texts.
    TextList,
    /// A socket address as the kernel has it: `struct sockaddr`, family first, host byte order for the family, network order for the rest.
    SockAddr,
    /// Both ends of a socket: family u8 (2, 10 or 1), then source address (4, 16 or 8 bytes), source port (u16 LE, not for family 1), destination address, destination port.
    Tuple,
    /// `struct pollfd` array as the kernel has it.
    FdList,
    /// True or false.
    Bool,
    /// Files that a message passes: descriptor i32, device u32, inode u64 of each.
    FileList,
    /// The value of a socket option, as the kernel has it.
    OptionValue,
    /// A set of descriptors as `select` has it: one bit for each.
    FdSet,
    /// JSON as it came, or a part of what rebuilds it. Not among `evt.args`: it is asked for by name.
    Json,
}

impl ParamType {
    /// The value of a register argument of this type: the kernel looks only at as many of its bits as the C type has,
    /// and callers may leave anything in the others. A Uid or Gid of all ones ("leave it") stays `4294967295`.
    pub const fn narrow(self, raw: u64) -> i64 {
        match self {
            ParamType::Int | ParamType::Fd | ParamType::Pid | ParamType::Signal | ParamType::Enum => raw as i32 as i64,
            ParamType::Uid | ParamType::Gid | ParamType::Mode | ParamType::Oct | ParamType::Flags => raw as u32 as i64,
            ParamType::Bool => (raw != 0) as i64,
            _ => raw as i64,
        }
    }
}

/// Where the live probe finds a parameter. The probe's descriptor table is made from these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum From {
    /// Not captured live.
    None,
    /// Register argument n (0–5).
    Arg(u8),
    /// NUL-terminated text that argument n points to.
    Str(u8),
    /// Buffer at argument n, as long as the return value, at most the snap length.
    BufRet(u8),
    /// Buffer at argument n, of the length in the second argument, at most the snap length.
    BufLen(u8, u8),
    /// `struct sockaddr` at argument n with the length in the second argument.
    SockIn(u8, u8),
    /// `struct sockaddr` at argument n, the second argument points to its length.
    SockOut(u8, u8),
    /// Data of the `struct iovec`s at argument n, their count in the argument after it; as many bytes as the return value, at most the snap length.
    Iov(u8),
    /// Sum of the lengths of the same, at most 64 of them.
    IovSize(u8),
    /// A part of the `struct msghdr` at argument n, or of the first `struct mmsghdr`.
    Message {
        /// Register argument with the pointer.
        arg: u8,
        /// Whether it is an array of `struct mmsghdr`.
        many: bool,
        /// What of it.
        part: MessagePart,
    },
    /// Structure of the size at argument n, read when the call succeeded; the parameter is the signed integer of `width` bytes at `offset`.
    /// A width of 16 is a `struct timespec` (seconds and nanoseconds, 8 bytes each), given as nanoseconds. Values have their own width:
    /// [`ParamType::narrow`] is for registers.
    /// Several parameters of one kind may share a structure.
    Field {
        /// Register argument with the pointer.
        arg: u8,
        /// Bytes to read.
        size: u8,
        /// Offset of the value.
        offset: u8,
        /// Width of the value, bytes.
        width: u8,
    },
    /// The same of the first two elements of an array, which has as many as argument `count` says.
    Elements {
        /// Register argument with the pointer.
        arg: u8,
        /// Register argument with the number of elements.
        count: u8,
        /// Bytes of one element.
        size: u8,
        /// Offset of the value from the start of the array.
        offset: u8,
        /// Width of the value, bytes.
        width: u8,
    },
    /// The same of the first of as many elements as the call returned.
    Returned {
        /// Register argument with the pointer.
        arg: u8,
        /// Bytes of one element.
        size: u8,
        /// Offset of the value.
        offset: u8,
        /// Width of the value, bytes.
        width: u8,
    },
    /// Text of at most `len` bytes inside a structure of the length in argument `count`, of which at most `size` bytes are read.
    Inside {
        /// Register argument with the pointer.
        arg: u8,
        /// Register argument with the structure's length.
        count: u8,
        /// Bytes to read.
        size: u8,
        /// Offset of the text.
        offset: u8,
        /// Room of the text, bytes.
        len: u8,
    },
    /// The same structure; the parameter is the integer of `width` bytes at `offset`.
    Part {
        /// Register argument with the pointer.
        arg: u8,
        /// Register argument with the structure's length.
        count: u8,
        /// Bytes to read.
        size: u8,
        /// Offset of the value.
        offset: u8,
        /// Width of the value, bytes.
        width: u8,
    },
    /// Array of bits at argument n, as many as the second argument says; at most 1024.
    Bits(u8, u8),
    /// The same of a structure (at most 16 bytes) as it was when the call was entered, because the kernel writes over it.
    Early {
        /// Register argument with the pointer.
        arg: u8,
        /// Bytes to read.
        size: u8,
        /// Offset of the value.
        offset: u8,
        /// Width of the value, bytes.
        width: u8,
    },
    /// Structure of the size at argument n; the parameter is 64 bits of which the halves stand apart.
    Halves {
        /// Register argument with the pointer.
        arg: u8,
        /// Bytes to read.
        size: u8,
        /// Offset of the low 32 bits.
        low: u8,
        /// Offset of the high 32 bits.
        high: u8,
    },
    /// What the kernel itself knows: the unsigned integer of `width` bytes at `offset` of the facts.
    Facts {
        /// Which facts.
        of: Facts,
        /// The descriptor they are about: register argument n; 255: the one returned; 128 + n: the first `int` that argument n points to.
        fd: u8,
        /// Offset of the value.
        offset: u8,
        /// Width of the value, bytes.
        width: u8,
    },
    /// Array of 8-byte elements at argument n, its length in the second argument.
    Array8(u8, u8),
    /// Kernel's own socket tuple of the descriptor in argument n; 255: of the descriptor returned.
    Tuple(u8),
    /// Life-cycle events and snapshots: the source fills it in.
    Source,
}

/// Part of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessagePart {
    /// The first bytes of its data, at most the snap length.
    Data,
    /// Sum of its segments' lengths.
    Size,
    /// Its address, `struct sockaddr`.
    Name,
    /// Its control messages, at most 256 bytes, as the kernel has them (`struct cmsghdr`).
    Control,
    /// The files that it passes (`SCM_RIGHTS`), at most 16: descriptor i32, device u32, inode u64 of each.
    Files,
}

/// What the kernel knows about a descriptor or the caller; the layouts are those of the probe's items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Facts {
    /// An open file: device u32 (as `stat` gives it), created by this call u32, inode u64.
    File,
    /// The caller's memory, KiB: virtual u32, resident u32, swapped u32.
    Memory,
    /// A listening socket's queue: percent u32, length u32, most u32.
    Backlog,
    /// A socket and its Unix peer: kernel addresses u64, u64, inodes u64, u64; 0 where there is none.
    Ends,
}

/// A condition on a byte of a register argument, so that only what a call uses is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct When {
    /// The argument.
    pub arg: u8,
    /// Lowest bit of the byte.
    pub shift: u8,
    /// Least value.
    pub low: u8,
    /// Greatest value.
    pub high: u8,
}

/// Names of the values of a flag or enumeration parameter.
#[derive(Debug, PartialEq, Eq)]
pub struct FlagTable {
    /// Name of the table (sysdig's).
    pub name: &'static str,
    /// Bits that are together one number rather than a set, such as the access mode of `open`; 0 where there are none.
    pub choice: u64,
    /// (name, value in the kernel's encoding), in the order in which sysdig tries them.
    pub values: &'static [(&'static str, u64)],
}

/// One parameter of a kind.
#[derive(Debug, Clone, Copy)]
pub struct Param {
    /// Name, as in sysdig where sysdig has it.
    pub name: &'static str,
    /// Meaning.
    pub ty: ParamType,
    /// Names of its values.
    pub table: Option<&'static FlagTable>,
    /// Storage.
    pub class: Class,
    /// Whether its texts are kept apart from others of the dictionary: nearly each is another one, and hardly any question is about them.
    pub is_apart: bool,
    /// Where the live probe finds it.
    pub from: From,
    /// When it does; `None`: always.
    pub when: Option<When>,
}

/// The return value of a kind.
#[derive(Debug, Clone, Copy)]
pub struct Ret {
    /// `res`, `fd`, …
    pub name: &'static str,
    /// Meaning.
    pub ty: ParamType,
}

/// One kind of event: THE event table is made of these.
#[derive(Debug, Clone, Copy)]
pub struct Spec {
    /// `evt.type`.
    pub name: &'static str,
    /// System call number on x86-64.
    pub x86_64: Option<u16>,
    /// System call number on arm64.
    pub arm64: Option<u16>,
    /// Category.
    pub category: Category,
    /// Facts.
    pub flags: KindFlags,
    /// Return value, shown before the parameters; `None` where there is none.
    pub ret: Option<Ret>,
    /// Index of the parameter with the descriptor the call works on (`fd.*`); `None`: none, or it is the return value.
    pub fd: Option<u8>,
    /// Index of the parameter that the return value usually equals (the size asked for); such returns cost nothing to store.
    pub size: Option<u8>,
    /// Parameters.
    pub params: &'static [Param],
}
