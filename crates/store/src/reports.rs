//! Runs of another engine, as its agent reports them. Runs that are executed here are never touched.
use crate::{
    Error, Store, columns,
    connect::{Connection, read, write},
    runs::{self as run, find, find_if_any, insert},
    schedules,
    schema::{experiments, pipeline_versions, recurring_runs, runs},
    specs::Specs,
    tasks as task,
};
use access::Grant;
use api::access::{
    resource::{Runs, Scheduledworkflows, Workflows},
    verb::{Get, Report},
};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::{
    Backend, Home, Kind, Namespace, ReportedNode, Result, RunId, RuntimeState, StateChange, Task, Timestamp,
    WorkflowReport,
};
use std::collections::HashMap;

impl Store {
    /// Takes in a report. A run that is not known is made if a recurring run of the same namespace has started it.
    ///
    /// # Errors
    /// `NotFound` for a run that is unknown, or of another namespace; `FailedPrecondition` for one that is executed
    /// here; `Internal` if the grant is not for all tenants.
    pub async fn report_workflow(&self, grant: &Grant<Report, Workflows>, report: WorkflowReport) -> Result<()> {
        grant.covers_all_tenants()?;
        let (by, now) = (grant.who().user().to_owned(), self.clock.now());
        let (home, id) = (report.namespace.to_string(), report.run_id.to_string());
        let (run, specs) = ((home.clone(), id.clone()), self.specs.clone());
        write!(self, |conn| {
            let row = match find_if_any(conn, &home, &id).await? {
                Some(row) => row,
                None => adopt(conn, &specs, &report, by, now).await?,
            };
            if !row.is_reported() {
                let text = format!("run {id} is executed by this server, which alone says how it stands");
                return Err(domain::Error::precondition(text).into());
            }
            let tasks = changed_tasks(conn, &home, &report, now).await?;
            let revision = update(conn, &row, &report, !tasks.is_empty(), now).await?;
            let run = task::OfRun { home: &home, run_id: &id, pipeline_name: "", revision, now };
            run.save(conn, &tasks).await?;
            if report.state.is_final() {
                schedules::run_has_ended(conn, &row.recurring_run_id).await?;
            }
            Ok(())
        })?;
        self.wakes.wake(&run.0, &run.1);
        Ok(())
    }

    /// Passes if the recurring run exists in that namespace.
    ///
    /// # Errors
    /// `NotFound`; `Internal` if the grant is not for all tenants.
    pub async fn known_recurring_run(
        &self,
        grant: &Grant<Report, Scheduledworkflows>,
        namespace: &Namespace,
        id: &str,
    ) -> Result<()> {
        grant.covers_all_tenants()?;
        let (home, key) = (namespace.to_string(), id.to_owned());
        let there: i64 = read!(self, |conn| {
            let it =
                recurring_runs::table.filter(recurring_runs::id.eq(key)).filter(recurring_runs::namespace.eq(home));
            Ok(it.count().get_result(conn).await?)
        })?;
        if there == 0 { Err(domain::Error::not_found(Kind::RecurringRun, id)) } else { Ok(()) }
    }

    /// The workflow that was last reported of a run that the grant reaches, as JSON; nothing for runs executed here.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn reported_workflow(&self, grant: &Grant<Get, Runs>, id: &str) -> Result<Option<String>> {
        grant.covers(Kind::Run, id)?;
        let (home, key) = (grant.home().as_column().to_owned(), id.to_owned());
        Ok(read!(self, |conn| {
            if !find(conn, &home, &key).await?.is_reported() {
                return Ok(None);
            }
            Ok(Some(runs::table.find(key).select(runs::engine).first(conn).await?))
        })?)
    }
}

/// The row of a run that a recurring run has started elsewhere.
async fn adopt(
    conn: &mut Connection,
    specs: &Specs,
    report: &WorkflowReport,
    by: String,
    now: Timestamp,
) -> Result<run::Row, Error> {
    let home = report.namespace.to_string();
    let unknown = || Error::from(domain::Error::not_found(Kind::Run, report.run_id.as_str()));
    let Some(owner) = &report.recurring_run_id else { return Err(unknown()) };
    let it = recurring_runs::table.filter(recurring_runs::id.eq(owner)).filter(recurring_runs::namespace.eq(&home));
    let columns = (
        recurring_runs::experiment_id,
        recurring_runs::service_account,
        recurring_runs::pipeline_id,
        recurring_runs::version_id,
        recurring_runs::version_name,
        recurring_runs::spec_hash,
        recurring_runs::parameters,
        recurring_runs::pipeline_root,
    );
    type Found = (String, String, String, String, String, String, String, String);
    let found: Option<Found> = it.select(columns).first(conn).await.optional()?;
    let (experiment_id, service_account, pipeline_id, mut version_id, mut version_name, mut hash, parameters, root) =
        found.ok_or_else(unknown)?;
    let mut kept_in = home.clone();
    if hash.is_empty() {
        // It takes the latest version, which is the one that has been started.
        // Of a pipeline that is the namespace's own, or everybody's: another one's may not be read from here.
        let homes = [home.as_str(), Home::Shared.as_column()];
        let all = pipeline_versions::table
            .filter(pipeline_versions::pipeline_id.eq(&pipeline_id))
            .filter(pipeline_versions::namespace.eq_any(homes));
        let latest = all.order((pipeline_versions::created_at.desc(), pipeline_versions::id.desc()));
        use pipeline_versions::{id, name, namespace, spec_hash};
        let columns = (id, name, namespace, spec_hash);
        let found: Option<(String, String, String, String)> = latest.select(columns).first(conn).await.optional()?;
        (version_id, version_name, kept_in, hash) = found.ok_or_else(unknown)?;
    }
    let spec = specs.read(conn, &kept_in, &hash).await?;
    let row = run::Row {
        id: report.run_id.to_string(),
        namespace: home.clone(),
        experiment_id,
        name: report.name.clone(),
        service_account,
        pipeline_id,
        version_id,
        version_name,
        spec_hash: hash,
        parameters,
        pipeline_root: root,
        scheduled_at: report.scheduled_at.unwrap_or(now).0,
        recurring_run_id: owner.clone(),
        ..run::Row::pending(by, now, Backend::Reported)
    };
    let experiment =
        experiments::table.filter(experiments::id.eq(&row.experiment_id)).filter(experiments::namespace.eq(&home));
    diesel::update(experiment).set(experiments::last_run_at.eq(now.0)).execute(conn).await?;
    match insert(conn, vec![(row.clone(), spec.clone())]).await {
        // The id is taken in another namespace, which is not to be told.
        Err(error) if error.is_taken() => Err(unknown()),
        other => other.map(|()| row),
    }
}

/// Brings the run up to what the report says, and gives the step that it is at then: agents repeat themselves, and what
/// says nothing new is no step.
async fn update(
    conn: &mut Connection,
    row: &run::Row,
    report: &WorkflowReport,
    tasks_change: bool,
    now: Timestamp,
) -> Result<u64, Error> {
    let before = columns::word("runs.state", &row.state, RuntimeState::parse)?;
    let error = report.error.clone().unwrap_or_default();
    let finished = if report.state.is_final() { report.finished_at.unwrap_or(now) } else { Timestamp(0) }.0;
    let change = (report.state != before).then(|| StateChange::new(now, report.state, report.error.clone()));
    let (history, revision) = match change.is_some() || tasks_change || error != row.error {
        true => row.step(change)?,
        false => (row.history.clone(), row.revision),
    };
    let changes = (
        runs::state.eq(report.state.as_str()),
        runs::history.eq(history),
        runs::error.eq(error),
        runs::finished_at.eq(finished),
        runs::engine.eq(report.workflow.clone()),
        runs::revision.eq(revision),
    );
    diesel::update(runs::table.find(&row.id)).set(changes).execute(conn).await?;
    Ok(revision.unsigned_abs())
}

/// The tasks that are not as the nodes say, as they are to be. A task is never taken away.
async fn changed_tasks(
    conn: &mut Connection,
    home: &str,
    report: &WorkflowReport,
    now: Timestamp,
) -> Result<Vec<Task>, Error> {
    let known = task::of_run(conn, home, report.run_id.as_str()).await?;
    // Not by their names, which clients choose of those that they record.
    let mut known: HashMap<String, Task> = known.into_iter().map(|task| (task.path.clone(), task)).collect();
    let mut changed = Vec::new();
    for node in &report.nodes {
        let before = known.remove(&node.id);
        let after = merged(before.clone(), &report.run_id, node, now);
        if before.as_ref() == Some(&after) {
            continue;
        }
        changed.push(after);
    }
    Ok(changed)
}

fn merged(before: Option<Task>, run_id: &RunId, node: &ReportedNode, now: Timestamp) -> Task {
    let mut task = before.unwrap_or_else(|| Task { state: node.state, ..Task::pending(run_id.clone(), &node.id, now) });
    if task.history.is_empty() || task.state != node.state {
        StateChange::new(now, node.state, node.error.clone()).append_to(&mut task.history);
    }
    task.display_name.clone_from(&node.display_name);
    task.state = node.state;
    task.error.clone_from(&node.error);
    task.started_at = node.started_at.or(task.started_at);
    task.finished_at = node.finished_at.or(task.finished_at);
    task
}
