//! How far a run has come. It is serialised between any two steps.
use crate::Outputs;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Where a run stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// By key in the DAG. A task that is absent is pending.
    pub tasks: BTreeMap<String, TaskState>,
    /// Who asked for the end of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancelled_by: Option<String>,
    /// The task whose failure keeps others from starting: the first that failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_failed: Option<String>,
    /// How the run ended: its outputs, or what went wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Result<Outputs, String>>,
}

/// Where a task stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TaskState {
    pub status: Status,
    /// The number of the last attempt, from 0.
    pub attempt: u32,
    /// The attempt that was the first since the run was last retried: retries are counted from it.
    #[serde(default)]
    pub first_attempt: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outputs: Option<Outputs>,
    /// Why it failed, is being tried again or was skipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl TaskState {
    /// Attempts before the last one, since the run was last retried.
    pub fn retries(&self) -> u32 {
        self.attempt.saturating_sub(self.first_attempt)
    }
}

/// The states of a task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    /// Not started.
    #[default]
    Pending,
    /// An attempt was launched and is not known to have ended.
    Running,
    /// An attempt failed and the next one is due after a while.
    Waiting,
    Succeeded,
    Failed,
    /// Never started, and never will be.
    Skipped,
}

impl Status {
    /// Nothing follows this status.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Skipped)
    }
}

impl State {
    /// Where a task stands.
    pub fn status(&self, task: &str) -> Status {
        self.tasks.get(task).map(|task| task.status).unwrap_or_default()
    }

    /// What a task gave, once it succeeded.
    pub fn outputs(&self, task: &str) -> Option<&Outputs> {
        self.tasks.get(task)?.outputs.as_ref()
    }
}
