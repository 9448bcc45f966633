//! Logs on standard error: text for people, JSON for machines. Each line reads alone. And traces, for whoever collects
//! them by OTLP.
mod traces;

use crate::{
    config::{Log, LogFormat, Telemetry},
    metrics::Metrics,
};
use anyhow::Context;
use tracing_subscriber::{EnvFilter, Layer as _, filter::filter_fn, prelude::*};

pub(crate) use traces::{Traces, of_client};

/// The client of Kubernetes logs each request that fails as an error. Whoever has sent it tells what comes of that, and
/// once; an API server that is away for an hour would otherwise fill the log. The same goes for who sends traces.
const QUIET: &str = "kube_client::client::builder=off,opentelemetry_sdk=off,opentelemetry=off,opentelemetry_otlp=off";

/// The target of the spans that go to who collects traces. Spans of other targets are the log's, and stay there.
pub(crate) const SPANS: &str = "spans";

/// Starts logging alone, for commands that serve nobody.
///
/// # Errors
/// As [`start`].
pub(crate) fn start_log(log: &Log) -> anyhow::Result<()> {
    start(log, &Telemetry::default(), &Metrics::new()?).map(drop)
}

/// Starts logging, and traces where the configuration names somebody to send them to.
///
/// # Errors
/// If `log.level` is no filter, or traces cannot be sent to what is named.
pub(crate) fn start(log: &Log, telemetry: &Telemetry, metrics: &Metrics) -> anyhow::Result<Option<Traces>> {
    let filter =
        EnvFilter::try_new(format!("{QUIET},{}", log.level)).with_context(|| format!("log.level: {:?}", log.level))?;
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines = match log.format {
        LogFormat::Text => layer.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).boxed(),
        LogFormat::Json => layer.json().flatten_event(true).boxed(),
    };
    let lines = lines.with_filter(filter);
    let traces = Traces::new(telemetry, metrics)?;
    let spans = traces.as_ref().map(|traces| {
        let layer = tracing_opentelemetry::layer().with_tracer(traces.tracer()).with_location(false);
        layer.with_threads(false).with_target(false).with_filter(filter_fn(|it| it.is_span() && it.target() == SPANS))
    });
    tracing_subscriber::registry().with(lines).with(spans).init();
    Ok(traces)
}
