//! ML metadata: runs, tasks and artifacts as clients of that store know them, with a number for each.
use crate::{Artifact, Namespace, RuntimeState, Task, Timestamp};
use serde_json::{Map, Value};

/// What a node of the graph is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NodeKind {
    Artifact,
    Execution,
    /// What executions and artifacts belong to.
    Context,
}

impl NodeKind {
    /// The word that rows hold.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Artifact => "ARTIFACT",
            Self::Execution => "EXECUTION",
            Self::Context => "CONTEXT",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Artifact, Self::Execution, Self::Context].into_iter().find(|kind| kind.as_str() == word)
    }
}

/// A kind of nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeType {
    pub id: i64,
    pub of: NodeKind,
    pub name: String,
}

/// A type that every namespace has, under the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SystemType {
    pub id: i64,
    pub of: NodeKind,
    pub name: &'static str,
}

impl SystemType {
    pub const PIPELINE: Self = Self::new(1, NodeKind::Context, "system.Pipeline");
    pub const RUN: Self = Self::new(2, NodeKind::Context, "system.PipelineRun");
    pub const CONTAINER: Self = Self::new(11, NodeKind::Execution, "system.ContainerExecution");
    pub const DAG: Self = Self::new(12, NodeKind::Execution, "system.DAGExecution");
    pub const IMPORTER: Self = Self::new(13, NodeKind::Execution, "system.ImporterExecution");
    /// What an artifact is of whose schema has no name.
    pub const ARTIFACT: Self = Self::new(21, NodeKind::Artifact, "system.Artifact");
    /// All of them (KFP SDK, types of artifacts; KFP 2.17, driver and launcher).
    pub const ALL: [Self; 13] = [
        Self::PIPELINE,
        Self::RUN,
        Self::CONTAINER,
        Self::DAG,
        Self::IMPORTER,
        Self::ARTIFACT,
        Self::new(22, NodeKind::Artifact, "system.Dataset"),
        Self::new(23, NodeKind::Artifact, "system.Model"),
        Self::new(24, NodeKind::Artifact, "system.Metrics"),
        Self::new(25, NodeKind::Artifact, "system.ClassificationMetrics"),
        Self::new(26, NodeKind::Artifact, "system.SlicedClassificationMetrics"),
        Self::new(27, NodeKind::Artifact, "system.HTML"),
        Self::new(28, NodeKind::Artifact, "system.Markdown"),
    ];

    const fn new(id: i64, of: NodeKind, name: &'static str) -> Self {
        Self { id, of, name }
    }

    /// The one of that number.
    pub fn by_id(id: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.id == id)
    }

    /// The one of that name.
    pub fn by_name(of: NodeKind, name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.of == of && known.name == name)
    }
}

impl From<SystemType> for NodeType {
    fn from(known: SystemType) -> Self {
        Self { id: known.id, of: known.of, name: known.name.to_owned() }
    }
}

/// An artifact, an execution or a context.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    pub id: i64,
    pub kind: NodeKind,
    pub namespace: Namespace,
    pub node_type: NodeType,
    /// Unique among those of its type in the namespace; empty for none.
    pub name: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub content: NodeContent,
}

/// What a node is here.
#[derive(Clone, Debug, PartialEq)]
pub enum NodeContent {
    Task {
        task: Box<Task>,
        /// The execution that it is inside of.
        parent: i64,
        /// The execution whose outputs these are; 0 if nothing is known of one.
        cached_from: i64,
        /// How many tasks are inside of it.
        children: i64,
    },
    /// All of a run, as an execution.
    Root {
        state: RuntimeState,
        inputs: Map<String, Value>,
        outputs: Map<String, Value>,
        /// How many tasks are inside of it, and not of one of them.
        children: i64,
    },
    Artifact(Artifact),
    /// A run, as a context.
    Run {
        pipeline_root: String,
    },
    /// All runs of a pipeline of that name.
    Pipeline,
}

/// An execution has read or written an artifact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeEvent {
    pub execution: i64,
    pub artifact: i64,
    pub is_output: bool,
    /// The name of the input or output.
    pub name: String,
    pub at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn numbers_and_names_of_types_are_their_own() {
        let ids: BTreeSet<i64> = SystemType::ALL.iter().map(|known| known.id).collect();
        let names: BTreeSet<&str> = SystemType::ALL.iter().map(|known| known.name).collect();
        assert_eq!((ids.len(), names.len()), (SystemType::ALL.len(), SystemType::ALL.len()));
        for known in SystemType::ALL {
            assert_eq!(SystemType::by_id(known.id), Some(known));
            assert_eq!(SystemType::by_name(known.of, known.name), Some(known));
        }
        assert_eq!(SystemType::by_name(NodeKind::Artifact, "system.Pipeline"), None);
    }
}
