//! Tasks as processes: every one runs under a supervisor of its own, which outlives neither the task nor the server.
//!
//! The supervisor is this same binary with a hidden subcommand ([`supervise`]). It is a process of its own so that it
//! can adopt whatever the task leaves behind, and so that the death of the server, however sudden, is something that
//! it sees: the pipe on its standard input ends, and it kills everything.

mod ceilings;
mod cgroup;
mod disk;
mod lines;
mod log;
mod protocol;
mod reap;
mod supervisor;
mod task;

use std::process::ExitCode;

pub(crate) use ceilings::oom_kills;
pub use protocol::Exit;
use protocol::Order;
pub(crate) use protocol::{Confined, Progress};
pub use task::Task;

/// The main function of the hidden subcommand `supervise`, for a process that has one thread.
///
/// It reads one JSON document from standard input and does what that says: supervise a task, or be the last stage of
/// a sandbox. The binary calls it for `supervise` before it parses anything else, starts a thread or opens a file.
pub fn supervise() -> ExitCode {
    match lines::Lines::stdin().and_then(|mut orders| Ok((orders.order()?, orders))) {
        Ok((Some(Order::Supervise(confined)), orders)) => supervisor::run(&confined, orders),
        Ok((Some(Order::Confine(confined)), socket)) => crate::sandbox::confine(&confined, socket.into_inner()),
        Ok((None, _)) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("supervise: this subcommand is for the server's own use: {error}");
            ExitCode::FAILURE
        }
    }
}
