//! `/apis/{v}/healthz`, without login. Written by hand because clients want `multi_user` even when it is false, which
//! protobuf's JSON leaves out (KFP API, "healthz").
use axum::{Json, Router, extract::State, routing::any};
use serde::Serialize;

/// What the server says of itself.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Healthz {
    pub(crate) commit_sha: String,
    pub(crate) tag_name: String,
    pub(crate) multi_user: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) pipeline_store: Option<&'static str>,
}

pub(super) fn routes(health: Healthz) -> Router {
    let v2 = Healthz { pipeline_store: Some("database"), ..health.clone() };
    Router::new()
        .route("/apis/v1beta1/healthz", any(answer).with_state(Healthz { pipeline_store: None, ..health }))
        .route("/apis/v2beta1/healthz", any(answer).with_state(v2))
}

async fn answer(State(health): State<Healthz>) -> Json<Healthz> {
    Json(health)
}
