//! The descendants of this process: who they are, and their end.
use std::collections::{HashMap, HashSet};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, getpid, getsid};

/// So many processes are worth stopping first.
const MANY: usize = 32;

/// Kills every descendant and waits until none is left, however they fork meanwhile.
///
/// A daemon that has left its parents has become a child of this process, which is their subreaper.
pub(super) fn kill_descendants() {
    hold_still();
    loop {
        for process in descendants() {
            let _ = kill(process.pid, Signal::SIGKILL);
        }
        loop {
            match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::StillAlive) => break,
                Err(Errno::ECHILD) => return,
                _ => {}
            }
        }
        // They are dying, or have just forked: there is nothing to wait for that would cover both.
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Stops them all when there are many, before any is killed: what forks without end would else have the processors to
/// itself, and be ahead of who kills one at a time.
fn hold_still() {
    let mut held = HashSet::new();
    for _ in 0..1000 {
        let found = descendants();
        if found.len() < MANY && held.is_empty() {
            return;
        }
        let new: Vec<Pid> = found.into_iter().map(|process| process.pid).filter(|pid| held.insert(*pid)).collect();
        if new.is_empty() {
            return;
        }
        for pid in new {
            let _ = kill(pid, Signal::SIGSTOP);
        }
    }
}

/// Asks the task, not the scaffolding around it, to end.
///
/// The last stage gives the task a session of its own; the stages of the sandbox stay in the supervisor's. Had they
/// the signal too, they would take the task down before it had its grace.
pub(super) fn terminate_task() {
    let Ok(ours) = getsid(None) else { return };
    for process in descendants().into_iter().filter(|process| process.session != ours) {
        let _ = kill(process.pid, Signal::SIGTERM);
    }
}

pub(super) struct Process {
    pub(super) pid: Pid,
    parent: Pid,
    session: Pid,
    pub(super) threads: u64,
    /// Bytes of memory, those that it shares among them.
    pub(super) resident: u64,
}

impl Process {
    /// Whether it is the task's own, and no stage of the sandbox.
    pub(super) fn of_task(&self) -> bool {
        getsid(None).is_ok_and(|ours| ours != self.session)
    }
}

pub(super) fn descendants() -> Vec<Process> {
    let mut by_parent: HashMap<Pid, Vec<Process>> = HashMap::new();
    for process in processes() {
        by_parent.entry(process.parent).or_default().push(process);
    }
    let mut found = by_parent.remove(&getpid()).unwrap_or_default();
    let mut next = 0;
    while let Some(process) = found.get(next) {
        found.extend(by_parent.remove(&process.pid).unwrap_or_default());
        next += 1;
    }
    found
}

fn processes() -> impl Iterator<Item = Process> {
    // SAFETY: this reads a constant of the system.
    let page = u64::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(4096);
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(move |entry| {
        let pid = entry.file_name().to_str()?.parse().ok()?;
        let stat = std::fs::read(entry.path().join("stat")).ok()?;
        // The second field is the name, in brackets, which the process chose and which may hold anything.
        let name_end = stat.iter().rposition(|byte| *byte == b')')?;
        let rest = String::from_utf8_lossy(&stat[name_end + 1..]);
        let mut fields = rest.split_whitespace();
        let parent = fields.nth(1)?.parse().ok()?;
        let session = fields.nth(1)?.parse().ok()?;
        // The fields 20 and 24 of proc_pid_stat(5), of which the 6th was the last.
        let threads = fields.nth(13)?.parse().ok()?;
        let pages: u64 = fields.nth(3)?.parse().ok()?;
        let [pid, parent, session] = [pid, parent, session].map(Pid::from_raw);
        Some(Process { pid, parent, session, threads, resident: pages * page })
    })
}
