//! The admin listener: metrics and probes. It tells nothing of tenants.
use crate::{metrics::Metrics, rights::Tenants};
use axum::{Router, extract::State, routing::get};
use http::StatusCode;
use std::sync::Arc;
use store::Store;

/// What readiness depends on.
#[derive(Clone)]
pub(crate) struct Admin {
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) store: Store,
    /// There are none in single-user mode.
    pub(crate) tenants: Option<Tenants>,
}

pub(crate) fn routes(admin: Admin) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .route("/livez", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .with_state(admin)
}

async fn metrics(State(admin): State<Admin>) -> Result<String, StatusCode> {
    admin.metrics.ready.set(admin.readiness().await.is_ok().into());
    admin.metrics.look(&admin.store);
    admin.metrics.text().map_err(|error| {
        tracing::error!(%error, "the metrics could not be written");
        StatusCode::INTERNAL_SERVER_ERROR
    })
}

async fn ready(State(admin): State<Admin>) -> (StatusCode, &'static str) {
    match admin.readiness().await {
        Ok(()) => (StatusCode::OK, "ok\n"),
        Err(what) => (StatusCode::SERVICE_UNAVAILABLE, what),
    }
}

impl Admin {
    /// # Errors
    /// Which part is not ready. Why is in the log, since it may name tenants.
    async fn readiness(&self) -> Result<(), &'static str> {
        if let Err(error) = self.store.ping().await {
            tracing::warn!(%error, "not ready: the database does not answer");
            return Err("the database does not answer; see the log\n");
        }
        self.tenants.as_ref().map_or(Ok(()), Tenants::ready)
    }
}
