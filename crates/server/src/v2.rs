//! v2beta1.
mod artifacts;
mod experiments;
mod lineage;
mod messages;
mod pipelines;
mod recorded;
mod recurring_runs;
mod runs;

pub(crate) use api::v2 as server;
pub(crate) use artifacts::Artifacts;
pub(crate) use experiments::Experiments;
pub(crate) use messages::{fault, pipeline_message, version_message};
pub(crate) use pipelines::Pipelines;
pub(crate) use recurring_runs::RecurringRuns;
pub(crate) use runs::Runs;
