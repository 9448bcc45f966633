//! Where a node is: which task it is of, and what it is called.
use crate::{
    Body, Dag, Inputs, NodeId, Place, Plan, PlannedTask, State,
    plan::{Items, Iterator},
};
use serde_json::Value;
use std::sync::Arc;

/// A node, seen with its plan.
#[derive(Clone, Copy)]
pub(crate) struct Tree<'p, 's> {
    pub(crate) plan: &'p Plan,
    pub(crate) state: &'s State,
}

impl<'p, 's> Tree<'p, 's> {
    /// The task that a node is, or is an iteration of; none for the root.
    pub(crate) fn task(&self, id: NodeId) -> Option<&'p Arc<PlannedTask>> {
        let node = self.state.get(id);
        match node.place {
            Place::Root => None,
            Place::Task(at) => self.dag(node.parent?)?.tasks.get(at),
            Place::Iteration(_) => self.task(node.parent?),
        }
    }

    /// The DAG whose tasks are, or will be, the children of a node that is no loop.
    pub(crate) fn dag(&self, id: NodeId) -> Option<&'p Dag> {
        match self.task(id) {
            None => Some(&self.plan.root),
            Some(task) => match &task.body {
                Body::Dag(dag) => Some(dag),
                Body::Container(_) | Body::Importer(_) => None,
            },
        }
    }

    /// What a node iterates over, if it is a loop.
    pub(crate) fn iterator(&self, id: NodeId) -> Option<&'p Iterator> {
        match self.state.get(id).place {
            Place::Task(_) => self.task(id)?.iterator.as_ref(),
            _ => None,
        }
    }

    /// How many iterations a loop has that has begun.
    pub(crate) fn iterations(&self, id: NodeId) -> usize {
        let inputs = &self.state.get(id).inputs;
        match self.iterator(id).map(|iterator| &iterator.items) {
            Some(Items::Literal(items)) => items.len(),
            Some(Items::Parameter(name)) => self.listed(id, name).len(),
            Some(Items::Artifact(name)) => inputs.artifacts.get(name).map_or(0, Vec::len),
            None => 0,
        }
    }

    /// The items of a loop in the input of this name: a list, or a text with one in it, which stays the text that it is for
    /// the tasks inside.
    fn listed(&self, id: NodeId, name: &str) -> &'s [Value] {
        match self.state.get(id).inputs.parameters.get(name) {
            Some(Value::Array(items)) => items,
            Some(value) => self.state.links(id).items.0.get_or_init(|| spec::list_of(value).unwrap_or_default()),
            None => &[],
        }
    }

    /// What an iteration of a loop gets beside what the loop got.
    pub(crate) fn item(&self, id: NodeId, at: usize) -> Inputs {
        let (given, mut item) = (&self.state.get(id).inputs, Inputs::default());
        let Some(iterator) = self.iterator(id) else { return item };
        let name = iterator.item.clone();
        match &iterator.items {
            Items::Literal(items) => item.parameters.extend(items.get(at).map(|value| (name, value.clone()))),
            Items::Parameter(items) => {
                let value = self.listed(id, items).get(at);
                item.parameters.extend(value.map(|value| (name, value.clone())));
            }
            Items::Artifact(items) => {
                let artifact = given.artifacts.get(items).and_then(|list| list.get(at));
                item.artifacts.extend(artifact.map(|artifact| (name, vec![artifact.clone()])));
            }
        }
        item
    }

    /// An input parameter of the DAG that a node is, for its children.
    pub(crate) fn parameter(&self, id: NodeId, name: &str) -> Option<&'s Value>
    where
        'p: 's,
    {
        let node = self.state.get(id);
        match node.place {
            Place::Root => self.plan.parameters.get(name),
            Place::Task(_) => node.inputs.parameters.get(name),
            Place::Iteration(_) => {
                let of_loop = || self.state.get(node.parent?).inputs.parameters.get(name);
                node.inputs.parameters.get(name).or_else(of_loop)
            }
        }
    }

    /// An input artifact of the DAG that a node is, for its children.
    pub(crate) fn artifacts(&self, id: NodeId, name: &str) -> Option<&'s Vec<crate::Artifact>> {
        let node = self.state.get(id);
        let of_loop = || match node.place {
            Place::Iteration(_) => self.state.get(node.parent?).inputs.artifacts.get(name),
            _ => None,
        };
        node.inputs.artifacts.get(name).or_else(of_loop)
    }

    /// The node of the task of this name among the children of a node.
    pub(crate) fn child(&self, id: NodeId, name: &str) -> Option<NodeId> {
        let at = *self.dag(id)?.by_name.get(name)?;
        self.state.children(id).get(at).copied()
    }

    /// The name in the DAG: a key, and for an iteration that of its loop with a number.
    pub(crate) fn name(&self, id: NodeId) -> String {
        let name = self.task(id).map(|task| task.name.as_str()).unwrap_or_default();
        match self.state.get(id).place {
            Place::Iteration(at) => format!("{name}[{at}]"),
            _ => name.to_owned(),
        }
    }

    /// The names from the root, or from another node above, to a node.
    pub(crate) fn path(&self, from: NodeId, id: NodeId) -> String {
        let mut names = Vec::new();
        let mut at = id;
        while at != from {
            names.push(self.name(at));
            // An iteration stands in the place of its loop.
            let mut parent = self.state.get(at).parent;
            if let (Place::Iteration(_), Some(of_loop)) = (self.state.get(at).place, parent)
                && of_loop != from
            {
                parent = self.state.get(of_loop).parent;
            }
            match parent {
                Some(parent) => at = parent,
                None => break,
            }
        }
        names.reverse();
        names.join("/")
    }
}

impl Plan {
    /// The task that a node of this run is, or is an iteration of; none for the root.
    pub fn task<'a>(&'a self, state: &State, id: NodeId) -> Option<&'a Arc<PlannedTask>> {
        state.node(id)?;
        Tree { plan: self, state }.task(id)
    }

    /// The keys from the root to a node, as `for-loop-1[3]/train`. Unique in a run.
    pub fn path(&self, state: &State, id: NodeId) -> String {
        Tree { plan: self, state }.path(NodeId::ROOT, id)
    }

    /// The last part of the path.
    pub fn name(&self, state: &State, id: NodeId) -> String {
        Tree { plan: self, state }.name(id)
    }
}
