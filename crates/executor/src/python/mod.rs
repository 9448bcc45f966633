//! Python environments: one for each set of packages of a namespace, built once and read-only to tasks.
//!
//! To install a package is to run its code, so an environment is built in the sandbox, belongs to the namespace whose
//! task asked for it, and never serves another's. It sits on top of the host's interpreter and sees what is installed
//! there, as a container sees what its image has.

mod arguments;
mod builder;
mod environments;
mod interpreter;
mod redact;
mod settings;

use std::path::PathBuf;

pub use environments::{Environment, Environments, Request};
pub use interpreter::Interpreter;
pub use settings::BuildSettings;

/// Why there is no environment. All texts may be shown to the owner of the task.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The component asks pip for something that is not done for tenants.
    #[error("{0:?} is not a pip argument that Bulkhead installs packages with")]
    Argument(String),
    /// The host has no usable Python, for this reason.
    #[error("a Python component cannot run on this host: {0}")]
    Interpreter(String),
    /// The packages could not be installed.
    #[error("installing {packages} failed: {step} {exit}{}{tail}", if tail.is_empty() { "" } else { ":\n" })]
    Install {
        packages: String,
        /// What was being done.
        step: &'static str,
        /// How that ended.
        exit: String,
        /// The last lines of its log, without credentials.
        tail: String,
    },
    /// The server could not do its own part, for instance because the disk is full.
    #[error("the environment {} could not be made: {why}", path.display())]
    Host { path: PathBuf, why: String },
}
