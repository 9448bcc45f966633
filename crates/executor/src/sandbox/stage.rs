//! The last stage before a task: inside bwrap, or in a fresh process, it gives up everything and starts the task.
//!
//! It is the server's own binary again rather than code between fork and exec, where hardly anything is allowed. It
//! stays, as the first process of the task's PID namespace, to say how the task ended; it has no more rights than the
//! task.
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};

use nix::sys::prctl;
use nix::sys::signal::{SigSet, Signal};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, fork, setsid};

use super::{Confinement, Kind, bwrap, landlock, limits, namespaces, seccomp};
use crate::podman::{self, Container};
use crate::process::{Confined, Exit, Progress};

/// What the supervisor starts: the last stage itself, or bwrap with the last stage inside. It joins the control group
/// whose members these are.
pub(crate) fn command(confined: &Confined, members: Option<PathBuf>) -> io::Result<Command> {
    let mut command = match &confined.kind {
        Kind::Bwrap { path, user_namespace } => {
            let mut command = Command::new(path);
            let program = std::env::current_exe()?;
            command.args(bwrap::arguments(&confined.confinement, *user_namespace, &program));
            command
        }
        Kind::Landlock | Kind::Podman(_) | Kind::Nothing => {
            // This very program, even when an upgrade has put another in its place.
            let mut command = Command::new("/proc/self/exe");
            command.arg("supervise");
            command
        }
    };
    command.env_clear();
    // SAFETY: this process has one thread, so that what runs between fork and exec finds no lock held.
    unsafe {
        command.pre_exec(move || {
            prefer_as_victim();
            if let Some(members) = &members {
                std::fs::write(members, "0")?;
            }
            // The supervisor takes its signals from a descriptor; the task is to be hit by them.
            Ok(SigSet::empty().thread_set_mask()?)
        });
    }
    Ok(command)
}

/// When memory runs out the task is to go, not the server. A kernel that will not hear of it is no reason to stop.
fn prefer_as_victim() {
    let _ = std::fs::write("/proc/self/oom_score_adj", "500");
}

/// Restricts this process, runs the task and tells the supervisor how it ended.
pub(crate) fn confine(confined: &Confined, mut supervisor: File) -> ExitCode {
    let told = match restrict(confined) {
        Ok(Stage::Outer(init)) => {
            while !matches!(
                waitpid(init, None),
                Ok(WaitStatus::Exited(..) | WaitStatus::Signaled(..)) | Err(nix::Error::ECHILD)
            ) {}
            Ok(())
        }
        Ok(Stage::Container(container)) => {
            let stands =
                |writes| tell(&mut supervisor, &Progress::Confined { writes }).map_err(|error| error.to_string());
            let exit = podman::run(container, &confined.confinement, stands).unwrap_or_else(Exit::NotStarted);
            tell(&mut supervisor, &Progress::Ended(exit))
        }
        Ok(Stage::Last) => tell(&mut supervisor, &Progress::Confined { writes: Vec::new() }).and_then(|()| {
            let exit = run(&confined.confinement).unwrap_or_else(Exit::NotStarted);
            tell(&mut supervisor, &Progress::Ended(exit))
        }),
        Err(why) => tell(&mut supervisor, &Progress::Ended(Exit::NotStarted(why))),
    };
    if told.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn tell(supervisor: &mut File, progress: &Progress) -> io::Result<()> {
    let mut line = serde_json::to_vec(progress)?;
    line.push(b'\n');
    supervisor.write_all(&line)
}

enum Stage<'a> {
    /// This process only waits for the one that was forked.
    Outer(Pid),
    /// This process starts the task.
    Last,
    /// This process starts a container with the task in it.
    Container(&'a Container),
}

fn restrict(confined: &Confined) -> Result<Stage<'_>, String> {
    let confinement = &confined.confinement;
    let unix_sockets;
    let mut namespaces = true;
    match &confined.kind {
        Kind::Bwrap { .. } => {
            settle(confinement)?;
            landlock::restrict_scope()?;
            unix_sockets = true;
        }
        Kind::Landlock => {
            namespaces = enter_namespaces(confinement)?;
            die_with_parent()?;
            if namespaces && let Some(init) = fork_init()? {
                return Ok(Stage::Outer(init));
            }
            settle(confinement)?;
            landlock::restrict(confinement)?;
            unix_sockets = landlock::version() >= landlock::SOCKETS;
        }
        Kind::Podman(container) => {
            die_with_parent()?;
            return Ok(Stage::Container(container));
        }
        Kind::Nothing => {
            settle(confinement)?;
            return Ok(Stage::Last);
        }
    }
    drop_capabilities().map_err(|error| format!("its capabilities could not be dropped: {error}"))?;
    // The task cannot look into this process, nor change what it reports.
    prctl::set_dumpable(false).map_err(|error| format!("its memory could not be closed to others: {error}"))?;
    let affinity = confinement.limits.cpu.is_none();
    seccomp::restrict(seccomp::Filter { unix_sockets, namespaces, affinity })
        .map_err(|error| format!("its system calls could not be filtered: {error}"))?;
    Ok(Stage::Last)
}

/// Limits, and the promise that no program gives the task more rights than it has, such as sudo.
fn settle(confinement: &Confinement) -> Result<(), String> {
    limits::set(&confinement.limits).map_err(|error| format!("its limits could not be set: {error}"))?;
    prctl::set_no_new_privs().map_err(|error| format!("the kernel does not know no-new-privileges: {error}"))
}

/// Whether there are namespaces. Without them Landlock must be able to keep signals in, and the server must not be root.
fn enter_namespaces(confinement: &Confinement) -> Result<bool, String> {
    let Err(error) = namespaces::enter(confinement.network) else {
        return namespaces::write_only_to(confinement.read_write.iter().map(PathBuf::as_path))
            .map(|()| true)
            .map_err(|error| format!("the rest of the host could not be made read-only: {error}"));
    };
    let version = landlock::version();
    let why = match () {
        () if !confinement.network => "it is to run without a network".to_owned(),
        () if nix::unistd::geteuid().is_root() => "it could change the modes of root's files".to_owned(),
        () if version < landlock::SCOPES => format!(
            "it could signal the server, because the kernel's Landlock is at version {version} and keeps signals in \
             from {} on (Linux 6.12)",
            landlock::SCOPES
        ),
        () => return Ok(false),
    };
    Err(format!(
        "{why}, and the kernel gives no namespaces ({error}): allow unprivileged user namespaces, or run the server as \
         an ordinary user on Linux 6.12 or later"
    ))
}

/// Goes on as the first process of the new PID namespace, with whose end the kernel ends all others in it.
fn fork_init() -> Result<Option<Pid>, String> {
    // SAFETY: this process has one thread.
    match unsafe { fork() }.map_err(|error| format!("its first process could not be started: {error}"))? {
        ForkResult::Parent { child } => Ok(Some(child)),
        ForkResult::Child => {
            die_with_parent()?;
            Ok(None)
        }
    }
}

/// For a supervisor that is killed, by lack of memory for instance. The kernel forgets this when rights are gained, as
/// by a user namespace, so it comes after that.
fn die_with_parent() -> Result<(), String> {
    prctl::set_pdeathsig(Signal::SIGKILL).map_err(|error| format!("it could not be tied to its supervisor: {error}"))
}

/// All of them in all sets. The bounding set is only for who may change it, and only they could use it.
fn drop_capabilities() -> Result<(), caps::errors::CapsError> {
    use caps::{CapSet, Capability};
    if caps::has_cap(None, CapSet::Effective, Capability::CAP_SETPCAP)? {
        caps::clear(None, CapSet::Bounding)?;
    }
    caps::clear(None, CapSet::Ambient)?;
    caps::clear(None, CapSet::Inheritable)?;
    caps::clear(None, CapSet::Effective)?;
    caps::clear(None, CapSet::Permitted)
}

fn run(confinement: &Confinement) -> Result<Exit, String> {
    std::env::set_current_dir(&confinement.cwd)
        .map_err(|error| format!("its folder {} cannot be entered: {error}", confinement.cwd.display()))?;
    let (program, arguments) = confinement.argv.split_first().ok_or("its command is empty")?;
    let mut command = Command::new(program);
    command.args(arguments).env_clear().envs(&confinement.env).stdin(Stdio::null());
    // SAFETY: setsid is a plain system call.
    unsafe { command.pre_exec(|| Ok(setsid().map(drop)?)) };
    let child = command.spawn().map_err(|error| not_started(program, &error, confinement))?;
    let child = Pid::from_raw(child.id().cast_signed());
    loop {
        // Of everybody, since as the first process of its namespace this one inherits the orphans.
        match waitpid(None, None) {
            Ok(WaitStatus::Exited(pid, code)) if pid == child => return Ok(Exit::Code(code)),
            Ok(WaitStatus::Signaled(pid, signal, _)) if pid == child => return Ok(Exit::Signal(signal as i32)),
            Err(nix::Error::ECHILD) => return Err("it ended without a status".to_owned()),
            _ => {}
        }
    }
}

fn not_started(program: &str, error: &io::Error, confinement: &Confinement) -> String {
    let path = confinement.env.get("PATH").map_or("", String::as_str);
    match error.kind() {
        io::ErrorKind::NotFound if !program.contains('/') => {
            format!("there is no program {program:?} in its PATH ({path})")
        }
        io::ErrorKind::NotFound => format!("there is no program {program}, or not the interpreter that it names"),
        io::ErrorKind::PermissionDenied => format!("the program {program} may not be executed: {error}"),
        io::ErrorKind::ArgumentListTooLong => {
            format!("its arguments and environment are longer than the kernel allows: {error}")
        }
        _ => format!("{program}: {error}"),
    }
}
