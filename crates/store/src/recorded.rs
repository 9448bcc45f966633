//! Tasks, artifacts and links that clients record of runs that another engine executes.
//!
//! Nothing that runs here goes by them: what they say of a result is kept beside the columns in which results are looked
//! for, no link leads to a task that the engine or an agent has written, and no artifact is at a place of this host.
use crate::{
    Error, Store, artifacts, columns,
    connect::{Connection, write},
    metadata,
    runs::{self as run, find},
    schema::{artifact_tasks, runs, tasks},
    tasks::{
        self as task, Rest,
        records::{RECORDED, find as find_task, kept},
    },
};
use access::Grant;
use api::access::{
    resource::Runs,
    verb::{Get, ReportMetrics},
};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::{
    ArtifactLink, Code, KeptArtifact, KeptTask, Kind, NewArtifact, NewLink, NewTask, Recorded, Result, RuntimeState,
    StateChange, Task, TaskChange, TaskKind, Timestamp,
};

/// The most tasks that may be there of a run, and the most links, so that nobody fills the database.
const MAX_TASKS: i64 = 10_000;
const MAX_LINKS: i64 = 20_000;
/// The longest path of a task, in bytes: databases have indexes of them.
const MAX_PATH: usize = 2000;

impl Store {
    /// Keeps a task of a run that the grant reaches.
    ///
    /// # Errors
    /// `NotFound` for the run, or for the task that it is to be inside of; `FailedPrecondition` if the run is executed
    /// here; `AlreadyExists` if there is one of that name in the same place; `ResourceExhausted` if the run has too many.
    pub async fn record_task(&self, grant: &Grant<ReportMetrics, Runs>, new: NewTask) -> Result<KeptTask> {
        grant.covers(Kind::Run, new.run_id.as_str())?;
        let (home, now, run_id) = (grant.home().as_column().to_owned(), self.clock.now(), new.run_id.to_string());
        let made: Result<KeptTask, Error> = write!(self, |conn| {
            let row = find(conn, &home, new.run_id.as_str()).await?;
            row.executed_elsewhere()?;
            let of_it = tasks::table.filter(tasks::namespace.eq(&home)).filter(tasks::run_id.eq(&row.id));
            if of_it.count().get_result::<i64>(conn).await? >= MAX_TASKS {
                return Err(too_many(&row.id, MAX_TASKS, "tasks"));
            }
            let path = path(conn, &home, &new).await?;
            let mut task = Task::pending(new.run_id.clone(), &new.name, now);
            task.kind = new.kind;
            task.parent_id = new.parent_id.clone();
            let mut recorded = Recorded { root: new.is_root, ..Recorded::default() };
            StateChange::new(now, task.state, None).append_to(&mut task.history);
            apply(&mut task, &mut recorded, new.change, now);
            task.path = path;
            task.engine = kept_as(&recorded);
            let revision = step(conn, &row).await?;
            let of_run = of(&row, revision, now);
            of_run.insert(conn, &task).await?;
            of_run.record(conn, &[task.clone()]).await?;
            kept(conn, &home, task.id.as_str()).await
        });
        self.wakes.wake(grant.home().as_column(), &run_id);
        match made {
            Err(error) if error.is_taken() => {
                Err(domain::Error::exists(format!("run {run_id} has such a task in the same place already")))
            }
            other => Ok(other?),
        }
    }

    /// Changes a recorded task that the grant reaches.
    ///
    /// # Errors
    /// `NotFound`; `FailedPrecondition` if it was not recorded so, or its run is executed here; `InvalidArgument` if it is
    /// not the `same`, as what does not change says where it is told.
    pub async fn change_recorded_task(
        &self,
        grant: &Grant<ReportMetrics, Runs>,
        id: &str,
        same: Same,
        change: TaskChange,
    ) -> Result<KeptTask> {
        grant.covers(Kind::Task, id)?;
        let (home, now, key) = (grant.home().as_column().to_owned(), self.clock.now(), id.to_owned());
        let changed = write!(self, |conn| {
            let row = find_task(conn, &home, &key).await?;
            let (mut recorded, run) = recorded(conn, &home, &row).await?;
            same.check(&row)?;
            let rest: Rest = tasks::table.find(&key).select(Rest::as_select()).first(conn).await?;
            let mut task: Task = row.try_into()?;
            task.inputs.parameters = columns::value("tasks.input_parameters", &rest.input_parameters)?;
            task.outputs.parameters = columns::value("tasks.output_parameters", &rest.output_parameters)?;
            apply(&mut task, &mut recorded, change, now);
            task.engine = kept_as(&recorded);
            let revision = step(conn, &run).await?;
            let of_run = of(&run, revision, now);
            of_run.update(conn, &task).await?;
            of_run.record(conn, &[task]).await?;
            kept(conn, &home, &key).await
        })?;
        self.wakes.wake(grant.home().as_column(), changed.task.run_id.as_str());
        Ok(changed)
    }

    /// Keeps an artifact with its link to a recorded task.
    ///
    /// # Errors
    /// `NotFound` for the run, or for the task in it; `FailedPrecondition` if the task was not recorded;
    /// `ResourceExhausted` if the run has too many links.
    pub async fn record_artifact(&self, grant: &Grant<ReportMetrics, Runs>, new: NewArtifact) -> Result<KeptArtifact> {
        grant.covers(Kind::Run, new.run_id.as_str())?;
        grant.covers(Kind::Task, new.task_id.as_str())?;
        let (home, now) = (grant.home().as_column().to_owned(), self.clock.now());
        Ok(write!(self, |conn| {
            let (task, run) = linkable(conn, &home, new.run_id.as_str(), new.task_id.as_str()).await?;
            let row = artifacts::Row::recorded(&home, new.clone(), now);
            diesel::insert_into(crate::schema::artifacts::table).values(row.clone()).execute(conn).await?;
            artifacts::Link::add(conn, &task, new.direction, &new.key, row.id()).await?;
            let revision = step(conn, &run).await?;
            metadata::record_artifacts(conn, &of(&run, revision, now), &[row.id()]).await?;
            row.try_into()
        })?)
    }

    /// Keeps a link between a recorded task and an artifact that may be seen, of the same namespace.
    ///
    /// # Errors
    /// `NotFound` for the run, for the task in it, or for the artifact; `FailedPrecondition` if the task was not recorded;
    /// `AlreadyExists` for the same link; `InvalidArgument` if something else has made the artifact than the client says;
    /// `ResourceExhausted` if the run has too many links.
    pub async fn record_link(
        &self,
        grant: &Grant<ReportMetrics, Runs>,
        seen: &Grant<Get, Runs>,
        new: NewLink,
    ) -> Result<ArtifactLink> {
        grant.covers(Kind::Run, new.run_id.as_str())?;
        grant.covers(Kind::Task, new.task_id.as_str())?;
        let artifact = self.artifact(seen, new.artifact_id.as_str()).await?;
        if seen.home() != grant.home() {
            return Err(domain::Error::not_found(Kind::Artifact, new.artifact_id.as_str()));
        }
        if new.producer.is_some() && new.producer != artifact.producer {
            let text =
                format!("artifact {} was not made by what producer_task_name and producer_key say", new.artifact_id);
            return Err(domain::Error::invalid(text));
        }
        let (home, now) = (grant.home().as_column().to_owned(), self.clock.now());
        let link = write!(self, |conn| {
            let (task, run) = linkable(conn, &home, new.run_id.as_str(), new.task_id.as_str()).await?;
            // It may have gone meanwhile.
            artifacts::is_there(conn, &home, new.artifact_id.as_str()).await?;
            let link = artifacts::Link::add(conn, &task, new.direction, &new.key, new.artifact_id.as_str()).await?;
            let revision = step(conn, &run).await?;
            metadata::record_artifacts(conn, &of(&run, revision, now), &[new.artifact_id.as_str()]).await?;
            Ok(link)
        })?;
        Ok(link.with(artifact.producer)?)
    }
}

/// What a client takes a task for that it changes; empty where it does not say.
#[derive(Clone, Debug, Default)]
pub struct Same {
    pub name: String,
    pub run_id: String,
    pub parent_id: String,
    pub kind: Option<TaskKind>,
}

impl Same {
    fn check(&self, row: &task::Row) -> Result<(), Error> {
        let kind = self.kind.map(TaskKind::as_str).unwrap_or_default();
        for (what, said, is) in [
            ("name", self.name.as_str(), &row.name),
            ("run_id", &self.run_id, &row.run_id),
            ("parent_task_id", &self.parent_id, &row.parent_id),
            ("type", kind, &row.kind),
        ] {
            if !said.is_empty() && said != is {
                let text = format!("{what} of task {} is {is:?}, and cannot be changed", row.id);
                return Err(domain::Error::invalid(text).into());
            }
        }
        Ok(())
    }
}

/// The run that is changed by a step. What its pipeline is called nobody says.
fn of(run: &run::Row, revision: u64, now: Timestamp) -> task::OfRun<'_> {
    task::OfRun { home: &run.namespace, run_id: &run.id, pipeline_name: "", revision, now }
}

fn too_many(run_id: &str, most: i64, what: &str) -> Error {
    let text = format!("run {run_id} has {most} {what}, and may have no more");
    domain::Error::new(Code::ResourceExhausted, text).into()
}

/// Where the task is in the run. Nodes that an agent reports do not begin so.
async fn path(conn: &mut Connection, home: &str, new: &NewTask) -> Result<String, Error> {
    let inside = match &new.parent_id {
        None => String::new(),
        Some(id) => {
            let parent = find_task(conn, home, id.as_str()).await?;
            if parent.run_id != new.run_id.as_str() {
                return Err(domain::Error::not_found(Kind::Task, id.as_str()).into());
            }
            if parent.path.starts_with('/') { parent.path } else { format!("/{}", parent.path) }
        }
    };
    let number = new.change.iteration_index.filter(|_| new.kind == TaskKind::LoopIteration);
    let number = number.map(|number| format!("[{number}]")).unwrap_or_default();
    let path = format!("{inside}/{}{number}", new.name);
    if path.len() > MAX_PATH {
        return Err(domain::Error::invalid("the task is inside of too many others, or their names are too long").into());
    }
    Ok(path)
}

/// What is kept of the task in place of the engine's state.
fn kept_as(recorded: &Recorded) -> String {
    format!("{RECORDED}{}", columns::text(recorded))
}

/// What is kept so of a task of a run that is executed elsewhere, and the run.
async fn recorded(conn: &mut Connection, home: &str, row: &task::Row) -> Result<(Recorded, run::Row), Error> {
    let run = find(conn, home, &row.run_id).await?;
    run.executed_elsewhere()?;
    let engine: String = tasks::table.find(&row.id).select(tasks::engine).first(conn).await?;
    match engine.strip_prefix(RECORDED) {
        Some(text) => Ok((columns::value("tasks.engine", text)?, run)),
        None => {
            let text =
                format!("task {} is one that the agent of another engine has reported, and changes alone", row.id);
            Err(domain::Error::precondition(text).into())
        }
    }
}

/// A recorded task of that run, which may have one more link.
async fn linkable(
    conn: &mut Connection,
    home: &str,
    run_id: &str,
    task_id: &str,
) -> Result<(task::Row, run::Row), Error> {
    let task = find_task(conn, home, task_id).await?;
    if task.run_id != run_id {
        return Err(domain::Error::not_found(Kind::Task, task_id).into());
    }
    let (_, run) = recorded(conn, home, &task).await?;
    let of_it = artifact_tasks::table.filter(artifact_tasks::namespace.eq(home));
    if of_it.filter(artifact_tasks::run_id.eq(run_id)).count().get_result::<i64>(conn).await? >= MAX_LINKS {
        return Err(too_many(run_id, MAX_LINKS, "artifacts of tasks"));
    }
    Ok((task, run))
}

/// Counts a step of the run, so that those who watch it see what has changed.
async fn step(conn: &mut Connection, row: &run::Row) -> Result<u64, Error> {
    let (_, revision) = row.step(None)?;
    diesel::update(runs::table.find(&row.id)).set(runs::revision.eq(revision)).execute(conn).await?;
    Ok(revision.unsigned_abs())
}

fn apply(task: &mut Task, recorded: &mut Recorded, change: TaskChange, now: Timestamp) {
    fn set<T>(into: &mut T, value: Option<T>) {
        if let Some(value) = value {
            *into = value;
        }
    }
    set(&mut task.display_name, change.display_name);
    if change.error.is_some() {
        task.error = change.error;
    }
    if let Some(state) = change.state.filter(|state| *state != task.state) {
        task.state = state;
        let error = task.error.clone().filter(|_| state == RuntimeState::Failed);
        StateChange::new(now, state, error).append_to(&mut task.history);
    }
    set(&mut task.created_at, change.created_at);
    task.started_at = change.started_at.or(task.started_at);
    task.finished_at = change.finished_at.or(task.finished_at);
    set(&mut task.inputs.parameters, change.inputs);
    set(&mut task.outputs.parameters, change.outputs);
    set(&mut recorded.producers, change.producers);
    set(&mut recorded.pods, change.pods);
    set(&mut recorded.fingerprint, change.fingerprint);
    set(&mut recorded.status_metadata, change.status_metadata);
    recorded.iteration_index = change.iteration_index.or(recorded.iteration_index);
    recorded.iteration_count = change.iteration_count.or(recorded.iteration_count);
}
