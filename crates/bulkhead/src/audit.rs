//! The audit trail: an event for each access decision, and for each caller who is turned away without one.
//!
//! Where it goes is the configuration's to say. An event has who, how they proved it, what, where, whether and why;
//! never a secret, and nothing of a body.
mod database;
mod event;
mod lines;
mod list;
#[cfg(test)]
mod tests;

use crate::{
    config::{self, AuditSink},
    metrics::Metrics,
    telemetry::SPANS,
};
use access::{Audit, Decided};
use anyhow::Context as _;
use database::Database;
use domain::{Clock, Code, Error, Result};
use event::Event;
pub(crate) use event::{request_id, request_span, with_request};
use futures::future::BoxFuture;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use lines::Lines;
pub(crate) use list::{AuditArgs, run as list};
use std::{
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use store::Store;

/// How many events a second are written of callers who are nobody, so that they cannot fill a disk. The others are
/// counted, and the next event that is written has their number.
const STRANGERS: NonZeroU32 = NonZeroU32::new(50).unwrap();

/// Takes decisions down.
pub(crate) struct AuditTrail {
    sink: Sink,
    fail_closed: bool,
    metrics: Arc<Metrics>,
    clock: Arc<dyn Clock>,
    strangers: DefaultDirectRateLimiter,
    unwritten: AtomicU64,
}

enum Sink {
    /// The server's own log, under the target `audit`.
    Log,
    Lines(Lines),
    Database(Database),
}

impl AuditTrail {
    /// Opens what the configuration names.
    ///
    /// # Errors
    /// If the file cannot be opened.
    pub(crate) fn new(
        config: &config::Audit,
        store: &Store,
        metrics: Arc<Metrics>,
        clock: Arc<dyn Clock>,
    ) -> anyhow::Result<Self> {
        let sink = match config.sink {
            AuditSink::Log => Sink::Log,
            AuditSink::Stdout => Sink::Lines(Lines::stdout()),
            AuditSink::File => {
                let path = config.file.as_deref().context("audit.file: a path is needed, since audit.sink is file")?;
                let opened = Lines::file(path);
                Sink::Lines(opened.with_context(|| format!("audit.file: cannot append to {}", path.display()))?)
            }
            AuditSink::Database => Sink::Database(Database::start(store.clone(), metrics.clone())),
        };
        Ok(Self { fail_closed: config.fail_closed, clock, ..Self::writing_to(sink, metrics) })
    }

    /// Events in the log only, for commands that serve nobody.
    pub(crate) fn log(metrics: Arc<Metrics>) -> Self {
        Self::writing_to(Sink::Log, metrics)
    }

    fn writing_to(sink: Sink, metrics: Arc<Metrics>) -> Self {
        Self {
            sink,
            fail_closed: false,
            metrics,
            clock: Arc::new(domain::SystemClock),
            strangers: RateLimiter::direct(Quota::per_second(STRANGERS)),
            unwritten: AtomicU64::new(0),
        }
    }

    /// Whether what becomes of one more caller who is nobody is to be written down.
    ///
    /// Says how many were not written since the last one.
    pub(crate) fn stranger(&self) -> Option<u64> {
        if self.strangers.check().is_ok() {
            return Some(self.unwritten.swap(0, Ordering::Relaxed));
        }
        self.unwritten.fetch_add(1, Ordering::Relaxed);
        self.metrics.strangers_unwritten.inc();
        None
    }

    /// Nothing was written after all; the next event has the number that this one was told.
    pub(crate) fn put_back(&self, unwritten: u64) {
        self.unwritten.fetch_add(unwritten, Ordering::Relaxed);
    }

    /// Somebody who is nobody was turned away, with why, from where, and how many more were not written down.
    pub(crate) fn turned_away(&self, what: &str, peer: &str, why: &str, unwritten: u64) {
        // They are turned away whether it can be taken down or not.
        let _ = self.write(Event::stranger(self.clock.now(), what, peer, why, unwritten));
    }

    fn write(&self, event: Event<'_>) -> Result<()> {
        let written = match &self.sink {
            Sink::Log => {
                event.log();
                Ok(())
            }
            Sink::Lines(lines) => lines.write(&event).map_err(|error| format!("{error}")),
            Sink::Database(database) => database.write(event.to_row()),
        };
        let Err(why) = written else { return Ok(()) };
        self.metrics.audit_failures.inc();
        tracing::error!(target: "bulkhead::audit", why, "an access decision could not be taken down");
        self.refusal()
    }

    /// What becomes of a request that cannot be taken down.
    fn refusal(&self) -> Result<()> {
        match self.fail_closed {
            false => Ok(()),
            true => Err(Error::new(
                Code::Unavailable,
                "access is audited here and the audit trail cannot be written at the moment; try again later, and tell \
                 the operator",
            )),
        }
    }
}

impl Audit for AuditTrail {
    fn decided(&self, decided: &Decided<'_>) -> Result<()> {
        let allowed = if decided.why.allows() { "true" } else { "false" };
        // A span and no more than a moment: how long it took is in the one around it, and what it was in the trail.
        let verb = decided.right.map_or("", |(verb, _)| verb.as_str());
        let resource = decided.right.map_or("", |(_, resource)| resource.as_str());
        drop(tracing::trace_span!(target: SPANS, "decision", rpc.method = decided.what, verb, resource, allowed));
        self.metrics.decisions.with_label_values(&[decided.what, allowed]).inc();
        self.write(Event::of(self.clock.now(), decided))
    }

    fn kept(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async {
            match &self.sink {
                Sink::Database(database) if self.fail_closed && !database.kept().await => self.refusal(),
                _ => Ok(()),
            }
        })
    }
}
