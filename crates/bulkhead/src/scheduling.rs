//! Schedules, as this server keeps them: the scheduler's ports, and the end of what is old.
use crate::metrics::Metrics;
use access::{Grant, Owner, System};
use api::access::{
    resource::Jobs,
    verb::{Delete, Get, List, Update},
};
use domain::{Clock, Due, Fired, Firing, Lease, Namespace, Result, Schedule, Settled, SystemClock, Timestamp};
use scheduler::{Ports, Scheduler};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{sync::watch, task::JoinHandle};
use uuid::Uuid;

/// The pause before the scheduler is started anew.
const RESTART: Duration = Duration::from_secs(1);
/// How often old ticks are looked for, and how many go at once.
const SWEEP: Duration = Duration::from_secs(600);
const SWEPT: i64 = 500;

/// How schedules are kept.
pub(crate) struct Options {
    /// Whether no other server has this database.
    pub(crate) alone: bool,
    /// For how long it is kept what has come of a moment.
    pub(crate) keep_ticks: Duration,
}

/// Starts to fire, until `stop` says so.
pub(crate) fn start(
    options: Options,
    context: server::Context,
    system: &System,
    metrics: &Metrics,
    stop: watch::Receiver<bool>,
) -> JoinHandle<()> {
    let purpose = "keep the schedules of recurring runs";
    let own = Own {
        holder: Uuid::new_v4().to_string(),
        started: Instant::now(),
        list: system.everywhere(purpose),
        get: system.everywhere(purpose),
        update: system.everywhere(purpose),
        context,
    };
    let forget = system.everywhere("forget what has come of moments long ago");
    let ports = Arc::new(own);
    let sweep = tokio::spawn(sweep(ports.context.store.clone(), forget, options.keep_ticks));
    let observer = metrics.schedules();
    tokio::spawn(async move {
        loop {
            let scheduler = match options.alone {
                true => Scheduler::alone(ports.clone(), observer.clone()),
                false => Scheduler::one_of_several(ports.clone(), observer.clone()),
            };
            let mut stop = stop.clone();
            let stopped = async move { drop(stop.wait_for(|stop| *stop).await) };
            // A bug must not be the end of all schedules.
            match tokio::spawn(scheduler.run(stopped)).await {
                Ok(()) => break,
                Err(error) => tracing::error!(%error, "the scheduler was cut off; it is started anew"),
            }
            tokio::time::sleep(RESTART).await;
        }
        sweep.abort();
    })
}

/// Forgets ticks that are old, on whichever server: it does no harm twice.
async fn sweep(store: store::Store, grant: Grant<Delete, Jobs>, keep: Duration) {
    loop {
        tokio::time::sleep(SWEEP).await;
        loop {
            match store.forget_ticks(&grant, SystemClock.now().before(keep), SWEPT).await {
                Ok(0) => break,
                Ok(_) => tokio::time::sleep(Duration::from_millis(200)).await,
                Err(error) => {
                    tracing::warn!(%error, "old ticks could not be forgotten; it is tried again");
                    break;
                }
            }
        }
    }
}

/// What this server has of all that the scheduler asks.
struct Own {
    context: server::Context,
    /// This server, as the lease names it.
    holder: String,
    started: Instant,
    list: Grant<List, Jobs>,
    get: Grant<Get, Jobs>,
    update: Grant<Update, Jobs>,
}

impl Ports for Own {
    type Of = Option<Owner>;

    fn now(&self) -> Timestamp {
        self.context.store.now()
    }

    fn uptime(&self) -> Duration {
        self.started.elapsed()
    }

    async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    async fn wait(&self, at_most: Duration) {
        // That it took too long is as good as a change.
        let _ = tokio::time::timeout(at_most, self.context.store.schedules_change()).await;
    }

    async fn due(&self, by: Timestamp, but: &[Namespace], most: usize) -> Result<Vec<Due>> {
        self.context.store.due_schedules(&self.list, by, but, i64::try_from(most).unwrap_or(i64::MAX)).await
    }

    async fn schedules(&self, due: &[Due]) -> Result<Vec<(Schedule, Self::Of)>> {
        self.context.store.schedules_due(&self.get, due).await
    }

    async fn settle(&self, settled: Settled) -> Result<bool> {
        self.context.store.settle_schedule(&self.update, settled).await
    }

    async fn fire(&self, schedule: &Schedule, owner: Self::Of, firing: Firing) -> Result<Fired> {
        server::fire(&self.context, owner.as_ref(), schedule, firing).await
    }

    async fn lease(&self) -> Result<Option<Lease>> {
        self.context.store.lease().await
    }

    async fn take_lease(&self, seen: Option<Lease>) -> Result<Option<i64>> {
        self.context.store.take_lease(seen, &self.holder).await
    }

    async fn beat_lease(&self, token: i64) -> Result<bool> {
        self.context.store.beat_lease(token).await
    }

    async fn give_up_lease(&self, token: i64) -> Result<()> {
        self.context.store.give_up_lease(token).await
    }
}
