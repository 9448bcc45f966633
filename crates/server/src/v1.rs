//! v1beta1.
mod experiments;
mod jobs;
mod messages;
mod metrics;
mod pipelines;
mod runs;
mod tasks;

pub(crate) use api::v1 as server;
pub(crate) use experiments::Experiments;
pub(crate) use jobs::Jobs;
pub(crate) use messages::{pipeline_message, version_message};
pub(crate) use pipelines::Pipelines;
pub(crate) use runs::Runs;
pub(crate) use tasks::Tasks;
