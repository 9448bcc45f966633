//! The documents over HTTP, without login: they say nothing of tenants.
use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::Arc,
};

use axum::{
    Router,
    body::Body,
    extract::State,
    response::{IntoResponse as _, Response},
    routing::get,
};
use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH},
};
use tonic::Status;

use super::document;
use crate::{Error, error_response};

/// The API versions, by the packages of their services.
const VERSIONS: [(&str, &str); 3] =
    [("v1beta1", "api"), ("v2beta1", "kubeflow.pipelines.backend.api.v2beta1"), ("bulkhead/v1", "bulkhead.v1")];

/// A document as it is sent.
struct Served {
    json: Bytes,
    tag: HeaderValue,
}

/// `/apis/{version}/swagger.json` for all API versions, to be merged into the main router. The documents are made once,
/// here.
///
/// # Errors
/// As for [`document`].
pub fn router(descriptors: &[u8]) -> Result<Router, Error> {
    let mut router = Router::new();
    for (version, package) in VERSIONS {
        let served = Arc::new(Served::new(document(descriptors, package, version)?.to_string()));
        let route = get(answer).with_state(served).fallback(other_method);
        router = router.route(&format!("/apis/{version}/swagger.json"), route);
    }
    Ok(router)
}

impl Served {
    fn new(json: String) -> Self {
        let mut hasher = DefaultHasher::new();
        json.hash(&mut hasher);
        let tag = HeaderValue::from_str(&format!("\"{:016x}\"", hasher.finish()));
        Self { json: json.into(), tag: tag.unwrap_or_else(|_| HeaderValue::from_static("\"\"")) }
    }
}

async fn answer(State(served): State<Arc<Served>>, headers: HeaderMap) -> Response {
    let known = headers.get_all(IF_NONE_MATCH).iter().any(|tags| knows(tags, &served.tag));
    let mut response =
        if known { StatusCode::NOT_MODIFIED.into_response() } else { Response::new(Body::from(served.json.clone())) };
    let headers = response.headers_mut();
    headers.insert(ETAG, served.tag.clone());
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if !known {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    response
}

/// Whether `If-None-Match` has this tag. Proxies that compress an answer make its tag a weak one.
fn knows(tags: &HeaderValue, tag: &HeaderValue) -> bool {
    let same = |one: &str| one == "*" || one.trim_start_matches("W/").as_bytes() == tag.as_bytes();
    tags.to_str().is_ok_and(|tags| tags.split(',').map(str::trim).any(same))
}

async fn other_method() -> Response {
    error_response(&Status::unimplemented("Method Not Allowed"))
}
