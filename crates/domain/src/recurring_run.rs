//! Recurring runs: what is to be run, and when.
use crate::{ExperimentId, Fault, Namespace, PipelineId, RecurringRunId, Source, Timestamp};
use serde_json::{Map, Value};

/// When a recurring run makes runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// As soon as it is there, and never again.
    Once,
    Cron {
        /// As the caller wrote it; `scheduler::Cron` reads it.
        cron: String,
        /// The IANA name of the time zone that it is in; empty for UTC.
        zone: String,
        start: Option<Timestamp>,
        end: Option<Timestamp>,
    },
    Periodic {
        interval_seconds: i64,
        start: Option<Timestamp>,
        end: Option<Timestamp>,
    },
}

/// What the runs of a recurring run execute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Executes {
    /// One text for all, kept here, so that its version may go.
    Pinned { source: Source, spec: String },
    /// Each takes the version that is the latest when it is made.
    Latest(PipelineId),
}

/// A schedule with what it starts.
#[derive(Clone, Debug, PartialEq)]
pub struct RecurringRun {
    pub id: RecurringRunId,
    pub namespace: Namespace,
    pub experiment_id: ExperimentId,
    pub name: String,
    pub description: String,
    pub service_account: String,
    pub executes: Executes,
    /// As the caller gave them: no defaults, no expansion.
    pub parameters: Map<String, Value>,
    pub pipeline_root: String,
    pub trigger: Trigger,
    /// How many of its runs may go on at one time.
    pub max_concurrency: i64,
    /// Whether runs that were missed are made up for.
    pub catchup: bool,
    pub enabled: bool,
    pub created_at: Timestamp,
    /// When it was last enabled or disabled.
    pub updated_at: Timestamp,
    pub created_by: String,
    /// What keeps it from making runs, since that came about.
    pub fault: Option<Fault>,
}

/// What a caller decides about a recurring run, checked and resolved.
#[derive(Clone, Debug)]
pub struct NewRecurringRun {
    pub experiment_id: ExperimentId,
    pub name: String,
    pub description: String,
    pub service_account: String,
    pub executes: Executes,
    pub parameters: Map<String, Value>,
    pub pipeline_root: String,
    pub trigger: Trigger,
    pub max_concurrency: i64,
    pub catchup: bool,
    pub enabled: bool,
}
