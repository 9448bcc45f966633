//! What the creation of a recurring run is in both API versions.
use crate::{
    Context, names,
    runs::{self, Definition},
    triggers,
};
use access::Grant;
use api::access::{
    resource::{Jobs, Pipelines},
    verb::{Create, Get},
};
use domain::{Error, ExperimentId, NewRecurringRun, RecurringRun, Result, Source, Template, Trigger};
use serde_json::{Map, Value};
use std::ops::RangeInclusive;

/// How many runs of one schedule may go on at one time (KFP API).
const CONCURRENCY: RangeInclusive<i64> = 1..=10;

/// A request to create a recurring run, whichever version it came in.
pub(crate) struct Request {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) experiment_id: String,
    /// What the request names beside the experiment.
    pub(crate) namespace: String,
    pub(crate) service_account: String,
    pub(crate) definition: Definition,
    pub(crate) without_version: WithoutVersion,
    pub(crate) has_arguments: bool,
    pub(crate) parameters: Map<String, Value>,
    pub(crate) pipeline_root: String,
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
    names::name("the recurring run's name (display_name)", &request.name, names::RUN)?;
    names::description(&request.description)?;
    names::length("service_account", &request.service_account, names::SERVICE_ACCOUNT)?;
    names::length("pipeline_root", &request.pipeline_root, names::URL)?;
    let (named, multi_user) = (&request.namespace, context.settings.multi_user);
    if multi_user && !named.is_empty() && named != grant.namespace()?.as_str() {
        return Err(Error::invalid(format!(
            "the recurring run's experiment is not in namespace {named}, which the recurring run names too"
        )));
    }
    if !CONCURRENCY.contains(&request.max_concurrency) {
        return Err(Error::invalid(format!(
            "max_concurrency is {}, and must be between {} and {}",
            request.max_concurrency,
            CONCURRENCY.start(),
            CONCURRENCY.end()
        )));
    }
    triggers::check(&request.trigger, context.store.now())?;
    runs::check_size(&request.parameters)?;
    if matches!(request.definition, Definition::Nothing) {
        return Err(Error::invalid(
            "the recurring run does not say what to execute: give a pipeline version, a pipeline, or a pipeline spec",
        ));
    }
    let follows = request.without_version == WithoutVersion::Follows && request.definition.is_latest();
    let (source, package, spec) = runs::definition(context, pipelines, request.definition).await?;
    runs::check_runnable(&package, &request.parameters, request.has_arguments)?;
    let experiment_id = match (request.experiment_id.is_empty(), multi_user) {
        (false, _) => ExperimentId::from_text(request.experiment_id),
        (true, false) => context.store.default_experiment(grant).await?,
        (true, true) => return Err(Error::invalid("the recurring run does not name an experiment: set experiment_id")),
    };
    let service_account = match request.service_account.is_empty() {
        true => context.settings.default_service_account.clone(),
        false => request.service_account,
    };
    let new = NewRecurringRun {
        experiment_id,
        name: request.name,
        description: request.description,
        service_account,
        template: match source {
            Source::Version { pipeline_id, .. } if follows => Template::Latest(pipeline_id),
            source => Template::Pinned { source, spec },
        },
        parameters: request.parameters,
        pipeline_root: request.pipeline_root,
        trigger: request.trigger,
        max_concurrency: request.max_concurrency,
        catchup: request.catchup,
        enabled: request.enabled,
    };
    context.store.create_recurring_run(grant, new).await
}
