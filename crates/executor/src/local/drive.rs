//! The life of one run: events into the engine, its state into the store, its commands into the world.
use super::{
    Shared,
    attempt::Attempt,
    folders,
    records::{Records, run_state},
};
use domain::{Backend, Code, Error, Namespace, Result, Run, RunId, Task};
use engine::{Command, Event, Failure, FailureKind, Inputs, Outputs, Plan, RunContext, State, step};
use launcher::RunInfo;
use spec::Package;
use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};
use store::Progress;
use tokio::{
    sync::mpsc,
    task::{Id, JoinSet},
};
use tokio_util::sync::CancellationToken;

/// How long to wait before something that the store refused is tried again, at first and at most.
const RETRY: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(10));
/// How often a failure that does not look as if it would pass is tried again.
const TRIES: u32 = 10;

/// What became of a run that was driven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// It has ended, or is gone.
    Settled,
    /// It could not be carried on; somebody has to try again later.
    GivenUp,
}

/// Drives a run from where it stands to its end.
pub(super) async fn drive(
    shared: &Arc<Shared>,
    namespace: &Namespace,
    id: &RunId,
    nudges: &mut mpsc::UnboundedReceiver<()>,
) -> Ended {
    let error = match Driver::new(shared, namespace, id).await {
        Ok(None) => return Ended::Settled,
        Ok(Some(driver)) => match driver.run(nudges).await {
            Ok(()) => return Ended::Settled,
            Err(error) => error,
        },
        Err(error) => error,
    };
    if error.code() == Code::NotFound {
        remove_files(shared, namespace, id).await;
        return Ended::Settled;
    }
    tracing::error!(run.id = %id, %namespace, error = &error as &dyn std::error::Error, "a run cannot be carried on for now");
    Ended::GivenUp
}

/// Removes what a deleted run has left.
pub(super) async fn remove_files(shared: &Shared, namespace: &Namespace, id: &RunId) {
    let folder = folders::run(&shared.options.folder, namespace, id);
    if let Err(error) = shared.sandbox.remove(&folder).await {
        tracing::warn!(run.id = %id, %namespace, %error, "the files of a deleted run could not be removed");
    }
}

struct Driver<'a> {
    shared: &'a Arc<Shared>,
    namespace: &'a Namespace,
    info: RunInfo,
    id: RunId,
    plan: Plan,
    state: State,
    records: Records,
    events: VecDeque<Event>,
    /// Attempts that run, and delays.
    under_way: JoinSet<Event>,
    /// What an event of `under_way` is about, should it end without one.
    attempts: HashMap<Id, (String, u32)>,
    kills: HashMap<String, CancellationToken>,
}

impl<'a> Driver<'a> {
    /// Reads the run. `None` if there is nothing to drive any more.
    async fn new(shared: &'a Arc<Shared>, namespace: &'a Namespace, id: &RunId) -> Result<Option<Self>> {
        let execution = persist(|| async {
            let grant = shared.system.grant("read a run to execute it", namespace);
            shared.store.execution(&grant, id).await
        });
        let execution = execution.await?;
        let run = execution.run;
        if run.state.is_final() || run.backend != Backend::Local {
            return Ok(None);
        }
        let (plan, pipeline_name) = match plan(&run) {
            Ok(plan) => plan,
            Err(error) => return fail(shared, namespace, id, error.message()).await,
        };
        let (state, event) = match execution.engine.as_str() {
            "" => (State::default(), Event::Started),
            text => match serde_json::from_str(text) {
                // Both end in one write: a run that goes on after its outcome is one that somebody retries.
                Ok(state @ State { outcome: Some(_), .. }) => (state, Event::Retried),
                Ok(state) => (state, Event::Restarted),
                Err(error) => {
                    let why = format!("the run's stored state cannot be read: {error}");
                    return fail(shared, namespace, id, &why).await;
                }
            },
        };
        let mut events = VecDeque::from([event]);
        events.extend(run.terminated_by.clone().map(|by| Event::Cancel { by }));
        Ok(Some(Self {
            shared,
            namespace,
            info: RunInfo {
                run_id: id.to_string(),
                run_name: run.name.clone(),
                pipeline_name,
                namespace: namespace.to_string(),
            },
            id: id.clone(),
            records: Records::new(id, &plan, run.tasks, shared.clock.now()),
            plan,
            state,
            events,
            under_way: JoinSet::new(),
            attempts: HashMap::new(),
            kills: HashMap::new(),
        }))
    }

    async fn run(mut self, nudges: &mut mpsc::UnboundedReceiver<()>) -> Result<()> {
        loop {
            while let Some(event) = self.events.pop_front() {
                if let Err(error) = self.take(event).await {
                    self.kill_all().await;
                    return Err(error);
                }
                // Somebody may retry the run from here on: nothing more must be written of this end.
                if self.state.outcome.is_some() {
                    break;
                }
            }
            if self.state.outcome.is_some() {
                break;
            }
            tokio::select! {
                Some(ended) = self.under_way.join_next_with_id() => self.ended(ended),
                Some(()) = nudges.recv() => self.look_again().await,
                else => break,
            }
        }
        tracing::info!(run.id = %self.id, namespace = %self.namespace, state = %run_state(&self.state).0, "a run has ended");
        Ok(())
    }

    /// Ends all attempts and waits until their processes are gone: nothing writes to the run's files after this.
    async fn kill_all(&mut self) {
        self.kills.values().for_each(CancellationToken::cancel);
        while self.under_way.join_next().await.is_some() {}
    }

    fn ended(&mut self, ended: Result<(Id, Event), tokio::task::JoinError>) {
        match ended {
            Ok((id, event)) => {
                self.attempts.remove(&id);
                self.events.push_back(event);
            }
            Err(error) => {
                let Some((task, attempt)) = self.attempts.remove(&error.id()) else { return };
                tracing::error!(run.id = %self.id, task, %error, "an attempt was cut off");
                let failure =
                    Failure { message: "the executor failed; see the server's log".into(), kind: FailureKind::Error };
                self.events.push_back(Event::Finished { task, attempt, result: Err(failure) });
            }
        }
    }

    /// Somebody has done something to the run: it is to be terminated, or gone.
    async fn look_again(&mut self) {
        let run = persist(|| async {
            let grant = self.shared.system.grant("see whether a run is to be terminated", self.namespace);
            self.shared.store.run(&grant, self.id.as_str()).await
        });
        match run.await {
            Ok(run) => self.events.extend(run.terminated_by.map(|by| Event::Cancel { by })),
            // The write of this step finds the run gone, and that ends the driver.
            Err(error) if error.code() == Code::NotFound => {
                self.events.push_back(Event::Cancel { by: "its deletion".to_owned() });
            }
            Err(error) => tracing::error!(run.id = %self.id, %error, "a run could not be read; it goes on"),
        }
    }

    /// One step: into the engine, into the store, and only then into the world.
    async fn take(&mut self, event: Event) -> Result<()> {
        let (state, commands) = step(&self.plan, std::mem::take(&mut self.state), event);
        let tasks = self.records.update(&state, self.shared.clock.now());
        let progress = progress(&self.id, &state, tasks)?;
        self.state = state;
        let saved = persist(|| async {
            let grant = self.shared.system.grant("store a step of a run", self.namespace);
            self.shared.store.save_progress(&grant, progress.clone()).await
        });
        saved.await?;
        for command in commands {
            self.carry_out(command);
        }
        Ok(())
    }

    fn carry_out(&mut self, command: Command) {
        match command {
            Command::Launch { task, attempt, inputs } => self.launch(task, attempt, inputs),
            Command::RetryAfter { task, delay } => {
                let kill = CancellationToken::new();
                self.kills.insert(task.clone(), kill.clone());
                self.under_way.spawn(async move {
                    let _ = tokio::time::timeout(delay, kill.cancelled()).await;
                    Event::RetryDue { task }
                });
            }
            Command::Kill { task } => {
                if let Some(kill) = self.kills.get(&task) {
                    kill.cancel();
                }
            }
            Command::Finish { .. } => {}
        }
    }

    fn launch(&mut self, name: String, attempt: u32, inputs: Inputs) {
        let (Some(task), Some(task_id)) = (self.plan.task(&name), self.records.id(&name)) else {
            tracing::error!(run.id = %self.id, task = name, "the engine launches a task that is not planned");
            return;
        };
        let work = Attempt {
            namespace: self.namespace.clone(),
            run_id: self.id.clone(),
            run: self.info.clone(),
            task_id: task_id.clone(),
            task: task.clone(),
            attempt,
            inputs,
        };
        let kill = CancellationToken::new();
        self.kills.insert(name.clone(), kill.clone());
        let (shared, task) = (self.shared.clone(), name.clone());
        let spawned = self.under_way.spawn(async move {
            let result: Result<Outputs, Failure> = work.run(&shared, kill).await;
            Event::Finished { task, attempt, result }
        });
        self.attempts.insert(spawned.id(), (name, attempt));
    }
}

/// Lays the run out for the engine. With the pipeline's name.
fn plan(run: &Run) -> Result<(Plan, String)> {
    let context = RunContext {
        run_id: run.id.to_string(),
        run_name: run.name.clone(),
        created_at: run.created_at,
        scheduled_at: run.scheduled_at,
        pipeline_root: run.pipeline_root.clone(),
    };
    let package = Package::parse(&run.spec)?;
    Ok((Plan::new(&package, &run.parameters, context)?, package.pipeline.pipeline_info.name))
}

fn progress(id: &RunId, state: &State, tasks: Vec<Task>) -> Result<Progress> {
    let engine = serde_json::to_string(state).map_err(Error::internal)?;
    let (run, error) = run_state(state);
    Ok(Progress { run_id: id.clone(), engine, state: run, error, tasks })
}

/// Ends a run that cannot even begin: there is nothing to drive.
async fn fail<'a>(shared: &Shared, namespace: &Namespace, id: &RunId, why: &str) -> Result<Option<Driver<'a>>> {
    tracing::warn!(run.id = %id, %namespace, error = why, "a run cannot be executed");
    let state = State { outcome: Some(Err(why.to_owned())), ..State::default() };
    let progress = progress(id, &state, Vec::new())?;
    let saved = persist(|| async {
        let grant = shared.system.grant("end a run that cannot be executed", namespace);
        shared.store.save_progress(&grant, progress.clone()).await
    });
    saved.await.map(|()| None)
}

/// Tries until the store does it. A run must neither be lost nor go on unrecorded because the database was away or the
/// disk was full.
async fn persist<T, F: Future<Output = Result<T>>>(mut operation: impl FnMut() -> F) -> Result<T> {
    let (mut delay, mut tries) = (RETRY.0, 0);
    loop {
        let error = match operation().await {
            Err(error) if matches!(error.code(), Code::Unavailable | Code::Internal) => error,
            other => return other,
        };
        tries += u32::from(error.code() == Code::Internal);
        if tries > TRIES {
            return Err(error);
        }
        tracing::warn!(error = &error as &dyn std::error::Error, "the store did not do its part; trying again");
        tokio::time::sleep(delay).await;
        delay = (delay * 2).min(RETRY.1);
    }
}
