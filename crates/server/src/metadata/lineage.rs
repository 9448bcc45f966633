//! What artifacts came of, and what has come of them. Events are of one namespace each, and so is every way through them.
use super::{
    convert,
    filter::{Filter, Surroundings},
    list,
    messages::Shown,
};
use access::Reach;
use api::{
    access::{resource::Runs, verb::Get},
    ml_metadata::{
        ArtifactType, Association, Attribution, ContextType, ExecutionType, LineageGraph, LineageGraphQueryOptions,
        LineageSubgraphQueryOptions,
        lineage_graph_query_options::QueryNodes,
        lineage_subgraph_query_options::{Direction, StartingNodes as Start, StartingNodesOneOf},
    },
};
use domain::{
    Error, Result,
    metadata::{Node, NodeEvent, NodeKind, NodeType},
};
use std::collections::{BTreeMap, BTreeSet};
use store::{EventsOf, Listing, Nodes, Store};

/// How far a way goes where nothing is said of it, and at most (ML metadata has 100 too).
const HOPS: i64 = 20;
const MAX_HOPS: i64 = 100;
/// From how many nodes a graph begins at most (ML metadata has 100 too), and how many it has.
const MAX_STARTS: usize = 100;
const MAX_NODES: usize = 10_000;

/// Which ways are gone.
#[derive(Clone, Copy)]
struct Ways {
    up: bool,
    down: bool,
}

/// A graph as it grows.
struct Walk<'a> {
    store: &'a Store,
    reach: &'a Reach<Get, Runs>,
    ways: Ways,
    most: usize,
    /// Nodes that pass end the way, and are no part of it.
    boundaries: BTreeMap<NodeKind, Filter>,
    artifacts: BTreeSet<i64>,
    executions: BTreeSet<i64>,
    /// By their ends, direction and name.
    events: BTreeMap<(i64, i64, bool, String), NodeEvent>,
}

/// The graph around some artifacts, in both directions.
pub(super) async fn graph(
    store: &Store,
    reach: &Reach<Get, Runs>,
    options: LineageGraphQueryOptions,
) -> Result<LineageGraph> {
    let most = usize::try_from(options.max_node_size()).unwrap_or_default();
    if most == 0 {
        return Err(Error::invalid("max_node_size has to be 1 or more"));
    }
    let Some(QueryNodes::ArtifactsOptions(from)) = options.query_nodes else {
        return Err(Error::invalid(
            "the request does not say which artifacts the graph begins with (artifacts_options)",
        ));
    };
    let stop = options.stop_conditions.unwrap_or_default();
    let most_starts = usize::try_from(from.max_result_size()).unwrap_or_default().clamp(1, MAX_STARTS);
    let which = Nodes::all(NodeKind::Artifact);
    let starts = list::all(store, reach, which, from.filter_query(), most_starts).await?;
    let mut boundaries = BTreeMap::new();
    for (kind, text) in
        [(NodeKind::Artifact, stop.boundary_artifacts()), (NodeKind::Execution, stop.boundary_executions())]
    {
        if !text.trim().is_empty() {
            boundaries.insert(kind, Filter::parse(text, kind)?);
        }
    }
    let hops = hops(stop.max_num_hops)?;
    let mut walk = Walk::new(store, reach, Ways { up: true, down: true }, most.min(MAX_NODES));
    walk.boundaries = boundaries;
    walk.go(starts, hops).await?;
    walk.graph(&[]).await
}

/// The graph from some nodes on, in the directions that are asked for, with the parts that a mask names.
pub(super) async fn subgraph(
    store: &Store,
    reach: &Reach<Get, Runs>,
    options: LineageSubgraphQueryOptions,
    mask: &[String],
) -> Result<LineageGraph> {
    let hops = hops(options.max_num_hops)?;
    let ways = match options.direction() {
        Direction::Upstream => Ways { up: true, down: false },
        Direction::Downstream => Ways { up: false, down: true },
        Direction::Bidirectional | Direction::Unspecified => Ways { up: true, down: true },
    };
    let (kind, Start { filter_query }) = match options.starting_nodes {
        Some(StartingNodesOneOf::StartingArtifacts(start)) => (NodeKind::Artifact, start),
        Some(StartingNodesOneOf::StartingExecutions(start)) => (NodeKind::Execution, start),
        None => {
            let text =
                "the request does not say what the graph begins with (starting_artifacts or starting_executions)";
            return Err(Error::invalid(text));
        }
    };
    let text = filter_query.unwrap_or_default();
    let starts = list::all(store, reach, Nodes::all(kind), &text, MAX_STARTS).await?;
    let mut walk = Walk::new(store, reach, ways, MAX_NODES);
    walk.go(starts, hops).await?;
    walk.graph(mask).await
}

fn hops(asked: Option<i64>) -> Result<i64> {
    match asked {
        Some(hops) if hops < 0 => Err(Error::invalid("max_num_hops has to be 0 or more")),
        asked => Ok(asked.unwrap_or(HOPS).min(MAX_HOPS)),
    }
}

impl<'a> Walk<'a> {
    fn new(store: &'a Store, reach: &'a Reach<Get, Runs>, ways: Ways, most: usize) -> Self {
        Self {
            store,
            reach,
            ways,
            most,
            boundaries: BTreeMap::new(),
            artifacts: BTreeSet::new(),
            executions: BTreeSet::new(),
            events: BTreeMap::new(),
        }
    }

    async fn go(&mut self, starts: Vec<Node>, hops: i64) -> Result<()> {
        let kind = starts.first().map_or(NodeKind::Artifact, |node| node.kind);
        let ids: BTreeSet<i64> = starts.iter().map(|node| node.id).take(self.most).collect();
        let (mut artifacts, mut executions) = (BTreeSet::new(), BTreeSet::new());
        match kind {
            NodeKind::Artifact => artifacts = ids,
            NodeKind::Execution | NodeKind::Context => executions = ids,
        }
        self.artifacts.extend(&artifacts);
        self.executions.extend(&executions);
        for _ in 0..hops {
            let from_artifacts = self.around(EventsOf::Artifacts, artifacts).await?;
            let from_executions = self.around(EventsOf::Executions, executions).await?;
            executions = self.enter(NodeKind::Execution, from_artifacts.iter().map(|event| event.execution)).await?;
            artifacts = self.enter(NodeKind::Artifact, from_executions.iter().map(|event| event.artifact)).await?;
            for event in from_artifacts.into_iter().chain(from_executions) {
                // What the graph has no room for has no events in it either.
                if self.artifacts.contains(&event.artifact) && self.executions.contains(&event.execution) {
                    let key = (event.execution, event.artifact, event.is_output, event.name.clone());
                    self.events.insert(key, event);
                }
            }
            if artifacts.is_empty() && executions.is_empty() {
                break;
            }
        }
        Ok(())
    }

    /// The events of some nodes that lead where it is to go.
    async fn around(&self, of: EventsOf, ids: BTreeSet<i64>) -> Result<Vec<NodeEvent>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut events = self.store.node_events(self.reach, of, ids.into_iter().collect()).await?;
        events.retain(|event| {
            let down = event.is_output == (of == EventsOf::Executions);
            if down { self.ways.down } else { self.ways.up }
        });
        Ok(events)
    }

    /// Takes new nodes in as far as there is room, and gives those.
    async fn enter(&mut self, kind: NodeKind, ids: impl Iterator<Item = i64>) -> Result<BTreeSet<i64>> {
        let known = if kind == NodeKind::Artifact { &self.artifacts } else { &self.executions };
        let mut new: BTreeSet<i64> = ids.filter(|id| !known.contains(id)).collect();
        if let Some(boundary) = self.boundaries.get(&kind)
            && !new.is_empty()
        {
            let most = new.len();
            let which = Nodes { ids: Some(new.iter().copied().collect()), ..Nodes::all(kind) };
            let nodes = self.store.nodes(self.reach, which, Listing::of_ids(most)).await?;
            let around = Surroundings::of(self.store, self.reach, boundary, &nodes).await?;
            for node in nodes {
                if boundary.passes(&node, &around)? {
                    new.remove(&node.id);
                }
            }
        }
        let room = self.most.saturating_sub(self.artifacts.len() + self.executions.len());
        let new: BTreeSet<i64> = new.into_iter().take(room).collect();
        let known = if kind == NodeKind::Artifact { &mut self.artifacts } else { &mut self.executions };
        known.extend(&new);
        Ok(new)
    }

    /// The parts of the graph that a mask names: all if it names none.
    async fn graph(self, mask: &[String]) -> Result<LineageGraph> {
        let wants = |part: &str| mask.is_empty() || mask.iter().any(|path| path.split('.').next() == Some(part));
        let nodes = async |kind, ids: Vec<i64>| {
            let most = ids.len();
            let which = Nodes { ids: Some(ids), ..Nodes::all(kind) };
            self.store.nodes(self.reach, which, Listing::of_ids(most)).await
        };
        let attributed: Vec<i64> = self.artifacts.iter().copied().collect();
        let associated: Vec<i64> = self.executions.iter().copied().collect();
        let attributions = self.store.contexts_of(self.reach, NodeKind::Artifact, attributed.clone()).await?;
        let associations = self.store.contexts_of(self.reach, NodeKind::Execution, associated.clone()).await?;
        let contexts: BTreeSet<i64> = attributions.iter().chain(&associations).map(|(_, context)| *context).collect();
        let artifacts = nodes(NodeKind::Artifact, attributed).await?;
        let executions = nodes(NodeKind::Execution, associated).await?;
        let contexts = nodes(NodeKind::Context, contexts.into_iter().collect()).await?;
        let mut graph = LineageGraph::default();
        if wants("artifact_types") {
            graph.artifact_types = types::<ArtifactType>(&artifacts);
        }
        if wants("execution_types") {
            graph.execution_types = types::<ExecutionType>(&executions);
        }
        if wants("context_types") {
            graph.context_types = types::<ContextType>(&contexts);
        }
        if wants("artifacts") {
            graph.artifacts = convert(artifacts);
        }
        if wants("executions") {
            graph.executions = convert(executions);
        }
        if wants("contexts") {
            graph.contexts = convert(contexts);
        }
        if wants("events") {
            graph.events = convert(self.events.into_values().collect());
        }
        if wants("attributions") {
            let message = |(artifact, context)| Attribution { artifact_id: Some(artifact), context_id: Some(context) };
            graph.attributions = attributions.into_iter().map(message).collect();
        }
        if wants("associations") {
            let message =
                |(execution, context)| Association { execution_id: Some(execution), context_id: Some(context) };
            graph.associations = associations.into_iter().map(message).collect();
        }
        Ok(graph)
    }
}

/// The types of some nodes, each once.
fn types<T: Shown<NodeType>>(nodes: &[Node]) -> Vec<T> {
    let all: BTreeMap<i64, &NodeType> = nodes.iter().map(|node| (node.node_type.id, &node.node_type)).collect();
    all.into_values().cloned().map(T::shown).collect()
}
