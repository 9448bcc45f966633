//! Events in the database, written by one task that takes together what has come meanwhile.
use crate::metrics::Metrics;
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use store::{AuditEvent, Store};
use tokio::sync::{mpsc, watch};

/// The most events that wait.
const WAITING: usize = 10_000;
/// The most that are written together.
const BATCH: usize = 500;
/// How long to wait before what could not be written is tried again.
const PAUSE: Duration = Duration::from_millis(200);

/// The way into the database.
pub(super) struct Database {
    queue: Mutex<Queue>,
    progress: watch::Receiver<Progress>,
}

struct Queue {
    sender: mpsc::Sender<AuditEvent>,
    /// How many events were taken so far.
    taken: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Progress {
    /// How many events are in the database.
    written: u64,
    /// Whether the last attempt failed.
    failing: bool,
}

impl Database {
    pub(super) fn start(store: Store, metrics: Arc<Metrics>) -> Self {
        let (sender, receiver) = mpsc::channel(WAITING);
        let (tell, progress) = watch::channel(Progress::default());
        tokio::spawn(write(store, metrics, receiver, tell));
        Self { queue: Mutex::new(Queue { sender, taken: 0 }), progress }
    }

    /// Takes an event, which is written soon.
    pub(super) fn write(&self, event: AuditEvent) -> Result<(), String> {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.sender.try_send(event).map_err(|_| format!("{WAITING} events wait for the database already"))?;
        queue.taken += 1;
        Ok(())
    }

    /// Waits until all that was taken so far is in the database. False if it cannot be brought there.
    pub(super) async fn kept(&self) -> bool {
        let taken = self.queue.lock().unwrap_or_else(PoisonError::into_inner).taken;
        let mut progress = self.progress.clone();
        let settled = progress.wait_for(|progress| progress.failing || progress.written >= taken).await;
        settled.is_ok_and(|progress| progress.written >= taken)
    }
}

async fn write(
    store: Store,
    metrics: Arc<Metrics>,
    mut events: mpsc::Receiver<AuditEvent>,
    progress: watch::Sender<Progress>,
) {
    let mut batch = Vec::new();
    while events.recv_many(&mut batch, BATCH).await > 0 {
        while let Err(error) = store.keep_audit_events(batch.clone()).await {
            metrics.audit_failures.inc();
            tracing::error!(%error, events = batch.len(), "audit events could not be written; they are kept and tried again");
            progress.send_modify(|progress| progress.failing = true);
            tokio::time::sleep(PAUSE).await;
        }
        let written = batch.len() as u64;
        progress.send_modify(|progress| {
            progress.failing = false;
            progress.written += written;
        });
        batch.clear();
    }
}
