//! The limits of a task that no kernel sees to on every host: the supervisor looks how much the whole tree of its
//! processes uses, often, and never for long.
use std::path::PathBuf;
use std::time::{Duration, Instant};

use nix::unistd::Pid;

use super::disk::Disk;
use super::protocol::Exit;
use super::reap::{Process, descendants};
use crate::sandbox::{Confinement, Limits};

/// How long from one look to the next, at least. A busy host is looked at less often, see [`SHARE`].
const REST: Duration = Duration::from_millis(50);
const LONGEST_REST: Duration = Duration::from_millis(500);

/// The same, where so many processes came in between.
const SHORT_REST: Duration = Duration::from_millis(5);
const FEW: usize = 16;

/// A look that took a millisecond is followed by a rest of at least so many: looking is to cost little.
const SHARE: u32 = 10;

/// How long one look may follow the files.
const STEP: Duration = Duration::from_millis(5);

/// How long the last look at the files may take, when nothing runs any more.
const LAST: Duration = Duration::from_secs(5);

pub(super) struct Ceilings {
    limits: Limits,
    disk: Option<(u64, Disk)>,
    next: Instant,
    /// Processes, when last looked.
    seen: usize,
}

impl Ceilings {
    pub(super) fn new(confinement: &Confinement) -> Self {
        let walk = || {
            let mut disk = Disk::new(confinement.read_write.clone());
            disk.restart();
            disk
        };
        let disk = confinement.limits.disk.map(|limit| (limit, walk()));
        Self { limits: confinement.limits, disk, next: Instant::now() + REST, seen: 0 }
    }

    /// So many there may be.
    pub(super) fn limit_of_processes(&self) -> u64 {
        self.limits.processes
    }

    /// Counts what is written to these folders too.
    pub(super) fn also(&mut self, folders: Vec<PathBuf>) {
        if let Some((_, disk)) = &mut self.disk {
            disk.also(folders);
        }
    }

    /// When to look next.
    pub(super) fn next(&self) -> Instant {
        self.next
    }

    /// Looks, if it is time; the exit of a task that has passed a limit.
    pub(super) fn look(&mut self) -> Option<Exit> {
        let begin = Instant::now();
        if begin < self.next {
            return None;
        }
        let processes = descendants();
        let passed = self.processes(&processes).or_else(|| self.memory(&processes)).or_else(|| self.files(&processes));
        let end = Instant::now();
        // Who forks without end is to be seen before there is no process left for anybody.
        let grows = processes.len() > self.seen + FEW;
        self.seen = processes.len();
        self.next = end + if grows { SHORT_REST } else { ((end - begin) * SHARE).clamp(REST, LONGEST_REST) };
        passed
    }

    /// What was written right before the end, of a task that has ended.
    pub(super) fn last_look(&mut self) -> Option<Exit> {
        let (limit, disk) = self.disk.as_mut()?;
        disk.restart();
        disk.step(Instant::now() + LAST);
        (disk.written() > *limit).then_some(Exit::DiskFull { limit: *limit })
    }

    fn processes(&self, processes: &[Process]) -> Option<Exit> {
        let limit = self.limits.processes;
        let threads: u64 = processes.iter().filter(|process| process.of_task()).map(|process| process.threads).sum();
        (threads > limit).then_some(Exit::TooManyProcesses { limit })
    }

    /// Memory that processes share is counted once, but only where counting it for each would pass the limit: to find
    /// out what is shared takes the kernel a thousand times longer.
    fn memory(&self, processes: &[Process]) -> Option<Exit> {
        let limit = self.limits.memory?;
        let resident: u64 = processes.iter().map(|process| process.resident).sum();
        if resident <= limit {
            return None;
        }
        // Twice, since what one process leaves when it ends meanwhile falls to those that are looked at after it.
        let used = || processes.iter().map(proportional).sum::<u64>();
        (used() > limit && used() > limit).then_some(Exit::OutOfMemory { limit: Some(limit) })
    }

    fn files(&mut self, processes: &[Process]) -> Option<Exit> {
        let (limit, disk) = self.disk.as_mut()?;
        let whole = disk.step(Instant::now() + STEP);
        let pids: Vec<Pid> = processes.iter().map(|process| process.pid).collect();
        let passed = disk.written().saturating_add(disk.nameless(&pids)) > *limit;
        if whole && !passed {
            disk.restart();
        }
        passed.then_some(Exit::DiskFull { limit: *limit })
    }
}

/// The memory of a process in bytes, a page that it shares with others by its share; all of it where the kernel does not
/// let this process know.
fn proportional(process: &Process) -> u64 {
    let rollup = match std::fs::read_to_string(format!("/proc/{}/smaps_rollup", process.pid)) {
        Ok(rollup) => rollup,
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => return process.resident,
        // It has ended.
        Err(_) => return 0,
    };
    let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:")).unwrap_or_default();
    let kibibytes = line.trim().trim_end_matches("kB").trim().parse::<u64>();
    kibibytes.map_or(process.resident, |kibibytes| kibibytes * 1024)
}

/// How often the kernel of this host, or of its container, has ended a process because memory had run out.
pub(crate) fn oom_kills() -> Option<u64> {
    let counts = std::fs::read_to_string("/proc/vmstat").ok()?;
    counts.lines().find_map(|line| line.strip_prefix("oom_kill "))?.parse().ok()
}
