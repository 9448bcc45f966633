//! The database of a simulation, its recurring runs, and what servers ask of it.
use crate::turns::{Server, Turns, Verdict};
use access::Grant;
use domain::{
    Clock, Code, Due, Error, Executes, Fired, Firing, Home, Lease, Namespace, NewExperiment, NewRecurringRun, NewRun,
    RecurringRun, Result, RunId, RuntimeState, Schedule, Settled, Source, Timestamp, Trigger,
};
use rand::{Rng, SeedableRng, rngs::StdRng};
use scheduler::{Happened, Observe, Ports};
use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};
use store::{Progress, Store};
use tempfile::TempDir;

/// When a simulation begins.
pub(crate) const START: Timestamp = Timestamp(1_767_225_600_000_000);
pub(crate) const NAMESPACE: &str = "a";

/// The time as it is, whatever clocks show.
#[derive(Debug)]
pub(crate) struct True(AtomicI64);

impl Clock for True {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

impl True {
    pub(crate) fn advance(&self, time: Duration) {
        self.0.fetch_add(i64::try_from(time.as_micros()).unwrap(), Ordering::SeqCst);
    }
}

/// A database with recurring runs.
pub(crate) struct House {
    pub(crate) store: Store,
    pub(crate) time: Arc<True>,
    pub(crate) turns: Turns,
    pub(crate) recurring_runs: Arc<Vec<RecurringRun>>,
    /// Runs that were made, and are to be ended.
    pub(crate) made: Arc<Mutex<Vec<RunId>>>,
    _folder: TempDir,
}

/// Where files are in memory, if there is such a place: a disk is waited for at each commit.
pub(crate) fn folder() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// A database in which there is nothing yet.
pub(crate) fn template(folder: &Path) -> PathBuf {
    let path = folder.join("template.db");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        drop(Store::open(&format!("sqlite:{}", path.display())).await.unwrap());
    });
    drop(runtime);
    path
}

pub(crate) fn of<V, T>(home: &str) -> Grant<V, T> {
    let home = if home.is_empty() { Home::Cluster } else { Home::Namespace(Namespace::parse(home).unwrap()) };
    Grant::forge("jane", home)
}

impl House {
    pub(crate) async fn open(template: &Path, seed: u64) -> Self {
        let folder = folder();
        let path = folder.path().join("db");
        std::fs::copy(template, &path).unwrap();
        let time = Arc::new(True(AtomicI64::new(START.0)));
        let store = Store::open_with(&format!("sqlite:{}", path.display()), time.clone()).await.unwrap();
        let new = NewExperiment { name: "e".into(), description: String::new() };
        let experiment = store.create_experiment(&of(NAMESPACE), new).await.unwrap();
        let mut random = StdRng::seed_from_u64(seed ^ 0x5eed);
        let mut recurring_runs = Vec::new();
        for number in 0..random.random_range(1..=5) {
            let new = NewRecurringRun {
                experiment_id: experiment.id.clone(),
                name: format!("r{number}"),
                description: String::new(),
                service_account: String::new(),
                executes: Executes::Pinned { source: Source::Inline, spec: "spec".into() },
                parameters: Default::default(),
                pipeline_root: String::new(),
                trigger: trigger(&mut random),
                max_concurrency: random.random_range(1..=3),
                catchup: random.random(),
                enabled: random.random_bool(0.9),
            };
            recurring_runs.push(store.create_recurring_run(&of(NAMESPACE), new).await.unwrap());
        }
        let (turns, made, recurring_runs) = (Turns::default(), Arc::default(), Arc::new(recurring_runs));
        Self { store, time, turns, recurring_runs, made, _folder: folder }
    }

    /// Ends a run, as its executor does.
    pub(crate) async fn end_run(&self, id: RunId) {
        let (pipeline_name, engine, error, outputs, tasks) = Default::default();
        let state = RuntimeState::Succeeded;
        let progress = Progress { run_id: id, pipeline_name, engine, state, error, outputs, tasks };
        self.store.save_progress(&of(NAMESPACE), progress).await.unwrap();
    }
}

fn trigger(random: &mut StdRng) -> Trigger {
    let before = |seconds: i64| Timestamp(START.0 - seconds * 1_000_000);
    let start = random.random_bool(0.3).then(|| before(random.random_range(-60..=40)));
    let end = random.random_bool(0.2).then(|| before(-random.random_range(70..=200)));
    let zone = ["", "Europe/Berlin", "America/New_York"][random.random_range(0..3)].to_owned();
    match random.random_range(0..10) {
        0 => Trigger::Once,
        1..=5 => Trigger::Periodic { interval_seconds: random.random_range(1..=30), start, end },
        _ => {
            let cron = ["* * * * * *", "*/5 * * * * *", "10,40 * * * * *", "0 * * * * *", "@every 7s"];
            Trigger::Cron { cron: cron[random.random_range(0..cron.len())].to_owned(), zone, start, end }
        }
    }
}

/// What one server has of the house.
pub(crate) struct Door {
    pub(crate) server: Server,
    pub(crate) store: Store,
    pub(crate) time: Arc<True>,
    /// By how much its clock is wrong, in microseconds.
    pub(crate) skew: Arc<AtomicI64>,
    /// When it was started, in truth.
    pub(crate) started: Timestamp,
    pub(crate) turns: Turns,
    pub(crate) recurring_runs: Arc<Vec<RecurringRun>>,
    pub(crate) made: Arc<Mutex<Vec<RunId>>>,
}

impl Door {
    /// Asks for something when its turn comes.
    async fn turn<T>(&self, what: &'static str, work: impl Future<Output = Result<T>>) -> Result<T> {
        let away = || Error::unavailable("the database is away", "simulated");
        let verdict = self.turns.ask(self.server, what, Duration::ZERO, false).await;
        let done = match verdict {
            Verdict::Refuse => Err(away()),
            Verdict::Go => work.await,
            Verdict::GoUnheard => work.await.and_then(|_| Err(away())),
        };
        self.turns.done();
        done
    }

    async fn pause(&self, time: Duration, by_change: bool) {
        self.turns.ask(self.server, "pause", self.uptime() + time, by_change).await;
        self.turns.done();
    }
}

impl Ports for Door {
    type Of = ();

    fn now(&self) -> Timestamp {
        Timestamp(self.time.now().0 + self.skew.load(Ordering::SeqCst))
    }

    fn uptime(&self) -> Duration {
        self.time.now().since(self.started)
    }

    async fn sleep(&self, time: Duration) {
        self.pause(time, false).await;
    }

    async fn wait(&self, at_most: Duration) {
        self.pause(at_most, true).await;
    }

    async fn due(&self, by: Timestamp, but: &[Namespace], most: usize) -> Result<Vec<Due>> {
        let most = i64::try_from(most).unwrap();
        let mut due = self.turn("due", async { self.store.due_schedules(&of(""), by, but, most).await }).await?;
        // Ids differ from one time to the next that a seed is tried.
        let place = |due: &Due| self.recurring_runs.iter().position(|it| it.id == due.id);
        due.sort_by_key(|due| (due.next_at, place(due)));
        Ok(due)
    }

    async fn schedules(&self, due: &[Due]) -> Result<Vec<(Schedule, ())>> {
        let found = self.turn("schedules", async { self.store.schedules_due(&of(""), due).await }).await?;
        Ok(found.into_iter().map(|(schedule, _)| (schedule, ())).collect())
    }

    async fn settle(&self, settled: Settled) -> Result<bool> {
        self.turn("settle", async { self.store.settle_schedule(&of(""), settled).await }).await
    }

    async fn fire(&self, schedule: &Schedule, (): (), firing: Firing) -> Result<Fired> {
        let it = &schedule.recurring_run;
        // What it takes to find out whether it may: others come between.
        self.turn("prepare", async { Ok(()) }).await?;
        let new = NewRun {
            id: None,
            experiment_id: it.experiment_id.clone(),
            name: format!("{}-{}", it.name, schedule.fired + 1),
            description: String::new(),
            service_account: String::new(),
            source: Source::Inline,
            spec: "spec".into(),
            parameters: Default::default(),
            pipeline_root: String::new(),
        };
        let fire = async {
            let fired = self.store.fire(&of(NAMESPACE), &of(NAMESPACE), firing, new).await;
            match &fired {
                Ok(Fired::Made(id)) => self.made.lock().unwrap().push(id.clone()),
                Ok(_) => {}
                // The database itself is there. That a key is taken looks as if another transaction had come between.
                Err(error) => assert_eq!(error.code(), Code::Aborted, "a moment came twice: {}", error.chain()),
            }
            fired
        };
        self.turn("fire", fire).await
    }

    async fn lease(&self) -> Result<Option<Lease>> {
        self.turn("lease", async { self.store.lease().await }).await
    }

    async fn take_lease(&self, seen: Option<Lease>) -> Result<Option<i64>> {
        let holder = format!("{}.{}", self.server.number, self.server.life);
        self.turn("take_lease", async { self.store.take_lease(seen, &holder).await }).await
    }

    async fn beat_lease(&self, token: i64) -> Result<bool> {
        self.turn("beat_lease", async { self.store.beat_lease(token).await }).await
    }

    async fn give_up_lease(&self, token: i64) -> Result<()> {
        self.turn("give_up_lease", async { self.store.give_up_lease(token).await }).await
    }
}

/// How many moments were missed, for who wants to know.
#[derive(Default)]
pub(crate) struct Heard(AtomicU64);

impl Observe for Heard {
    fn happened(&self, happened: Happened) {
        if let Happened::Missed { moments, .. } = happened {
            self.0.fetch_add(moments.unsigned_abs(), Ordering::Relaxed);
        }
    }
}
