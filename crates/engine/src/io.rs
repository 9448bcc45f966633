//! What goes into a task and what comes out.
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use spec::ArtifactTypeSchema;
use std::collections::BTreeMap;

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

/// A file or folder with facts about it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Artifact {
    pub name: String,
    /// An absolute path on this host, or a URI of another place.
    pub uri: String,
    pub schema: ArtifactTypeSchema,
    pub metadata: Map<String, Value>,
}

/// Why an attempt failed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// For the user.
    pub message: String,
    pub kind: FailureKind,
}

/// What a failure says about another attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FailureKind {
    /// The task failed by its own doing. The retry policy decides.
    Error,
    /// The task was ended by something else, such as a restart of the server. The retry policy decides.
    Interrupted,
    /// The task could not be started as it is described. Another attempt would not differ, so there is none.
    Invalid,
}
