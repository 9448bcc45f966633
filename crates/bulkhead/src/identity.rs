//! How callers become known, as the configuration has it.
use crate::{cluster::Clients, config::Config};
use anyhow::Context as _;
use authz::{Authn, HeaderSettings, Oidc, TokenReview, TokenReviewSettings};
use domain::Clock;
use std::sync::Arc;

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

/// Adds those who vouch for tokens that are not our own: an OpenID Connect issuer, and Kubernetes, if there is a cluster.
///
/// # Errors
/// Naming the key that is wrong. That an issuer is away is no error: it may come.
pub(crate) fn with_issuers(
    mut authn: Authn,
    config: &Config,
    cluster: Option<&Clients>,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<Authn> {
    if let Some(settings) = config.auth.oidc.settings()? {
        authn = authn.with_oidc(Oidc::start(settings, clock.clone()).context("auth.oidc")?);
    }
    let review = &config.auth.token_review;
    if let Some(clients) = cluster.filter(|_| review.enabled) {
        let settings = TokenReviewSettings { audiences: review.audiences.clone(), cache: review.cache.0 };
        authn = authn.with_token_review(TokenReview::new(clients.ask.clone(), settings, clock.clone()));
    }
    Ok(authn)
}
