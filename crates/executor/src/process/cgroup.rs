//! A control group for a task of a server that is root, whose processes no other limit of the kernel's counts: it holds
//! a task that forks faster than anybody can look.
//!
//! Beside the version 2 hierarchy there may be the older one, a hierarchy for each controller (cgroups(7)). Where neither
//! lets this process make groups, as in most containers, there is none, and the supervisor looks on.
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::unistd::{Pid, geteuid};

/// Every group's name begins so.
const PREFIX: &str = "bulkhead-";

/// So many processes more than the task may have: those around it, and enough for the supervisor to see that it has too
/// many and to end it, where the kernel would only refuse it more.
const ROOM: u64 = 64;

/// How long the kernel may take to let go of the last process.
const PATIENCE: u32 = 100;

/// A group with nobody in it yet. It goes with this.
pub(super) struct Cgroup {
    folder: PathBuf,
}

impl Cgroup {
    /// Makes a group for so many processes, if this is root and the host lets it.
    pub(super) fn of(processes: u64) -> Option<Self> {
        if !geteuid().is_root() {
            return None;
        }
        let cgroups = fs::read_to_string("/proc/self/cgroup").ok()?;
        let mounts = fs::read_to_string("/proc/self/mounts").ok()?;
        parents(&cgroups, &mounts).into_iter().find_map(|parent| Self::below(&parent, processes).ok())
    }

    fn below(parent: &Path, processes: u64) -> io::Result<Self> {
        remove_deserted(parent);
        let group = Self { folder: parent.join(format!("{PREFIX}{}", Pid::this())) };
        fs::create_dir(&group.folder)?;
        // Not there where the parent does not hand the controller down.
        let limit = fs::OpenOptions::new().write(true).open(group.folder.join("pids.max"));
        limit?.write_all(processes.saturating_add(ROOM).to_string().as_bytes())?;
        Ok(group)
    }

    /// Whether the kernel has refused the task a process: the supervisor may not have seen how many there were.
    pub(super) fn refused(&self) -> bool {
        let events = fs::read_to_string(self.folder.join("pids.events")).unwrap_or_default();
        events.lines().any(|line| line.strip_prefix("max ").is_some_and(|times| times != "0"))
    }

    /// Where a process writes 0 to join.
    pub(super) fn members(&self) -> PathBuf {
        self.folder.join("cgroup.procs")
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        for _ in 0..PATIENCE {
            match fs::remove_dir(&self.folder) {
                Err(error) if error.kind() == io::ErrorKind::ResourceBusy => {
                    std::thread::sleep(Duration::from_millis(5));
                }
                _ => return,
            }
        }
    }
}

/// Groups of supervisors that were killed. One with a process in it cannot be removed.
fn remove_deserted(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let supervisor = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.parse::<u32>().ok());
        if supervisor.is_some_and(|pid| !Path::new(&format!("/proc/{pid}")).exists()) {
            let _ = fs::remove_dir(entry.path());
        }
    }
}

/// Where a group with the `pids` controller may be made: below this process's own in the older hierarchy, beside it in
/// version 2, where a group with processes has no others below.
fn parents(cgroups: &str, mounts: &str) -> Vec<PathBuf> {
    let mount = |wanted: &dyn Fn(&str, &str) -> bool| {
        mounts.lines().find_map(|line| {
            let mut fields = line.split(' ').skip(1);
            let (at, kind, options) = (fields.next()?, fields.next()?, fields.next()?);
            wanted(kind, options).then(|| PathBuf::from(at))
        })
    };
    let own = |wanted: &dyn Fn(&str) -> bool| {
        cgroups.lines().find_map(|line| {
            let mut fields = line.splitn(3, ':').skip(1);
            let (controllers, path) = (fields.next()?, fields.next()?);
            wanted(controllers).then(|| path.trim_start_matches('/').to_owned())
        })
    };
    let has = |list: &str| list.split(',').any(|word| word == "pids");
    let older =
        mount(&|kind, options| kind == "cgroup" && has(options)).zip(own(&has)).map(|(mount, path)| mount.join(path));
    let newer = mount(&|kind, _| kind == "cgroup2").zip(own(&str::is_empty)).and_then(|(mount, path)| {
        let own = mount.join(path);
        if own == mount { None } else { own.parent().map(Path::to_owned) }
    });
    older.into_iter().chain(newer).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case::second_version(
        "0::/system.slice/bulkhead.service\n",
        "cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid 0 0\n",
        &["/sys/fs/cgroup/system.slice"]
    )]
    #[case::first_version(
        "8:pids:/docker/a:b\n4:memory:/else\n",
        "cgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0\ncgroup /sys/fs/cgroup/pids cgroup rw,relatime,pids 0 0\n",
        &["/sys/fs/cgroup/pids/docker/a:b"]
    )]
    #[case::both(
        "8:cpuset,pids:/\n0::/a/b\n",
        "cgroup /p cgroup rw,cpuset,pids 0 0\ncgroup2 /u cgroup2 rw 0 0\n",
        &["/p", "/u/a"]
    )]
    #[case::the_root_of_the_second_version("0::/\n", "cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n", &[])]
    #[case::none("", "proc /proc proc rw 0 0\n", &[])]
    fn where_groups_may_be_made(#[case] cgroups: &str, #[case] mounts: &str, #[case] expect: &[&str]) {
        let expect: Vec<PathBuf> = expect.iter().map(|path| Path::new(path).components().collect()).collect();
        let found: Vec<PathBuf> = parents(cgroups, mounts).iter().map(|path| path.components().collect()).collect();
        assert_eq!(found, expect);
    }
}
