//! What is connected with some nodes, as far as a filter asks for it.
use super::{Filter, Neighbours};
use access::Reach;
use api::access::{resource::Runs, verb::Get};
use domain::{
    Result,
    metadata::{Node, NodeEvent, NodeKind},
};
use std::collections::HashMap;
use store::{EventsOf, Listing, Nodes, Store};

/// Neighbours by the ids of nodes.
#[derive(Debug, Default)]
pub(in crate::metadata) struct Surroundings {
    pub(super) contexts: HashMap<i64, Vec<Node>>,
    pub(super) parents: HashMap<i64, Vec<Node>>,
    pub(super) children: HashMap<i64, Vec<Node>>,
    pub(super) events: HashMap<i64, Vec<NodeEvent>>,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Neighbour<'a> {
    Context(&'a Node),
    Event(&'a NodeEvent),
}

impl Surroundings {
    /// Those of some nodes of one kind.
    pub(in crate::metadata) async fn of(
        store: &Store,
        reach: &Reach<Get, Runs>,
        filter: &Filter,
        nodes: &[Node],
    ) -> Result<Self> {
        let mut around = Self::default();
        let Some(kind) = nodes.first().map(|node| node.kind) else { return Ok(around) };
        let ids: Vec<i64> = nodes.iter().map(|node| node.id).collect();
        if filter.asks_for(Neighbours::Contexts) {
            let pairs = store.contexts_of(reach, kind, ids.clone()).await?;
            around.contexts = contexts(store, reach, pairs).await?;
        }
        if filter.asks_for(Neighbours::Parents) || filter.asks_for(Neighbours::Children) {
            let pairs = store.parts_of_contexts(reach, ids.clone()).await?;
            let turned = pairs.iter().map(|(part, whole)| (*whole, *part)).collect();
            around.parents = contexts(store, reach, pairs).await?;
            around.children = contexts(store, reach, turned).await?;
        }
        if filter.asks_for(Neighbours::Events) {
            let of = if kind == NodeKind::Artifact { EventsOf::Artifacts } else { EventsOf::Executions };
            for event in store.node_events(reach, of, ids).await? {
                let id = if kind == NodeKind::Artifact { event.artifact } else { event.execution };
                around.events.entry(id).or_default().push(event);
            }
        }
        Ok(around)
    }

    pub(super) fn neighbours(&self, which: Neighbours, id: i64) -> Vec<Neighbour<'_>> {
        let contexts = match which {
            Neighbours::Contexts => &self.contexts,
            Neighbours::Parents => &self.parents,
            Neighbours::Children => &self.children,
            Neighbours::Events => {
                return self.events.get(&id).into_iter().flatten().map(Neighbour::Event).collect();
            }
        };
        contexts.get(&id).into_iter().flatten().map(Neighbour::Context).collect()
    }
}

/// The contexts of pairs, by the first of each.
async fn contexts(store: &Store, reach: &Reach<Get, Runs>, pairs: Vec<(i64, i64)>) -> Result<HashMap<i64, Vec<Node>>> {
    let mut ids: Vec<i64> = pairs.iter().map(|(_, context)| *context).collect();
    ids.sort_unstable();
    ids.dedup();
    let most = ids.len();
    let which = Nodes { ids: Some(ids), ..Nodes::all(NodeKind::Context) };
    let nodes = store.nodes(reach, which, Listing::of_ids(most)).await?;
    let nodes: HashMap<i64, Node> = nodes.into_iter().map(|node| (node.id, node)).collect();
    let mut found: HashMap<i64, Vec<Node>> = HashMap::new();
    for (id, context) in pairs {
        found.entry(id).or_default().extend(nodes.get(&context).cloned());
    }
    Ok(found)
}
