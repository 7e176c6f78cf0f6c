//! [`Wire`]: how a parameter's value stands in an event.

/// How a value stands in an event; numbers are little endian. A length of 0 says that the value is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Wire {
    /// Signed, 2 bytes.
    I16,
    /// Signed, 4 bytes.
    I32,
    /// Signed, 8 bytes.
    I64,
    /// Unsigned, 1 byte.
    U8,
    /// Unsigned, 2 bytes.
    U16,
    /// Unsigned, 4 bytes.
    U32,
    /// Unsigned, 8 bytes.
    U64,
    /// Bits, 1 byte.
    Flags8,
    /// Bits, 2 bytes.
    Flags16,
    /// Bits, 4 bytes.
    Flags32,
    /// One of several values, 1 byte.
    Enum8,
    /// One of several values, 2 bytes.
    Enum16,
    /// One of several values, 4 bytes.
    Enum32,
    /// File mode, 4 bytes.
    Mode,
    /// Bits of signals, 4 bytes.
    SigSet,
    /// 0 or more, or a negated error; signed, 8 bytes.
    Errno,
    /// A descriptor; signed, 8 bytes.
    Fd,
    /// A descriptor; signed, 4 bytes.
    Fd32,
    /// A thread or process; signed, 8 bytes.
    Pid,
    /// A thread or process; signed, 4 bytes.
    Pid32,
    /// A user, 4 bytes; all ones: none.
    Uid,
    /// A group, 4 bytes; all ones: none.
    Gid,
    /// A signal, 1 byte.
    Signal,
    /// Nanoseconds, 8 bytes.
    Duration,
    /// Nanoseconds since 1970 UTC, 8 bytes.
    Time,
    /// The code of a call (see [`call_code`](crate::format::scap::call_code)), 2 bytes.
    Call,
    /// A port in host order, 2 bytes.
    Port,
    /// 4 bytes in network order.
    Ipv4,
    /// 16 bytes in network order.
    Ipv6,
    /// Text with a NUL at its end.
    Text,
    /// A path with a NUL at its end.
    Path,
    /// The same, relative to the directory of a descriptor in another parameter.
    RelPath,
    /// Bytes; lists of texts have a NUL behind each.
    Bytes,
    /// Texts with a NUL behind each.
    TextList,
    /// Pairs of texts.
    PairList,
    /// Family, 1 byte; then address 4 or 16 bytes and port (2 bytes, **host order**), or for family 1 a path with a NUL.
    SockAddr,
    /// Family, 1 byte; then source address, its port (2 bytes, host order), destination address, its port; or for family 1
    /// the kernel's addresses of both ends (8 bytes each) and a path with a NUL.
    Tuple,
    /// Count, 2 bytes; then for each a descriptor (8 bytes) and bits of `poll_flags` (2 bytes).
    FdList,
    /// A selector, 1 byte, then a value as the selector says: `sockopt` 0 bytes, 1 error (8 bytes), 2 number (4 bytes), 3 number (8 bytes),
    /// 4 nanoseconds (8 bytes); `ptrace` 0 number (8 bytes), 1 signal (1 byte); `bpf` 0 descriptor, 1 error (8 bytes each);
    /// `keyctl` 0 number (8 bytes), 1 text.
    Dyn,
}

impl Wire {
    /// Bytes of a number, and whether it is signed; `None` for what is no number.
    pub const fn number(self) -> Option<(usize, bool)> {
        use Wire as W;
        match self {
            W::U8 | W::Flags8 | W::Enum8 | W::Signal => Some((1, false)),
            W::U16 | W::Flags16 | W::Enum16 | W::Call | W::Port => Some((2, false)),
            W::I16 => Some((2, true)),
            W::U32 | W::Flags32 | W::Enum32 | W::Mode | W::SigSet | W::Uid | W::Gid => Some((4, false)),
            W::I32 | W::Fd32 | W::Pid32 => Some((4, true)),
            W::U64 | W::Duration | W::Time => Some((8, false)),
            W::I64 | W::Errno | W::Fd | W::Pid => Some((8, true)),
            _ => None,
        }
    }

    /// Whether it is text with a NUL at its end.
    pub const fn is_text(self) -> bool {
        matches!(self, Wire::Text | Wire::Path | Wire::RelPath)
    }

    /// Whether it is one of several values.
    pub const fn is_choice(self) -> bool {
        matches!(self, Wire::Enum8 | Wire::Enum16 | Wire::Enum32)
    }

    /// Whether it is a set of bits or one of several values.
    pub const fn is_named(self) -> bool {
        self.is_choice() || matches!(self, Wire::Flags8 | Wire::Flags16 | Wire::Flags32 | Wire::Mode)
    }
}
