//! Runs as subprocesses of this host: the engine decides, the sandbox runs, the store remembers.
//!
//! [`start`] takes up every run that has not ended, and from then on whatever [`Handle::wake`] names. Each run is
//! driven by a task of its own, which stores every step before it acts on it, so that the server can be killed at any
//! moment and go on from there.
mod attempt;
mod cache;
mod drive;
mod files;
mod folders;
mod import;
mod look_out;
mod observe;
mod records;
mod service;
mod slots;
mod sweep;

pub use engine::Rules;
pub use files::Files;
pub use observe::{Happened, Observe, TaskEnd};

use crate::{
    podman::Podman,
    python::Environments,
    sandbox::{Limits, Sandbox},
};
use access::System;
use domain::{Clock, Namespace, RunId};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};
use store::Store;
use tokio::{sync::mpsc, task::JoinHandle};
use tokio_util::sync::CancellationToken;

/// How the runs of this host are executed.
#[derive(Clone, Debug)]
pub struct Options {
    /// The folder of all tenants' files: absolute, without symbolic links, and the server's alone.
    pub folder: PathBuf,
    /// Tasks that run at one time, of all runs together.
    pub max_tasks: usize,
    /// Those of one namespace. All but one where nothing is said, so that no other ever waits for all of its tasks.
    pub max_namespace_tasks: Option<usize>,
    /// Whether tasks have the host's network.
    pub network: bool,
    /// Namespaces whose tasks have none all the same.
    pub offline: BTreeSet<String>,
    /// How long a task may run.
    pub task_timeout: Option<Duration>,
    /// The size at which a task's log is cut, in bytes.
    pub max_log: u64,
    /// What the installation decides about how runs proceed.
    pub rules: Rules,
    /// How long an environment may be unused before it is removed.
    pub environment_max_age: Option<Duration>,
    /// How old an earlier result may be that will do for a task.
    pub cache_max_age: Option<Duration>,
    /// What a task may use of this host.
    pub limits: Limits,
    /// Variables of every container, for the task to see.
    pub container_env: BTreeMap<String, String>,
    /// Whether other servers have the same database, who may make, end or retry a run and do not tell.
    pub others_make_runs: bool,
}

/// Looks for earlier results at one time: half of the database's readers.
const LOOK_UPS: usize = 4;

/// What the runs share.
struct Shared {
    options: Options,
    store: Store,
    system: Arc<System>,
    sandbox: Sandbox,
    podman: Option<Podman>,
    environments: Environments,
    slots: slots::Slots,
    /// Turns at looking for earlier results.
    look_ups: slots::Slots,
    clock: Arc<dyn Clock>,
    observer: Arc<dyn Observe>,
}

/// A run that something has happened to.
struct Wake {
    namespace: Namespace,
    run: RunId,
    cause: Cause,
}

/// What has made something happen.
#[derive(Clone, Debug)]
pub struct Cause {
    /// The id of a request. Empty where it was none.
    pub request_id: Arc<str>,
    /// The span of its trace.
    pub span: tracing::Span,
}

/// Tells the executor of runs. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Handle {
    wakes: mpsc::UnboundedSender<Wake>,
    stop: CancellationToken,
}

impl Handle {
    /// A run was created, is to be terminated, or is gone.
    pub fn wake(&self, namespace: &Namespace, run: &RunId) {
        self.wake_for(namespace, run, Cause { request_id: Arc::default(), span: tracing::Span::none() });
    }

    /// The same by a request, whose id is in the log lines about the run from here on, and which the run's trace names.
    pub fn wake_for(&self, namespace: &Namespace, run: &RunId, cause: Cause) {
        let (namespace, run) = (namespace.clone(), run.clone());
        // Nobody listens any more when the server is on its way down; the next one takes the run up.
        let _ = self.wakes.send(Wake { namespace, run, cause });
    }

    /// Ends the executor: running tasks are killed, and taken for interrupted by the next server.
    pub fn stop(&self) {
        self.stop.cancel();
    }
}

/// What the executor is made of.
pub struct Parts {
    pub store: Store,
    pub system: Arc<System>,
    pub sandbox: Sandbox,
    /// Runs tasks in their images, where it is there; else they are processes of this host, in the sandbox.
    pub podman: Option<Podman>,
    pub environments: Environments,
    pub observer: Arc<dyn Observe>,
}

/// Starts the executor.
///
/// # Errors
/// If the store cannot say which runs have not ended.
pub async fn start(options: Options, parts: Parts, clock: Arc<dyn Clock>) -> domain::Result<(Handle, JoinHandle<()>)> {
    let Parts { store, system, sandbox, podman, environments, observer } = parts;
    if let Some(podman) = &podman
        && let Err(error) = podman.sweep().await
    {
        tracing::warn!(%error, "containers of an earlier server may be left");
    }
    let unfinished = store.unfinished_runs(&system.everywhere("take up runs that have not ended")).await?;
    let slots = slots::Slots::new(options.max_tasks, options.max_namespace_tasks);
    let look_ups = slots::Slots::new(LOOK_UPS, None);
    let shared =
        Arc::new(Shared { options, store, system, sandbox, podman, environments, slots, look_ups, clock, observer });
    let (wakes, incoming) = mpsc::unbounded_channel();
    let handle = Handle { wakes, stop: CancellationToken::new() };
    if !unfinished.is_empty() {
        tracing::info!(runs = unfinished.len(), "taking up the runs that have not ended");
    }
    for (run, namespace) in unfinished {
        handle.wake(&namespace, &run);
    }
    let sweep = sweep::sweep(shared.clone());
    let look_out = look_out::look_out(shared.clone(), handle.clone());
    let sweep = async {
        tokio::join!(sweep, look_out);
    };
    let service = tokio::spawn(service::serve(shared, sweep, incoming, handle.stop.clone()));
    Ok((handle, service))
}
