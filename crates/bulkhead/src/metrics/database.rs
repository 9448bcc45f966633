//! Metrics of the database: its transactions, and the connections that they take.
use super::{SECONDS, counters, gauges, registered};
use prometheus::{HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGaugeVec, Registry};
use store::{Connections, Kind, Observe, Outcome, Store};

#[derive(Clone)]
pub(super) struct DatabaseMetrics {
    transactions: IntCounterVec,
    seconds: HistogramVec,
    open: IntGaugeVec,
    retries: IntCounter,
    connections: IntGaugeVec,
    waits: IntCounterVec,
    timeouts: IntCounterVec,
}

impl DatabaseMetrics {
    pub(super) fn new(registry: &Registry) -> prometheus::Result<Self> {
        let seconds = HistogramOpts::new(
            "bulkhead_database_transaction_seconds",
            "Time of a transaction, from when it was asked for to its durable end.",
        );
        let seconds = HistogramVec::new(seconds.buckets(SECONDS.to_vec()), &["kind"])?;
        let retries = IntCounter::new(
            "bulkhead_database_retries_total",
            "Transactions begun anew, since they met another one or lost their connection.",
        )?;
        Ok(Self {
            transactions: counters(
                registry,
                "bulkhead_database_transactions_total",
                "Transactions by what they were for and what became of them.",
                &["kind", "outcome"],
            )?,
            seconds: registered(registry, seconds)?,
            open: gauges(
                registry,
                "bulkhead_database_transactions_open",
                "Transactions that were asked for and have not ended: those under way and those that wait.",
                &["kind"],
            )?,
            retries: registered(registry, retries)?,
            connections: gauges(
                registry,
                "bulkhead_database_connections",
                "Connections to the database.",
                &["kind", "state"],
            )?,
            waits: counters(
                registry,
                "bulkhead_database_connection_waits_total",
                "How often somebody had to wait for a connection.",
                &["kind"],
            )?,
            timeouts: counters(
                registry,
                "bulkhead_database_connection_timeouts_total",
                "How often somebody waited for a connection in vain.",
                &["kind"],
            )?,
        })
    }

    /// Reads the state of the pools.
    pub(super) fn look(&self, store: &Store) {
        for (kind, Connections { open, idle, waits, timeouts }) in store.connections() {
            let kind = kind.as_str();
            self.connections.with_label_values(&[kind, "idle"]).set(idle.into());
            self.connections.with_label_values(&[kind, "used"]).set(open.saturating_sub(idle).into());
            for (counter, now) in [(&self.waits, waits), (&self.timeouts, timeouts)] {
                let counter = counter.with_label_values(&[kind]);
                counter.inc_by(now.saturating_sub(counter.get()));
            }
        }
    }
}

impl Observe for DatabaseMetrics {
    fn began(&self, kind: Kind) {
        self.open.with_label_values(&[kind.as_str()]).inc();
    }

    fn ended(&self, kind: Kind, outcome: Outcome, seconds: f64) {
        self.open.with_label_values(&[kind.as_str()]).dec();
        self.transactions.with_label_values(&[kind.as_str(), outcome.as_str()]).inc();
        self.seconds.with_label_values(&[kind.as_str()]).observe(seconds);
    }

    fn retried(&self) {
        self.retries.inc();
    }
}
