//! Nodes as they are read: by what finds them, and in pages. Each namespace is asked by itself, through indexes that begin
//! with it, and what they answer is merged.
use super::{ARTIFACT, Head, PIPELINE, RUN, content, ids, types};
use crate::{
    Error, Store,
    any::AnyBackend,
    connect::{Connection, read},
    page::token,
    schema::{artifact_tasks, artifacts, metadata_nodes, metadata_runs, metadata_slots},
};
use access::Reach;
use api::access::{resource::Runs, verb::Get};
use diesel::{helper_types::IntoBoxed, prelude::*};
use diesel_async::RunQueryDsl;
use domain::{
    Result,
    metadata::{Node, NodeKind},
};
use std::collections::{BTreeMap, HashMap};

/// Which nodes are meant: those for which all holds that is said.
#[derive(Clone, Debug)]
pub struct Nodes {
    pub kind: NodeKind,
    pub ids: Option<Vec<i64>>,
    pub types: Option<Vec<i64>>,
    pub name: Option<String>,
    pub uris: Option<Vec<String>>,
    /// Those that belong to this context.
    pub context: Option<i64>,
}

/// What a list is ordered by; where that is the same, by the id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeOrder {
    Id,
    Created,
    Updated,
}

/// Which part of a list is wanted.
#[derive(Clone, Copy, Debug)]
pub struct Listing {
    pub order: NodeOrder,
    pub descending: bool,
    /// What the last node before has in the order, and its id.
    pub after: Option<(i64, i64)>,
    pub most: usize,
}

type Query<'a> = IntoBoxed<'a, metadata_nodes::table, AnyBackend>;

impl Nodes {
    /// All of a kind.
    pub fn all(kind: NodeKind) -> Self {
        Self { kind, ids: None, types: None, name: None, uris: None, context: None }
    }
}

impl Listing {
    /// All that there is, if it is no more than so many, in the order of their ids.
    pub fn of_ids(most: usize) -> Self {
        Self { order: NodeOrder::Id, descending: false, after: None, most }
    }

    /// What a node has in the order.
    pub fn key(&self, node: &Node) -> (i64, i64) {
        self.place(node.created_at.0, node.updated_at.0, node.id)
    }

    fn of_head(&self, head: &Head) -> (i64, i64) {
        self.place(head.created_at, head.updated_at, head.id)
    }

    fn place(&self, created_at: i64, updated_at: i64, id: i64) -> (i64, i64) {
        match self.order {
            NodeOrder::Id => (id, id),
            NodeOrder::Created => (created_at, id),
            NodeOrder::Updated => (updated_at, id),
        }
    }

    /// The part of a query that is wanted, in its order.
    fn cut<'a>(&self, query: Query<'a>) -> Query<'a> {
        use metadata_nodes::{created_at, id, updated_at};
        macro_rules! part {
            ($column:ident) => {
                match (self.descending, self.after) {
                    (false, None) => query.order(($column, id)),
                    (true, None) => query.order(($column.desc(), id.desc())),
                    // The first condition is what an index is entered by.
                    (false, Some((edge, last))) => {
                        query.filter($column.ge(edge)).filter($column.gt(edge).or(id.gt(last))).order(($column, id))
                    }
                    (true, Some((edge, last))) => query
                        .filter($column.le(edge))
                        .filter($column.lt(edge).or(id.lt(last)))
                        .order(($column.desc(), id.desc())),
                }
            };
        }
        let query = match self.order {
            NodeOrder::Created => part!(created_at),
            NodeOrder::Updated => part!(updated_at),
            NodeOrder::Id => match (self.descending, self.after) {
                (false, None) => query.order(id),
                (true, None) => query.order(id.desc()),
                (false, Some((_, last))) => query.filter(id.gt(last)).order(id),
                (true, Some((_, last))) => query.filter(id.lt(last)).order(id.desc()),
            },
        };
        query.limit(i64::try_from(self.most).unwrap_or(i64::MAX))
    }
}

impl Store {
    /// Some of the nodes in the namespaces of a reach, in an order.
    ///
    /// # Errors
    /// Of the database.
    pub async fn nodes(&self, reach: &Reach<Get, Runs>, which: Nodes, listing: Listing) -> Result<Vec<Node>> {
        let homes: Vec<String> = reach.namespaces().iter().map(ToString::to_string).collect();
        Ok(read!(self, |conn| {
            let of = which.ids.iter().flatten().chain(&which.context).copied();
            // An id says which namespace it is of.
            let homes = match which.ids.is_some() || which.context.is_some() {
                true => of_slots(conn, &homes, of).await?.into_keys().collect(),
                false => homes,
            };
            let mut heads: Vec<Head> = Vec::new();
            for home in &homes {
                let Some(query) = select(conn, home, &which).await? else { continue };
                heads.extend(listing.cut(query).select(Head::as_select()).load::<Head>(conn).await?);
            }
            heads.sort_by_key(|head| listing.of_head(head));
            if listing.descending {
                heads.reverse();
            }
            heads.truncate(listing.most);
            let mut nodes = Vec::with_capacity(heads.len());
            let order: Vec<i64> = heads.iter().map(|head| head.id).collect();
            let mut per_home: BTreeMap<String, Vec<Head>> = BTreeMap::new();
            for head in heads {
                per_home.entry(head.namespace.clone()).or_default().push(head);
            }
            for (home, heads) in per_home {
                let own = types::of_home(conn, &home).await?;
                nodes.extend(content::load(conn, &home, &own, heads).await?);
            }
            let mut nodes: HashMap<i64, Node> = nodes.into_iter().map(|node| (node.id, node)).collect();
            Ok(order.into_iter().filter_map(|id| nodes.remove(&id)).collect())
        })?)
    }

    /// A token by which a list goes on after a node, given its place in the order.
    pub fn node_token(&self, list: &str, after: (i64, i64)) -> String {
        token::seal(&(list, after), &self.page_key)
    }

    /// Reads such a token.
    ///
    /// # Errors
    /// `InvalidArgument` if it is none, or one of another list.
    pub fn read_node_token(&self, list: &str, token: &str) -> Result<(i64, i64)> {
        let read: Option<(String, (i64, i64))> = token::open(token, &self.page_key);
        let after = read.filter(|(of, _)| of == list).map(|(_, after)| after);
        after.ok_or_else(|| {
            let text = "next_page_token is not valid: it was not made for this list; start again without one";
            domain::Error::invalid(text)
        })
    }
}

/// Which of some ids are of which of some namespaces; others are left out.
pub(super) async fn of_slots(
    conn: &mut Connection,
    homes: &[String],
    ids: impl Iterator<Item = i64> + Send,
) -> Result<BTreeMap<String, Vec<i64>>, Error> {
    let mut per_slot: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
    for id in ids {
        per_slot.entry(ids::slot(id)).or_default().push(id);
    }
    let slots: Vec<i64> = per_slot.keys().copied().collect();
    let mut found = BTreeMap::new();
    for batch in slots.chunks(crate::tasks::BATCH) {
        let of_them = metadata_slots::table.filter(metadata_slots::slot.eq_any(batch));
        let columns = (metadata_slots::slot, metadata_slots::namespace);
        for (slot, home) in of_them.select(columns).load::<(i64, String)>(conn).await? {
            if homes.contains(&home) {
                found.insert(home, per_slot.remove(&slot).unwrap_or_default());
            }
        }
    }
    Ok(found)
}

/// The nodes of some numbers.
pub(super) fn nodes_of<'a>(home: &str, ids: &[i64]) -> Query<'a> {
    let of_home = metadata_nodes::table.filter(metadata_nodes::namespace.eq(home.to_owned()));
    of_home.filter(metadata_nodes::id.eq_any(ids.to_vec())).into_boxed()
}

/// The nodes of a namespace that are meant; nothing if the context that they belong to is not there.
async fn select<'a>(conn: &mut Connection, home: &str, which: &Nodes) -> Result<Option<Query<'a>>, Error> {
    use metadata_nodes::{id, kind, name, namespace, object, run_id, source, type_id};
    let of_home = metadata_nodes::table.filter(namespace.eq(home.to_owned()));
    let mut query = of_home.filter(kind.eq(which.kind.as_str())).into_boxed();
    if let Some(ids) = &which.ids {
        query = query.filter(id.eq_any(ids.clone()));
    }
    if let Some(types) = &which.types {
        query = query.filter(type_id.eq_any(types.clone()));
    }
    if let Some(wanted) = &which.name {
        query = query.filter(name.eq(wanted.clone()));
    }
    if let Some(uris) = &which.uris {
        let there = artifacts::table.filter(artifacts::namespace.eq(home.to_owned()));
        let there = there.filter(artifacts::uri.eq_any(uris.clone())).select(artifacts::id);
        query = query.filter(source.eq(ARTIFACT)).filter(object.eq_any(there));
    }
    let Some(context) = which.context else { return Ok(Some(query)) };
    let it = metadata_nodes::table.find((home, context)).select((source, object));
    let Some((what, of)) = it.first::<(String, String)>(conn).await.optional()? else { return Ok(None) };
    let links = artifact_tasks::table.filter(artifact_tasks::namespace.eq(home.to_owned()));
    let runs = metadata_runs::table.filter(metadata_runs::namespace.eq(home.to_owned()));
    let runs = runs.filter(metadata_runs::pipeline_id.eq(context)).select(metadata_runs::run_id);
    let query = match (what.as_str(), which.kind) {
        (RUN, NodeKind::Execution) => query.filter(run_id.eq(of)),
        (PIPELINE, NodeKind::Execution) => query.filter(run_id.eq_any(runs)),
        (RUN, NodeKind::Artifact) => {
            let of_it = links.filter(artifact_tasks::run_id.eq(of)).select(artifact_tasks::artifact_id);
            query.filter(source.eq(ARTIFACT)).filter(object.eq_any(of_it))
        }
        (PIPELINE, NodeKind::Artifact) => {
            let of_it = links.filter(artifact_tasks::run_id.eq_any(runs)).select(artifact_tasks::artifact_id);
            query.filter(source.eq(ARTIFACT)).filter(object.eq_any(of_it))
        }
        _ => return Ok(None),
    };
    Ok(Some(query))
}
