//! What a task is given: its command and the parts of the host that it may touch.
use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A command and its boundaries. All paths are absolute, and are the same inside as outside.
///
/// The folders above each path must be ones that no task can write: who can replace a folder by a link decides what
/// the path means.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Confinement {
    /// The program, looked up in `PATH` of `env` unless it is a path, and its arguments.
    pub argv: Vec<String>,
    /// The whole environment of the task: nothing of the server's is added.
    pub env: BTreeMap<String, String>,
    /// The folder that the task starts in.
    pub cwd: PathBuf,
    /// What it may read and execute, beside the system's own programs and libraries.
    pub read_only: Vec<PathBuf>,
    /// What it may change. Within a path of `read_only`, or around one, the longer path decides under bwrap; Landlock
    /// adds rights up, so keep them apart.
    pub read_write: Vec<PathBuf>,
    /// Whether it has the host's network, or none.
    pub network: bool,
    /// Where its output goes: a file outside of `read_write`, which the supervisor makes and only it can write.
    pub log: PathBuf,
    /// The size at which the log is cut, in bytes.
    pub max_log: u64,
    /// How long it may run.
    pub timeout: Option<Duration>,
    pub limits: Limits,
}

/// What a task is refused or, where no kernel refuses it, is killed beyond. Lower limits of the server itself stay in force.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Limits {
    /// Processes and threads of the task.
    pub processes: u64,
    /// The size of a file, in bytes.
    pub file_size: u64,
    /// Open files of one process.
    pub open_files: u64,
    /// The memory of all its processes, in bytes; what they share counts once.
    pub memory: Option<u64>,
    /// The processors that it may use at one time, rounded up to whole ones.
    pub cpu: Option<f64>,
    /// What it may have written at one time in all of `read_write`, in bytes. What was there before counts.
    pub disk: Option<u64>,
}

impl Default for Limits {
    fn default() -> Self {
        Self { processes: 8192, file_size: 1 << 40, open_files: 65_536, memory: None, cpu: None, disk: None }
    }
}

impl Confinement {
    /// A command that may touch nothing but the system's programs, with the network, and a log of up to 64 MiB.
    pub fn new(argv: Vec<String>, cwd: PathBuf, log: PathBuf) -> Self {
        Self {
            argv,
            env: BTreeMap::new(),
            cwd,
            read_only: Vec::new(),
            read_write: Vec::new(),
            network: true,
            log,
            max_log: 64 << 20,
            timeout: None,
            limits: Limits::default(),
        }
    }

    /// Refuses what could not work, or would not confine. Without a command there may be an image that has one.
    pub(crate) fn check(&self, entry_point: bool) -> Result<(), String> {
        if !entry_point && self.argv.first().is_none_or(String::is_empty) {
            return Err("its command is empty".to_owned());
        }
        if self.argv.iter().chain(self.env.keys()).chain(self.env.values()).any(|text| text.contains('\0')) {
            return Err("its command or environment contains a NUL character".to_owned());
        }
        if let Some(name) = self.env.keys().find(|name| name.is_empty() || name.contains('=')) {
            return Err(format!("{name:?} cannot be the name of an environment variable"));
        }
        let given = || self.read_only.iter().chain(&self.read_write);
        if let Some(path) = given().chain([&self.cwd, &self.log]).find(|path| !plain(path)) {
            return Err(format!("{} is not an absolute path without \"..\"", path.display()));
        }
        if let Some(path) = given().find(|path| !path.exists()) {
            return Err(format!("{} does not exist", path.display()));
        }
        if self.read_write.iter().any(|folder| self.log.starts_with(folder)) {
            return Err(format!("its log {} lies where the task can replace it", self.log.display()));
        }
        Ok(())
    }
}

fn plain(path: &Path) -> bool {
    path.is_absolute() && path.components().all(|part| matches!(part, Component::RootDir | Component::Normal(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case::fine(|_: &mut Confinement| {}, "")]
    #[case::nothing(|c: &mut Confinement| c.argv.clear(), "command is empty")]
    #[case::no_program(|c: &mut Confinement| c.argv[0].clear(), "command is empty")]
    #[case::nul(|c: &mut Confinement| c.argv.push("a\0b".into()), "NUL")]
    #[case::variable(|c: &mut Confinement| { c.env.insert("A=B".into(), String::new()); }, "environment variable")]
    #[case::relative(|c: &mut Confinement| c.cwd = "a/b".into(), "not an absolute path")]
    #[case::upwards(|c: &mut Confinement| c.read_only.push("/usr/../root".into()), "not an absolute path")]
    #[case::absent(|c: &mut Confinement| c.read_only.push("/usr/no such thing".into()), "does not exist")]
    #[case::log_within(|c: &mut Confinement| { c.read_write.push("/usr".into()); c.log = "/usr/log".into(); }, "can replace it")]
    fn check(#[case] change: fn(&mut Confinement), #[case] expect: &str) {
        let mut confinement = Confinement::new(vec!["true".into()], "/".into(), "/var/log/task".into());
        change(&mut confinement);
        let said = confinement.check(false).err().unwrap_or_default();
        assert_eq!(said.is_empty(), expect.is_empty(), "{said}");
        assert!(said.contains(expect), "{said}");
    }
}
