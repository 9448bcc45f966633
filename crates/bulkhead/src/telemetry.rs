//! Logs on standard error: text for people, JSON for machines. Each line reads alone.
use crate::config::{Log, LogFormat};
use anyhow::Context;
use tracing_subscriber::{EnvFilter, prelude::*};

/// The client of Kubernetes logs each request that fails as an error. Whoever has sent it tells what comes of that, and
/// once; an API server that is away for an hour would otherwise fill the log.
const QUIET: &str = "kube_client::client::builder=off";

/// Starts logging.
///
/// # Errors
/// If `log.level` is no filter.
pub(crate) fn start(log: &Log) -> anyhow::Result<()> {
    let filter =
        EnvFilter::try_new(format!("{QUIET},{}", log.level)).with_context(|| format!("log.level: {:?}", log.level))?;
    let registry = tracing_subscriber::registry().with(filter);
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    match log.format {
        LogFormat::Text => registry.with(layer.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))).init(),
        LogFormat::Json => registry.with(layer.json().flatten_event(true)).init(),
    }
    Ok(())
}
