//! Kinds of artifacts that are a namespace's own. Those that KFP brings have the same numbers everywhere.
use super::ids;
use crate::{
    Error, Store,
    connect::{Connection, read},
    schema::metadata_types,
};
use access::Reach;
use api::access::{resource::Runs, verb::Get};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::{
    Result,
    metadata::{NodeKind, NodeType, SystemType},
};
use std::collections::BTreeMap;

/// The longest name of one; what is beyond is cut off.
const LONGEST: usize = 200;

impl Store {
    /// The types that the namespaces of a reach have besides those of the system, in the order of the namespaces and then
    /// of their numbers.
    ///
    /// # Errors
    /// Of the database.
    pub async fn node_types(&self, reach: &Reach<Get, Runs>) -> Result<Vec<NodeType>> {
        let homes: Vec<String> = reach.namespaces().iter().map(ToString::to_string).collect();
        Ok(read!(self, |conn| {
            let mut types = Vec::new();
            for home in &homes {
                types.extend(of_home(conn, home).await?.into_values());
            }
            Ok(types)
        })?)
    }
}

/// The own types of a namespace, by their numbers.
pub(super) async fn of_home(conn: &mut Connection, home: &str) -> Result<BTreeMap<i64, NodeType>, Error> {
    let rows: Vec<(i64, String)> = metadata_types::table
        .filter(metadata_types::namespace.eq(home))
        .select((metadata_types::id, metadata_types::name))
        .load(conn)
        .await?;
    Ok(rows.into_iter().map(|(id, name)| (id, NodeType { id, of: NodeKind::Artifact, name })).collect())
}

/// The number of the type of an artifact whose schema has that title. One that is new is written down.
pub(super) async fn of_artifact(conn: &mut Connection, home: &str, kind: &str) -> Result<i64, Error> {
    if kind.is_empty() {
        return Ok(SystemType::ARTIFACT.id);
    }
    if let Some(known) = SystemType::by_name(NodeKind::Artifact, kind) {
        return Ok(known.id);
    }
    let name: String = kind.chars().take(LONGEST).collect();
    let it = metadata_types::table.filter(metadata_types::namespace.eq(home)).filter(metadata_types::name.eq(&name));
    if let Some(id) = it.select(metadata_types::id).first(conn).await.optional()? {
        return Ok(id);
    }
    let id = ids::draw(conn, home, 1).await?;
    let columns = (metadata_types::namespace.eq(home), metadata_types::id.eq(id), metadata_types::name.eq(name));
    let insert = diesel::insert_into(metadata_types::table).values(columns);
    insert.execute(conn).await.map_err(|error| Error::from(error).after_looking())?;
    Ok(id)
}

/// The type of that number, among those of the system and a namespace's own.
pub(super) fn by_id(own: &BTreeMap<i64, NodeType>, id: i64) -> Result<NodeType, Error> {
    let known = SystemType::by_id(id).map(NodeType::from);
    let known = known.or_else(|| own.get(&id).cloned());
    Ok(known.ok_or_else(|| domain::Error::internal(format!("there is no type {id}")))?)
}
