//! What the server, the supervisor and the last stage of a sandbox say to each other: JSON, a line each.
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use nix::sys::signal::Signal;
use serde::{Deserialize, Serialize};

use crate::podman::Container;
use crate::sandbox::{Confinement, Kind};

/// How a task ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Exit {
    /// It ended by itself, with this exit code.
    Code(i32),
    /// This signal ended it.
    Signal(i32),
    /// It ran for longer than it was allowed to, and was killed.
    TimedOut,
    /// Its processes together took more memory than this many bytes, and were killed; none where memory ran out on the
    /// host, and the kernel ended it.
    OutOfMemory { limit: Option<u64> },
    /// It wrote more than this many bytes, and was killed.
    DiskFull { limit: u64 },
    /// It had more than so many processes and threads, and was killed.
    TooManyProcesses { limit: u64 },
    /// It could not be started, for this reason.
    NotStarted(String),
    /// It was running and what watched it went away, so that nobody knows how it ended. Nothing of it is left.
    Lost(String),
}

impl Exit {
    /// Whether the task ended by itself with exit code 0.
    pub fn success(&self) -> bool {
        *self == Exit::Code(0)
    }

    /// Whether the host is to blame and not the task, so that another attempt may go well.
    pub fn infrastructure(&self) -> bool {
        match self {
            Exit::Lost(_) | Exit::OutOfMemory { limit: None } => true,
            Exit::Code(_) | Exit::Signal(_) | Exit::TimedOut | Exit::NotStarted(_) => false,
            Exit::OutOfMemory { .. } | Exit::DiskFull { .. } | Exit::TooManyProcesses { .. } => false,
        }
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Exit::Code(code) => write!(f, "exited with code {code}"),
            Exit::Signal(signal) => match Signal::try_from(*signal) {
                Ok(name) => write!(f, "was ended by signal {signal} ({name})"),
                Err(_) => write!(f, "was ended by signal {signal}"),
            },
            Exit::TimedOut => f.write_str("ran for longer than its timeout and was killed"),
            Exit::OutOfMemory { limit: Some(limit) } => {
                write!(f, "used more memory than its limit of {limit} bytes and was killed")
            }
            Exit::OutOfMemory { limit: None } => {
                f.write_str("was killed by the kernel because the host ran out of memory")
            }
            Exit::DiskFull { limit } => {
                write!(f, "wrote more to disk than its limit of {limit} bytes and was killed")
            }
            Exit::TooManyProcesses { limit } => {
                write!(f, "started more processes and threads than its limit of {limit} and was killed")
            }
            Exit::NotStarted(why) => write!(f, "could not be started: {why}"),
            Exit::Lost(why) => write!(f, "was lost: {why}"),
        }
    }
}

/// A task and the sandbox that it runs in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Confined {
    pub(crate) kind: Kind,
    pub(crate) confinement: Confinement,
}

impl Confined {
    /// The container that the task runs in, if it does.
    pub(crate) fn container(&self) -> Option<Container> {
        match &self.kind {
            Kind::Podman(container) => Some((**container).clone()),
            _ => None,
        }
    }
}

/// The first line on standard input of the hidden subcommand: which of its two parts it plays.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Order {
    Supervise(Confined),
    Confine(Confined),
}

/// The lines after the first that a server sends to a supervisor.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Message {
    /// SIGTERM to the task, and SIGKILL to what is left of it after `grace`.
    Stop { grace: Duration },
}

/// What the last stage of a sandbox tells its supervisor.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Progress {
    /// The sandbox stands; what goes wrong from here on is the task's. It writes to these folders beside those that it was
    /// given.
    Confined { writes: Vec<PathBuf> },
    /// The task has ended, or could not be started.
    Ended(Exit),
}
