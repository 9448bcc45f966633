//! The life of one run: events into the engine, its state into the store, its commands into the world.
use super::{
    Happened, Shared, TaskEnd,
    attempt::{Attempt, Begins, failure},
    folders,
    records::{self, Records, run_state},
    service::logged,
};
use domain::{Backend, Code, Error, Namespace, Result, Run, RunId, RuntimeState, Task, Timestamp};
use engine::{Command, Event, Failure, FailureKind, NodeId, Plan, Rules, RunContext, State, Success, Work, step};
use launcher::RunInfo;
use spec::Package;
use std::{
    collections::{HashMap, VecDeque},
    path::Path,
    sync::Arc,
    time::Duration,
};
use store::{Execution, Progress};
use tokio::{
    sync::{mpsc, oneshot},
    task::{Id, JoinSet},
    time::Instant,
};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, Span};

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
    nudges: &mut mpsc::UnboundedReceiver<Arc<str>>,
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
    plan: Arc<Plan>,
    state: State,
    records: Records,
    events: VecDeque<Event>,
    /// Attempts that run, and delays.
    under_way: JoinSet<Event>,
    /// What an event of `under_way` is about, should it end without one.
    attempts: HashMap<Id, (NodeId, u32)>,
    kills: HashMap<NodeId, CancellationToken>,
    begins: (mpsc::UnboundedSender<Begins>, mpsc::UnboundedReceiver<Begins>),
    /// Attempts that wait until it is stored that they begin.
    beginning: Vec<oneshot::Sender<()>>,
    /// When the run has taken as long as it may.
    deadline: Option<Instant>,
}

impl<'a> Driver<'a> {
    /// Reads the run. `None` if there is nothing to drive any more.
    async fn new(shared: &'a Arc<Shared>, namespace: &'a Namespace, id: &RunId) -> Result<Option<Self>> {
        let execution = persist(|| async {
            let grant = shared.system.grant("read a run to execute it", namespace);
            shared.store.execution(&grant, id).await
        });
        let Execution { run, engine } = execution.await?;
        if run.state.is_final() || run.backend != Backend::Local {
            return Ok(None);
        }
        let folder = folders::run(&shared.options.folder, namespace, id);
        let plan = match plan(&run, &folder, &shared.options.rules) {
            Ok(plan) => plan,
            Err(error) => return fail(shared, namespace, id, engine, error.message()).await,
        };
        let (mut state, records) = match records::restore(id, &engine, run.tasks) {
            Ok(restored) => restored,
            Err(error) => {
                let why = format!("the run's stored state cannot be read: {error}");
                return fail(shared, namespace, id, engine, &why).await;
            }
        };
        let event = match state.run().outcome {
            // Both end in one write: a run that goes on after its outcome is one that somebody retries.
            Some(_) => Event::Retried,
            None => Event::Restarted,
        };
        let now = shared.clock.now();
        // A run that somebody retries has its time anew.
        if event == Event::Retried || state.run().began == 0 {
            state.begin_at(now.0);
        }
        let began = Timestamp(state.run().began);
        let left = |timeout| began.after(timeout).since(now);
        let mut events = VecDeque::from([event]);
        events.extend(run.terminated_by.as_deref().map(terminated));
        Ok(Some(Self {
            shared,
            namespace,
            info: RunInfo {
                run_id: id.to_string(),
                run_name: run.name.clone(),
                pipeline_name: plan.pipeline_name().to_owned(),
                namespace: namespace.to_string(),
                strict: shared.options.rules.strict_kfp,
            },
            id: id.clone(),
            records,
            deadline: plan.timeout().map(|timeout| Instant::now() + left(timeout)),
            plan: Arc::new(plan),
            state,
            events,
            under_way: JoinSet::new(),
            attempts: HashMap::new(),
            kills: HashMap::new(),
            begins: mpsc::unbounded_channel(),
            beginning: Vec::new(),
        }))
    }

    async fn run(mut self, nudges: &mut mpsc::UnboundedReceiver<Arc<str>>) -> Result<()> {
        // Of the request that has named the run last since it is driven.
        let mut latest = Span::none();
        loop {
            if let Err(error) = self.take().instrument(latest.clone()).await {
                self.kill_all().await;
                return Err(error);
            }
            // Somebody may retry the run from here on: nothing more must be written of this end.
            if self.state.run().outcome.is_some() {
                break;
            }
            let deadline = self.deadline;
            tokio::select! {
                Some(ended) = self.under_way.join_next_with_id() => self.ended(ended),
                Some(begins) = self.begins.1.recv() => self.begins(begins),
                Some(request_id) = nudges.recv() => {
                    latest = logged(&request_id);
                    self.look_again().instrument(latest.clone()).await;
                }
                () = tokio::time::sleep_until(deadline.unwrap_or_else(Instant::now)), if deadline.is_some() => {
                    self.deadline = None;
                    self.events.push_back(Event::Stop { why: overdue(&self.plan) });
                }
                else => break,
            }
            // What has happened meanwhile is stored in the same step.
            while let Some(ended) = self.under_way.try_join_next_with_id() {
                self.ended(ended);
            }
            while let Ok(begins) = self.begins.1.try_recv() {
                self.begins(begins);
            }
        }
        let state = run_state(&self.state).0;
        self.shared.observer.happened(Happened::RunEnded(state));
        latest.in_scope(|| tracing::info!(run.id = %self.id, namespace = %self.namespace, %state, "a run has ended"));
        Ok(())
    }

    fn begins(&mut self, Begins { node, attempt, stored }: Begins) {
        self.events.push_back(Event::Began { node, attempt });
        self.beginning.push(stored);
    }

    /// Ends all attempts and waits until their processes are gone: nothing writes to the run's files after this.
    async fn kill_all(&mut self) {
        self.kills.values().for_each(CancellationToken::cancel);
        // Whoever waits until it is stored that they begin hears now that it is not.
        self.beginning.clear();
        self.begins.1.close();
        while self.begins.1.try_recv().is_ok() {}
        while self.under_way.join_next().await.is_some() {}
    }

    fn ended(&mut self, ended: Result<(Id, Event), tokio::task::JoinError>) {
        match ended {
            Ok((id, event)) => {
                self.attempts.remove(&id);
                self.events.push_back(event);
            }
            Err(error) => {
                let Some((node, attempt)) = self.attempts.remove(&error.id()) else { return };
                tracing::error!(run.id = %self.id, node = node.0, %error, "an attempt was cut off");
                let failure = failure("the executor failed; see the server's log");
                self.events.push_back(Event::Finished { node, attempt, result: Err(failure) });
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
            Ok(run) => self.events.extend(run.terminated_by.as_deref().map(terminated)),
            // The write of this step finds the run gone, and that ends the driver.
            Err(error) if error.code() == Code::NotFound => {
                self.events.push_back(terminated("its deletion"));
            }
            Err(error) => tracing::error!(run.id = %self.id, %error, "a run could not be read; it goes on"),
        }
    }

    /// What has happened goes into the engine, into the store, and only then into the world.
    async fn take(&mut self) -> Result<()> {
        let (plan, state, events) =
            (self.plan.clone(), std::mem::take(&mut self.state), std::mem::take(&mut self.events));
        // A step of a large run takes a while, and so can a condition that somebody wrote: not where requests are served.
        let stepped = tokio::task::spawn_blocking(move || {
            events.into_iter().fold((state, Vec::new()), |(state, mut commands), event| {
                let (state, more) = step(&plan, state, event);
                commands.extend(more);
                (state, commands)
            })
        });
        let (state, commands) = stepped.await.map_err(Error::internal)?;
        self.state = state;
        let changed: Vec<_> = self.state.take_changed().collect();
        if !changed.is_empty() || !commands.is_empty() {
            let tasks = self.records.update(&self.plan, &self.state, changed.into_iter(), self.shared.clock.now())?;
            let progress = self.progress(tasks)?;
            let span = tracing::trace_span!(target: "spans", "step of a run", run.id = %self.id);
            let saved = persist(|| async {
                let grant = self.shared.system.grant("store a step of a run", self.namespace);
                self.shared.store.save_progress(&grant, progress.clone()).await
            });
            let revision = saved.instrument(span).await?;
            self.records.stored(&progress.tasks, revision);
        }
        for stored in self.beginning.drain(..) {
            // Who does not wait any more was killed meanwhile.
            let _ = stored.send(());
        }
        for command in commands {
            self.carry_out(command);
        }
        Ok(())
    }

    fn progress(&self, tasks: Vec<Task>) -> Result<Progress> {
        let (state, error) = run_state(&self.state);
        Ok(Progress {
            run_id: self.id.clone(),
            pipeline_name: self.plan.pipeline_name().to_owned(),
            engine: Records::kept(&self.state)?,
            state,
            error,
            outputs: records::run_outputs(&self.state),
            tasks,
        })
    }

    fn carry_out(&mut self, command: Command) {
        match command {
            Command::Launch { node, attempt, work } => self.launch(node, attempt, work),
            Command::RetryAfter { node, delay } => {
                let kill = CancellationToken::new();
                self.kills.insert(node, kill.clone());
                self.under_way.spawn(async move {
                    let _ = tokio::time::timeout(delay, kill.cancelled()).await;
                    Event::RetryDue { node }
                });
            }
            Command::Kill { node } => {
                if let Some(kill) = self.kills.get(&node) {
                    kill.cancel();
                }
            }
            Command::Finish { .. } => {}
        }
    }

    fn launch(&mut self, node: NodeId, attempt: u32, work: Box<Work>) {
        let (Some(task), Some(task_id)) = (self.plan.task(&self.state, node), self.records.id(node)) else {
            tracing::error!(run.id = %self.id, node = node.0, "the engine launches a task that is not planned");
            return;
        };
        let this = Attempt {
            namespace: self.namespace.clone(),
            run_id: self.id.clone(),
            run: self.info.clone(),
            task_id: task_id.clone(),
            plan: self.plan.clone(),
            task: task.clone(),
            node,
            attempt,
            work,
            begins: self.begins.0.clone(),
        };
        let kill = CancellationToken::new();
        self.kills.insert(node, kill.clone());
        let shared = self.shared.clone();
        let span = tracing::trace_span!(
            target: "spans", "attempt of a task", run.id = %self.id, task.id = %this.task_id, attempt
        );
        let running = async move {
            let result: Result<Success, Failure> = this.run(&shared, kill).await;
            shared.observer.happened(Happened::TaskEnded(end(&result)));
            Event::Finished { node, attempt, result }
        };
        let spawned = self.under_way.spawn(running.instrument(span));
        self.attempts.insert(spawned.id(), (node, attempt));
    }
}

/// What an attempt has come to, for who watches.
fn end(result: &Result<Success, Failure>) -> TaskEnd {
    match result {
        Ok(success) if success.cached_from.is_some() => TaskEnd::Cached,
        Ok(_) => TaskEnd::Succeeded,
        Err(failure) if failure.kind == FailureKind::Infrastructure => TaskEnd::Infrastructure,
        Err(_) => TaskEnd::Failed,
    }
}

fn terminated(by: &str) -> Event {
    Event::Stop { why: format!("terminated by {by}") }
}

fn overdue(plan: &Plan) -> String {
    let seconds = plan.timeout().unwrap_or_default().as_secs();
    format!("the run took longer than the {seconds} s that the pipeline allows (activeDeadlineSeconds)")
}

/// Lays the run out for the engine.
fn plan(run: &Run, folder: &Path, rules: &Rules) -> Result<Plan> {
    let context = RunContext {
        run_id: run.id.to_string(),
        run_name: run.name.clone(),
        created_at: run.created_at,
        scheduled_at: run.scheduled_at,
        // Artifacts are in the run's folder, whatever was asked for; what was asked for is what tasks are told.
        pipeline_root: match run.pipeline_root.as_str() {
            "" => folder.to_string_lossy().into_owned(),
            root => root.to_owned(),
        },
        workspace: folders::workspace(folder).to_string_lossy().into_owned(),
    };
    Plan::new(&Package::parse(&run.spec)?, &run.parameters, context, rules.clone())
}

/// Ends a run that cannot even begin: there is nothing to drive.
async fn fail<'a>(
    shared: &Shared,
    namespace: &Namespace,
    id: &RunId,
    engine: String,
    why: &str,
) -> Result<Option<Driver<'a>>> {
    tracing::warn!(run.id = %id, %namespace, error = why, "a run cannot be executed");
    let (state, error) = (RuntimeState::Failed, Some(why.to_owned()));
    // What is kept of it stays, for who can read it.
    let (pipeline_name, outputs, tasks) = Default::default();
    let progress = Progress { run_id: id.clone(), pipeline_name, engine, state, error, outputs, tasks };
    let saved = persist(|| async {
        let grant = shared.system.grant("end a run that cannot be executed", namespace);
        shared.store.save_progress(&grant, progress.clone()).await
    });
    saved.await?;
    shared.observer.happened(Happened::RunEnded(state));
    Ok(None)
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
