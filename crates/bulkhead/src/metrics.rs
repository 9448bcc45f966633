//! Metrics, in the text format of Prometheus. They tell nothing of tenants: no namespace, user or object is a label,
//! since whoever can reach the admin listener may read them, tasks on this host among them.
mod database;
mod engine;
mod rpcs;
mod schedules;

pub(crate) use rpcs::{RpcMetrics, UNKNOWN};

use database::DatabaseMetrics;
use engine::EngineMetrics;
use executor::local;
use prometheus::{
    Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder,
    core::Collector, process_collector::ProcessCollector,
};
use schedules::ScheduleMetrics;
use std::sync::Arc;
use store::Store;

/// Bounds of the seconds that something takes: from what a cache answers to what somebody gives up waiting for.
const SECONDS: &[f64] = &[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// All metrics of the server.
pub(crate) struct Metrics {
    registry: Registry,
    /// HTTP requests by status; gRPC errors ride on 200.
    pub(crate) requests: IntCounterVec,
    pub(crate) request_seconds: Histogram,
    /// Access decisions by RPC and outcome.
    pub(crate) decisions: IntCounterVec,
    /// Audit events that could not be written.
    pub(crate) audit_failures: IntCounter,
    /// Requests from nobody of which nothing was written, since there were too many.
    pub(crate) strangers_unwritten: IntCounter,
    /// Requests that were refused since there were too many, or ended since they took too long, by the limit.
    pub(crate) limited: IntCounterVec,
    /// Runs that retention has deleted.
    pub(crate) retained_no_longer: IntCounter,
    pub(crate) ready: IntGauge,
    pub(crate) rpcs: RpcMetrics,
    database: DatabaseMetrics,
    engine: Arc<EngineMetrics>,
    schedules: Arc<ScheduleMetrics>,
    /// Spans for the collector of traces by what became of them.
    pub(crate) spans: IntCounterVec,
}

/// Metrics of TLS, where it is on.
pub(crate) struct TlsMetrics {
    /// Handshakes by outcome: `done`, `failed` or `late`.
    pub(crate) handshakes: IntCounterVec,
    /// 1 while what the files say is what counts, 0 while an older state does.
    pub(crate) files_good: IntGauge,
}

impl Metrics {
    /// # Errors
    /// If two metrics had one name, which is a bug.
    pub(crate) fn new() -> prometheus::Result<Self> {
        let registry = Registry::new();
        let metrics = Self {
            requests: IntCounterVec::new(
                Opts::new("bulkhead_http_requests_total", "HTTP requests answered."),
                &["status"],
            )?,
            request_seconds: Histogram::with_opts(HistogramOpts::new(
                "bulkhead_http_request_seconds",
                "Time from a request's head to the head of its answer.",
            ))?,
            decisions: IntCounterVec::new(
                Opts::new("bulkhead_access_decisions_total", "Access decisions."),
                &["rpc", "allowed"],
            )?,
            audit_failures: IntCounter::new(
                "bulkhead_audit_failures_total",
                "Audit events that could not be written.",
            )?,
            strangers_unwritten: IntCounter::new(
                "bulkhead_unauthenticated_unlogged_total",
                "Requests without a login of which no line was written, since there were too many.",
            )?,
            limited: IntCounterVec::new(
                Opts::new("bulkhead_limited_requests_total", "Requests refused, or ended, by a limit."),
                &["limit"],
            )?,
            retained_no_longer: registered(
                &registry,
                IntCounter::new("bulkhead_retention_runs_total", "Runs that retention has deleted.")?,
            )?,
            ready: IntGauge::new("bulkhead_ready", "1 while the server is ready to serve.")?,
            rpcs: RpcMetrics::new(&registry)?,
            database: DatabaseMetrics::new(&registry)?,
            engine: Arc::new(EngineMetrics::new(&registry)?),
            schedules: Arc::new(ScheduleMetrics::new(&registry)?),
            spans: counters(
                &registry,
                "bulkhead_trace_spans_total",
                "Spans of traces: sent, refused by the collector or lost on the way, or dropped since too many waited.",
                &["outcome"],
            )?,
            registry,
        };
        metrics.registry.register(Box::new(metrics.requests.clone()))?;
        metrics.registry.register(Box::new(metrics.request_seconds.clone()))?;
        metrics.registry.register(Box::new(metrics.decisions.clone()))?;
        metrics.registry.register(Box::new(metrics.audit_failures.clone()))?;
        metrics.registry.register(Box::new(metrics.strangers_unwritten.clone()))?;
        metrics.registry.register(Box::new(metrics.limited.clone()))?;
        metrics.registry.register(Box::new(metrics.ready.clone()))?;
        // Memory, processor time, open files, and when the process began.
        metrics.registry.register(Box::new(ProcessCollector::for_self()))?;
        for outcome in ["sent", "failed", "dropped"] {
            metrics.spans.with_label_values(&[outcome]);
        }
        Ok(metrics)
    }

    /// Says what this program is.
    pub(crate) fn built(&self, commit: &str) -> prometheus::Result<()> {
        let info = gauges(&self.registry, "bulkhead_build_info", "Always 1.", &["version", "commit"])?;
        info.with_label_values(&[env!("CARGO_PKG_VERSION"), commit]).set(1);
        Ok(())
    }

    /// Hears of the transactions of a store.
    pub(crate) fn watch(&self, store: &Store) {
        store.observe(self.database.clone());
    }

    /// Who is to hear of runs and tasks.
    pub(crate) fn engine(&self) -> Arc<dyn local::Observe> {
        self.engine.clone()
    }

    /// Who is to hear of schedules.
    pub(crate) fn schedules(&self) -> Arc<dyn scheduler::Observe> {
        self.schedules.clone()
    }

    /// Reads what nobody tells of.
    pub(crate) fn look(&self, store: &Store) {
        self.database.look(store);
    }

    /// Adds the metrics of TLS, once.
    pub(crate) fn tls(&self) -> prometheus::Result<TlsMetrics> {
        let metrics = TlsMetrics {
            handshakes: IntCounterVec::new(
                Opts::new("bulkhead_tls_handshakes_total", "TLS handshakes of the API's listeners."),
                &["outcome"],
            )?,
            files_good: IntGauge::new(
                "bulkhead_tls_files_good",
                "1 while the TLS files are in use as they are, 0 while they are not good and an older state counts.",
            )?,
        };
        self.registry.register(Box::new(metrics.handshakes.clone()))?;
        self.registry.register(Box::new(metrics.files_good.clone()))?;
        Ok(metrics)
    }

    /// What `/metrics` answers.
    pub(crate) fn text(&self) -> prometheus::Result<String> {
        TextEncoder::new().encode_to_string(&self.registry.gather())
    }
}

/// Adds a metric to those that are told.
fn registered<M: Collector + Clone + 'static>(registry: &Registry, metric: M) -> prometheus::Result<M> {
    registry.register(Box::new(metric.clone()))?;
    Ok(metric)
}

fn counters(registry: &Registry, name: &str, help: &str, labels: &[&str]) -> prometheus::Result<IntCounterVec> {
    registered(registry, IntCounterVec::new(Opts::new(name, help), labels)?)
}

fn gauges(registry: &Registry, name: &str, help: &str, labels: &[&str]) -> prometheus::Result<IntGaugeVec> {
    registered(registry, IntGaugeVec::new(Opts::new(name, help), labels)?)
}
