//! What the creation of a recurring run is in both API versions.
use crate::{Context, policy, triggers, work::Work};
use access::Grant;
use api::access::{
    resource::{Jobs, Pipelines},
    verb::{Create, Enable, Get},
};
use domain::{Error, Executes, NewRecurringRun, PipelineId, RecurringRun, Result, Source, Trigger};
use std::ops::RangeInclusive;

/// How many runs of one schedule may go on at one time (KFP API).
const CONCURRENCY: RangeInclusive<i64> = 1..=10;

/// A request to create a recurring run, whichever version it came in.
pub(crate) struct Request {
    pub(crate) work: Work,
    pub(crate) without_version: WithoutVersion,
    pub(crate) trigger: Trigger,
    pub(crate) max_concurrency: i64,
    pub(crate) catchup: bool,
    pub(crate) enabled: bool,
}

/// What a pipeline means that is named without a version (KFP API: this differs between the versions).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum WithoutVersion {
    /// The version that is the latest now.
    Pins,
    /// For each run the latest version at its time.
    Follows,
}

/// Checks everything that can be checked before anything is stored, and stores the recurring run.
pub(crate) async fn create(
    context: &Context,
    grant: &Grant<Create, Jobs>,
    pipelines: Option<&Grant<Get, Pipelines>>,
    request: Request,
) -> Result<RecurringRun> {
    if !CONCURRENCY.contains(&request.max_concurrency) {
        return Err(Error::invalid(format!(
            "max_concurrency is {}, and must be between {} and {}",
            request.max_concurrency,
            CONCURRENCY.start(),
            CONCURRENCY.end()
        )));
    }
    let least = context.settings.schedules.least(grant.namespace()?);
    triggers::check(&request.trigger, context.store.now(), least)?;
    let follows = request.without_version == WithoutVersion::Follows && request.work.definition.is_latest();
    let work = request.work.check(context, grant, pipelines, "recurring run").await?;
    let new = NewRecurringRun {
        experiment_id: work.experiment_id,
        name: work.name,
        description: work.description,
        service_account: work.service_account,
        executes: match work.source {
            Source::Version { pipeline_id, .. } if follows => Executes::Latest(pipeline_id),
            source => Executes::Pinned { source, spec: work.spec },
        },
        parameters: work.parameters,
        pipeline_root: work.pipeline_root,
        trigger: request.trigger,
        max_concurrency: request.max_concurrency,
        catchup: request.catchup,
        enabled: request.enabled,
    };
    context.store.create_recurring_run(grant, new).await
}

/// Lets a recurring run make runs, if what it makes them of is still allowed: its own definition, or that of the
/// pipeline that it follows as it is now. Each of its runs is judged again.
pub(crate) async fn enable(
    context: &Context,
    grant: &Grant<Enable, Jobs>,
    pipelines: Option<&Grant<Get, Pipelines>>,
    id: &str,
) -> Result<()> {
    let it = context.store.recurring_run_to_enable(grant, id).await?;
    let least = context.settings.schedules.least(&it.namespace);
    triggers::pace(&it.trigger, least).map_err(Error::precondition)?;
    let spec = match it.executes {
        Executes::Pinned { spec, .. } => spec,
        Executes::Latest(pipeline_id) => context
            .store
            .latest_version(pipelines.ok_or_else(|| gone(&pipeline_id))?, pipeline_id.as_str())
            .await?
            .spec
            .to_string(),
    };
    policy::check_again(context, grant.home(), spec).await?;
    context.store.enable_recurring_run(grant, id).await
}

/// There is nothing any more that it could execute.
pub(crate) fn gone(pipeline_id: &PipelineId) -> Error {
    Error::precondition(format!("the pipeline {pipeline_id} that it follows is gone"))
}
