//! The admin listener: metrics and probes. It tells nothing of tenants.
use crate::{metrics::Metrics, tenants::Tenants};
use axum::{Router, extract::State, routing::get};
use http::StatusCode;
use std::sync::Arc;
use store::Store;

/// What readiness depends on.
#[derive(Clone)]
pub(crate) struct Admin {
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) store: Store,
    pub(crate) tenants: Arc<Tenants>,
}

pub(crate) fn routes(admin: Admin) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .route("/livez", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .with_state(admin)
}

async fn metrics(State(admin): State<Admin>) -> Result<String, StatusCode> {
    admin.metrics.text().map_err(|error| {
        tracing::error!(%error, "the metrics could not be written");
        StatusCode::INTERNAL_SERVER_ERROR
    })
}

/// Which part is not ready is said here; why is in the log.
async fn ready(State(admin): State<Admin>) -> (StatusCode, &'static str) {
    let answer = if let Err(error) = admin.store.ping().await {
        tracing::warn!(%error, "not ready: the database does not answer");
        (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer; see the log\n")
    } else if let Err(error) = admin.tenants.health() {
        tracing::warn!(error, "not ready: the tenants' manifests cannot be read");
        (StatusCode::SERVICE_UNAVAILABLE, "the tenants' manifests cannot be read; see the log\n")
    } else {
        (StatusCode::OK, "ok\n")
    };
    admin.metrics.ready.set((answer.0 == StatusCode::OK).into());
    answer
}
