//! [`Tracer`]: follows a command and everything that it starts, and writes records.

use super::compat::take_apart;
use super::draft::{COMPAT, Draft, Head, LAST, LATE_ENTER, MAX_RECORD, Type};
use super::error::Error;
use super::exec;
use super::items::{self, Call, Limits, Op};
use super::thread::{End, Slot, Thread, Threads};
use crate::source::ebpf::{Block, Plans, ROW, UNKNOWN};
use crate::source::proc;
use crate::sys::{self, Exit, boot_ns, ptrace};
use ptrace::{Change, Crossing, Stop};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// `execve` of the first process: what is before it is ours.
const NR_EXECVE: u64 = 59;
/// x32 programs set this bit in a call's number (`__X32_SYSCALL_BIT`, arch/x86/include/uapi/asm/unistd.h).
const X32: u64 = 0x4000_0000;
/// `enum desc_flags` in the probe.
const SKIP: u8 = 1;
const ENTER_TOO: u8 = 2;
const EXECS: u8 = 4;
const TELLS: u8 = 32;
/// A call that lasts longer than this is told of while it lasts, ns.
const LONG: u64 = 10_000_000;
/// How often the processor time of running threads is told, ns.
const CPUTIME_EVERY: u64 = 1_000_000_000;
/// A new thread that waits for longer has no maker any more who could tell of it, ns.
const ORPHAN: u64 = 500_000_000;
/// How often it is looked at while calls come in, ns.
const TICK: u64 = 20_000_000;
/// `yama.ptrace_scope` from which on nobody may trace, not even root.
const NOBODY: u32 = 3;
/// The same for those without `CAP_SYS_PTRACE`.
const ONLY_ADMINS: u32 = 2;

/// How much of everything is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Most bytes of data kept of a call, 0–4095.
    pub snap_len: u32,
    /// Most bytes of a path kept, its NUL included, 1–4096.
    pub text_max: u32,
    /// Kinds of calls that are asked for, by number; `None`: all.
    pub calls: Option<Arc<[bool]>>,
}

impl Default for Options {
    fn default() -> Self {
        Options { snap_len: 80, text_max: 256, calls: None }
    }
}

/// Checks whether a command can be traced at all.
///
/// # Errors
/// The kernel is older than 5.3, or Yama forbids it.
pub fn preflight() -> Result<(), Error> {
    let release = sys::kernel_release();
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(str::parse::<u32>);
    if let (Some(Ok(major)), Some(Ok(minor))) = (numbers.next(), numbers.next())
        && (major, minor) < (5, 3)
    {
        return Err(Error::OldKernel(release));
    }
    let yama = std::fs::read_to_string("/proc/sys/kernel/yama/ptrace_scope").unwrap_or_default();
    let admin = sys::missing_capabilities(&[sys::Capability::SysPtrace]).is_empty();
    match yama.trim().parse() {
        Ok(scope) if scope >= NOBODY || scope >= ONLY_ADMINS && !admin => Err(Error::Yama(scope)),
        _ => Ok(()),
    }
}

/// Follows a command and everything that it starts. Belongs to the thread that made it; when that one ends, whoever is
/// still traced goes on untraced.
#[derive(Debug)]
pub struct Tracer {
    root: u32,
    rows: Vec<[u8; ROW]>,
    limits: Limits,
    threads: Threads,
    block: Block,
    /// The program of the first process was started: from here on calls are the command's.
    begun: bool,
    /// How the first process ended.
    exit: Option<Exit>,
    /// When what waits was last looked at, and when processor times were told, boot clock.
    ticked: u64,
    counted: u64,
}

impl Tracer {
    /// Begins to trace a child that waits before its program starts.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn new(root: u32, plans: &Plans, options: &Options) -> Result<Tracer, Error> {
        ptrace::allow_nudges().map_err(Error::Refused)?;
        ptrace::seize(root, ptrace::FOLLOW).map_err(Error::Refused)?;
        // It waits in a call; when it stops there, it is told to stop at calls.
        ptrace::interrupt(root).map_err(Error::Refused)?;
        let mut threads = Threads::default();
        threads.insert(root, root);
        let now = boot_ns();
        let limits = Limits { snap_len: options.snap_len.min(4095) as usize, text_max: options.text_max as usize };
        Ok(Tracer {
            root,
            rows: plans.rows(options.calls.as_deref()).collect(),
            limits: Limits { text_max: limits.text_max.clamp(1, 4096), ..limits },
            threads,
            block: Block::default(),
            begun: false,
            exit: None,
            ticked: now,
            counted: now,
        })
    }

    /// Follows until the command's first process has ended (and says how), `stop` is set, or `hand_on` refuses. What
    /// was seen goes to `hand_on`, which puts an empty block in the place of the one that it takes; as long as it does
    /// not return, the command waits.
    ///
    /// A [`nudge`](sys::ptrace::nudge) makes it look at `stop` and hand on what it has. It wants one every 20 ms or so.
    ///
    /// # Errors
    /// The wait for tracees fails.
    pub fn run(
        &mut self,
        stop: &AtomicBool,
        hand_on: &mut dyn FnMut(&mut Block) -> bool,
    ) -> Result<Option<Exit>, Error> {
        while self.exit.is_none() && !stop.load(Ordering::Acquire) {
            let change = ptrace::next_change();
            let nudged = matches!(change, Ok(None));
            match change {
                Ok(Some((tid, Change::Stopped(stop)))) => self.stopped(tid, stop),
                Ok(Some((tid, Change::Ended(status)))) => self.gone(tid, status),
                Ok(None) => {}
                Err(error) if error.raw_os_error() == Some(libc::ECHILD) => break,
                Err(error) => return Err(Error::Wait(error)),
            }
            let now = boot_ns();
            let due = nudged || now - self.ticked >= TICK;
            if due {
                self.tick(now);
            }
            if (due || self.block.room() < MAX_RECORD) && !self.hand_on(hand_on) {
                break;
            }
        }
        self.tell_entries(0);
        self.hand_on(hand_on);
        Ok(self.exit)
    }

    fn hand_on(&mut self, hand_on: &mut dyn FnMut(&mut Block) -> bool) -> bool {
        self.block.is_empty() || hand_on(&mut self.block)
    }

    /// What is due from time to time: calls that last, processor times, new threads whose maker is gone.
    fn tick(&mut self, now: u64) {
        self.ticked = now;
        self.tell_entries(LONG);
        self.adopt(now);
        if now - self.counted >= CPUTIME_EVERY {
            self.counted = now;
            self.count();
        }
    }

    fn stopped(&mut self, tid: u32, stop: Stop) {
        if self.threads.get(tid).is_none() {
            // New: whoever made it has not said so yet, and nothing of it may be told before.
            self.threads.wait_for_birth(tid, boot_ns());
            return;
        }
        let mut signal = 0;
        match stop {
            Stop::Call => self.call(tid),
            Stop::Forked => self.forked(tid),
            Stop::Execed => self.execed(tid),
            Stop::Exiting => self.exiting(tid),
            Stop::Signal(number) => {
                signal = number;
                self.signal(tid, number);
            }
            Stop::Group => return gone_is_fine(ptrace::listen(tid)),
            Stop::Trap | Stop::Other => {}
        }
        gone_is_fine(ptrace::go_on(tid, signal));
    }

    fn call(&mut self, tid: u32) {
        let now = boot_ns();
        match ptrace::crossing(tid) {
            Ok(Crossing::Enter { nr, args, compat }) => self.enter(tid, nr, args, compat),
            Ok(Crossing::Leave(ret)) => self.leave(tid, ret, now),
            // Killed meanwhile: its end comes.
            Ok(Crossing::Neither) | Err(_) => {}
        }
    }

    fn row(&self, nr: u64, compat: bool) -> [u8; ROW] {
        // As the probe does it: 512 native calls, then those of 32-bit programs.
        let index = if compat { 512 + (nr as usize & 511) } else { ((nr & !X32) as usize).min(511) };
        self.rows.get(index).copied().unwrap_or([0; ROW])
    }

    fn enter(&mut self, tid: u32, nr: u64, args: [u64; 6], compat: bool) {
        self.begun |= tid == self.root && nr == NR_EXECVE && !compat;
        let (nr, args) = if compat { take_apart(tid, nr, args) } else { (nr, args) };
        let row = self.row(nr, compat);
        // What names a thread if it is about a file of procfs is recorded in any case; what is too much is sieved later.
        let recorded = self.begun && (row[2] & SKIP == 0 || row[2] & TELLS != 0);
        let text_max = self.limits.text_max;
        let Some(thread) = self.threads.get(tid) else { return };
        thread.slot = None;
        if !recorded {
            return;
        }
        if row[2] & EXECS != 0 {
            // The new program's memory will not hold it any more.
            thread.program = exec::program(tid, is_execveat(nr, compat), &args, text_max);
            thread.most = thread.most.zip(exec::most_memory(tid)).map(|(before, now)| before.max(now));
        }
        let early = if row[4] == 0 { None } else { items::early(tid, args[usize::from(row[3].min(5))], row[4]) };
        let slot = Slot { enter: boot_ns(), nr: nr as u16, compat, args, early, told: row[2] & ENTER_TOO != 0 };
        thread.slot = Some(slot);
        let pid = thread.pid;
        if slot.told {
            write_entry(&mut self.block, (tid, pid), &slot, &row, 0, slot.enter);
        }
    }

    fn leave(&mut self, tid: u32, ret: i64, now: u64) {
        // No entry seen: it was in the call when we came.
        let Some((pid, slot)) = self.threads.get(tid).and_then(|t| Some((t.pid, t.slot.take()?))) else { return };
        let row = self.row(slot.nr.into(), slot.compat);
        let head = head(Type::Call, (tid, pid), &slot, now);
        let mut draft = Draft::new(&mut self.block, Head { ret, ..head });
        draft.words(&slot.args[..usize::from(row[0]).min(6)]);
        // A new program's memory holds nothing that the old one's pointers point to.
        let replaced = row[2] & EXECS != 0 && ret == 0;
        let Slot { nr, compat, early, .. } = slot;
        let call = Call { tid, pid, nr, compat, args: &slot.args, early, ret };
        for op in row[8..].chunks_exact(8).take(usize::from(row[1])) {
            let op: Op = op.first_chunk().copied().unwrap_or_default();
            if replaced { items::skip(&mut draft, op) } else { items::put(&mut draft, op, call, self.limits) }
        }
        if row[2] & EXECS != 0 && ret < 0 {
            items::put_argv(&mut draft, call, slot.args[if is_execveat(nr.into(), compat) { 2 } else { 1 }]);
        }
        draft.finish();
    }

    fn forked(&mut self, tid: u32) {
        let (Ok(child), Some(thread)) = (ptrace::message(tid), self.threads.get(tid)) else { return };
        let flags = thread.slot.map_or(0, |slot| clone_flags(tid, &slot));
        let (pid, child) = (thread.pid, child as u32);
        if self.threads.get(child).is_some() {
            return; // adopted: it waited too long for this
        }
        self.bear(child, (tid, pid), flags);
        if self.threads.waited(child) {
            gone_is_fine(ptrace::go_on(child, 0));
        } else if self.threads.was_stillborn(child) {
            self.end(child, libc::SIGKILL);
            self.threads.remove(child);
        }
    }

    /// Tells of a new thread.
    fn bear(&mut self, child: u32, (tid, pid): (u32, u32), flags: u64) {
        let now = boot_ns();
        let head = Head { ty: Type::Fork, flags: 0, nr: 0, tid, pid, time: now, enter: 0, ret: 0 };
        let mut draft = Draft::new(&mut self.block, head);
        let process = exec::put_fork(&mut draft, child, pid, flags, now);
        draft.finish();
        self.threads.insert(child, process);
    }

    /// New threads that still wait were made by one that did not live to say so.
    fn adopt(&mut self, now: u64) {
        for child in self.threads.waiting(now.saturating_sub(ORPHAN)) {
            let Some(born) = exec::born(child) else { continue };
            let (maker, flags) = if born.pid == child { (born.ppid, 0) } else { (born.pid, THREAD_FLAGS) };
            self.bear(child, (maker, maker), flags);
            self.threads.waited(child);
            gone_is_fine(ptrace::go_on(child, 0));
        }
    }

    fn execed(&mut self, tid: u32) {
        let old = ptrace::message(tid).map_or(tid, |old| old as u32);
        if old != tid {
            self.threads.take_over(old, tid);
        }
        let Some(thread) = self.threads.get(tid) else { return };
        let program = std::mem::take(&mut thread.program);
        let pid = thread.pid;
        let head = Head { ty: Type::Exec, flags: 0, nr: 0, tid, pid, time: boot_ns(), enter: 0, ret: 0 };
        let mut draft = Draft::new(&mut self.block, head);
        exec::put_exec(&mut draft, tid, old, &program, self.limits.text_max);
        draft.finish();
    }

    /// Tells of a signal that is about to reach a thread. Who is traced is also handed those that it ignores: these are left out.
    fn signal(&mut self, tid: u32, number: i32) {
        let Some(thread) = self.threads.get(tid).filter(|_| self.begun) else { return };
        let (pid, Some(handler)) = (thread.pid, exec::handler(tid, number)) else { return };
        let Ok(info) = ptrace::signal_info(tid) else { return };
        let is_sent = matches!(info.code, libc::SI_USER | libc::SI_QUEUE | libc::SI_TKILL);
        let is_fault = (1..SI_KERNEL).contains(&info.code) && FAULTS.contains(&number);
        let (sender, user) = if is_sent { (info.sender, info.user) } else { (0, 0) };
        let address = if is_fault { info.address } else { 0 };
        let code = i64::from(info.code).cast_unsigned();
        self.write_signal((tid, pid), [sender.into(), user.into(), number as u64, code, address, handler]);
    }

    /// Tells of the signal that nobody is handed: who sent it is not known.
    fn killed(&mut self, tid: u32) {
        let Some(pid) = self.threads.get(tid).filter(|thread| !thread.ended).map(|thread| thread.pid) else { return };
        self.write_signal((tid, pid), [UNKNOWN, UNKNOWN, libc::SIGKILL as u64, UNKNOWN, 0, 0]);
    }

    fn write_signal(&mut self, (tid, pid): (u32, u32), numbers: [u64; 6]) {
        let head = Head { ty: Type::Signal, flags: 0, nr: 0, tid, pid, time: boot_ns(), enter: 0, ret: 0 };
        let mut draft = Draft::new(&mut self.block, head);
        draft.words(&numbers);
        draft.finish();
    }

    fn exiting(&mut self, tid: u32) {
        let status = ptrace::message(tid).unwrap_or(0);
        self.end(tid, status as i32);
    }

    /// Tells of a thread's end and of the processor time that it used, once.
    fn end(&mut self, tid: u32, status: i32) {
        let Some(End { pid, last, alone, most }) = self.threads.end(tid) else { return };
        let time = boot_ns();
        let flags = if last { LAST } else { 0 };
        let head = Head { ty: Type::Exit, flags, nr: 0, tid, pid, time, enter: 0, ret: i64::from(status) };
        let mut draft = Draft::new(&mut self.block, head);
        exec::put_exit(&mut draft, (tid, pid), last, alone, most);
        draft.finish();
        let told = self.threads.get(tid).map_or(0, |t| t.cputime);
        let total = proc::cputime_of(tid, pid).unwrap_or(told);
        write_cputime(&mut self.block, (tid, pid), total, LAST);
    }

    fn gone(&mut self, tid: u32, status: i32) {
        // Usually told at its last stop already, but nobody stops who is killed.
        if libc::WIFSIGNALED(status) && libc::WTERMSIG(status) == libc::SIGKILL {
            self.killed(tid);
        }
        self.end(tid, status);
        self.threads.remove(tid);
        if tid == self.root {
            self.exit = Some(if libc::WIFSIGNALED(status) {
                Exit::Signal(libc::WTERMSIG(status))
            } else {
                Exit::Code(libc::WEXITSTATUS(status))
            });
        }
    }

    /// Tells of calls that have lasted for so long, once each.
    fn tell_entries(&mut self, for_ns: u64) {
        let now = boot_ns();
        let late = |slot: &Slot| !slot.told && now.saturating_sub(slot.enter) >= for_ns;
        let mut late: Vec<(u32, u32, Slot)> = self
            .threads
            .iter()
            .filter_map(|(tid, Thread { pid, slot, .. })| {
                let slot = slot.as_mut().filter(|slot| late(slot))?;
                slot.told = true;
                Some((tid, *pid, *slot))
            })
            .collect();
        late.sort_by_key(|(_, _, slot)| slot.enter);
        for (tid, pid, slot) in late {
            let row = self.row(slot.nr.into(), slot.compat);
            write_entry(&mut self.block, (tid, pid), &slot, &row, LATE_ENTER, now);
        }
    }

    /// Tells what threads have used of processors since they were asked last.
    fn count(&mut self) {
        for (tid, thread) in self.threads.iter().filter(|(_, t)| !t.ended) {
            let Some(total) = proc::cputime_of(tid, thread.pid).filter(|total| *total > thread.cputime) else {
                continue;
            };
            thread.cputime = total;
            write_cputime(&mut self.block, (tid, thread.pid), total, 0);
        }
    }
}

fn is_execveat(nr: u64, compat: bool) -> bool {
    nr == if compat { 358 } else { 322 }
}

/// From here on a signal's code says that there is no address (include/uapi/asm-generic/siginfo.h).
const SI_KERNEL: i32 = 0x80;

/// Signals that are about an address (sigaction(2)).
const FAULTS: [i32; 5] = [libc::SIGILL, libc::SIGTRAP, libc::SIGBUS, libc::SIGFPE, libc::SIGSEGV];

/// Who was killed meanwhile cannot go on; its end comes.
fn gone_is_fine(result: io::Result<()>) {
    result.ok();
}

/// `CLONE_VM`, `FS`, `FILES`, `SIGHAND` and `THREAD`: what threads usually share (include/uapi/linux/sched.h).
const THREAD_FLAGS: u64 = 0x100 | 0x200 | 0x400 | 0x800 | 0x10000;

/// What a new thread or process shares with its maker, by the call that makes it.
fn clone_flags(tid: u32, slot: &Slot) -> u64 {
    const CLONE_VM: u64 = 0x100;
    match (slot.compat, slot.nr) {
        (false, 56) | (true, 120) => slot.args[0],
        // struct clone_args begins with them.
        (_, 435) => {
            let mut flags = [0; 8];
            if sys::read_memory(tid, slot.args[0], &mut flags) == flags.len() { u64::from_le_bytes(flags) } else { 0 }
        }
        (false, 58) | (true, 190) => CLONE_VM,
        _ => 0,
    }
}

fn head(ty: Type, (tid, pid): (u32, u32), slot: &Slot, time: u64) -> Head {
    let flags = if slot.compat { COMPAT } else { 0 };
    Head { ty, flags, nr: slot.nr, tid, pid, time, enter: slot.enter, ret: 0 }
}

fn write_entry(block: &mut Block, ids: (u32, u32), slot: &Slot, row: &[u8; ROW], flags: u8, now: u64) {
    let head = head(Type::Enter, ids, slot, now);
    let mut draft = Draft::new(block, Head { flags: head.flags | flags, ..head });
    draft.words(&slot.args[..usize::from(row[0]).min(6)]);
    draft.finish();
}

fn write_cputime(block: &mut Block, (tid, pid): (u32, u32), total: u64, flags: u8) {
    let head = Head { ty: Type::Cputime, flags, nr: 0, tid, pid, time: boot_ns(), enter: 0, ret: 0 };
    let mut draft = Draft::new(block, head);
    draft.words(&[total]);
    draft.finish();
}
