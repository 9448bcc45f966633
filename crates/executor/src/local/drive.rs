//! The life of one run: events into the engine, its state into the store, its commands into the world.
use super::{
    Shared,
    attempt::Attempt,
    folders,
    records::{Records, run_state},
};
use domain::{Code, Error, Namespace, Result, Run, RunId};
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

/// How long to wait before a write that failed is tried again, at first and at most.
const RETRY: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(10));

/// Drives a run from where it stands to its end.
pub(super) async fn drive(
    shared: &Arc<Shared>,
    namespace: &Namespace,
    id: &RunId,
    nudges: &mut mpsc::UnboundedReceiver<()>,
) {
    match Driver::new(shared, namespace, id).await {
        Ok(Some(driver)) => driver.run(nudges).await,
        Ok(None) => {}
        Err(error) if error.code() == Code::NotFound => remove_files(shared, namespace, id).await,
        Err(error) => tracing::error!(run.id = %id, %namespace, %error, "a run cannot be taken up"),
    }
}

/// Removes what a deleted run has left.
async fn remove_files(shared: &Shared, namespace: &Namespace, id: &RunId) {
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

/// Why a driver stops before the end of its run.
struct Gone;

impl<'a> Driver<'a> {
    /// Reads the run. `None` if there is nothing to drive any more.
    async fn new(shared: &'a Arc<Shared>, namespace: &'a Namespace, id: &RunId) -> Result<Option<Self>> {
        let execution = persist(|| async {
            let grant = shared.system.grant("read a run to execute it", namespace);
            shared.store.execution(&grant, id).await
        });
        let execution = execution.await?;
        let run = execution.run;
        if run.state.is_final() {
            return Ok(None);
        }
        let plan = match plan(&run) {
            Ok(plan) => plan,
            Err(error) => {
                fail(shared, namespace, id, error.message().to_owned()).await?;
                return Ok(None);
            }
        };
        let (state, event) = match execution.engine.as_str() {
            "" => (State::default(), Event::Started),
            text => match serde_json::from_str(text) {
                Ok(state) => (state, Event::Restarted),
                Err(error) => {
                    fail(shared, namespace, id, format!("the run's stored state cannot be read: {error}")).await?;
                    return Ok(None);
                }
            },
        };
        let mut events = VecDeque::from([event]);
        events.extend(run.terminated_by.clone().map(|by| Event::Cancel { by }));
        let pipeline_name = Package::parse(&run.spec)?.pipeline.pipeline_info.name;
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

    async fn run(mut self, nudges: &mut mpsc::UnboundedReceiver<()>) {
        loop {
            while let Some(event) = self.events.pop_front() {
                if let Err(Gone) = self.take(event).await {
                    self.under_way.shutdown().await;
                    remove_files(self.shared, self.namespace, &self.id).await;
                    return;
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
        let grant = self.shared.system.grant("see whether a run is to be terminated", self.namespace);
        match self.shared.store.run(&grant, self.id.as_str()).await {
            Ok(run) => self.events.extend(run.terminated_by.map(|by| Event::Cancel { by })),
            // The next write finds the run gone; this makes one.
            Err(error) if error.code() == Code::NotFound => {
                self.events.push_back(Event::Cancel { by: "its deletion".to_owned() });
            }
            Err(error) => tracing::warn!(run.id = %self.id, %error, "a run could not be read; it goes on"),
        }
    }

    /// One step: into the engine, into the store, and only then into the world.
    async fn take(&mut self, event: Event) -> Result<(), Gone> {
        let (state, commands) = step(&self.plan, std::mem::take(&mut self.state), event);
        let tasks = self.records.update(&state, self.shared.clock.now());
        let (run, error) = run_state(&state);
        let engine = serde_json::to_string(&state).unwrap_or_default();
        let progress = Progress { run_id: self.id.clone(), engine, state: run, error, tasks };
        self.state = state;
        let saved = persist(|| async {
            let grant = self.shared.system.grant("store a step of a run", self.namespace);
            self.shared.store.save_progress(&grant, progress.clone()).await
        });
        if let Err(error) = saved.await {
            if error.code() != Code::NotFound {
                tracing::error!(run.id = %self.id, %error, "a step of a run cannot be stored; the run is given up here");
            }
            return Err(Gone);
        }
        for command in commands {
            self.carry_out(command);
        }
        Ok(())
    }

    fn carry_out(&mut self, command: Command) {
        match command {
            Command::Launch { task, attempt, inputs } => self.launch(task, attempt, inputs),
            Command::RetryAfter { task, delay } => {
                self.under_way.spawn(async move {
                    tokio::time::sleep(delay).await;
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

/// Lays the run out for the engine.
fn plan(run: &Run) -> Result<Plan> {
    let context = RunContext {
        run_id: run.id.to_string(),
        run_name: run.name.clone(),
        created_at: run.created_at,
        scheduled_at: run.scheduled_at,
        pipeline_root: run.pipeline_root.clone(),
    };
    Plan::new(&Package::parse(&run.spec)?, &run.parameters, context)
}

/// Ends a run that cannot even begin.
async fn fail(shared: &Shared, namespace: &Namespace, id: &RunId, why: String) -> Result<()> {
    tracing::warn!(run.id = %id, %namespace, error = why, "a run cannot be executed");
    let state = State { outcome: Some(Err(why)), ..State::default() };
    let (run, error) = run_state(&state);
    let engine = serde_json::to_string(&state).map_err(Error::internal)?;
    let progress = Progress { run_id: id.clone(), engine, state: run, error, tasks: Vec::new() };
    let grant = shared.system.grant("end a run that cannot be executed", namespace);
    shared.store.save_progress(&grant, progress).await
}

/// Tries until the database is there. A run must neither be lost nor go on unrecorded because it was away.
async fn persist<T, F: Future<Output = Result<T>>>(mut operation: impl FnMut() -> F) -> Result<T> {
    let mut delay = RETRY.0;
    loop {
        match operation().await {
            Err(error) if error.code() == Code::Unavailable => {
                tracing::warn!(%error, "the store is away; trying again");
                tokio::time::sleep(delay).await;
                delay = (delay * 2).min(RETRY.1);
            }
            other => return other,
        }
    }
}
