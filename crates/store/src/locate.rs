//! The gate's own look-up: where an object lives. Handlers do not see it. It always asks the database: whoever asks for
//! what is not theirs could tell by the time what somebody else has read lately.
use crate::{
    Store,
    connect::look_up,
    schema::{artifacts, experiments, pipeline_versions, pipelines, recurring_runs, runs, tasks},
};
use access::{Id, Locate, Located, Refers};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::{Home, Result};
use futures::future::BoxFuture;

/// Namespace, name, service account and pipeline.
type Made = (String, String, String, String);

impl Locate for Store {
    fn locate<'a>(&'a self, id: Id<'a>) -> BoxFuture<'a, Result<Option<Located>>> {
        let (_, key) = id.parts();
        let key = key.to_owned();
        Box::pin(async move {
            let made = |made: Option<Made>| {
                made.map(|(namespace, name, service_account, pipeline_id)| Located {
                    refers: Refers { service_account, pipeline_id },
                    ..Located::new(Home::from_column(&namespace), name)
                })
            };
            let named = |named: Option<(String, String)>| {
                named.map(|(namespace, name)| Located::new(Home::from_column(&namespace), name))
            };
            match id {
                Id::Experiment(_) => look_up!(self, |conn| {
                    let it = experiments::table.find(key).select((experiments::namespace, experiments::name));
                    Ok(named(it.first(conn).await.optional()?))
                }),
                // A run's name for RBAC is its id: upstream's is the name of its Workflow, which is as unique.
                Id::Run(_) => look_up!(self, |conn| {
                    use runs::{id, namespace, pipeline_id, service_account};
                    let it = runs::table.find(key).select((namespace, id, service_account, pipeline_id));
                    Ok(made(it.first(conn).await.optional()?))
                }),
                Id::Pipeline(_) => look_up!(self, |conn| {
                    let it = pipelines::table.find(key).select((pipelines::namespace, pipelines::name));
                    Ok(named(it.first(conn).await.optional()?))
                }),
                Id::PipelineVersion(_) => look_up!(self, |conn| {
                    let of_it = pipelines::table.on(pipelines::id.eq(pipeline_versions::pipeline_id));
                    let it = pipeline_versions::table.inner_join(of_it).filter(pipeline_versions::id.eq(key));
                    Ok(named(it.select((pipelines::namespace, pipelines::name)).first(conn).await.optional()?))
                }),
                Id::Task(_) => look_up!(self, |conn| {
                    let it = tasks::table.find(key).select((tasks::namespace, tasks::run_id));
                    Ok(named(it.first(conn).await.optional()?))
                }),
                Id::Artifact(_) => look_up!(self, |conn| {
                    let it = artifacts::table.find(key).select((artifacts::namespace, artifacts::run_id));
                    Ok(named(it.first(conn).await.optional()?))
                }),
                Id::RecurringRun(_) => look_up!(self, |conn| {
                    use recurring_runs::{name, namespace, pipeline_id, service_account};
                    let it = recurring_runs::table.find(key).select((namespace, name, service_account, pipeline_id));
                    Ok(made(it.first(conn).await.optional()?))
                }),
            }
            .map_err(Into::into)
        })
    }
}
