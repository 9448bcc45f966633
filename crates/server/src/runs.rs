//! What the creation of a run is in both API versions.
use crate::{Context, names, package};
use access::Grant;
use api::access::{
    resource::{Jobs, Pipelines, Runs, Workflows},
    verb::{Create, Get, Report, Retry},
};
use domain::{Backend, Error, ExperimentId, NewRun, Result, Run, RunId, Source};
use serde_json::{Map, Value};
use spec::Package;
use store::OfRecurring;

/// The most that all parameters of a run may have, as JSON, in bytes.
const MAX_PARAMETERS: usize = 1 << 20;

/// The longest id that a run may be given: it is a label's value in Kubernetes, and the name of a folder here.
const MAX_ID: usize = 63;

/// A request to create a run, whichever version it came in.
pub(crate) struct Request {
    /// The id that the request asks for.
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) experiment_id: String,
    pub(crate) service_account: String,
    pub(crate) definition: Definition,
    /// Whether it has the parameters of a v1 template, which a pipeline of v2 has no use for.
    pub(crate) has_arguments: bool,
    pub(crate) parameters: Map<String, Value>,
    pub(crate) pipeline_root: String,
    /// What makes the run by its schedule, if something does.
    pub(crate) recurring_run_id: String,
}

/// What a request to create a run is admitted to do.
pub(crate) struct Grants {
    pub(crate) create: Grant<Create, Runs>,
    /// To read the pipeline that it names.
    pub(crate) pipelines: Option<Grant<Get, Pipelines>>,
    /// To see the recurring run that it is made for, and runs of the namespace.
    pub(crate) recurring_run: Option<Grant<Get, Jobs>>,
    pub(crate) runs: Option<Grant<Get, Runs>>,
    /// To report runs: only then may it choose the id, which would tell tenants about each other otherwise.
    pub(crate) report: Option<Grant<Report, Workflows>>,
}

/// What the run is to execute, as the request says it.
pub(crate) enum Definition {
    /// A stored version; without its id, the latest one of the pipeline.
    Stored {
        pipeline_id: String,
        version_id: String,
    },
    Inline(Box<Package>),
    Nothing,
}

impl Definition {
    /// Whether it is the latest version of a pipeline.
    pub(crate) fn is_latest(&self) -> bool {
        matches!(self, Self::Stored { version_id, .. } if version_id.is_empty())
    }
}

/// Checks everything that can be checked before anything is stored, stores the run, and has it executed.
pub(crate) async fn create(context: &Context, grants: Grants, request: Request) -> Result<Run> {
    let Grants { create: grant, pipelines, recurring_run, runs, report } = &grants;
    names::name("the run's name (display_name)", &request.name, names::RUN)?;
    names::description(&request.description)?;
    names::length("service_account", &request.service_account, names::SERVICE_ACCOUNT)?;
    names::length("pipeline_root", &request.pipeline_root, names::URL)?;
    check_size(&request.parameters)?;
    let (source, package, spec) = definition(context, pipelines.as_ref(), request.definition).await?;
    check_runnable(&package, &request.parameters, request.has_arguments)?;
    context.executor.ready()?;
    let experiment_id = match (request.experiment_id.is_empty(), context.settings.multi_user) {
        (false, _) => ExperimentId::from_text(request.experiment_id),
        (true, false) => context.store.default_experiment(grant).await?,
        (true, true) => return Err(Error::invalid("the run does not name an experiment: set experiment_id")),
    };
    let service_account = match request.service_account.is_empty() {
        true => context.settings.default_service_account.clone(),
        false => request.service_account,
    };
    let new = NewRun {
        id: report.as_ref().map(|_| chosen(request.id)).transpose()?.flatten(),
        experiment_id,
        name: request.name,
        description: request.description,
        service_account,
        source,
        spec,
        parameters: request.parameters,
        pipeline_root: request.pipeline_root,
    };
    let run = match recurring_run {
        None => context.store.create_run(grant, new).await?,
        Some(recurring_run) => {
            let of = OfRecurring { id: &request.recurring_run_id, recurring_run, runs: runs.as_ref() };
            context.store.create_run_of(grant, of, new).await?
        }
    };
    // A recurring run can have it already, from another engine.
    if run.backend == Backend::Local {
        context.executor.wake(&run.namespace, &run.id);
    }
    Ok(run)
}

/// Lets a failed run go on.
pub(crate) async fn retry(context: &Context, grant: &Grant<Retry, Runs>, id: String) -> Result<()> {
    context.executor.ready()?;
    context.store.retry_run(grant, &id).await?;
    context.executor.wake(grant.namespace()?, &RunId::from_text(id));
    Ok(())
}

/// Reads the id that somebody chooses for a run; without one it gets a fresh one.
pub(crate) fn chosen(id: String) -> Result<Option<RunId>> {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if id.is_empty() {
        return Ok(None);
    }
    if id.len() <= MAX_ID && id.bytes().all(inner) && !id.starts_with('-') && !id.ends_with('-') {
        return Ok(Some(RunId::from_text(id)));
    }
    Err(Error::invalid(format!(
        "the run's id must be 1 to {MAX_ID} lower-case letters, digits and '-', with no '-' at either end"
    )))
}

/// Passes parameters that are not too large.
pub(crate) fn check_size(parameters: &Map<String, Value>) -> Result<()> {
    let size: usize = parameters.iter().map(|(name, value)| name.len() + value.to_string().len()).sum();
    if size > MAX_PARAMETERS {
        let text = format!(
            "the parameters have {size} bytes, and at most {MAX_PARAMETERS} are allowed: pass large values as artifacts"
        );
        return Err(Error::invalid(text));
    }
    Ok(())
}

/// Passes a pipeline that can be run with these parameters; `has_arguments` as in [`Request`].
pub(crate) fn check_runnable(package: &Package, parameters: &Map<String, Value>, has_arguments: bool) -> Result<()> {
    spec::runnable(&package.pipeline)?;
    if has_arguments {
        return Err(Error::invalid(
            "pipeline_spec.parameters are for v1 templates: give pipeline_spec.runtime_config.parameters",
        ));
    }
    spec::check_parameters(&package.pipeline, parameters)
}

/// Finds what a request says that is to be executed: where it comes from, and as what it is kept.
pub(crate) async fn definition(
    context: &Context,
    pipelines: Option<&Grant<Get, Pipelines>>,
    definition: Definition,
) -> Result<(Source, Package, String)> {
    let (pipeline_id, version_id) = match definition {
        Definition::Inline(package) => {
            let spec = package.canonical()?;
            return Ok((Source::Inline, *package, spec));
        }
        Definition::Stored { pipeline_id, version_id } => (pipeline_id, version_id),
        Definition::Nothing => {
            return Err(Error::invalid(
                "the run does not say what to execute: give a pipeline version, a pipeline, or a pipeline spec",
            ));
        }
    };
    let Some(grant) = pipelines else {
        return Err(Error::invalid("the run names neither a pipeline nor a pipeline version"));
    };
    let version = match version_id.is_empty() {
        true => context.store.latest_version(grant, &pipeline_id).await?,
        false => context.store.version(grant, &pipeline_id, &version_id).await?,
    };
    let package = package::read_text(version.spec.clone()).await?;
    let source =
        Source::Version { pipeline_id: version.pipeline_id, version_id: version.id, version_name: version.name };
    Ok((source, package, version.spec))
}
