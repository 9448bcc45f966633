//! The services, a file a resource and API version: read the request, act through the store, map the answer.
//!
//! A handler receives the scope that the gate gave its call, and passes grants from it on; it cannot act without.
//! v1beta1 and v2beta1 are two views of the same rows.
mod access_service;
mod artifacts;
mod authorize;
mod cursor;
mod echo;
mod files;
mod filter;
mod fire;
mod follow;
mod health;
mod json;
mod logs;
mod messages;
mod metadata;
mod names;
mod pace;
mod package;
mod packages;
mod pipelines;
mod policy;
mod quotas;
mod recurring_runs;
mod reports;
mod routes;
mod runs;
mod schedules;
mod streams;
mod time;
mod triggers;
mod uploads;
mod v1;
mod v2;
mod visualizations;
mod watch;
mod work;

use access::{Gate, Grant};
use api::access::{
    resource::Runs,
    verb::{Get, ReadArtifact},
};
use domain::{Namespace, Result, RunId, Task};
use futures::future::BoxFuture;
use std::{
    io::{Read, Seek},
    sync::Arc,
    time::Duration,
};
use store::Store;
use tokio::sync::watch as signal;

pub use fire::fire;
pub use messages::watched;
pub use package::MAX_PACKAGE;
pub use packages::Packages;
pub use policy::{Policies, V1};
pub use routes::{MAX_MESSAGE, routes};
pub use schedules::Schedules;

/// What runs the runs, as far as the services know it: something to be told that a run has changed.
pub trait Executor: Send + Sync + 'static {
    /// Passes if runs can be executed at all.
    ///
    /// # Errors
    /// `FailedPrecondition`, with what is missing and what to do about it.
    fn ready(&self) -> Result<()>;

    /// A run was created, is to be terminated, or is gone.
    fn wake(&self, namespace: &Namespace, run: &RunId);
}

/// What is in a file. Read again after its end, it gives what was added meanwhile.
pub trait Content: Read + Seek + Send {}

impl<T: Read + Seek + Send> Content for T {}

/// The same, whatever it is read from.
pub type Contents = Box<dyn Content>;

/// The files that tasks leave, as far as the services know them. Its functions may block, and so may reading.
pub trait Files: Send + Sync + 'static {
    /// The log of an attempt of a task, counted from 0. `None` if there is none yet.
    ///
    /// # Errors
    /// `FailedPrecondition` if it is something that cannot be read.
    fn log(&self, grant: &Grant<Get, Runs>, task: &Task, attempt: u32) -> Result<Option<Contents>>;

    /// What a task has put out under a name.
    ///
    /// # Errors
    /// `NotFound` if there is no such artifact, or no file of it; `FailedPrecondition` if it cannot be read as one.
    fn artifact(&self, grant: &Grant<ReadArtifact, Runs>, task: &Task, name: &str) -> Result<Contents>;
}

/// Fetches packages that callers name by URL, from where the installation allows it.
pub trait Fetch: Send + Sync + 'static {
    /// The file at `url`, of at most `longest` bytes.
    ///
    /// # Errors
    /// `FailedPrecondition` if nothing is fetched here, with what to do about it; `InvalidArgument` if the URL is not
    /// allowed or has no such file; `Unavailable` if it cannot be reached.
    fn fetch<'a>(&'a self, url: &'a str, longest: usize) -> BoxFuture<'a, Result<Fetched>>;
}

/// A file that was fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// The last part of the URL's path.
    pub filename: String,
    pub content: Vec<u8>,
}

/// What every service shares. Cheap to clone.
#[derive(Clone)]
pub struct Context {
    pub gate: Gate,
    pub store: Store,
    pub executor: Arc<dyn Executor>,
    pub files: Arc<dyn Files>,
    pub fetch: Arc<dyn Fetch>,
    pub settings: Arc<Settings>,
    /// Definitions that were read lately.
    pub packages: Packages,
    /// Becomes true when the server is to stop. What would go on for hours ends then.
    pub stopping: signal::Receiver<bool>,
}

/// What the services must know of the installation.
#[derive(Clone, Debug)]
pub struct Settings {
    pub multi_user: bool,
    /// What a run gets that names no service account.
    pub default_service_account: String,
    /// How long a token may hold that a caller makes.
    pub max_token_lifetime: Duration,
    /// What definitions may ask for.
    pub policies: Policies,
    pub schedules: Schedules,
    /// Bytes that a message may have, in either direction.
    pub max_message: usize,
    /// Logs and artifacts that may be read at one time.
    pub max_streams: usize,
}
