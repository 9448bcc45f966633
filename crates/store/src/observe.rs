//! What whoever watches over the database hears of its transactions.
use crate::{Error, Store};
use std::{future::Future, time::Instant};

/// What a transaction is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Read,
    Write,
}

/// What has become of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was committed.
    Done,
    /// It was found that it must not be: what was asked for is not there, or is there already.
    Refused,
    /// The database did not do its part.
    Failed,
    /// Whoever had asked for it did not wait for its end.
    Left,
}

/// Somebody who hears of every transaction. It is called where requests are served, so it must not block.
pub trait Observe: Send + Sync + 'static {
    /// One was asked for. It may have to wait for a connection, or for its turn to write.
    fn began(&self, kind: Kind);

    /// It has come to an end, so many seconds after it was asked for.
    fn ended(&self, kind: Kind, outcome: Outcome, seconds: f64);

    /// One met another one, or lost its connection, and begins anew.
    fn retried(&self);
}

/// The connections of a pool, now and since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Connections {
    pub open: u32,
    pub idle: u32,
    /// How often somebody had to wait for one.
    pub waits: u64,
    /// How often somebody waited for one in vain.
    pub timeouts: u64,
}

impl Kind {
    /// Its name in metrics and spans.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

impl Outcome {
    /// Its name in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Left => "left",
        }
    }
}

impl Store {
    /// Has somebody hear of all transactions from now on. Only the first one who asks does.
    pub fn observe(&self, observer: impl Observe) {
        let _ = self.observer.set(Box::new(observer));
    }

    /// The connections of each pool.
    pub fn connections(&self) -> [(Kind, Connections); 2] {
        let of = |pool: &crate::connect::Pool| {
            let state = pool.state();
            Connections {
                open: state.connections,
                idle: state.idle_connections,
                waits: state.statistics.get_waited,
                timeouts: state.statistics.get_timed_out,
            }
        };
        [(Kind::Read, of(self.access.readers())), (Kind::Write, of(self.access.writers()))]
    }
}

/// A transaction on its way. Dropped before its end, it was left.
struct Open<'a> {
    observer: &'a dyn Observe,
    kind: Kind,
    outcome: Outcome,
    began: Instant,
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.observer.ended(self.kind, self.outcome, self.began.elapsed().as_secs_f64());
    }
}

/// Does the work of a transaction, and has it heard of.
pub(crate) async fn observed<T>(
    store: &Store,
    kind: Kind,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let Some(observer) = store.observer.get() else { return work.await };
    observer.began(kind);
    let mut open = Open { observer: &**observer, kind, outcome: Outcome::Left, began: Instant::now() };
    let done = work.await;
    open.outcome = match &done {
        Ok(_) => Outcome::Done,
        Err(error) if error.is_answer() => Outcome::Refused,
        Err(_) => Outcome::Failed,
    };
    done
}
