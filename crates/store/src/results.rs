//! Results of earlier runs that will do for a task of this one: of the same namespace and pipeline, and of no other.
use crate::{
    Store, artifacts,
    connect::read,
    schema::{artifact_tasks, artifacts as artifact, runs, tasks},
    tasks as task,
};
use access::Grant;
use api::access::{resource::Runs, verb::List};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::{Artifact, Backend, Result, RuntimeState, Task, TaskKind, Timestamp};
use serde_json::{Map, Value};

/// How many imports of one URI are compared with what is wanted.
const IMPORTS: i64 = 50;

impl Store {
    /// The newest task with this fingerprint that succeeded by running, with what it gave. `pipeline_name` is what the
    /// pipeline calls itself; nothing that ended before `not_before` will do.
    ///
    /// # Errors
    /// Of the database.
    pub async fn cached(
        &self,
        grant: &Grant<List, Runs>,
        pipeline_name: &str,
        fingerprint: &str,
        not_before: Option<Timestamp>,
    ) -> Result<Option<Task>> {
        grant.covers_all()?;
        let home = grant.home().as_column().to_owned();
        let (pipeline, fingerprint) = (pipeline_name.to_owned(), fingerprint.to_owned());
        Ok(read!(self, |conn| {
            let same = tasks::table
                .filter(tasks::namespace.eq(&home))
                .filter(tasks::fingerprint.eq(&fingerprint))
                .filter(tasks::fingerprint.ne(""))
                .filter(tasks::pipeline_name.eq(&pipeline))
                .filter(tasks::finished_at.ge(not_before.unwrap_or_default().0))
                .filter(tasks::state.eq(RuntimeState::Succeeded.as_str()))
                .filter(tasks::cached_from.eq(""));
            let columns = (task::Row::as_select(), task::Rest::as_select());
            let newest = same.order((tasks::finished_at.desc(), tasks::id.desc())).select(columns);
            let Some((row, rest)) = newest.first::<(task::Row, task::Rest)>(conn).await.optional()? else {
                return Ok(None);
            };
            let ids = [row.id.clone()];
            let mut linked = artifacts::of_tasks(conn, &home, &row.run_id.clone(), Some(&ids)).await?;
            let mut task = Task::try_from(row)?;
            task.outputs.parameters = crate::columns::value("tasks.output_parameters", &rest.output_parameters)?;
            task.outputs.artifacts = linked.remove(&ids[0]).unwrap_or_default().1;
            // What is gone cannot be had again.
            Ok(Some(task)
                .filter(|task| task.outputs.artifacts.values().flatten().all(|artifact| artifact.materialized)))
        })?)
    }

    /// Whether a task of this namespace that has succeeded here has put out an artifact of this URI, which is still
    /// there. What clients have recorded of other engines' tasks does not count.
    ///
    /// # Errors
    /// Of the database.
    pub async fn is_put_out(&self, grant: &Grant<List, Runs>, uri: &str) -> Result<bool> {
        grant.covers_all()?;
        let (home, uri) = (grant.home().as_column().to_owned(), uri.to_owned());
        let found: i64 = read!(self, |conn| {
            let made = artifact::table
                .inner_join(artifact_tasks::table.on(artifact_tasks::artifact_id.eq(artifact::id)))
                .inner_join(tasks::table.on(tasks::id.eq(artifact_tasks::task_id)))
                .inner_join(runs::table.on(runs::id.eq(tasks::run_id)))
                .filter(runs::backend.eq(Backend::Local.as_str()))
                .filter(artifact::namespace.eq(&home))
                .filter(artifact::uri.eq(&uri))
                .filter(artifact::materialized.eq(true))
                .filter(artifact_tasks::direction.eq(artifacts::OUTPUT))
                .filter(tasks::namespace.eq(&home))
                .filter(tasks::kind.eq(TaskKind::Runtime.as_str()))
                .filter(tasks::state.eq(RuntimeState::Succeeded.as_str()));
            Ok(made.count().get_result(conn).await?)
        })?;
        Ok(found > 0)
    }

    /// An artifact that an importer of the same pipeline has made, of this kind, URI and metadata.
    ///
    /// # Errors
    /// Of the database.
    pub async fn imported(
        &self,
        grant: &Grant<List, Runs>,
        pipeline_name: &str,
        kind: &str,
        uri: &str,
        metadata: &Map<String, Value>,
    ) -> Result<Option<Artifact>> {
        grant.covers_all()?;
        let home = grant.home().as_column().to_owned();
        let (pipeline, kind, uri) = (pipeline_name.to_owned(), kind.to_owned(), uri.to_owned());
        let found: Vec<Artifact> = read!(self, |conn| {
            let rows: Vec<artifacts::Row> = artifact::table
                .inner_join(artifact_tasks::table.on(artifact_tasks::artifact_id.eq(artifact::id)))
                .inner_join(tasks::table.on(tasks::id.eq(artifact_tasks::task_id)))
                .filter(artifact::namespace.eq(&home))
                .filter(artifact::uri.eq(&uri))
                .filter(artifact::kind.eq(&kind))
                .filter(artifact::materialized.eq(true))
                .filter(artifact_tasks::direction.eq(artifacts::OUTPUT))
                .filter(tasks::namespace.eq(&home))
                .filter(tasks::kind.eq(TaskKind::Importer.as_str()))
                .filter(tasks::pipeline_name.eq(&pipeline))
                .order((artifact::created_at.desc(), artifact::id.desc()))
                .limit(IMPORTS)
                .select(artifacts::Row::as_select())
                .load(conn)
                .await?;
            rows.into_iter().map(Artifact::try_from).collect::<Result<_, _>>()
        })?;
        Ok(found.into_iter().find(|artifact| &artifact.metadata == metadata))
    }
}
