//! Where traces go.
use anyhow::bail;
use serde::Deserialize;

/// Traces by OTLP.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Telemetry {
    pub(crate) otlp_endpoint: Option<String>,
    pub(crate) sample_ratio: f64,
    pub(crate) service_name: String,
}

impl Default for Telemetry {
    fn default() -> Self {
        Self { otlp_endpoint: None, sample_ratio: 1.0, service_name: "bulkhead".into() }
    }
}

impl Telemetry {
    /// # Errors
    /// What is out of bounds.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        if !(0.0..=1.0).contains(&self.sample_ratio) {
            bail!("telemetry.sample_ratio: a number from 0 to 1 is wanted");
        }
        if let Some(endpoint) = &self.otlp_endpoint
            && !endpoint.starts_with("http://")
        {
            bail!("telemetry.otlp_endpoint: http://HOST:PORT is wanted, the address of a collector that speaks gRPC");
        }
        Ok(())
    }
}
