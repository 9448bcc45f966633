//! What the creation of a run is in both API versions.
use crate::{Context, policy, work::Work};
use access::Grant;
use api::access::{
    resource::{Jobs, Pipelines, Runs, Workflows},
    verb::{Create, Get, Report, Retry},
};
use domain::{Backend, Error, NewRun, Result, Run, RunId};
use store::OfRecurring;

/// The longest id that a run may be given: it is a label's value in Kubernetes, and the name of a folder here.
const MAX_ID: usize = 63;

/// A request to create a run, whichever version it came in.
pub(crate) struct Request {
    /// The id that the request asks for.
    pub(crate) id: String,
    pub(crate) work: Work,
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

/// Checks everything that can be checked before anything is stored, stores the run, and has it executed.
pub(crate) async fn create(context: &Context, grants: Grants, request: Request) -> Result<Run> {
    let Grants { create: grant, pipelines, recurring_run, runs, report } = &grants;
    let work = request.work.check(context, grant, pipelines.as_ref(), "run").await?;
    context.executor.ready()?;
    let new = NewRun {
        id: report.as_ref().map(|_| chosen(request.id)).transpose()?.flatten(),
        experiment_id: work.experiment_id,
        name: work.name,
        description: work.description,
        service_account: work.service_account,
        source: work.source,
        spec: work.spec,
        parameters: work.parameters,
        pipeline_root: work.pipeline_root,
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
    let spec = context.store.definition_to_retry(grant, &id).await?;
    if !spec.is_empty() {
        policy::check_again(context, grant.home(), spec).await?;
    }
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
