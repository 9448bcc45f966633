//! Metrics, in the text format of Prometheus. They tell nothing of tenants: no namespace, user or object is a label,
//! since whoever can reach the admin listener may read them, tasks on this host among them.
use prometheus::{Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, Opts, Registry, TextEncoder};

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
    pub(crate) ready: IntGauge,
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
            ready: IntGauge::new("bulkhead_ready", "1 while the server is ready to serve.")?,
            registry,
        };
        metrics.registry.register(Box::new(metrics.requests.clone()))?;
        metrics.registry.register(Box::new(metrics.request_seconds.clone()))?;
        metrics.registry.register(Box::new(metrics.decisions.clone()))?;
        metrics.registry.register(Box::new(metrics.audit_failures.clone()))?;
        metrics.registry.register(Box::new(metrics.strangers_unwritten.clone()))?;
        metrics.registry.register(Box::new(metrics.ready.clone()))?;
        Ok(metrics)
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
