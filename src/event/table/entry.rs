//! The words in which the table is written, so that one kind is one line.

use crate::event::spec::{
    Category, Class, Facts, FlagTable, From, KindFlags, MessagePart, Param, ParamType, Ret, Spec, When,
};

/// "Has no number on this architecture".
pub(super) const NO: i16 = -1;

/// Does nothing that the table has a word for.
pub(super) const PLAIN: u32 = 0;
/// Makes a descriptor, which changes the world.
pub(super) const NEW: u32 = KindFlags::CREATES_FD.0 | KindFlags::STATE.0;
/// Closes descriptors, which changes the world.
pub(super) const END: u32 = KindFlags::DESTROYS_FD.0 | KindFlags::STATE.0;
/// Reads from its descriptor.
pub(super) const READS: u32 = KindFlags::READS.0;
/// Writes to its descriptor.
pub(super) const WRITES: u32 = KindFlags::WRITES.0;
/// Waits.
pub(super) const WAITS: u32 = KindFlags::WAITS.0;
/// Changes the world.
pub(super) const STATE: u32 = KindFlags::STATE.0;
/// Reported when entered too.
pub(super) const ENTER: u32 = KindFlags::ENTER.0;

/// `res`: 0 or more, or a negated errno.
pub(super) const RES: Option<Ret> = Some(ret("res", ParamType::Errno));
/// `res`: an address, or a negated errno.
pub(super) const RES_HEX: Option<Ret> = Some(ret("res", ParamType::Hex));
/// `res`: a descriptor, or a negated errno.
pub(super) const RES_FD: Option<Ret> = Some(ret("res", ParamType::Fd));
/// `res`: a process or thread id, or a negated errno.
pub(super) const RES_PID: Option<Ret> = Some(ret("res", ParamType::Pid));
/// `fd`: a descriptor, or a negated errno.
pub(super) const FD: Option<Ret> = Some(ret("fd", ParamType::Fd));
/// Does not return.
pub(super) const NEVER: Option<Ret> = None;

/// A return value with a name of its own.
pub(super) const fn ret(name: &'static str, ty: ParamType) -> Ret {
    Ret { name, ty }
}

/// A system call; numbers are x86-64's and arm64's, or [`NO`].
pub(super) const fn call(
    name: &'static str,
    x86_64: i16,
    arm64: i16,
    category: Category,
    ret: Option<Ret>,
    does: u32,
    params: &'static [Param],
) -> Spec {
    let flags = KindFlags(does | KindFlags::CALL.0);
    Spec { name, x86_64: known(x86_64), arm64: known(arm64), category, flags, ret, fd: None, size: None, params }
}

/// A system call whose first `count` register arguments are kept as they are.
pub(super) const fn plain(name: &'static str, x86_64: i16, arm64: i16, category: Category, count: usize) -> Spec {
    call(name, x86_64, arm64, category, RES, PLAIN, RAW.split_at(count).0)
}

/// A kind that is no call: its parameters come from the source, and it has neither duration nor return value.
pub(super) const fn made(name: &'static str, category: Category, flags: KindFlags, params: &'static [Param]) -> Spec {
    Spec { name, x86_64: None, arm64: None, category, flags, ret: None, fd: None, size: None, params }
}

impl Spec {
    /// It works on the descriptor in parameter `index`.
    pub(super) const fn on(mut self, index: u8) -> Spec {
        self.fd = Some(index);
        self.flags = self.flags.with(KindFlags::USES_FD);
        self
    }

    /// Its return value usually equals parameter `index`.
    pub(super) const fn asks(mut self, index: u8) -> Spec {
        self.size = Some(index);
        self
    }

    /// It also has the flags `does`.
    pub(super) const fn does(mut self, does: u32) -> Spec {
        self.flags = self.flags.with(KindFlags(does));
        self
    }
}

const fn known(nr: i16) -> Option<u16> {
    if nr == NO { None } else { Some(nr as u16) }
}

/// Register arguments of calls that are not taken apart.
const RAW: &[Param] = &[hex("a0", 0), hex("a1", 1), hex("a2", 2), hex("a3", 3), hex("a4", 4), hex("a5", 5)];

const fn param(name: &'static str, ty: ParamType, class: Class, from: From) -> Param {
    Param { name, ty, table: None, class, is_apart: false, from, when: None }
}

const fn register(name: &'static str, n: u8, ty: ParamType) -> Param {
    param(name, ty, Class::Int, From::Arg(n))
}

/// Register argument `n`, a C `int`.
pub(super) const fn int(name: &'static str, n: u8) -> Param {
    register(name, n, ParamType::Int)
}

/// Register argument `n`, a size, count or offset.
pub(super) const fn uint(name: &'static str, n: u8) -> Param {
    register(name, n, ParamType::Uint)
}

/// Register argument `n`, an address or a word of bits.
pub(super) const fn hex(name: &'static str, n: u8) -> Param {
    register(name, n, ParamType::Hex)
}

/// Register argument `n`, a file mode without names.
pub(super) const fn oct(name: &'static str, n: u8) -> Param {
    register(name, n, ParamType::Oct)
}

/// Register argument `n`, a descriptor.
pub(super) const fn fd(name: &'static str, n: u8) -> Param {
    register(name, n, ParamType::Fd)
}

/// Register argument `n`, a thread or process id.
pub(super) const fn pid(name: &'static str, n: u8) -> Param {
    register(name, n, ParamType::Pid)
}

/// Register argument `n`, a user id.
pub(super) const fn uid(name: &'static str, n: u8) -> Param {
    register(name, n, ParamType::Uid)
}

/// Register argument `n`, a group id.
pub(super) const fn gid(name: &'static str, n: u8) -> Param {
    register(name, n, ParamType::Gid)
}

/// Register argument `n`, a signal number.
pub(super) const fn signal(name: &'static str, n: u8) -> Param {
    register(name, n, ParamType::Signal)
}

/// Register argument `n`, a file mode.
pub(super) const fn mode(name: &'static str, n: u8, table: &'static FlagTable) -> Param {
    register(name, n, ParamType::Mode).named(table)
}

/// Register argument `n`, a set of bits.
pub(super) const fn flags(name: &'static str, n: u8, table: &'static FlagTable) -> Param {
    register(name, n, ParamType::Flags).named(table)
}

/// Register argument `n`, one of several numbers.
pub(super) const fn choice(name: &'static str, n: u8, table: &'static FlagTable) -> Param {
    register(name, n, ParamType::Enum).named(table)
}

/// Text that register argument `n` points to.
pub(super) const fn text(name: &'static str, n: u8) -> Param {
    param(name, ParamType::Text, Class::Text, From::Str(n))
}

/// A path that register argument `n` points to.
pub(super) const fn path(name: &'static str, n: u8) -> Param {
    param(name, ParamType::Path, Class::Text, From::Str(n))
}

/// A path relative to the descriptor in the parameter just before it.
pub(super) const fn relpath(name: &'static str, n: u8) -> Param {
    param(name, ParamType::RelPath, Class::Text, From::Str(n))
}

/// Text from elsewhere than a NUL-terminated argument.
pub(super) const fn text_from(name: &'static str, ty: ParamType, from: From) -> Param {
    param(name, ty, Class::Text, from)
}

/// The data of an I/O call.
pub(super) const fn data(name: &'static str, from: From) -> Param {
    param(name, ParamType::Bytes, Class::Data, from)
}

/// The address at register argument `n`, its length in the argument after it.
pub(super) const fn address(name: &'static str, from: From) -> Param {
    param(name, ParamType::SockAddr, Class::Text, from)
}

/// Both ends of the socket in register argument `n`; 255: of the one returned.
pub(super) const fn tuple(name: &'static str, n: u8) -> Param {
    param(name, ParamType::Tuple, Class::Text, From::Tuple(n))
}

/// An integer of a structure: `place` is the register argument with its address, its size, the offset and the width.
pub(super) const fn field(name: &'static str, ty: ParamType, place: [u8; 4]) -> Param {
    let [arg, size, offset, width] = place;
    param(name, ty, Class::Int, From::Field { arg, size, offset, width })
}

/// A set of descriptors at register argument `n`, as the call left it: as many as argument 0 says.
pub(super) const fn fd_set(name: &'static str, n: u8) -> Param {
    param(name, ParamType::FdSet, Class::Text, From::Bits(n, 0))
}

/// An integer from somewhere else than a register.
pub(super) const fn number(name: &'static str, ty: ParamType, from: From) -> Param {
    param(name, ty, Class::Int, from)
}

/// A part of the message at register argument 1.
pub(super) const fn part(part: MessagePart) -> From {
    From::Message { arg: 1, many: false, part }
}

/// A part of the first of the messages at register argument 1.
pub(super) const fn first(part: MessagePart) -> From {
    From::Message { arg: 1, many: true, part }
}

/// Device of the file behind descriptor `fd` (see [`From::Facts`]).
pub(super) const fn dev(fd: u8) -> Param {
    number("dev", ParamType::Hex, From::Facts { of: Facts::File, fd, offset: 0, width: 4 })
}

/// Inode of the file behind descriptor `fd`.
pub(super) const fn ino(fd: u8) -> Param {
    number("ino", ParamType::Uint, From::Facts { of: Facts::File, fd, offset: 8, width: 8 })
}

/// Whether this call made the file behind descriptor `fd`.
pub(super) const fn created(fd: u8) -> Param {
    number("created", ParamType::Bool, From::Facts { of: Facts::File, fd, offset: 4, width: 4 })
}

/// One of the sizes of the caller's memory, KiB, by its place.
pub(super) const fn memory(name: &'static str, place: u8) -> Param {
    number(name, ParamType::Uint, From::Facts { of: Facts::Memory, fd: 0, offset: place * 4, width: 4 })
}

/// One number of the queue of the listening socket in register argument 0, by its place.
pub(super) const fn backlog(name: &'static str, place: u8) -> Param {
    number(name, ParamType::Uint, From::Facts { of: Facts::Backlog, fd: 0, offset: place * 4, width: 4 })
}

/// One of the ends of the socket behind descriptor `fd`, by its place.
pub(super) const fn end(name: &'static str, ty: ParamType, fd: u8, place: u8) -> Param {
    number(name, ty, From::Facts { of: Facts::Ends, fd, offset: place * 8, width: 8 })
}

/// What the source fills in, stored as its type is.
pub(super) const fn source(name: &'static str, ty: ParamType) -> Param {
    use ParamType as T;
    let class = match ty {
        T::Text
        | T::Path
        | T::RelPath
        | T::TextList
        | T::SockAddr
        | T::Tuple
        | T::FdList
        | T::FileList
        | T::FdSet
        | T::OptionValue => Class::Text,
        T::Bytes | T::Json => Class::Data,
        _ => Class::Int,
    };
    param(name, ty, class, From::Source)
}

/// Text that is the same in many events and is shown only by name.
pub(super) const fn json_text(name: &'static str) -> Param {
    param(name, ParamType::Json, Class::Text, From::Source)
}

/// The environment, which is stored with the image.
pub(super) const fn environment(name: &'static str) -> Param {
    param(name, ParamType::TextList, Class::Env, From::Source)
}

impl Param {
    /// Only when the byte at bit `shift` of register argument `arg` is between two values.
    pub(super) const fn when(mut self, [arg, shift, low, high]: [u8; 4]) -> Param {
        self.when = Some(When { arg, shift, low, high });
        self
    }

    /// Whose texts are kept apart.
    pub(super) const fn apart(mut self) -> Param {
        self.is_apart = true;
        self
    }

    /// With names for its values.
    pub(super) const fn named(mut self, table: &'static FlagTable) -> Param {
        self.table = Some(table);
        self
    }
}
