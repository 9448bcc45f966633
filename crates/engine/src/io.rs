//! What goes into a task and what comes out.
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use spec::ArtifactTypeSchema;
use std::{collections::BTreeMap, time::Duration};

/// What a task is given. Parameters that it does not get are absent: their defaults are the launcher's to fill.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Inputs {
    pub parameters: Map<String, Value>,
    pub artifacts: BTreeMap<String, Vec<Artifact>>,
}

/// What a task, or a run, gave.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Outputs {
    pub parameters: Map<String, Value>,
    pub artifacts: BTreeMap<String, Vec<Artifact>>,
}

impl Inputs {
    /// About how many bytes it takes.
    pub(crate) fn size(&self) -> usize {
        size(&self.parameters, &self.artifacts)
    }
}

impl Outputs {
    /// About how many bytes it takes.
    pub(crate) fn size(&self) -> usize {
        size(&self.parameters, &self.artifacts)
    }
}

fn size(parameters: &Map<String, Value>, artifacts: &BTreeMap<String, Vec<Artifact>>) -> usize {
    let artifacts = artifacts.values().flatten();
    fields(parameters) + artifacts.map(|artifact| 200 + artifact.uri.len() + fields(&artifact.metadata)).sum::<usize>()
}

fn fields(map: &Map<String, Value>) -> usize {
    map.iter().map(|(key, value)| 50 + key.len() + of_value(value)).sum()
}

fn of_value(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(|item| 32 + of_value(item)).sum(),
        Value::Object(map) => fields(map),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}

/// A file or folder with facts about it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Artifact {
    /// The id under which it is stored. Who made it gives it; it stays the same wherever the artifact goes.
    pub id: String,
    pub name: String,
    /// An absolute path on this host, or a URI of another place.
    pub uri: String,
    pub schema: ArtifactTypeSchema,
    pub metadata: Map<String, Value>,
    /// Whether it is known to be absent although its task succeeded: upstream only warns of that.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub missing: bool,
}

/// How an attempt, an import or a look into the cache ended well.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Success {
    pub outputs: Outputs,
    /// The id of the task whose outputs these are, if nothing was run.
    pub cached_from: Option<String>,
}

/// Why an attempt failed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// For the user.
    pub message: String,
    pub kind: FailureKind,
    /// What there is all the same, such as a log.
    pub outputs: Outputs,
}

/// What a failure says about another attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FailureKind {
    /// The task failed by its own doing. The retry policy decides.
    Error,
    /// The machine failed the task, which may have done nothing wrong: a few attempts are on it, whatever the policy
    /// (what Argo's `OnError` is for a cluster).
    Infrastructure,
    /// The server restarted while the task was running. The retry policy decides, unless the operator wants more.
    Restart,
    /// The task could not be started as it is described. Another attempt would not differ, so there is none.
    Invalid,
}

/// What is to be run, with all that was worked out about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Work {
    pub inputs: Inputs,
    /// SHA-256 of all that decides what the task gives, in hexadecimal; none if an earlier result will not do.
    pub fingerprint: Option<String>,
    pub timeout: Option<Duration>,
    /// What it needs that only a cluster has, in words.
    pub lacking: Option<String>,
    /// Whether it is to have the folder that the tasks of the run share.
    pub workspace: bool,
    pub kind: WorkKind,
}

/// The two kinds of work that something else than the engine does.
#[derive(Clone, Debug, PartialEq)]
pub enum WorkKind {
    /// Run the container of the task.
    Container,
    /// Make an artifact known that exists elsewhere.
    Import(Import),
}

/// An artifact that exists elsewhere.
#[derive(Clone, Debug, PartialEq)]
pub struct Import {
    /// The name of the output that it becomes.
    pub output: String,
    pub uri: String,
    pub schema: ArtifactTypeSchema,
    pub metadata: Map<String, Value>,
    /// Whether it becomes a new artifact even where the pipeline has imported the same before.
    pub reimport: bool,
    /// Whether it is copied into the run's workspace.
    pub to_workspace: bool,
}
