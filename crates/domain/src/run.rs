//! Runs and their tasks.
use crate::{
    ArtifactId, ExperimentId, Namespace, PipelineId, PipelineVersionId, RunId, RuntimeState, StateChange, StorageState,
    TaskId, Timestamp,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::{collections::BTreeMap, sync::Arc};

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
    pub spec: Arc<str>,
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
    /// The task that it is inside of; none in the root.
    pub parent_id: Option<TaskId>,
    /// The keys from the root to it, as `for-loop-1[3]/train`. Unique in the run.
    pub path: String,
    /// The last part of the path: the key in the DAG, and of an iteration its number too.
    pub name: String,
    pub display_name: String,
    pub kind: TaskKind,
    pub state: RuntimeState,
    pub created_at: Timestamp,
    pub started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
    /// The number of the last attempt, from 0.
    pub attempt: u32,
    pub history: Vec<StateChange>,
    pub error: Option<String>,
    /// The task whose outputs these are, if nothing was run.
    pub cached_from: Option<TaskId>,
    /// What decides its result, as a hash in hexadecimal; empty if an earlier result will not do.
    pub fingerprint: String,
    /// Not read with lists of runs, as what follows.
    pub inputs: TaskIo,
    pub outputs: TaskIo,
    /// What else the engine keeps of it, which nobody else reads.
    pub engine: String,
}

impl Task {
    /// A task that has not started, in the root of a run.
    pub fn pending(run_id: RunId, name: &str, now: Timestamp) -> Self {
        Self {
            id: TaskId::fresh(),
            run_id,
            parent_id: None,
            path: name.to_owned(),
            name: name.to_owned(),
            display_name: String::new(),
            kind: TaskKind::Runtime,
            state: RuntimeState::Pending,
            created_at: now,
            started_at: None,
            finished_at: None,
            attempt: 0,
            history: Vec::new(),
            error: None,
            cached_from: None,
            fingerprint: String::new(),
            inputs: TaskIo::default(),
            outputs: TaskIo::default(),
            engine: String::new(),
        }
    }
}

/// What goes into a task, or comes out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TaskIo {
    pub parameters: Map<String, Value>,
    pub artifacts: BTreeMap<String, Vec<Artifact>>,
}

/// A file or folder, here or elsewhere, with facts about it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Artifact {
    pub id: ArtifactId,
    pub name: String,
    /// The title of its schema, such as `system.Model`.
    pub kind: String,
    pub schema_version: String,
    pub instance_schema: String,
    /// A path on this host, or a URI of another place.
    pub uri: String,
    pub metadata: Map<String, Value>,
    /// Whether it is there, as far as is known.
    pub materialized: bool,
}

/// What a task is (KFP API v2beta1, types of tasks in the proposal for its artifact API, and importers).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskKind {
    /// A container.
    Runtime,
    Importer,
    /// A pipeline inside of a pipeline.
    Dag,
    /// All branches of an `If` with `Elif` or `Else`.
    ConditionBranch,
    Condition,
    Loop,
    LoopIteration,
    ExitHandler,
}

impl TaskKind {
    const ALL: [Self; 8] = [
        Self::Runtime,
        Self::Importer,
        Self::Dag,
        Self::ConditionBranch,
        Self::Condition,
        Self::Loop,
        Self::LoopIteration,
        Self::ExitHandler,
    ];

    /// The word that rows and messages hold.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Runtime => "RUNTIME",
            Self::Importer => "IMPORTER",
            Self::Dag => "DAG",
            Self::ConditionBranch => "CONDITION_BRANCH",
            Self::Condition => "CONDITION",
            Self::Loop => "LOOP",
            Self::LoopIteration => "LOOP_ITERATION",
            Self::ExitHandler => "EXIT_HANDLER",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
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
