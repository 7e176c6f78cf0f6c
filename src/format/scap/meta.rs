//! The tables at the start of a section: machine, threads, descriptors, users.

/// Why a table ends early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut;

/// Bytes that are taken from the front.
#[derive(Debug, Clone, Copy)]
struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, bytes: usize) -> Result<&'a [u8], Cut> {
        let (taken, rest) = self.0.split_at_checked(bytes).ok_or(Cut)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Cut> {
        self.take(N).and_then(|bytes| bytes.first_chunk().copied().ok_or(Cut))
    }

    fn u8(&mut self) -> Result<u8, Cut> {
        Ok(self.array::<1>()?[0])
    }

    fn u16(&mut self) -> Result<u16, Cut> {
        self.array().map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> Result<u32, Cut> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Result<u64, Cut> {
        self.array().map(u64::from_le_bytes)
    }

    /// Bytes behind their length.
    fn text(&mut self) -> Result<&'a [u8], Cut> {
        let length = self.u16()?;
        self.take(usize::from(length))
    }

    /// An entry that says how long it is; the length counts itself.
    fn entry(&mut self) -> Result<Cursor<'a>, Cut> {
        let length = self.u32()? as usize;
        self.take(length.checked_sub(4).ok_or(Cut)?).map(Cursor)
    }
}

/// What a section says of its machine.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Machine {
    /// Processors.
    pub cpus: u32,
    /// Bytes of memory.
    pub memory: u64,
    /// Its name.
    pub host: String,
    /// When it was started, ns since 1970 UTC; 0 where the recorder did not say.
    pub booted: u64,
}

/// Reads the body of a machine block.
pub fn machine(body: &[u8]) -> Result<Machine, Cut> {
    let mut at = Cursor(body);
    let (cpus, memory, _) = (at.u32()?, at.u64()?, at.u64()?);
    let host = at.take(128)?.split(|&b| b == 0).next().unwrap_or_default();
    let booted = at.u64().unwrap_or(0);
    Ok(Machine { cpus, memory, host: String::from_utf8_lossy(host).into_owned(), booted })
}

/// One thread of the initial state. What a version does not have is `None` or empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Thread<'a> {
    /// Thread.
    pub tid: u64,
    /// Its process.
    pub pid: u64,
    /// The process's parent.
    pub ptid: u64,
    /// Session.
    pub sid: Option<u64>,
    /// Process group, in its own pid namespace.
    pub vpgid: Option<u64>,
    /// Name.
    pub comm: &'a [u8],
    /// First argument.
    pub exe: &'a [u8],
    /// Path of the program.
    pub exepath: Option<&'a [u8]>,
    /// The other arguments, a NUL behind each.
    pub args: &'a [u8],
    /// Working directory.
    pub cwd: &'a [u8],
    /// The most descriptors it may have.
    pub fdlimit: i64,
    /// Flags of its clone, scap's values.
    pub flags: u32,
    /// User.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Memory: virtual, resident, swapped, KiB.
    pub vm: [u32; 3],
    /// Page faults: major, minor.
    pub faults: [u64; 2],
    /// Environment, a NUL behind each variable.
    pub env: Option<&'a [u8]>,
    /// Thread in its own pid namespace.
    pub vtid: Option<u64>,
    /// Process in its own pid namespace.
    pub vpid: Option<u64>,
    /// Control groups, `subsystem=path` with a NUL behind each.
    pub cgroups: &'a [u8],
    /// Root directory.
    pub root: Option<&'a [u8]>,
    /// Terminal.
    pub tty: Option<u32>,
    /// Login user.
    pub loginuid: Option<u32>,
    /// Capabilities: inheritable, permitted, effective.
    pub caps: Option<[u64; 3]>,
    /// Facts about the program, bits of `execve_flags`.
    pub exe_flags: Option<u32>,
    /// Inode of the program, and when it was changed and modified, ns since 1970 UTC.
    pub exe_ino: Option<[u64; 3]>,
    /// Process group, on the host.
    pub pgid: Option<u64>,
}

/// Calls `each` with the threads of a list of a version (1 to 9).
///
/// # Errors
/// The list ends in an entry; those before it have been told.
pub fn threads<'a>(version: u8, body: &'a [u8], mut each: impl FnMut(Thread<'a>)) -> Result<(), Cut> {
    let mut at = Cursor(body);
    // Behind the last entry stands padding, and without lengths an entry has more than that.
    while at.0.len() > 3 {
        if version >= 9 {
            let mut entry = at.entry()?;
            let mut thread = thread(version, &mut entry)?;
            // Whatever is there was written in this order; later versions write more.
            let _ = appended(&mut thread, entry);
            each(thread);
        } else {
            each(thread(version, &mut at)?);
        }
    }
    Ok(())
}

fn thread<'a>(version: u8, at: &mut Cursor<'a>) -> Result<Thread<'a>, Cut> {
    let mut thread = Thread { tid: at.u64()?, pid: at.u64()?, ptid: at.u64()?, ..Thread::default() };
    if version >= 6 {
        thread.sid = Some(at.u64()?);
    }
    if version >= 8 {
        thread.vpgid = Some(at.u64()?);
    }
    (thread.comm, thread.exe) = (at.text()?, at.text()?);
    if version >= 7 {
        thread.exepath = Some(at.text()?).filter(|path| !path.is_empty());
    }
    (thread.args, thread.cwd) = (at.text()?, at.text()?);
    thread.fdlimit = at.u64()? as i64;
    (thread.flags, thread.uid, thread.gid) = (at.u32()?, at.u32()?, at.u32()?);
    if version >= 2 {
        thread.vm = [at.u32()?, at.u32()?, at.u32()?];
        thread.faults = [at.u64()?, at.u64()?];
    }
    if version >= 3 {
        thread.env = Some(at.text()?);
    }
    if version >= 4 {
        (thread.vtid, thread.vpid) = (Some(at.u64()?), Some(at.u64()?));
        thread.cgroups = at.text()?;
    }
    if version >= 5 {
        thread.root = Some(at.text()?);
    }
    Ok(thread)
}

/// Start of the pid namespace and terminal were put before the others later; bytes that these others take, of files that are older.
const WITHOUT_TERMINAL: usize = 29;

fn appended(thread: &mut Thread<'_>, mut at: Cursor<'_>) -> Result<(), Cut> {
    if at.0.len() > WITHOUT_TERMINAL {
        at.u64()?;
        thread.tty = Some(at.u32()?);
    }
    thread.loginuid = Some(at.u32()?);
    let mut flags = u32::from(at.u8()? != 0);
    thread.exe_flags = Some(flags);
    thread.caps = Some([at.u64()?, at.u64()?, at.u64()?]);
    flags |= u32::from(at.u8()? != 0) << 1;
    thread.exe_flags = Some(flags);
    thread.exe_ino = Some([at.u64()?, at.u64()?, at.u64()?]);
    for bit in [2, 3] {
        flags |= u32::from(at.u8()? != 0) << bit;
        thread.exe_flags = Some(flags);
    }
    thread.pgid = Some(at.u64()?);
    Ok(())
}

/// What a descriptor of the initial state is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Open<'a> {
    /// Something with a name.
    Named {
        /// Name or path.
        name: &'a [u8],
        /// How it was opened, scap's values; 0 where it was not said.
        flags: u32,
        /// Device; 0 where it was not said.
        dev: u32,
    },
    /// A connected socket: local and remote end as [`ParamType::Tuple`](crate::event::ParamType::Tuple) has them behind the family.
    Connected {
        /// Whether it is IPv6.
        six: bool,
        /// Local address.
        local: &'a [u8],
        /// Remote address.
        remote: &'a [u8],
        /// Local port.
        local_port: u16,
        /// Remote port.
        remote_port: u16,
        /// Protocol, scap's number.
        l4: u8,
    },
    /// A listening socket.
    Listening {
        /// Whether it is IPv6.
        six: bool,
        /// Its address.
        address: &'a [u8],
        /// Its port.
        port: u16,
        /// Protocol, scap's number.
        l4: u8,
    },
    /// A Unix socket.
    Unix {
        /// The kernel's addresses of both ends.
        ends: [u64; 2],
        /// Path.
        name: &'a [u8],
    },
}

/// A descriptor of the initial state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Descriptor<'a> {
    /// Number.
    pub fd: i64,
    /// Inode.
    pub ino: u64,
    /// scap's kind.
    pub kind: u8,
    /// The rest.
    pub open: Open<'a>,
}

/// Calls `each` with the thread whose descriptors these are and each of them.
///
/// # Errors
/// The list ends in an entry; those before it have been told.
pub fn descriptors<'a>(version: u8, body: &'a [u8], mut each: impl FnMut(u64, Descriptor<'a>)) -> Result<(), Cut> {
    let mut at = Cursor(body);
    let tid = at.u64()?;
    while at.0.len() > 3 {
        if version >= 2 {
            each(tid, descriptor(at.entry()?, true)?.0);
        } else {
            let (found, rest) = descriptor(at, false)?;
            each(tid, found);
            at = rest;
        }
    }
    Ok(())
}

fn descriptor(mut at: Cursor<'_>, is_entry: bool) -> Result<(Descriptor<'_>, Cursor<'_>), Cut> {
    let (fd, ino, kind) = (at.u64()? as i64, at.u64()?, at.u8()?);
    let open = match kind {
        3 | 4 => {
            let bytes = if kind == 4 { 16 } else { 4 };
            let (local, remote) = (at.take(bytes)?, at.take(bytes)?);
            let (local_port, remote_port) = (at.u16()?, at.u16()?);
            Open::Connected { six: kind == 4, local, remote, local_port, remote_port, l4: at.u8()? }
        }
        5 | 6 => {
            let address = at.take(if kind == 6 { 16 } else { 4 })?;
            Open::Listening { six: kind == 6, address, port: at.u16()?, l4: at.u8()? }
        }
        8 => Open::Unix { ends: [at.u64()?, at.u64()?], name: at.text()? },
        16 => {
            let (flags, name) = (at.u32()?, at.text()?);
            Open::Named { name, flags, dev: if is_entry { at.u32().unwrap_or(0) } else { 0 } }
        }
        1 | 2 | 7 | 9..=15 | 17..=21 => Open::Named { name: at.text()?, flags: 0, dev: 0 },
        // A later version's: its entry says how long it is.
        _ if is_entry => Open::Named { name: &[], flags: 0, dev: 0 },
        _ => return Err(Cut),
    };
    Ok((Descriptor { fd, ino, kind, open }, at))
}

/// A user or group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Account<'a> {
    /// Whether it is a group.
    pub is_group: bool,
    /// Its number.
    pub id: u32,
    /// Its name.
    pub name: &'a [u8],
    /// Home directory and shell of a user; empty where they are not told.
    pub home: &'a [u8],
    /// See [`Account::home`].
    pub shell: &'a [u8],
}

/// Calls `each` with the users and groups of a list.
///
/// # Errors
/// The list ends in an entry; those before it have been told.
pub fn accounts<'a>(version: u8, body: &'a [u8], mut each: impl FnMut(Account<'a>)) -> Result<(), Cut> {
    let mut at = Cursor(body);
    while at.0.len() > 3 {
        if version >= 2 {
            each(account(&mut at.entry()?)?);
        } else {
            each(account(&mut at)?);
        }
    }
    Ok(())
}

/// An address of a network interface of the initial state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface<'a> {
    /// Its name.
    pub name: &'a [u8],
    /// Address, mask and broadcast address.
    pub addresses: [std::net::IpAddr; 3],
}

/// Calls `each` with the interfaces of a list.
///
/// # Errors
/// The list ends in an entry; those before it have been told.
pub fn interfaces<'a>(version: u8, body: &'a [u8], mut each: impl FnMut(Interface<'a>)) -> Result<(), Cut> {
    let mut at = Cursor(body);
    while at.0.len() > 3 {
        if version >= 2 {
            // This length does not count itself.
            let length = at.u32()? as usize;
            each(interface(&mut Cursor(at.take(length)?))?);
        } else {
            each(interface(&mut at)?);
        }
    }
    Ok(())
}

fn interface<'a>(at: &mut Cursor<'a>) -> Result<Interface<'a>, Cut> {
    let (kind, length) = (at.u16()?, usize::from(at.u16()?));
    let addresses = match kind {
        1 | 3 => [at.array::<4>()?, at.array()?, at.array()?].map(Into::into),
        2 | 4 => [at.array::<16>()?, at.array()?, at.array()?].map(Into::into),
        _ => return Err(Cut),
    };
    if kind <= 2 {
        at.u64()?;
    }
    Ok(Interface { name: at.take(length)?, addresses })
}

fn account<'a>(at: &mut Cursor<'a>) -> Result<Account<'a>, Cut> {
    let is_group = at.u8()? == 1;
    let id = at.u32()?;
    if is_group {
        return Ok(Account { is_group, id, name: at.text()?, home: b"", shell: b"" });
    }
    at.u32()?;
    let name = at.text()?;
    Ok(Account { is_group, id, name, home: at.text()?, shell: at.text()? })
}
