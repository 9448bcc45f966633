//! The supervisor: starts one sandboxed task, keeps its log, and leaves nothing of it behind.
use std::fs::File;
use std::io::{self, PipeReader, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::prctl;
use nix::sys::signal::{SigHandler, SigSet, Signal, kill, signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::stat::{Mode, umask};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, setsid};

use super::ceilings::{Ceilings, oom_kills};
use super::cgroup::Cgroup;
use super::lines::Lines;
use super::log::Log;
use super::protocol::{Confined, Exit, Message, Order, Progress};
use super::reap::{kill_descendants, terminate_task};
use crate::podman::{self, Container};
use crate::sandbox;

/// How long the last output may take to arrive once every process that could write it is dead.
const DRAIN: Duration = Duration::from_secs(1);

/// Runs the task to its end and reports that on standard output. When the server goes away first there is nobody to
/// report to, and the task is killed.
pub(super) fn run(confined: &Confined, orders: Lines<File>) -> ExitCode {
    let exit = match begin(confined, orders) {
        Ok(watch) => watch.see_through(),
        Err(why) => Some(Exit::NotStarted(why)),
    };
    if let Some(exit) = exit {
        let _ = report(&exit);
    }
    ExitCode::SUCCESS
}

fn report(exit: &Exit) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    serde_json::to_writer(&mut stdout, exit)?;
    stdout.write_all(b"\n")?;
    stdout.flush()
}

fn begin(confined: &Confined, orders: Lines<File>) -> Result<Watch, String> {
    let signals = settle().map_err(|error| format!("its supervisor could not set itself up: {error}"))?;
    let confinement = &confined.confinement;
    let container = confined.container();
    confinement.check(container.as_ref().is_some_and(Container::has_entry_point))?;
    let log = Log::open(&confinement.log, confinement.max_log)
        .map_err(|error| format!("its log {} could not be opened: {error}", confinement.log.display()))?;
    let oom_kills = oom_kills();
    // Podman makes groups of its own.
    let cgroup = if container.is_none() { Cgroup::of(confinement.limits.processes) } else { None };
    let started =
        start(confined, cgroup.as_ref()).map_err(|error| format!("its sandbox could not be started: {error}"))?;
    Ok(Watch {
        container,
        cgroup,
        child: started.child,
        stage: Some(Lines::new(started.stage)),
        output: Some(started.output),
        orders,
        signals,
        log,
        confined: false,
        ceilings: Ceilings::new(confinement),
        oom_kills,
        exit: None,
        deadline: confinement.timeout.map(|timeout| Instant::now() + timeout),
        kill_at: None,
    })
}

/// Makes this process independent of how and by whom it was started.
fn settle() -> io::Result<SignalFd> {
    // A session of its own: control-C on the server's terminal is the server's to hear.
    setsid()?;
    umask(Mode::from_bits_truncate(0o077));
    prctl::set_child_subreaper(true)?;
    std::env::set_current_dir("/")?;
    close_on_exec()?;
    if nix::unistd::geteuid().is_root() {
        // A refusal only means that there is less to give up: in a user namespace root may not set its groups.
        let _ = nix::unistd::setgroups(&[]);
    }
    for number in Signal::iterator().filter(|signal| !matches!(signal, Signal::SIGKILL | Signal::SIGSTOP)) {
        // SAFETY: no handler of this program is involved, the default disposition is the kernel's.
        unsafe { signal(number, SigHandler::SigDfl) }?;
    }
    // SAFETY: as above. A server that is gone must not end this process before it has killed the task.
    unsafe { signal(Signal::SIGPIPE, SigHandler::SigIgn) }?;
    let heard = SigSet::from_iter([Signal::SIGCHLD, Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP]);
    heard.thread_set_mask()?;
    Ok(SignalFd::with_flags(&heard, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?)
}

/// Sees to it that no descriptor beyond the first three reaches the task, should the server have leaked one.
fn close_on_exec() -> io::Result<()> {
    // SAFETY: this changes flags of descriptors and touches no memory.
    let done = unsafe { libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC) };
    if done == 0 {
        return Ok(());
    }
    // Kernels before 5.11 do not know the call, or not this flag.
    for entry in std::fs::read_dir("/proc/self/fd")? {
        let Some(number) = entry?.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else { continue };
        if number >= 3 {
            // SAFETY: as above. A descriptor that is closed already is an error that changes nothing.
            unsafe { libc::fcntl(number, libc::F_SETFD, libc::FD_CLOEXEC) };
        }
    }
    Ok(())
}

struct Started {
    child: Pid,
    stage: UnixStream,
    output: PipeReader,
}

fn start(confined: &Confined, cgroup: Option<&Cgroup>) -> io::Result<Started> {
    let (output, writer) = io::pipe()?;
    let (mut ours, theirs) = UnixStream::pair()?;
    let mut command = sandbox::command(confined, cgroup.map(Cgroup::members))?;
    command.stdin(std::os::fd::OwnedFd::from(theirs)).stdout(writer.try_clone()?).stderr(writer);
    let child = command
        .spawn()
        .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", command.get_program().display())))?;
    // Until the command is dropped it holds the far ends open.
    drop(command);
    let mut order = serde_json::to_vec(&Order::Confine(confined.clone()))?;
    order.push(b'\n');
    // A sandbox that fails to come up does not read this. What it says of that is heard below, so go on.
    let _ = ours.write_all(&order);
    Ok(Started { child: Pid::from_raw(child.id().cast_signed()), stage: ours, output })
}

struct Watch {
    /// Held until the task has ended.
    cgroup: Option<Cgroup>,
    container: Option<Container>,
    child: Pid,
    stage: Option<Lines<UnixStream>>,
    output: Option<PipeReader>,
    orders: Lines<File>,
    signals: SignalFd,
    log: Log,
    confined: bool,
    ceilings: Ceilings,
    /// Those before the task began.
    oom_kills: Option<u64>,
    exit: Option<Exit>,
    deadline: Option<Instant>,
    kill_at: Option<Instant>,
}

/// What became ready.
struct Ready {
    orders: bool,
    signals: bool,
    stage: bool,
    output: bool,
}

impl Watch {
    /// The exit of the task, or nothing when there is nobody to tell.
    fn see_through(mut self) -> Option<Exit> {
        let listening = self.follow();
        self.end_all();
        if !listening {
            return None;
        }
        self.drain();
        if !self.confined && matches!(self.exit, Some(Exit::Lost(_))) {
            return Some(Exit::NotStarted(format!("its sandbox failed: {}", self.log.opening())));
        }
        self.judge()
    }

    /// Leaves nothing of the task behind. A container that stands is killed at once, however its processes fork; one that
    /// is being made must first not be made any further.
    fn end_all(&self) {
        let remove = || self.container.iter().for_each(podman::remove);
        if self.confined {
            remove();
            return kill_descendants();
        }
        kill_descendants();
        remove();
    }

    /// The exit, after a look at why the task may have ended as it did.
    fn judge(&mut self) -> Option<Exit> {
        match self.exit.take()? {
            Exit::Signal(libc::SIGKILL) if self.kill_at.is_none() && oom_kills() > self.oom_kills => {
                Some(Exit::OutOfMemory { limit: None })
            }
            Exit::NotStarted(why) if self.container.is_some() && !self.log.opening().is_empty() => {
                Some(Exit::NotStarted(format!("{why}: {}", self.log.opening())))
            }
            Exit::Code(_) | Exit::Signal(_) if self.cgroup.as_ref().is_some_and(Cgroup::refused) => {
                Some(Exit::TooManyProcesses { limit: self.ceilings.limit_of_processes() })
            }
            ended @ (Exit::Code(_) | Exit::Signal(_)) => Some(self.ceilings.last_look().unwrap_or(ended)),
            other => Some(other),
        }
    }

    /// Serves the task until it has ended. False when the server went away.
    fn follow(&mut self) -> bool {
        // What came along with the first order is here already, and no poll tells of it.
        if !self.heed_orders() {
            return false;
        }
        while self.exit.is_none() {
            let Ok(ready) = self.wait() else { return false };
            if ready.output {
                self.pump();
            }
            if ready.stage {
                self.hear_stage();
            }
            if ready.signals && !self.hear_signals() {
                return false;
            }
            if ready.orders && !self.hear_orders() {
                return false;
            }
            if self.exit.is_none() && self.confined {
                self.exit = self.ceilings.look();
                if self.exit.is_some() {
                    // Not reaped yet, or there were an exit. The PID namespace, where there is one, ends with it: who
                    // forks without end is not caught one process at a time.
                    let _ = kill(self.child, Signal::SIGKILL);
                }
            }
            let now = Instant::now();
            if self.exit.is_none() && self.deadline.is_some_and(|deadline| deadline <= now) {
                self.exit = Some(Exit::TimedOut);
            }
            if self.exit.is_none() && self.kill_at.is_some_and(|at| at <= now) {
                self.exit = Some(Exit::Signal(libc::SIGKILL));
            }
        }
        true
    }

    fn wait(&self) -> nix::Result<Ready> {
        let look = self.confined.then(|| self.ceilings.next());
        let next = [self.deadline, self.kill_at, look].into_iter().flatten().min();
        let timeout = next.map_or(PollTimeout::NONE, |at| up_to(at.saturating_duration_since(Instant::now())));
        let mut fds = vec![
            PollFd::new(self.orders.as_fd(), PollFlags::POLLIN),
            PollFd::new(self.signals.as_fd(), PollFlags::POLLIN),
        ];
        fds.extend(self.stage.as_ref().map(|stage| PollFd::new(stage.as_fd(), PollFlags::POLLIN)));
        fds.extend(self.output.as_ref().map(|output| PollFd::new(output.as_fd(), PollFlags::POLLIN)));
        match poll(&mut fds, timeout) {
            Err(nix::errno::Errno::EINTR) | Ok(_) => {}
            Err(error) => return Err(error),
        }
        let mut ready = fds.iter().map(|fd| fd.any().unwrap_or(true));
        let mut next = |open: bool| open && ready.next().unwrap_or(false);
        Ok(Ready {
            orders: next(true),
            signals: next(true),
            stage: next(self.stage.is_some()),
            output: next(self.output.is_some()),
        })
    }

    fn pump(&mut self) {
        let Some(output) = self.output.as_mut() else { return };
        let mut chunk = [0; 64 << 10];
        match output.read(&mut chunk) {
            Ok(0) => self.output = None,
            Ok(length) => self.log.add(&chunk[..length]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => self.output = None,
        }
    }

    /// Takes what was written before the last writer died. A process that the kernel cannot end just now may still
    /// hold the pipe, hence the bound.
    fn drain(&mut self) {
        let end = Instant::now() + DRAIN;
        while let Some(output) = &self.output {
            let left = end.saturating_duration_since(Instant::now());
            let mut fds = [PollFd::new(output.as_fd(), PollFlags::POLLIN)];
            if left.is_zero() || !matches!(poll(&mut fds, up_to(left)), Ok(1)) {
                return;
            }
            self.pump();
        }
    }

    fn hear_stage(&mut self) {
        let Some(stage) = self.stage.as_mut() else { return };
        let open = stage.fill().unwrap_or(false);
        while let Ok(Some(progress)) = stage.next() {
            match progress {
                Progress::Confined { writes } => {
                    self.confined = true;
                    self.ceilings.also(writes);
                }
                Progress::Ended(exit) => self.exit = Some(exit),
            }
        }
        if !open {
            self.stage = None;
        }
    }

    /// Reaps; false when this process itself was told to end.
    fn hear_signals(&mut self) -> bool {
        while let Ok(Some(info)) = self.signals.read_signal() {
            if info.ssi_signo != libc::SIGCHLD.cast_unsigned() {
                return false;
            }
        }
        while let Ok(status) = waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            if status == WaitStatus::StillAlive {
                break;
            }
            if status.pid() == Some(self.child) {
                // Its last words may still be under way.
                self.hear_stage();
                let unheard = || match status {
                    WaitStatus::Signaled(_, signal, _) if self.confined => Exit::Signal(signal as i32),
                    _ => Exit::Lost("its sandbox ended without saying how the task did".to_owned()),
                };
                self.exit = Some(self.exit.take().unwrap_or_else(unheard));
            }
        }
        true
    }

    /// False when the server has gone, or says what no server says.
    fn hear_orders(&mut self) -> bool {
        matches!(self.orders.fill(), Ok(true)) && self.heed_orders()
    }

    /// Does what the orders say that are here. False for what no server says.
    fn heed_orders(&mut self) -> bool {
        loop {
            match self.orders.next() {
                Ok(Some(Message::Stop { grace })) => self.stop(grace),
                Ok(None) => return true,
                Err(_) => return false,
            }
        }
    }

    fn stop(&mut self, grace: Duration) {
        if !self.confined {
            self.exit = Some(Exit::Signal(libc::SIGTERM));
            return;
        }
        match &self.container {
            Some(container) => podman::terminate(container),
            None => terminate_task(),
        }
        let at = Instant::now() + grace;
        self.kill_at = Some(self.kill_at.map_or(at, |earlier| earlier.min(at)));
    }
}

/// As a poll timeout, rounded up so that a poll never ends just before its time.
fn up_to(duration: Duration) -> PollTimeout {
    PollTimeout::try_from(duration.as_millis().saturating_add(1)).unwrap_or(PollTimeout::MAX)
}
