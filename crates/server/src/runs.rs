//! What the creation of a run is in both API versions.
use crate::{
    Context, policy,
    work::{Work, check_size},
};
use access::Grant;
use api::access::{
    resource::{Jobs, Pipelines, Runs, Workflows},
    verb::{Create, Get, Report, Retry},
};
use domain::{Backend, Code, Error, Namespace, Result, Run, RunId};
use scheduler::Macros;
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
    let id = report.as_ref().map(|_| chosen(request.id)).transpose()?.flatten().unwrap_or_else(RunId::fresh);
    let mut work = request.work;
    // Before they grow, and after that in `check`.
    check_size(&work.parameters)?;
    let now = context.store.now();
    // As for a run of a schedule, but for the index, which such a run has none of (KFP API).
    let macros = Macros { run_id: id.as_str(), scheduled_at: now, now, index: None };
    macros.expand_all(&mut work.parameters);
    let work = work.check(context, grant, pipelines.as_ref(), "run").await?;
    context.executor.ready()?;
    let new = work.into_run(id.clone());
    let made = match recurring_run {
        None => context.store.create_run(grant, new).await,
        Some(recurring_run) => {
            let of = OfRecurring { id: &request.recurring_run_id, recurring_run, runs: runs.as_ref() };
            context.store.create_run_of(grant, of, new).await
        }
    };
    if let Ok(run) = &made {
        // The line has the id of the request too, so that what becomes of the run can be traced to it.
        tracing::info!(run.id = %run.id, namespace = %run.namespace, "a run was created");
    }
    // A recurring run can have it already, from another engine.
    if let Ok(run) = &made
        && run.backend != Backend::Local
    {
        return made;
    }
    let id = made.as_ref().map_or(&id, |run| &run.id);
    context.wake_after(&made, grant.namespace()?, id);
    made
}

/// Lets a failed run go on.
pub(crate) async fn retry(context: &Context, grant: &Grant<Retry, Runs>, id: String) -> Result<()> {
    context.executor.ready()?;
    let spec = context.store.definition_to_retry(grant, &id).await?;
    if !spec.is_empty() {
        policy::check_again(context, grant.home(), spec.to_string()).await?;
    }
    let done = context.store.retry_run(grant, &id).await;
    context.wake_after(&done, grant.namespace()?, &RunId::from_text(id));
    done
}

impl Context {
    /// Has the executor look at a run after something was written of it, or may have been: a database that goes away can
    /// have committed what it did not answer to, and nothing else would have the executor look before the next start.
    pub(crate) fn wake_after<T>(&self, done: &Result<T>, namespace: &Namespace, run: &RunId) {
        if done.as_ref().err().is_none_or(|error| error.code() == Code::Unavailable) {
            self.executor.wake(namespace, run);
        }
    }
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
