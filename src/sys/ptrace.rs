//! Tracing threads call by call: `ptrace(2)` in its "seize" form, and `waitpid(2)` for what the threads do.
//!
//! A tracer is one thread: only it may make requests, and when it ends the kernel lets its tracees go on. Every
//! request needs a tracee that is stopped, except [`seize`] and [`interrupt`].

use std::io;

/// `PTRACE_EVENT_STOP`, include/uapi/linux/ptrace.h.
const EVENT_STOP: i32 = 128;
/// `PTRACE_GET_SYSCALL_INFO`, since Linux 5.3.
const GET_SYSCALL_INFO: libc::c_uint = 0x420e;
/// `AUDIT_ARCH_I386`, include/uapi/linux/audit.h.
const ARCH_I386: u32 = 0x4000_0003;
/// `AUDIT_ARCH_X86_64`.
const ARCH_X86_64: u32 = 0xc000_003e;

/// What every tracee is asked for: to say "call" (not only SIGTRAP) when it stops at one, and to stop where it makes a
/// thread or process, runs another program, and ends. Whatever it makes is traced as it is.
///
/// The first of these also makes the death of the tracer harmless: a tracee that stands at a call takes what it stopped
/// with for a signal when it goes on untraced, and there is no signal of that number (kernel/entry/common.c).
pub const FOLLOW: i32 = libc::PTRACE_O_TRACESYSGOOD
    | libc::PTRACE_O_TRACEFORK
    | libc::PTRACE_O_TRACEVFORK
    | libc::PTRACE_O_TRACECLONE
    | libc::PTRACE_O_TRACEEXEC
    | libc::PTRACE_O_TRACEEXIT;

/// Why a tracee stands still.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// It enters or leaves a call.
    Call,
    /// It has made a process or a thread, whose id is its [`message`].
    Forked,
    /// It runs another program. The message is the id that its thread had before.
    Execed,
    /// It is about to end. The message is its exit status as `wait` has it.
    Exiting,
    /// The first stop of a new tracee, or one that [`interrupt`] asked for, or the end of a group stop.
    Trap,
    /// Job control stopped it (SIGSTOP and its kin): it must be left so ([`listen`]).
    Group,
    /// A signal is about to reach it.
    Signal(i32),
    /// Something that was not asked for.
    Other,
}

/// What happened to a tracee.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It stopped.
    Stopped(Stop),
    /// It ended, with an exit status as `wait` has it.
    Ended(i32),
}

/// What a tracee does at a [`Stop::Call`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Crossing {
    /// It enters a call.
    Enter {
        /// The call's number.
        nr: u64,
        /// Its arguments.
        args: [u64; 6],
        /// Whether it is a 32-bit (i386) call.
        compat: bool,
    },
    /// It leaves one, with this return value.
    Leave(i64),
    /// Neither, or a call of an architecture that is not known.
    Neither,
}

fn request(request: libc::c_uint, tid: u32, addr: usize, data: usize) -> io::Result<libc::c_long> {
    // SAFETY: the callers pass requests whose `addr` and `data` are numbers, or (GETEVENTMSG, GETSIGINFO, GET_SYSCALL_INFO) the
    // address of a live buffer of the size that the request writes.
    let result = unsafe { libc::ptrace(request, tid as libc::pid_t, addr, data) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// Begins to trace a thread, without stopping it.
///
/// # Errors
/// The system's: EPERM for a thread of another user, one that is traced already, or where Yama forbids it.
pub fn seize(tid: u32, options: i32) -> io::Result<()> {
    request(libc::PTRACE_SEIZE, tid, 0, options as usize).map(drop)
}

/// Makes a tracee stop soon, with [`Stop::Trap`].
///
/// # Errors
/// The system's: ESRCH if it is gone.
pub fn interrupt(tid: u32) -> io::Result<()> {
    request(libc::PTRACE_INTERRUPT, tid, 0, 0).map(drop)
}

/// Lets a tracee go on to where it next enters or leaves a call, and hands it a signal (0: none).
///
/// # Errors
/// The system's: ESRCH if it was killed meanwhile.
pub fn go_on(tid: u32, signal: i32) -> io::Result<()> {
    request(libc::PTRACE_SYSCALL, tid, 0, signal as usize).map(drop)
}

/// Leaves a tracee stopped as job control wants it, until that lets it go on.
///
/// # Errors
/// The system's: ESRCH if it was killed meanwhile.
pub fn listen(tid: u32) -> io::Result<()> {
    request(libc::PTRACE_LISTEN, tid, 0, 0).map(drop)
}

/// The number that comes with some stops.
///
/// # Errors
/// The system's: ESRCH if the tracee was killed meanwhile.
pub fn message(tid: u32) -> io::Result<u64> {
    let mut message: libc::c_ulong = 0;
    request(libc::PTRACE_GETEVENTMSG as libc::c_uint, tid, 0, (&raw mut message).expose_provenance())?;
    Ok(message)
}

/// What came with a signal (`siginfo_t`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignalInfo {
    /// `si_code`.
    pub code: i32,
    /// `si_pid`, where the code says that there is a sender.
    pub sender: u32,
    /// `si_uid`, as above.
    pub user: u32,
    /// `si_addr`, where the code says that there is a fault.
    pub address: u64,
}

/// What came with the signal of a [`Stop::Signal`].
///
/// # Errors
/// The system's: ESRCH if the tracee was killed meanwhile.
pub fn signal_info(tid: u32) -> io::Result<SignalInfo> {
    // siginfo_t, 128 bytes: signo, errno, code and 4 bytes, then (include/uapi/asm-generic/siginfo.h) pid and uid, or an
    // address.
    let mut info = [0_u64; 16];
    request(libc::PTRACE_GETSIGINFO as libc::c_uint, tid, 0, (&raw mut info).expose_provenance())?;
    Ok(SignalInfo { code: info[1] as i32, sender: info[2] as u32, user: (info[2] >> 32) as u32, address: info[2] })
}

/// What the tracee does at a [`Stop::Call`].
///
/// # Errors
/// The system's: ESRCH if the tracee was killed meanwhile, EIO where the kernel is older than 5.3.
pub fn crossing(tid: u32) -> io::Result<Crossing> {
    // struct ptrace_syscall_info, include/uapi/linux/ptrace.h: op u8, 3 bytes, arch u32, ip u64, sp u64, then number
    // and six arguments of an entry, or the return value of an exit; 88 bytes with what seccomp adds.
    let mut info = [0_u64; 11];
    request(GET_SYSCALL_INFO, tid, size_of_val(&info), (&raw mut info).expose_provenance())?;
    let arch = (info[0] >> 32) as u32;
    Ok(match info[0] & 0xff {
        1 if matches!(arch, ARCH_X86_64 | ARCH_I386) => {
            let [_, _, _, nr, args @ .., _] = info;
            Crossing::Enter { nr, args, compat: arch == ARCH_I386 }
        }
        2 => Crossing::Leave(info[3].cast_signed()),
        _ => Crossing::Neither,
    })
}

/// The next change of any tracee of the calling thread; waits for one. `None`: a signal came first.
///
/// # Errors
/// The system's: ECHILD when there is no tracee (left).
pub fn next_change() -> io::Result<Option<(u32, Change)>> {
    let mut status = 0;
    // Only the calling thread's: others may wait for children of their own.
    let options = libc::__WALL | libc::__WNOTHREAD;
    // SAFETY: `status` is a live int.
    let tid = unsafe { libc::waitpid(-1, &raw mut status, options) };
    if tid < 0 {
        let error = io::Error::last_os_error();
        return if error.kind() == io::ErrorKind::Interrupted { Ok(None) } else { Err(error) };
    }
    let change = if libc::WIFSTOPPED(status) { Change::Stopped(stop(status)) } else { Change::Ended(status) };
    Ok(Some((tid as u32, change)))
}

fn stop(status: i32) -> Stop {
    let signal = libc::WSTOPSIG(status);
    match status >> 16 {
        0 if signal == libc::SIGTRAP | 0x80 => Stop::Call,
        0 => Stop::Signal(signal),
        EVENT_STOP if signal == libc::SIGTRAP => Stop::Trap,
        EVENT_STOP => Stop::Group,
        libc::PTRACE_EVENT_FORK | libc::PTRACE_EVENT_VFORK | libc::PTRACE_EVENT_CLONE => Stop::Forked,
        libc::PTRACE_EVENT_EXEC => Stop::Execed,
        libc::PTRACE_EVENT_EXIT => Stop::Exiting,
        _ => Stop::Other,
    }
}

extern "C" fn nothing(_signal: libc::c_int) {}

/// The signal that interrupts a wait. Who has no handler for it does not notice it.
const NUDGE: libc::c_int = libc::SIGURG;

/// From now on [`nudge`] works on this process's threads.
///
/// # Errors
/// The system's, if the handler cannot be set.
pub fn allow_nudges() -> io::Result<()> {
    let mut action = std::mem::MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: `sigaction` is numbers and an optional function pointer: zeroes are a valid one.
    let mut action = unsafe { action.assume_init_mut() }.to_owned();
    // Without SA_RESTART: the wait is to end.
    action.sa_sigaction = nothing as extern "C" fn(libc::c_int) as usize;
    // SAFETY: `action` is complete, and its handler does nothing.
    let failed = unsafe { libc::sigaction(NUDGE, &raw const action, std::ptr::null_mut()) } != 0;
    if failed { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// The calling thread's id.
pub fn thread_id() -> u32 {
    // SAFETY: takes nothing, returns a number, cannot fail.
    unsafe { libc::gettid() as u32 }
}

/// Interrupts the [`next_change`] of a thread of this process, if it is in one.
pub fn nudge(tid: u32) {
    let own = std::process::id();
    // SAFETY: takes numbers. A thread of that number that is not of this process is not signalled.
    unsafe { libc::syscall(libc::SYS_tgkill, own, tid, NUDGE) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stops_are_told_apart() {
        for (status, expected) in [
            (0x85_7f, Stop::Call),
            (0x05_7f, Stop::Signal(libc::SIGTRAP)),
            (0x13_7f, Stop::Signal(libc::SIGSTOP)),
            (0x80_05_7f, Stop::Trap),
            (0x80_13_7f, Stop::Group),
            (0x01_05_7f, Stop::Forked),
            (0x03_05_7f, Stop::Forked),
            (0x04_05_7f, Stop::Execed),
            (0x06_05_7f, Stop::Exiting),
            (0x05_05_7f, Stop::Other),
        ] {
            assert_eq!(stop(status), expected, "{status:#x}");
        }
    }

    #[test]
    fn who_traces_nobody_has_nothing_to_wait_for() {
        let none = std::thread::spawn(next_change).join().unwrap();
        assert_eq!(none.unwrap_err().raw_os_error(), Some(libc::ECHILD));
        assert!(seize(0x7fff_fff0, FOLLOW).is_err());
    }
}
