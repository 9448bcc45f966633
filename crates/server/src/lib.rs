//! The services, a file a resource and API version: read the request, act through the store, map the answer.
//!
//! A handler receives the scope that the gate gave its call, and passes grants from it on; it cannot act without.
//! v1beta1 and v2beta1 are two views of the same rows.
mod absent;
mod authorize;
mod echo;
mod filter;
mod health;
mod json;
mod names;
mod package;
mod recurring_runs;
mod reports;
mod routes;
mod runs;
mod time;
mod triggers;
mod uploads;
mod v1;
mod v2;
mod visualizations;

use access::Gate;
use domain::{Namespace, Result, RunId};
use std::sync::Arc;
use store::Store;

pub use routes::{MAX_MESSAGE, routes};

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

/// What every service shares. Cheap to clone.
#[derive(Clone)]
pub struct Context {
    pub gate: Gate,
    pub store: Store,
    pub executor: Arc<dyn Executor>,
    pub settings: Arc<Settings>,
}

/// What the services must know of the installation.
#[derive(Clone, Debug)]
pub struct Settings {
    pub multi_user: bool,
    /// What a run gets that names no service account.
    pub default_service_account: String,
}
