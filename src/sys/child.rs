//! [`StoppedChild`]: a command that waits before its program starts, so that the probe can be told its pid first.

use std::ffi::{CString, OsStr, OsString};
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Why a command could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Nothing executable of that name in `PATH`.
    #[error("command `{0}` not found in PATH\nhelp: give its full path, or check its spelling")]
    NotFound(String),
    /// A NUL byte in the command, an argument or the environment.
    #[error("an argument of the command holds a NUL byte\nhelp: no program can be given one")]
    Nul,
    /// No command at all.
    #[error("expected a command after `--`, found nothing\nhelp: for example `-- ls -l`")]
    Empty,
    /// The kernel refused to run it.
    #[error(
        "`{path}` could not be executed: {source}\nhelp: it must be a program or a script with a `#!` line, and executable by you"
    )]
    Exec {
        /// What was to be executed.
        path: String,
        /// The kernel's answer.
        source: io::Error,
    },
    /// It ended before its program was started.
    #[error("the command was killed before its program started\nhelp: find who sent the signal, then start again")]
    Killed,
    /// Pipe, fork or wait failed.
    #[error("the command could not be started: {0}\nhelp: check the limits on processes and open files (`ulimit -a`)")]
    Os(#[from] io::Error),
}

/// How a child ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// With this exit code.
    Code(i32),
    /// By this signal.
    Signal(i32),
}

impl std::fmt::Display for Exit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Exit::Code(code) => write!(f, "exited with {code}"),
            Exit::Signal(signal) => write!(f, "ended by signal {signal}"),
        }
    }
}

fn executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
}

/// The absolute path that a shell would run for `command`.
fn resolve(command: &OsStr, path: &OsStr, cwd: &Path) -> Option<PathBuf> {
    if command.as_bytes().contains(&b'/') {
        return Some(cwd.join(command));
    }
    std::env::split_paths(path).map(|dir| cwd.join(dir).join(command)).find(|p| executable(p))
}

fn c_strings<'a>(texts: impl Iterator<Item = &'a [u8]>) -> Result<Vec<CString>, StartError> {
    texts.map(|t| CString::new(t).map_err(|_| StartError::Nul)).collect()
}

fn pointers(texts: &[CString]) -> Vec<*const libc::c_char> {
    texts.iter().map(|t| t.as_ptr()).chain([std::ptr::null()]).collect()
}

fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let mut fds: [RawFd; 2] = [-1; 2];
    // SAFETY: `fds` is an array of two descriptors, as the call wants.
    let failed = unsafe { libc::pipe2(fds.as_mut_ptr(), libc::O_CLOEXEC) } != 0;
    if failed {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call succeeded, so the descriptor is new and nobody else's.
    let read = unsafe { OwnedFd::from_raw_fd(fds[0]) };
    // SAFETY: as above.
    let write = unsafe { OwnedFd::from_raw_fd(fds[1]) };
    Ok((read, write))
}

/// What the child needs after the fork, made before it: there it may not allocate.
struct Plan {
    path: CString,
    argv: Vec<*const libc::c_char>,
    envp: Vec<*const libc::c_char>,
    go: RawFd,
    go_writer: RawFd,
    report: RawFd,
}

/// The child's life: waits for a byte, then becomes the program. Calls only what is safe between fork and exec.
fn become_program(plan: &Plan) -> ! {
    // Rust ignores SIGPIPE and a recorder SIGXFSZ, which the program must not inherit.
    for ignored in [libc::SIGPIPE, libc::SIGXFSZ] {
        // SAFETY: sets a signal to its default.
        unsafe { libc::signal(ignored, libc::SIG_DFL) };
    }
    // SAFETY: closes our copy of the parent's end, so that its death is seen as the end of the pipe.
    unsafe { libc::close(plan.go_writer) };
    let mut byte = 0_u8;
    // SAFETY: reads at most one byte into a live local.
    let got = unsafe { libc::read(plan.go, (&raw mut byte).cast(), 1) };
    if got == 1 {
        // SAFETY: path, argv and envp are NUL-terminated texts and NULL-terminated arrays of them, kept by `plan`.
        unsafe { libc::execve(plan.path.as_ptr(), plan.argv.as_ptr(), plan.envp.as_ptr()) };
        let error = io::Error::last_os_error().raw_os_error().unwrap_or(0).to_le_bytes();
        // SAFETY: writes four bytes of a live local.
        unsafe { libc::write(plan.report, error.as_ptr().cast(), error.len()) };
    }
    // SAFETY: ends the process without running the parent's exit handlers a second time.
    unsafe { libc::_exit(127) }
}

/// A child process; dropping it does not end it.
#[derive(Debug)]
pub struct Child {
    pid: libc::pid_t,
    exit: Option<Exit>,
}

impl Child {
    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.pid as u32
    }

    /// How it ended, or `None` if it still runs.
    ///
    /// # Errors
    /// The system's.
    pub fn try_wait(&mut self) -> io::Result<Option<Exit>> {
        self.wait_with(libc::WNOHANG)
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// The system's.
    pub fn wait(&mut self) -> io::Result<Exit> {
        loop {
            if let Some(exit) = self.wait_with(0)? {
                return Ok(exit);
            }
        }
    }

    fn wait_with(&mut self, options: libc::c_int) -> io::Result<Option<Exit>> {
        if self.exit.is_some() {
            return Ok(self.exit);
        }
        let mut status = 0;
        // SAFETY: `status` is a live int; the pid is our own child's.
        let got = unsafe { libc::waitpid(self.pid, &raw mut status, options) };
        if got < 0 {
            let error = io::Error::last_os_error();
            return if error.kind() == io::ErrorKind::Interrupted { Ok(None) } else { Err(error) };
        }
        if got == self.pid {
            let signaled = libc::WIFSIGNALED(status);
            self.exit = Some(if signaled {
                Exit::Signal(libc::WTERMSIG(status))
            } else {
                Exit::Code(libc::WEXITSTATUS(status))
            });
        }
        Ok(self.exit)
    }

    /// Sends it a signal, unless its end was already seen.
    ///
    /// # Errors
    /// The system's.
    pub fn kill(&self, signal: i32) -> io::Result<()> {
        if self.exit.is_some() {
            return Ok(());
        }
        // SAFETY: the pid is our own child's, which nobody else has as long as it is not waited for.
        let failed = unsafe { libc::kill(self.pid, signal) } != 0;
        if failed { Err(io::Error::last_os_error()) } else { Ok(()) }
    }
}

/// A child that waits before its program is started. Dropped, it ends without having run it.
#[derive(Debug)]
pub struct StoppedChild {
    child: Child,
    go: Option<OwnedFd>,
    report: OwnedFd,
    path: PathBuf,
}

impl StoppedChild {
    /// Forks a child for the command, looked up in `PATH`. After [`StoppedChild::start`] the first call it makes is `execve`.
    ///
    /// # Errors
    /// The command is not found, or the system's.
    pub fn new(command: &[OsString]) -> Result<StoppedChild, StartError> {
        let name = command.first().ok_or(StartError::Empty)?;
        let search = std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into());
        let not_found = || StartError::NotFound(name.to_string_lossy().into_owned());
        let path = resolve(name, &search, &std::env::current_dir()?).ok_or_else(not_found)?;
        let args = c_strings(command.iter().map(|a| a.as_bytes()))?;
        let pairs = std::env::vars_os().map(|(k, v)| [k.as_bytes(), b"=", v.as_bytes()].concat());
        let pairs: Vec<Vec<u8>> = pairs.collect();
        let env = c_strings(pairs.iter().map(Vec::as_slice))?;
        let (go_reader, go) = pipe()?;
        let (report, report_writer) = pipe()?;
        let plan = Plan {
            path: CString::new(path.as_os_str().as_bytes()).map_err(|_| StartError::Nul)?,
            argv: pointers(&args),
            envp: pointers(&env),
            go: go_reader.as_raw_fd(),
            go_writer: go.as_raw_fd(),
            report: report_writer.as_raw_fd(),
        };
        // SAFETY: the child runs only `become_program`, which does nothing that is unsafe after a fork.
        let pid = unsafe { libc::fork() };
        match pid {
            -1 => Err(io::Error::last_os_error().into()),
            0 => become_program(&plan),
            _ => Ok(StoppedChild { child: Child { pid, exit: None }, go: Some(go), report, path }),
        }
    }

    /// The process id that the command has and keeps.
    pub fn pid(&self) -> u32 {
        self.child.pid()
    }

    /// Lets the program start, and waits until it has.
    ///
    /// # Errors
    /// The kernel did not execute it, or somebody killed it first.
    pub fn start(mut self) -> Result<Child, StartError> {
        let mut child = Child { pid: self.child.pid, exit: None };
        match self.let_go() {
            Ok(()) => Ok(child),
            Err(error) => {
                self.child.exit = Some(child.wait()?);
                Err(error)
            }
        }
    }

    /// The same for a child that somebody else waits for, such as its tracer.
    ///
    /// # Errors
    /// As [`StoppedChild::start`].
    pub fn start_for_another(mut self) -> Result<(), StartError> {
        self.let_go()
    }

    fn let_go(&mut self) -> Result<(), StartError> {
        if let Some(go) = self.go.take() {
            // Nobody is left to read it: the child is dead. (How it ended cannot tell: a program that a signal ends looks the same.)
            std::fs::File::from(go).write(&[1]).map_err(|_| StartError::Killed)?;
        }
        let mut error = [0_u8; 4];
        let got = std::fs::File::from(self.report.try_clone()?).read(&mut error)?;
        if got == error.len() {
            let path = self.path.to_string_lossy().into_owned();
            return Err(StartError::Exec { path, source: io::Error::from_raw_os_error(i32::from_le_bytes(error)) });
        }
        Ok(())
    }
}

impl Drop for StoppedChild {
    fn drop(&mut self) {
        // Without its end of the pipe the child ends at once, and must be waited for or it stays as a zombie.
        if self.go.take().is_some() {
            let _ = self.child.wait();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A stopped child holds copies of every pipe that its process has open, those of other stopped children too, so
    /// that none of them would see its pipe end. Only tests have more than one.
    static ONE_AT_A_TIME: std::sync::Mutex<()> = std::sync::Mutex::new(());

    fn alone() -> std::sync::MutexGuard<'static, ()> {
        ONE_AT_A_TIME.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Waits until nobody has the reading end of a pipe.
    fn until_unread(pipe: &impl std::os::fd::AsRawFd) {
        let begun = std::time::Instant::now();
        let mut poll = libc::pollfd { fd: pipe.as_raw_fd(), events: libc::POLLOUT, revents: 0 };
        while poll.revents & libc::POLLERR == 0 {
            assert!(begun.elapsed().as_secs() < 20, "somebody keeps the pipe");
            // SAFETY: one live pollfd, and the count says so.
            assert!(unsafe { libc::poll(&raw mut poll, 1, 10) } >= 0);
        }
    }

    fn command(words: &[&str]) -> Vec<OsString> {
        words.iter().map(OsString::from).collect()
    }

    #[test]
    fn a_started_child_runs_its_program_and_its_exit_is_seen() {
        let _alone = alone();
        for (script, exit) in [("exit 3", Exit::Code(3)), ("kill -9 $$", Exit::Signal(9)), ("true", Exit::Code(0))] {
            let stopped = StoppedChild::new(&command(&["sh", "-c", script])).unwrap();
            let pid = stopped.pid();
            let mut child = stopped.start().unwrap();
            assert_eq!(child.pid(), pid);
            assert_eq!(child.wait().unwrap(), exit, "{script}");
        }
    }

    #[test]
    fn a_program_that_cannot_be_executed_is_reported_with_the_kernels_reason() {
        let _alone = alone();
        let stopped = StoppedChild::new(&command(&["/etc/passwd"])).unwrap();
        let Err(StartError::Exec { source, .. }) = stopped.start() else { panic!("it ran") };
        assert_eq!(source.raw_os_error(), Some(libc::EACCES));
    }

    #[test]
    fn a_command_that_is_nowhere_in_path_is_not_found() {
        let _alone = alone();
        let error = StoppedChild::new(&command(&["no-such-command-anywhere"])).unwrap_err();
        assert!(matches!(error, StartError::NotFound(_)), "{error}");
        assert!(matches!(StoppedChild::new(&[]), Err(StartError::Empty)));
    }

    #[test]
    fn a_child_killed_before_its_program_starts_is_an_error() {
        let _alone = alone();
        let stopped = StoppedChild::new(&command(&["true"])).unwrap();
        stopped.child.kill(libc::SIGKILL).unwrap();
        // Its death must be complete, or it could still read the byte: the report pipe ends with it. Children that other
        // tests are just starting may hold copies of the pipe until their exec.
        until_unread(stopped.go.as_ref().unwrap());
        let mut end = [0_u8; 1];
        assert_eq!(std::fs::File::from(stopped.report.try_clone().unwrap()).read(&mut end).unwrap(), 0);
        assert!(matches!(stopped.start(), Err(StartError::Killed)));
    }

    #[test]
    fn a_stopped_child_that_is_dropped_never_runs_its_program() {
        let _alone = alone();
        let dir = tempfile::tempdir().unwrap();
        let mark = dir.path().join("ran");
        drop(StoppedChild::new(&command(&["touch", mark.to_str().unwrap()])).unwrap());
        assert!(!mark.exists());
    }
}
