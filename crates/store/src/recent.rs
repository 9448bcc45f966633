//! Runs of a SQLite file that were read lately, if this process alone writes runs into it: then it knows which have
//! changed. The connection that writes says so of each row, whatever the statement was.
//!
//! What is read is what the last durable write has left, as if it were read from the file. An entry belongs to one
//! namespace, and only who asks for that one gets it.
use crate::{Store, any::AnyConnection};
use diesel::{ConnectionError, ConnectionResult, QueryResult, declare_sql_function, sql_types::Text};
use diesel_async::SimpleAsyncConnection;
use domain::Run;
use moka::sync::Cache;
use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering},
};

/// How many bytes of runs stay in memory, besides their definitions.
const CACHE: u64 = 16 << 20;
/// What a run takes, and a task or metric of one, besides their texts.
const RUN: usize = 1024;
const TASK: usize = 1024;

/// On the connection that writes, each row that belongs to a run and is written calls the function with the run's id.
const TRIGGERS: &str = "
    CREATE TEMP TRIGGER run_updated AFTER UPDATE ON main.runs BEGIN SELECT run_written(OLD.id); END;
    CREATE TEMP TRIGGER run_deleted AFTER DELETE ON main.runs BEGIN SELECT run_written(OLD.id); END;
    CREATE TEMP TRIGGER task_inserted AFTER INSERT ON main.tasks BEGIN SELECT run_written(NEW.run_id); END;
    CREATE TEMP TRIGGER task_updated AFTER UPDATE ON main.tasks BEGIN SELECT run_written(OLD.run_id); END;
    CREATE TEMP TRIGGER task_deleted AFTER DELETE ON main.tasks BEGIN SELECT run_written(OLD.run_id); END;
    CREATE TEMP TRIGGER metric_inserted AFTER INSERT ON main.run_metrics BEGIN SELECT run_written(NEW.run_id); END;
    CREATE TEMP TRIGGER metric_updated AFTER UPDATE ON main.run_metrics BEGIN SELECT run_written(OLD.run_id); END;
    CREATE TEMP TRIGGER metric_deleted AFTER DELETE ON main.run_metrics BEGIN SELECT run_written(OLD.run_id); END;
";

#[declare_sql_function]
extern "SQL" {
    fn run_written(id: Text) -> Integer;
}

/// The runs. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Recent(Arc<Inner>);

struct Inner {
    /// Nobody else writes runs.
    is_alone: AtomicBool,
    runs: Cache<String, Arc<Run>>,
    /// Those that the open transaction has written.
    written: Arc<Mutex<Vec<String>>>,
    writes: Mutex<Writes>,
}

/// How the file stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Writes {
    /// Transactions that have begun.
    begun: u64,
    /// Whether the last one has not ended.
    is_open: bool,
}

/// A moment between two writes, from which on something is read.
#[derive(Debug)]
pub(crate) struct Since(Writes);

impl Default for Recent {
    fn default() -> Self {
        let runs = Cache::builder().max_capacity(CACHE).weigher(|_, run: &Arc<Run>| weight(run)).build();
        Self(Arc::new(Inner {
            is_alone: AtomicBool::default(),
            runs,
            written: Arc::default(),
            writes: Mutex::default(),
        }))
    }
}

impl Store {
    /// Whoever holds a lock on the file says by this that no other process writes runs into it, so that what was read
    /// need not be read again. Of other databases it says nothing.
    #[must_use]
    pub fn alone(self) -> Self {
        if let Some(recent) = self.access.recent() {
            recent.0.is_alone.store(true, Ordering::Relaxed);
        }
        self
    }
}

impl Recent {
    /// Has a connection to the file say what it writes.
    pub(crate) async fn listen(&self, connection: &mut AnyConnection) -> ConnectionResult<()> {
        let written = self.0.written.clone();
        let register = move |sqlite: &mut _| -> QueryResult<()> {
            run_written_utils::register_nondeterministic_impl(sqlite, move |id: String| {
                lock(&written).push(id);
                0
            })
        };
        let set_up = async {
            connection.with_sqlite(register).await?;
            connection.batch_execute(TRIGGERS).await
        };
        set_up.await.map_err(ConnectionError::CouldntSetupConfiguration)
    }

    /// The run of that id in that home.
    pub(crate) fn get(&self, home: &str, id: &str) -> Option<Arc<Run>> {
        self.0.runs.get(id).filter(|run| run.namespace.as_str() == home)
    }

    /// To be asked before a run is read that may be kept.
    pub(crate) fn since(&self) -> Since {
        Since(*lock(&self.0.writes))
    }

    /// Keeps a run that was read since then, unless something has been written meanwhile.
    pub(crate) fn keep(&self, since: &Since, run: &Arc<Run>) {
        let writes = lock(&self.0.writes);
        if self.0.is_alone.load(Ordering::Relaxed) && *writes == since.0 && !writes.is_open {
            self.0.runs.insert(run.id.as_str().to_owned(), run.clone());
        }
    }

    /// Before a transaction that writes: until its end nothing is kept.
    pub(crate) fn begin(&self) {
        let mut writes = lock(&self.0.writes);
        writes.begun += 1;
        writes.is_open = true;
    }

    /// Before it is committed: what it has written is read from the file from now on.
    pub(crate) fn forget(&self) {
        for id in lock(&self.0.written).drain(..) {
            self.0.runs.invalidate(id.as_str());
        }
    }

    /// After its end, however it has ended, and before anybody hears of it.
    pub(crate) fn end(&self) {
        self.forget();
        lock(&self.0.writes).is_open = false;
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn weight(run: &Run) -> u32 {
    let texts = run.name.len() + run.description.len() + run.error.as_ref().map_or(0, String::len);
    let parameters: usize = run.parameters.iter().map(|(name, value)| name.len() + value.to_string().len()).sum();
    let errors: usize = run.tasks.iter().filter_map(|task| task.error.as_ref()).map(String::len).sum();
    let parts = TASK * (run.tasks.len() + run.metrics.len());
    u32::try_from(RUN + texts + parameters + errors + parts).unwrap_or(u32::MAX)
}
