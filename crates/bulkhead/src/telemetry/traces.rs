//! Traces by OTLP. Whoever collects them may be away: spans then wait in a queue that has an end, and what does not fit
//! is dropped and counted. Nothing that serves a request waits for any of it.
use crate::{config::Telemetry, metrics::Metrics};
use anyhow::Context as _;
use http::HeaderMap;
use opentelemetry::{
    Context, KeyValue,
    propagation::{Extractor, TextMapPropagator as _},
    trace::TracerProvider as _,
};
use opentelemetry_otlp::WithExportConfig as _;
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    propagation::TraceContextPropagator,
    trace::{
        BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracer, SdkTracerProvider, Span, SpanData, SpanExporter,
        SpanProcessor,
    },
};
use prometheus::IntCounter;
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

/// The most spans that wait to be sent, those on their way among them.
const WAITING: usize = 4096;
/// The most in one message.
const BATCH: usize = 512;
/// How long spans wait for others to be sent along with.
const EVERY: Duration = Duration::from_secs(1);
/// How long one message may take, and what is left at the end.
const PATIENCE: Duration = Duration::from_secs(5);

/// Sends spans until it is shut down.
pub(crate) struct Traces(SdkTracerProvider);

impl Traces {
    /// `None` where the configuration names nobody to send them to.
    ///
    /// # Errors
    /// If what it names is no address.
    pub(super) fn new(config: &Telemetry, metrics: &Metrics) -> anyhow::Result<Option<Self>> {
        let Some(endpoint) = &config.otlp_endpoint else { return Ok(None) };
        let exporter =
            opentelemetry_otlp::SpanExporter::builder().with_tonic().with_endpoint(endpoint).with_timeout(PATIENCE);
        let exporter = exporter.build().with_context(|| format!("telemetry.otlp_endpoint: {endpoint}"))?;
        let outcome = |name| metrics.spans.with_label_values(&[name]);
        let waiting = Arc::new(AtomicUsize::new(0));
        let (sent, failed) = (outcome("sent"), outcome("failed"));
        let batches = BatchConfigBuilder::default()
            .with_max_queue_size(WAITING)
            .with_max_export_batch_size(BATCH)
            .with_scheduled_delay(EVERY);
        let counted = Counted { exporter, waiting: waiting.clone(), sent, failed };
        let next = BatchSpanProcessor::builder(counted).with_batch_config(batches.build()).build();
        let ratio = Sampler::TraceIdRatioBased(config.sample_ratio);
        let provider = SdkTracerProvider::builder()
            .with_span_processor(Bounded { next, waiting, dropped: outcome("dropped") })
            .with_sampler(Sampler::ParentBased(Box::new(ratio)))
            .with_resource(
                Resource::builder_empty()
                    .with_attribute(KeyValue::new("service.name", config.service_name.clone()))
                    .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
                    .build(),
            );
        Ok(Some(Self(provider.build())))
    }

    pub(super) fn tracer(&self) -> SdkTracer {
        self.0.tracer("bulkhead")
    }

    /// Sends what is left, unless that takes too long.
    pub(crate) async fn stop(self) {
        let stopped = tokio::task::spawn_blocking(move || self.0.shutdown_with_timeout(PATIENCE));
        if let Ok(Err(error)) = stopped.await {
            tracing::warn!(%error, "the last spans could not be sent");
        }
    }
}

/// The trace that a client says its request is part of (W3C Trace Context).
pub(crate) fn of_client(headers: &HeaderMap) -> Context {
    struct Headers<'a>(&'a HeaderMap);
    impl Extractor for Headers<'_> {
        fn get(&self, key: &str) -> Option<&str> {
            self.0.get(key)?.to_str().ok()
        }

        fn keys(&self) -> Vec<&str> {
            self.0.keys().map(http::HeaderName::as_str).collect()
        }
    }
    TraceContextPropagator::new().extract_with_context(&Context::new(), &Headers(headers))
}

/// Lets only so many spans wait.
#[derive(Debug)]
struct Bounded {
    next: BatchSpanProcessor,
    waiting: Arc<AtomicUsize>,
    dropped: IntCounter,
}

impl SpanProcessor for Bounded {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.next.on_start(span, context);
    }

    fn on_end(&self, span: SpanData) {
        if !span.span_context.is_sampled() {
            return;
        }
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= WAITING {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            self.dropped.inc();
            return;
        }
        self.next.on_end(span);
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.next.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.next.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.next.set_resource(resource);
    }
}

/// Counts what has become of spans.
#[derive(Debug)]
struct Counted<E> {
    exporter: E,
    waiting: Arc<AtomicUsize>,
    sent: IntCounter,
    failed: IntCounter,
}

impl<E: SpanExporter> SpanExporter for Counted<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len();
        let done = self.exporter.export(batch).await;
        self.waiting.fetch_sub(spans, Ordering::Relaxed);
        let counter = if done.is_ok() { &self.sent } else { &self.failed };
        counter.inc_by(spans as u64);
        done
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}
