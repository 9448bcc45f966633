//! How far a run has come: a tree of nodes, each of which is stored by itself whenever it changes.
use crate::{Inputs, Outputs};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{collections::BTreeSet, sync::OnceLock};

/// One node of a run, counted from 0 in the order in which they came to be. The first is the root.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeId(pub u32);

impl NodeId {
    pub const ROOT: Self = Self(0);

    fn at(self) -> usize {
        self.0 as usize
    }
}

/// Where a run stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    pub(crate) nodes: Vec<Node>,
    pub(crate) links: Vec<Links>,
    pub(crate) run: RunState,
    /// The nodes that were made or changed since they were last stored.
    pub(crate) changed: BTreeSet<NodeId>,
    /// About how many bytes went into nodes and came out.
    pub(crate) bytes: usize,
}

/// What is known of the run as a whole.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RunState {
    /// When it began, or was last retried, in microseconds since the epoch, as who drives it says.
    #[serde(default)]
    pub began: i64,
    /// Why the run is being ended before its time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<String>,
    /// How the run ended: its outputs, or what went wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Result<Outputs, String>>,
}

/// Where a task stands, an iteration of one, or the root.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Node {
    pub id: NodeId,
    /// None for the root.
    pub parent: Option<NodeId>,
    pub place: Place,
    pub status: Status,
    /// The number of the last attempt, from 0.
    #[serde(default)]
    pub attempt: u32,
    /// The attempt that was the first since the run was last retried: retries are counted from it.
    #[serde(default)]
    pub first_attempt: u32,
    /// Attempts since then that failed through no fault of the task.
    #[serde(default)]
    pub unlucky: u32,
    /// The child that failed first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_failed: Option<NodeId>,
    /// The id of the task whose outputs these are, if nothing was run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cached_from: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// Why it failed, is being tried again or was skipped. Stored beside this, as what follows.
    #[serde(skip)]
    pub error: Option<String>,
    /// What it was given, once that is worked out; of an iteration, the item alone.
    #[serde(skip)]
    pub inputs: Inputs,
    /// What it gave, once it succeeded.
    #[serde(skip)]
    pub outputs: Option<Outputs>,
}

/// Where in its parent a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Place {
    Root,
    /// The task at this place of the parent's DAG.
    Task(usize),
    /// This iteration of the parent, which is a loop.
    Iteration(usize),
}

/// What follows from the nodes, kept at hand.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Links {
    /// The children, in their order: the tasks of a DAG, or the iterations that have begun.
    pub(crate) children: Vec<NodeId>,
    /// How many of them have not ended.
    pub(crate) open: usize,
    /// Of a loop over a text, the list that is in it.
    pub(crate) items: Items,
}

/// Worked out when first asked for. It follows from an input, so that it makes no two states different.
#[derive(Clone, Debug, Default)]
pub(crate) struct Items(pub(crate) OnceLock<Vec<Value>>);

impl PartialEq for Items {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// The states of a node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    /// Not started.
    #[default]
    Pending,
    /// An attempt was launched and has not begun.
    Queued,
    /// An attempt has begun and is not known to have ended; or what is inside is under way.
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
    /// Puts a stored state together again.
    ///
    /// # Errors
    /// A message for the operator, if the nodes are not those of one state.
    pub fn restore(run: RunState, mut nodes: Vec<Node>) -> Result<Self, String> {
        nodes.sort_by_key(|node| node.id);
        let mut links = vec![Links::default(); nodes.len()];
        for (at, node) in nodes.iter().enumerate() {
            let parent = node.parent.map(NodeId::at);
            if node.id.at() != at || parent.is_some_and(|parent| parent >= at) || parent.is_none() != (at == 0) {
                return Err(format!("task number {at} of the run is missing or out of place"));
            }
            let Some(parent) = parent else { continue };
            links[parent].children.push(node.id);
            links[parent].open += usize::from(!node.status.is_final());
        }
        let bytes = |node: &Node| node.inputs.size() + node.outputs.as_ref().map_or(0, Outputs::size);
        let bytes = nodes.iter().map(bytes).sum();
        Ok(Self { nodes, links, run, changed: BTreeSet::new(), bytes })
    }

    /// What is known of the run as a whole.
    pub fn run(&self) -> &RunState {
        &self.run
    }

    /// All nodes, parents before their children.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// A node that there is.
    pub fn node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(id.at())
    }

    /// Has it remembered when the run began, or was retried.
    pub fn begin_at(&mut self, micros: i64) {
        self.run.began = micros;
    }

    /// Takes the nodes that have changed since this was last asked.
    pub fn take_changed(&mut self) -> impl Iterator<Item = NodeId> + use<> {
        std::mem::take(&mut self.changed).into_iter()
    }

    /// The children of a node.
    pub fn children(&self, id: NodeId) -> &[NodeId] {
        self.links.get(id.at()).map(|links| links.children.as_slice()).unwrap_or_default()
    }

    pub(crate) fn links(&self, id: NodeId) -> &Links {
        &self.links[id.at()]
    }

    pub(crate) fn links_mut(&mut self, id: NodeId) -> &mut Links {
        &mut self.links[id.at()]
    }

    pub(crate) fn get(&self, id: NodeId) -> &Node {
        &self.nodes[id.at()]
    }

    /// A node that is about to be changed.
    pub(crate) fn change(&mut self, id: NodeId) -> &mut Node {
        self.changed.insert(id);
        &mut self.nodes[id.at()]
    }

    /// Adds a node that has not started.
    pub(crate) fn add(&mut self, parent: Option<NodeId>, place: Place) -> NodeId {
        let id = NodeId(u32::try_from(self.nodes.len()).unwrap_or(u32::MAX));
        self.nodes.push(Node {
            id,
            parent,
            place,
            status: Status::Pending,
            attempt: 0,
            first_attempt: 0,
            unlucky: 0,
            first_failed: None,
            cached_from: None,
            fingerprint: None,
            error: None,
            inputs: Inputs::default(),
            outputs: None,
        });
        self.links.push(Links::default());
        self.changed.insert(id);
        if let Some(parent) = parent {
            let links = self.links_mut(parent);
            links.children.push(id);
            links.open += 1;
        }
        id
    }
}
