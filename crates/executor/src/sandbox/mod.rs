//! What stands between a tenant's code and the server that it runs beside.
//!
//! Two kinds of walls, beside containers ([`crate::podman`]). **bwrap** gives a task namespaces of its own: it sees the system read-only, its own folder, its
//! own processes, and nothing else. **Landlock** is for hosts without bwrap or without the right to make namespaces:
//! the task sees all names and may open only what is listed. Around both: no new privileges, no capabilities, a filter
//! of system calls ([`seccomp`]), limits, an environment that is exactly what was given, and a supervisor.
//!
//! What remains, and is to be known:
//!
//! - A server that is root runs its tasks with root's user id and none of its powers, since the files that a task
//!   needs belong to root (in bwrap the task sees itself as `nobody`). The kernel's limit on processes does not bind
//!   root, and a task that forks without end can be faster than the supervisor; whatever root owns *and* the sandbox
//!   shows is the task's to read: so run the server as an ordinary user.
//! - A task with a network shares the host's: services that trust anybody on loopback trust tasks.
//! - Under Landlock there is no `/proc`, no `/sys` and no `/dev/shm`, hence no POSIX semaphores; before Landlock's
//!   ninth version tasks cannot open Unix sockets either, because a session bus among the host's would run anything for
//!   them. A task can find out whether a path exists that it knows by name, and how large the file is.
//! - Under Landlock on a host that gives no namespaces at all, a change of a file's mode is silently left undone: such
//!   changes are beyond Landlock, and would reach the server's files. Times of files, which a task could still change,
//!   are nothing to rely on there.
//! - Tasks of one server share its disk, memory and processors, within the limits. Of these the supervisor sees to
//!   memory, disk and processes by looking, so a task can pass them for a moment.

mod bwrap;
mod confinement;
mod detect;
mod landlock;
mod limits;
mod namespaces;
mod remove;
mod seccomp;
mod stage;
mod system;

use std::fmt;
use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use confinement::{Confinement, Limits};
pub(crate) use detect::find;
pub use detect::{Choice, Unavailable, detect};
pub(crate) use limits::of_kernel;
pub(crate) use seccomp::profile;
pub(crate) use stage::{command, confine};
pub(crate) use system::shows;

use crate::podman::Container;
use crate::process::{Confined, Task};

/// The walls that a sandbox is made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// bubblewrap, at this path.
    Bwrap {
        path: PathBuf,
        /// Whether it makes a user namespace; else it was installed with the right to do without, or the server is root.
        user_namespace: bool,
    },
    /// The kernel's Landlock.
    Landlock,
    /// A container of podman's, made for one task.
    Podman(Box<Container>),
    /// None: the task can do what the server can. For a user who runs their own code on their own machine.
    Nothing,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Kind::Bwrap { path, .. } => write!(f, "bwrap ({})", path.display()),
            Kind::Landlock => f.write_str("Landlock"),
            Kind::Podman(container) => container.fmt(f),
            Kind::Nothing => f.write_str("none"),
        }
    }
}

/// A way to run tasks that was found to work on this host.
#[derive(Clone, Debug)]
pub struct Sandbox {
    kind: Kind,
    supervisor: PathBuf,
}

impl Sandbox {
    pub fn kind(&self) -> &Kind {
        &self.kind
    }

    /// Starts a task.
    ///
    /// # Errors
    ///
    /// Only when its supervisor could not be started. That the task itself could not be is what [`Task::wait`] says.
    pub async fn start(&self, confinement: Confinement) -> io::Result<Task> {
        Task::start(&self.supervisor, Confined { kind: self.kind.clone(), confinement }).await
    }
}
