//! How callers become known, as the configuration has it.
use crate::config::Config;
use authz::HeaderSettings;

/// Whose identity headers are believed.
///
/// # Errors
/// Naming the key that is wrong.
pub(crate) fn headers(config: &Config) -> anyhow::Result<HeaderSettings> {
    let shares_network = config.executor.shares_network();
    if shares_network {
        tracing::info!("identity headers from this host itself are not trusted while tasks with a network run on it");
    }
    config.auth.headers(shares_network)
}
