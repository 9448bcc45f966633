//! What belongs to which contexts: an execution to those of its run, an artifact to those of all runs that have read or
//! written it, and a run to that of its pipeline.
use super::{
    ARTIFACT, RUN,
    nodes::{nodes_of, of_slots},
};
use crate::{
    Error, Store,
    connect::{Connection, read},
    schema::{artifact_tasks, metadata_nodes, metadata_runs},
    tasks::BATCH,
};
use access::Reach;
use api::access::{resource::Runs, verb::Get};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::{Result, metadata::NodeKind};
use std::collections::HashMap;

/// The most parts that are given of one request, the latest ones.
const MAX_PARTS: i64 = 10_000;

impl Store {
    /// To which contexts some executions or artifacts belong: pairs of both ids.
    ///
    /// # Errors
    /// Of the database.
    pub async fn contexts_of(
        &self,
        reach: &Reach<Get, Runs>,
        kind: NodeKind,
        ids: Vec<i64>,
    ) -> Result<Vec<(i64, i64)>> {
        let homes: Vec<String> = reach.namespaces().iter().map(ToString::to_string).collect();
        Ok(read!(self, |conn| {
            let mut found = Vec::new();
            for (home, ids) in of_slots(conn, &homes, ids.into_iter()).await? {
                for batch in ids.chunks(BATCH) {
                    let pairs = match kind {
                        NodeKind::Artifact => runs_of_artifacts(conn, &home, batch).await?,
                        NodeKind::Execution | NodeKind::Context => runs_of_executions(conn, &home, batch).await?,
                    };
                    let known = contexts_of_runs(conn, &home, &pairs).await?;
                    for (id, run) in pairs {
                        let contexts = known.get(&run).into_iter().flatten();
                        found.extend(contexts.filter(|context| **context != 0).map(|context| (id, *context)));
                    }
                }
            }
            found.sort_unstable();
            found.dedup();
            Ok(found)
        })?)
    }

    /// Which contexts are parts of which, of those that some contexts are parts of, or that are parts of them: pairs of the
    /// part and the whole. Of very many parts the latest ones are given.
    ///
    /// # Errors
    /// Of the database.
    pub async fn parts_of_contexts(&self, reach: &Reach<Get, Runs>, ids: Vec<i64>) -> Result<Vec<(i64, i64)>> {
        let homes: Vec<String> = reach.namespaces().iter().map(ToString::to_string).collect();
        Ok(read!(self, |conn| {
            let mut found: Vec<(i64, i64)> = Vec::new();
            for (home, ids) in of_slots(conn, &homes, ids.into_iter()).await? {
                let of_home = || metadata_runs::table.filter(metadata_runs::namespace.eq(home.clone()));
                let columns = (metadata_runs::context_id, metadata_runs::pipeline_id);
                for batch in ids.chunks(BATCH) {
                    let runs = nodes_of(&home, batch).filter(metadata_nodes::source.eq(RUN));
                    let runs: Vec<String> = runs.select(metadata_nodes::object).load(conn).await?;
                    if !runs.is_empty() {
                        let parts = of_home().filter(metadata_runs::run_id.eq_any(runs)).select(columns);
                        found.extend(parts.load::<(i64, i64)>(conn).await?);
                    }
                    let parts = of_home().filter(metadata_runs::pipeline_id.eq_any(batch)).select(columns);
                    let latest = parts.order(metadata_runs::context_id.desc()).limit(MAX_PARTS);
                    found.extend(latest.load::<(i64, i64)>(conn).await?);
                }
            }
            found.retain(|(_, whole)| *whole != 0);
            found.sort_unstable();
            found.dedup();
            Ok(found)
        })?)
    }
}

/// The contexts of runs, by their ids: of the run itself, and of its pipeline, which is 0 if there is none.
async fn contexts_of_runs(
    conn: &mut Connection,
    home: &str,
    pairs: &[(i64, String)],
) -> Result<HashMap<String, [i64; 2]>, Error> {
    let mut known = HashMap::new();
    for batch in pairs.chunks(BATCH) {
        let runs: Vec<&str> = batch.iter().map(|(_, run)| run.as_str()).collect();
        let of_them = metadata_runs::table.filter(metadata_runs::namespace.eq(home));
        let of_them = of_them.filter(metadata_runs::run_id.eq_any(runs));
        let columns = (metadata_runs::run_id, metadata_runs::context_id, metadata_runs::pipeline_id);
        let rows: Vec<(String, i64, i64)> = of_them.select(columns).load(conn).await?;
        known.extend(rows.into_iter().map(|(run, context, pipeline)| (run, [context, pipeline])));
    }
    Ok(known)
}

/// The run of each execution.
async fn runs_of_executions(conn: &mut Connection, home: &str, ids: &[i64]) -> Result<Vec<(i64, String)>, Error> {
    let of_them = nodes_of(home, ids).filter(metadata_nodes::kind.eq(NodeKind::Execution.as_str()));
    Ok(of_them.select((metadata_nodes::id, metadata_nodes::run_id)).load(conn).await?)
}

/// The runs that have to do with each artifact.
async fn runs_of_artifacts(conn: &mut Connection, home: &str, ids: &[i64]) -> Result<Vec<(i64, String)>, Error> {
    let linked = artifact_tasks::table.on(artifact_tasks::artifact_id.eq(metadata_nodes::object));
    let of_them = metadata_nodes::table
        .inner_join(linked)
        .filter(metadata_nodes::namespace.eq(home))
        .filter(metadata_nodes::id.eq_any(ids))
        .filter(metadata_nodes::source.eq(ARTIFACT))
        .filter(artifact_tasks::namespace.eq(home));
    let columns = (metadata_nodes::id, artifact_tasks::run_id);
    Ok(of_them.select(columns).distinct().load(conn).await?)
}
