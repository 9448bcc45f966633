//! Artifacts and tasks with what they come from and go into, and what clients record of runs that others execute.
use crate::{Artifact, ArtifactId, Namespace, RunId, RuntimeState, Task, TaskId, TaskKind, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Which way an artifact goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Input,
    Output,
}

impl Direction {
    /// The word that rows and messages hold.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Input => "INPUT",
            Self::Output => "OUTPUT",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Input, Self::Output].into_iter().find(|direction| direction.as_str() == word)
    }
}

/// The output that something comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Producer {
    /// The name of the task.
    pub task: String,
    pub key: String,
}

/// An artifact with where it is kept and what has made it.
#[derive(Clone, Debug, PartialEq)]
pub struct KeptArtifact {
    pub artifact: Artifact,
    pub namespace: Namespace,
    pub description: String,
    /// The number that it is, if it is one.
    pub number: Option<f64>,
    /// None if it is not known.
    pub producer: Option<Producer>,
    pub created_at: Timestamp,
}

/// That an artifact went into a task, or came out.
#[derive(Clone, Debug, PartialEq)]
pub struct ArtifactLink {
    pub id: String,
    pub artifact_id: ArtifactId,
    pub run_id: RunId,
    pub task_id: TaskId,
    pub direction: Direction,
    /// The name of the input or output.
    pub key: String,
    /// What has made the artifact, if that is known.
    pub producer: Option<Producer>,
}

/// A task with what goes in and comes out, as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct KeptTask {
    /// Its artifacts are in the lists below instead.
    pub task: Task,
    pub inputs: Vec<(String, KeptArtifact)>,
    pub outputs: Vec<(String, KeptArtifact)>,
    /// Ids and names of the first tasks inside of it, where they were asked for.
    pub children: Vec<(TaskId, String)>,
    /// What a client has recorded of it besides, if one has recorded it.
    pub recorded: Option<Recorded>,
}

/// What is kept of a recorded task, and means nothing to this server.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Recorded {
    /// Whether it stands for the run itself.
    pub root: bool,
    pub pods: Vec<Pod>,
    pub fingerprint: String,
    pub status_metadata: Map<String, Value>,
    /// Where input parameters come from, by their names.
    pub producers: BTreeMap<String, Producer>,
    pub iteration_index: Option<i64>,
    pub iteration_count: Option<i64>,
}

/// A pod that a task was executed by.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pod {
    pub name: String,
    pub uid: String,
    pub kind: String,
}

/// A task of another engine, as a client records it.
#[derive(Clone, Debug)]
pub struct NewTask {
    pub run_id: RunId,
    pub parent_id: Option<TaskId>,
    pub name: String,
    pub kind: TaskKind,
    /// Whether it stands for the run itself.
    pub is_root: bool,
    pub change: TaskChange,
}

/// What is to be changed of a recorded task; what is absent stays.
#[derive(Clone, Debug, Default)]
pub struct TaskChange {
    pub display_name: Option<String>,
    pub state: Option<RuntimeState>,
    pub error: Option<String>,
    pub created_at: Option<Timestamp>,
    pub started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
    pub inputs: Option<Map<String, Value>>,
    /// Where they come from, by their names.
    pub producers: Option<BTreeMap<String, Producer>>,
    pub outputs: Option<Map<String, Value>>,
    pub pods: Option<Vec<Pod>>,
    pub fingerprint: Option<String>,
    pub status_metadata: Option<Map<String, Value>>,
    pub iteration_index: Option<i64>,
    pub iteration_count: Option<i64>,
}

/// An artifact of a recorded task, as a client records it.
#[derive(Clone, Debug)]
pub struct NewArtifact {
    pub run_id: RunId,
    pub task_id: TaskId,
    pub direction: Direction,
    /// The name of the input or output.
    pub key: String,
    pub producer: Option<Producer>,
    pub name: String,
    pub kind: String,
    pub uri: String,
    pub description: String,
    pub metadata: Map<String, Value>,
    pub number: Option<f64>,
}

/// A link of a recorded task, as a client records it.
#[derive(Clone, Debug)]
pub struct NewLink {
    pub artifact_id: ArtifactId,
    pub run_id: RunId,
    pub task_id: TaskId,
    pub direction: Direction,
    pub key: String,
    /// What the client takes for what has made the artifact.
    pub producer: Option<Producer>,
}
