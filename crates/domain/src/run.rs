//! Runs and their tasks.
use crate::{
    ExperimentId, Namespace, PipelineId, PipelineVersionId, RunId, RuntimeState, StateChange, StorageState, TaskId,
    Timestamp,
};
use serde_json::{Map, Value};

/// Where the definition of a run came from. The run keeps a copy of the text either way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    Version {
        pipeline_id: PipelineId,
        version_id: PipelineVersionId,
        version_name: String,
    },
    /// The request carried it.
    Inline,
}

/// One execution of a pipeline.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    pub id: RunId,
    pub namespace: Namespace,
    pub experiment_id: ExperimentId,
    pub name: String,
    pub description: String,
    pub storage_state: StorageState,
    pub service_account: String,
    pub source: Source,
    /// The canonical text of the package.
    pub spec: String,
    /// As the caller gave them: no defaults, no expansion.
    pub parameters: Map<String, Value>,
    pub pipeline_root: String,
    pub created_at: Timestamp,
    pub scheduled_at: Timestamp,
    pub finished_at: Option<Timestamp>,
    pub state: RuntimeState,
    pub history: Vec<StateChange>,
    pub error: Option<String>,
    pub recurring_run_id: String,
    pub created_by: String,
    /// Who asked for its end, while and after it is being terminated.
    pub terminated_by: Option<String>,
    pub tasks: Vec<Task>,
}

/// What a caller decides about a run, checked and resolved.
#[derive(Clone, Debug)]
pub struct NewRun {
    pub experiment_id: ExperimentId,
    pub name: String,
    pub description: String,
    pub service_account: String,
    pub source: Source,
    pub spec: String,
    pub parameters: Map<String, Value>,
    pub pipeline_root: String,
}

/// One task of a run, as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    pub id: TaskId,
    pub run_id: RunId,
    /// The key in the DAG.
    pub name: String,
    pub display_name: String,
    pub state: RuntimeState,
    pub created_at: Timestamp,
    pub started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
    /// The number of the last attempt, from 0.
    pub attempt: u32,
    pub history: Vec<StateChange>,
    pub error: Option<String>,
}
