//! The arguments of bubblewrap.
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::system::{PROGRAMS, SETTINGS};
use super::{Confinement, Limits};

/// Where the last stage of the sandbox finds its program. It holds no secret.
const STAGE: &str = "/run/bulkhead/supervise";

/// `nobody`. Inside its user namespace the task is this, whoever runs the server.
const NOBODY: &str = "65534";

/// All arguments, up to and including the command: the last stage, which reads on standard input what to run.
///
/// Paths are absolute and stand where an option expects its fixed number of arguments, so none is taken for an option.
/// Nothing secret is among them, since other users of the host can read the arguments of a process. There is no
/// `--new-session`: the last stage gives the task a session, and the supervisor tells by the session what is the task's.
pub(super) fn arguments(confinement: &Confinement, user_namespace: bool, program: &Path) -> Vec<OsString> {
    let mut arguments = Arguments::default();
    if user_namespace {
        arguments.add(&["--unshare-user", "--uid", NOBODY, "--gid", NOBODY]);
    }
    arguments.add(&["--unshare-ipc", "--unshare-pid", "--unshare-uts", "--unshare-cgroup-try"]);
    if !confinement.network {
        arguments.add(&["--unshare-net"]);
    }
    arguments.add(&["--die-with-parent", "--as-pid-1", "--cap-drop", "ALL", "--hostname", "bulkhead"]);
    arguments.add(&["--proc", "/proc", "--dev", "/dev"]);
    for folder in ["/dev/shm", "/tmp", "/run"] {
        if let Some(size) = in_memory(confinement) {
            arguments.add(&["--size", &size.to_string()]);
        }
        arguments.add(&["--tmpfs", folder]);
    }
    arguments.add(&["--dir", "/var"]);
    arguments.add(&["--symlink", "../tmp", "/var/tmp", "--symlink", "../run", "/var/run"]);
    for folder in PROGRAMS {
        arguments.program_folder(Path::new(folder));
    }
    for file in SETTINGS.iter().map(Path::new).filter(|file| file.exists()) {
        arguments.bind("--ro-bind", file);
    }
    for (option, path) in given(confinement) {
        arguments.bind(option, path);
    }
    arguments.add(&["--ro-bind"]);
    arguments.0.extend([program.into(), STAGE.into()]);
    // Where root's id is kept, root's files in /proc/sys would be writable, and they rule the whole host.
    arguments.add(&[
        "--remount-ro",
        "/proc",
        "--remount-ro",
        "/dev",
        "--remount-ro",
        "/",
        "--chdir",
        "/",
        "--",
        STAGE,
        "supervise",
    ]);
    arguments.0
}

/// What each folder in memory may hold. None of it shows in the memory of a process.
fn in_memory(confinement: &Confinement) -> Option<u64> {
    let Limits { memory, disk, .. } = confinement.limits;
    // No size at all would be no limit.
    memory.into_iter().chain(disk).min().map(|size| size.max(4096))
}

/// The paths of the task, the outer ones first, so that the longer path decides.
fn given(confinement: &Confinement) -> Vec<(&'static str, &PathBuf)> {
    let read_only = confinement.read_only.iter().map(|path| ("--ro-bind", path));
    let read_write = confinement.read_write.iter().map(|path| ("--bind", path));
    let mut given: Vec<_> = read_only.chain(read_write).collect();
    given.sort_by_key(|(_, path)| path.as_os_str().as_bytes().len());
    given
}

#[derive(Default)]
struct Arguments(Vec<OsString>);

impl Arguments {
    fn add(&mut self, arguments: &[&str]) {
        self.0.extend(arguments.iter().map(OsString::from));
    }

    fn bind(&mut self, option: &str, path: &Path) {
        self.0.extend([option.into(), path.into(), path.into()]);
    }

    /// Links such as `/bin -> usr/bin` stay links.
    fn program_folder(&mut self, folder: &Path) {
        match std::fs::read_link(folder) {
            Ok(target) => self.0.extend(["--symlink".into(), target.into(), folder.into()]),
            Err(_) if folder.is_dir() => self.bind("--ro-bind", folder),
            Err(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_looks_like_an_option_is_no_option() {
        let mut confinement = Confinement::new(vec!["--bind".into()], "/".into(), "/log".into());
        confinement.read_only = vec!["/--bind /".into()];
        confinement.read_write = vec!["/--bind".into()];
        let arguments = arguments(&confinement, true, Path::new("/opt/server"));
        let at = |text: &str| arguments.iter().position(|argument| argument == text).unwrap();
        assert_eq!(arguments[at("/--bind") - 1], "--bind");
        assert_eq!(arguments[at("/--bind /") - 1], "--ro-bind");
        assert!(at("/--bind") < at("/--bind /"), "outer before inner");
        assert!(arguments.ends_with(&["--".into(), STAGE.into(), "supervise".into()]), "the command is not in sight");
    }
}
