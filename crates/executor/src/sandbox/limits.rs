//! The limits of the kernel on a task.
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::sys::resource::{Resource, getrlimit, setrlimit};

use nix::unistd::{Pid, getppid};

use super::Limits;

/// The kernel counts all processes of a user and not those of a task, and root's not at all: this is a second wall,
/// behind the supervisor, that stands far enough off for a task not to run into those of others.
const FEWEST: u64 = 8192;

/// So much of a file may lie beyond the limit on disk that the supervisor can tell who passed it.
const BEYOND: u64 = 64 << 10;

/// Sets them for this process and its children, as far as they are below those in force. No memory is dumped to disk.
pub(super) fn set(limits: &Limits) -> nix::Result<()> {
    if let Some(cores) = limits.cpu {
        pin(cores)?;
    }
    for (_, resource, limit) in of_kernel(limits) {
        let (_, hard) = getrlimit(resource)?;
        let limit = limit.min(hard);
        setrlimit(resource, limit, limit)?;
    }
    Ok(())
}

/// What they are for the kernel, by the names that limits.conf(5) has for them.
pub(crate) fn of_kernel(limits: &Limits) -> [(&'static str, Resource, u64); 4] {
    let file_size = limits.disk.map_or(limits.file_size, |disk| limits.file_size.min(disk.saturating_add(BEYOND)));
    [
        ("nproc", Resource::RLIMIT_NPROC, limits.processes.max(FEWEST)),
        ("fsize", Resource::RLIMIT_FSIZE, file_size),
        ("nofile", Resource::RLIMIT_NOFILE, limits.open_files),
        ("core", Resource::RLIMIT_CORE, 0),
    ]
}

/// Keeps this process to as many of its processors. Tasks begin at different ones, so that they do not crowd on the first.
fn pin(cores: f64) -> nix::Result<()> {
    let this = Pid::from_raw(0);
    let allowed = sched_getaffinity(this)?;
    let allowed: Vec<usize> = (0..CpuSet::count()).filter(|cpu| allowed.is_set(*cpu).unwrap_or(false)).collect();
    // A number that is no number, or less than one processor, is one processor.
    let wanted = (cores.ceil() as usize).max(1);
    if wanted >= allowed.len() {
        return Ok(());
    }
    let mut chosen = CpuSet::new();
    let first = std::process::id().wrapping_add(getppid().as_raw().cast_unsigned()) as usize % allowed.len();
    for cpu in allowed.iter().cycle().skip(first).take(wanted) {
        chosen.set(*cpu)?;
    }
    sched_setaffinity(this, &chosen)
}
