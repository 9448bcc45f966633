//! What it takes to make a run of a recurring run: the rights of whoever it is for, and its definition as it is now.
use crate::{
    Context,
    recurring_runs::gone,
    triggers,
    work::{Definition, Work},
};
use access::{Grant, Owner, Scope};
use api::{
    access::{
        Admit,
        resource::{Jobs, Pipelines, Runs},
        verb::{Create, Get},
    },
    bulkhead::v1::{FireRecurringRunRequest, schedule_service_rpc::FireRecurringRun},
};
use domain::{Code, Error, Executes, Fired, Firing, NewRun, Result, RunId, Schedule, Timestamp};
use scheduler::{Macros, resource_name, run_name};
use std::time::{Duration, Instant};

/// How long an admission counts.
const FRESH: Duration = Duration::from_secs(5);
/// What makes somebody its owner.
const AGAIN: &str = "enable it again";

/// Makes the run of a moment, as its owner, who has to pass the gate as if they made it themselves.
///
/// # Errors
/// As of a request to create a run; `PermissionDenied` too if nobody is known whom it would be made for, or it was recorded
/// too long ago in which groups they are; `FailedPrecondition` if schedules of the namespace may not fire as often.
pub async fn fire(context: &Context, owner: Option<&Owner>, schedule: &Schedule, firing: Firing) -> Result<Fired> {
    let it = &schedule.recurring_run;
    let owner = owner
        .ok_or_else(|| denied(format!("it was not recorded whom recurring run {} makes runs for: {AGAIN}", it.id)))?;
    let settings = &context.settings.schedules;
    let age = context.store.now().since(owner.recorded_at());
    if settings.owner_max_age.is_some_and(|most| age > most) {
        return Err(denied(format!(
            "the groups of {} were recorded at {}, and may not be relied on for as long \
             (schedules.owner_max_age of the server's configuration): {AGAIN}",
            owner.user(),
            owner.recorded_at()
        )));
    }
    triggers::pace(&it.trigger, settings.least(&it.namespace)).map_err(Error::precondition)?;
    let admitted_at = Instant::now();
    let request = FireRecurringRunRequest { recurring_run_id: it.id.to_string() };
    let admitted = context.gate.admit::<FireRecurringRun>(Some(&context.gate.act_for(owner)), &request).await;
    let scope = admitted.map_err(|error| for_readers(error, owner, schedule))?;
    let grants = Grants::of(&scope);
    let new = prepare(context, &grants, schedule, firing.at).await?;
    // This server may have been stopped since, for longer than a right that was withdrawn may still count.
    if admitted_at.elapsed() > FRESH {
        return Err(Error::new(Code::Unavailable, "it took too long to make the run; it is tried again"));
    }
    let fired = context.store.fire(&grants.create, &grants.recurring_run, firing, new).await;
    if let Ok(Fired::Made(run)) = &fired {
        tracing::info!(run.id = %run, namespace = %it.namespace, recurring_run.id = %it.id, "a run was made by schedule");
        context.executor.wake(&it.namespace, run);
    }
    fired
}

/// A refusal in words for whoever reads of it, who knows what its owner may not know of any more.
fn for_readers(error: Error, owner: &Owner, schedule: &Schedule) -> Error {
    let (user, namespace) = (owner.user(), &schedule.recurring_run.namespace);
    match error.code() {
        Code::NotFound => denied(format!("{user} may not get jobs in namespace {namespace} any more")),
        Code::Unauthenticated => {
            denied(format!("the credentials with which {user} created or enabled it have ended: {AGAIN} with others"))
        }
        _ => error,
    }
}

/// Makes a run for whoever asks, besides those of the schedule.
pub(crate) async fn now(context: &Context, scope: &Scope<FireRecurringRun>, id: &str) -> Result<RunId> {
    let grants = Grants::of(scope);
    let (schedule, _) = context.store.schedule_of(&grants.recurring_run, id).await?;
    let new = prepare(context, &grants, &schedule, context.store.now()).await?;
    let (namespace, run) = (grants.create.namespace()?, new.id.clone());
    let made = context.store.fire_now(&grants.create, &grants.recurring_run, &schedule, new).await;
    if let Some(run) = made.as_ref().ok().or(run.as_ref()) {
        context.wake_after(&made, namespace, run);
    }
    made
}

struct Grants {
    create: Grant<Create, Runs>,
    recurring_run: Grant<Get, Jobs>,
    /// To read the pipeline that it is made of.
    pipelines: Option<Grant<Get, Pipelines>>,
}

impl Grants {
    fn of(scope: &Scope<FireRecurringRun>) -> Self {
        Self { create: scope.grant(), recurring_run: scope.grant(), pipelines: scope.grant_opt() }
    }
}

/// The run that is to be made, after everything was checked that is of one that somebody creates.
async fn prepare(context: &Context, grants: &Grants, schedule: &Schedule, at: Timestamp) -> Result<NewRun> {
    let it = &schedule.recurring_run;
    let (run_id, index) = (RunId::fresh(), schedule.fired + 1);
    let mut parameters = it.parameters.clone();
    let macros = Macros { run_id: run_id.as_str(), scheduled_at: at, now: context.store.now(), index: Some(index) };
    macros.expand_all(&mut parameters);
    let work = Work {
        name: run_name(&resource_name(&it.name, it.id.as_str()), index),
        description: it.description.clone(),
        experiment_id: it.experiment_id.to_string(),
        namespace: String::new(),
        service_account: it.service_account.clone(),
        definition: match it.executes.clone() {
            Executes::Pinned { source, spec } => Definition::Kept { source, spec },
            Executes::Latest(id) if grants.pipelines.is_none() => return Err(gone(&id)),
            Executes::Latest(id) => Definition::Stored { pipeline_id: id.to_string(), version_id: String::new() },
        },
        has_arguments: false,
        parameters,
        pipeline_root: it.pipeline_root.clone(),
    };
    let work = work.check(context, &grants.create, grants.pipelines.as_ref(), "run").await?;
    context.executor.ready()?;
    Ok(work.into_run(run_id))
}

fn denied(text: String) -> Error {
    Error::new(Code::PermissionDenied, text)
}
