//! What executions have read and written.
use super::{
    ARTIFACT, TASK,
    nodes::{nodes_of, of_slots},
};
use crate::{
    Error, Store, artifacts,
    connect::{Connection, read},
    schema::{artifact_tasks, metadata_nodes, tasks},
    tasks::BATCH,
};
use access::Reach;
use api::access::{resource::Runs, verb::Get};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::{Result, Timestamp, metadata::NodeEvent};
use std::collections::HashMap;

/// Whose events are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventsOf {
    Executions,
    Artifacts,
}

/// Task, artifact, direction, name.
type Link = (String, String, String, String);

impl Store {
    /// The events of some nodes in the namespaces of a reach, in the order of executions and what they have read and
    /// written.
    ///
    /// # Errors
    /// Of the database.
    pub async fn node_events(&self, reach: &Reach<Get, Runs>, of: EventsOf, ids: Vec<i64>) -> Result<Vec<NodeEvent>> {
        let homes: Vec<String> = reach.namespaces().iter().map(ToString::to_string).collect();
        Ok(read!(self, |conn| {
            let mut events = Vec::new();
            for (home, ids) in of_slots(conn, &homes, ids.into_iter()).await? {
                for batch in ids.chunks(BATCH) {
                    events.extend(of_nodes(conn, &home, of, batch).await?);
                }
            }
            let place = |event: &NodeEvent| (event.execution, event.is_output, event.name.clone(), event.artifact);
            events.sort_by_key(place);
            Ok(events)
        })?)
    }
}

async fn of_nodes(conn: &mut Connection, home: &str, of: EventsOf, ids: &[i64]) -> Result<Vec<NodeEvent>, Error> {
    let source = match of {
        EventsOf::Executions => TASK,
        EventsOf::Artifacts => ARTIFACT,
    };
    let objects: Vec<String> =
        nodes_of(home, ids).filter(metadata_nodes::source.eq(source)).select(metadata_nodes::object).load(conn).await?;
    let links = artifact_tasks::table.filter(artifact_tasks::namespace.eq(home)).into_boxed();
    let links = match of {
        EventsOf::Executions => links.filter(artifact_tasks::task_id.eq_any(objects)),
        EventsOf::Artifacts => links.filter(artifact_tasks::artifact_id.eq_any(objects)),
    };
    let columns =
        (artifact_tasks::task_id, artifact_tasks::artifact_id, artifact_tasks::direction, artifact_tasks::name);
    let links: Vec<Link> = links.select(columns).load(conn).await?;
    let tasks_of: Vec<String> = links.iter().map(|link| link.0.clone()).collect();
    let artifacts_of: Vec<String> = links.iter().map(|link| link.1.clone()).collect();
    let executions = numbers(conn, home, TASK, &tasks_of).await?;
    let numbers_of_artifacts = numbers(conn, home, ARTIFACT, &artifacts_of).await?;
    let mut moments: HashMap<String, (i64, i64)> = HashMap::new();
    for batch in tasks_of.chunks(BATCH) {
        let of_them = tasks::table.filter(tasks::namespace.eq(home)).filter(tasks::id.eq_any(batch));
        let columns = (tasks::id, tasks::created_at, tasks::finished_at);
        let rows: Vec<(String, i64, i64)> = of_them.select(columns).load(conn).await?;
        moments.extend(rows.into_iter().map(|(id, created, finished)| (id, (created, finished))));
    }
    let event = |(task, artifact, direction, name): Link| {
        let is_output = direction == artifacts::OUTPUT;
        let (created, finished) = moments.get(&task).copied()?;
        Some(NodeEvent {
            execution: *executions.get(&task)?,
            artifact: *numbers_of_artifacts.get(&artifact)?,
            is_output,
            name,
            at: Timestamp(if is_output && finished != 0 { finished } else { created }),
        })
    };
    Ok(links.into_iter().filter_map(event).collect())
}

/// The numbers of tasks or artifacts, by their ids.
pub(super) async fn numbers(
    conn: &mut Connection,
    home: &str,
    source: &str,
    ids: &[String],
) -> Result<HashMap<String, i64>, Error> {
    let mut found = HashMap::new();
    for batch in ids.chunks(BATCH) {
        let of_them = metadata_nodes::table
            .filter(metadata_nodes::namespace.eq(home))
            .filter(metadata_nodes::object.eq_any(batch))
            .filter(metadata_nodes::source.eq(source));
        let rows: Vec<(String, i64)> = of_them.select((metadata_nodes::object, metadata_nodes::id)).load(conn).await?;
        found.extend(rows);
    }
    Ok(found)
}
