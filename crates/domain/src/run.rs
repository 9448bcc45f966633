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

/// What executes a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// This server.
    Local,
    /// Another engine, whose agent reports what becomes of it.
    Reported,
}

impl Backend {
    /// The word that rows hold.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Reported => "reported",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Local, Self::Reported].into_iter().find(|backend| backend.as_str() == word)
    }
}

/// A number that a task of a v1 run has reported. Name and node identify it within the run.
#[derive(Clone, Debug, PartialEq)]
pub struct Metric {
    pub node_id: String,
    pub name: String,
    pub value: f64,
    pub format: MetricFormat,
}

/// How a metric is shown (KFP API v1beta1, `RunMetric.Format`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MetricFormat {
    #[default]
    Unspecified,
    Raw,
    Percentage,
}

impl MetricFormat {
    /// The name in v1beta1, which is also what rows hold.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unspecified => "UNSPECIFIED",
            Self::Raw => "RAW",
            Self::Percentage => "PERCENTAGE",
        }
    }

    /// Reads the name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Unspecified, Self::Raw, Self::Percentage].into_iter().find(|format| format.as_str() == name)
    }
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
    pub backend: Backend,
    pub tasks: Vec<Task>,
    pub metrics: Vec<Metric>,
}

/// What a caller decides about a run, checked and resolved.
#[derive(Clone, Debug)]
pub struct NewRun {
    /// The id that somebody has chosen who reports runs; a fresh one otherwise.
    pub id: Option<RunId>,
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

/// A task that somebody else has executed and reported (KFP API v1beta1, `Task`).
#[derive(Clone, Debug, PartialEq)]
pub struct ReportedTask {
    pub id: TaskId,
    pub namespace: Namespace,
    pub run_id: RunId,
    pub pipeline_name: String,
    /// Its execution in another metadata store.
    pub execution_id: String,
    pub fingerprint: String,
    pub created_at: Timestamp,
    pub finished_at: Option<Timestamp>,
}

/// What an agent tells of a run that another engine executes.
#[derive(Clone, Debug)]
pub struct WorkflowReport {
    pub run_id: RunId,
    pub namespace: Namespace,
    /// The name of the workflow.
    pub name: String,
    /// The recurring run that made it, if one did.
    pub recurring_run_id: Option<String>,
    pub state: RuntimeState,
    pub error: Option<String>,
    pub scheduled_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
    pub nodes: Vec<ReportedNode>,
    /// The whole workflow, as JSON.
    pub workflow: String,
}

/// One node of a reported workflow.
#[derive(Clone, Debug)]
pub struct ReportedNode {
    pub id: String,
    pub display_name: String,
    pub state: RuntimeState,
    pub error: Option<String>,
    pub started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
}
