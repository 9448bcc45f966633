//! Where everything that a server asks of others waits until it is let through.
use std::{
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};
use tokio::sync::{Notify, oneshot};

/// What is to become of something that was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Go,
    /// It does not come about, as when the database is away.
    Refuse,
    /// It comes about, and whoever asked does not hear of it.
    GoUnheard,
}

/// One of several servers, as often as it was started anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Server {
    pub(crate) number: usize,
    pub(crate) life: u32,
}

/// Something that was asked.
pub(crate) struct Turn {
    pub(crate) server: Server,
    pub(crate) what: &'static str,
    /// By that server's uptime; for what is not a pause it is nothing.
    pub(crate) until: Duration,
    /// Whether a changed schedule ends the pause.
    pub(crate) by_change: bool,
    verdict: oneshot::Sender<Verdict>,
}

/// All that wait.
#[derive(Clone, Default)]
pub(crate) struct Turns {
    waiting: Arc<Mutex<Vec<Turn>>>,
    done: Arc<Notify>,
}

impl Turns {
    /// Waits to be let through.
    pub(crate) async fn ask(&self, server: Server, what: &'static str, until: Duration, by_change: bool) -> Verdict {
        let (verdict, heard) = oneshot::channel();
        self.lock().push(Turn { server, what, until, by_change, verdict });
        // Who is never let through was killed.
        match heard.await {
            Ok(verdict) => verdict,
            Err(_) => std::future::pending().await,
        }
    }

    /// What was let through has come about.
    pub(crate) fn done(&self) {
        self.done.notify_one();
    }

    /// Lets one through, and waits until it has come about.
    pub(crate) async fn let_through(&self, index: usize, verdict: Verdict) {
        let turn = self.lock().remove(index);
        if turn.verdict.send(verdict).is_ok() {
            self.done.notified().await;
        }
    }

    /// Whoever asked for some of them does not wait any more.
    pub(crate) fn tidy(&self) {
        self.lock().retain(|turn| !turn.verdict.is_closed());
    }

    pub(crate) fn forget(&self, number: usize) {
        self.lock().retain(|turn| turn.server.number != number);
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Vec<Turn>> {
        self.waiting.lock().unwrap()
    }
}
