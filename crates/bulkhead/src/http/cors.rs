//! Cross-origin requests of browsers (CORS), as far as the configuration allows them.
use crate::config::Cors;
use anyhow::Context as _;
use http::{HeaderName, HeaderValue, Method, header};
use std::time::Duration;
use tower_http::cors::{AllowOrigin, CorsLayer};

/// What a page may send: gRPC-Web has headers of its own.
const ALLOWED: [HeaderName; 7] = [
    header::AUTHORIZATION,
    header::CONTENT_TYPE,
    HeaderName::from_static("grpc-timeout"),
    HeaderName::from_static("x-clear-tags"),
    HeaderName::from_static("x-grpc-web"),
    HeaderName::from_static("x-request-id"),
    HeaderName::from_static("x-user-agent"),
];
/// What a page may read of an answer.
const EXPOSED: [HeaderName; 4] = [
    HeaderName::from_static("grpc-message"),
    HeaderName::from_static("grpc-status"),
    HeaderName::from_static("grpc-status-details-bin"),
    HeaderName::from_static("x-request-id"),
];
/// How long a browser need not ask again.
const MAX_AGE: Duration = Duration::from_secs(600);

/// The layer that answers preflights and marks answers; none if no origin is allowed.
///
/// Credentials are never allowed: tokens travel in a header that the page sets itself, and without credentials a
/// browser sends nothing of its user's, so a page can do no more than a stranger with the same token.
pub(super) fn layer(cors: &Cors) -> anyhow::Result<Option<CorsLayer>> {
    if cors.allowed_origins.is_empty() {
        return Ok(None);
    }
    let origins = if cors.allows_all() {
        AllowOrigin::any()
    } else {
        let origins = cors.allowed_origins.iter().map(|origin| origin.parse::<HeaderValue>());
        AllowOrigin::list(origins.collect::<Result<Vec<_>, _>>().context("cors.allowed_origins")?)
    };
    let methods = [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS];
    let layer = CorsLayer::new().allow_origin(origins).allow_methods(methods).allow_headers(ALLOWED);
    Ok(Some(layer.expose_headers(EXPOSED).max_age(MAX_AGE)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::{Router, body::Body, response::Response, routing::any};
    use http::Request;
    use tower::ServiceExt as _;

    const PAGE: &str = "https://ui.example.com";

    /// The answer to a request from a page, by a server that has no login.
    async fn answer(allowed: &[&str], method: &str, origin: &str) -> Response {
        let cors = Cors { allowed_origins: allowed.iter().map(|origin| origin.to_string()).collect() };
        let site = super::super::same_site::Site::new(super::super::Names::Loopback, &cors);
        let router = Router::new().route("/x", any(|| async { "answered" }));
        let router = router.layer(axum::middleware::from_fn_with_state(site, super::super::same_site::same_site));
        let router = match layer(&cors).unwrap() {
            Some(layer) => router.layer(layer),
            None => router,
        };
        let request = Request::builder().method(method).uri("/x").header("host", "localhost:8888");
        let request = request
            .header("origin", origin)
            .header("access-control-request-method", "PATCH")
            .header("access-control-request-headers", "authorization, x-grpc-web");
        router.oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
    }

    fn header<'a>(response: &'a Response, name: &str) -> &'a str {
        response.headers().get(name).map_or("", |value| value.to_str().unwrap())
    }

    #[tokio::test]
    async fn pages_of_listed_origins_are_let_in() {
        for (allowed, origin, status, marked) in [
            (&[PAGE][..], PAGE, 200, PAGE),
            (&[PAGE, "http://localhost:3000"], "http://localhost:3000", 200, "http://localhost:3000"),
            (&[PAGE], "https://evil.example", 403, ""),
            (&[PAGE], "null", 403, ""),
            (&[PAGE], "http://localhost:8888", 200, ""),
            (&[], PAGE, 403, ""),
        ] {
            let response = answer(allowed, "GET", origin).await;
            let line = format!("{allowed:?} {origin}");
            assert_eq!(response.status(), status, "{line}");
            assert_eq!(header(&response, "access-control-allow-origin"), marked, "{line}");
            assert_eq!(header(&response, "access-control-allow-credentials"), "", "{line}");
        }
        let response = answer(&[PAGE], "GET", PAGE).await;
        for name in EXPOSED {
            assert!(header(&response, "access-control-expose-headers").contains(name.as_str()), "{name}");
        }
    }

    #[tokio::test]
    async fn preflights_are_answered() {
        let response = answer(&[PAGE], "OPTIONS", PAGE).await;
        assert_eq!(response.status(), 200);
        assert_eq!(header(&response, "access-control-allow-origin"), PAGE);
        assert_eq!(header(&response, "access-control-allow-methods"), "GET,POST,PUT,PATCH,DELETE,OPTIONS");
        assert_eq!(header(&response, "access-control-max-age"), "600");
        assert!(header(&response, "vary").contains("origin"));
        for name in ALLOWED {
            assert!(header(&response, "access-control-allow-headers").contains(name.as_str()), "{name}");
        }
        let stranger = answer(&[PAGE], "OPTIONS", "https://evil.example").await;
        assert_eq!(header(&stranger, "access-control-allow-origin"), "");
        assert_eq!(header(&answer(&[], "OPTIONS", PAGE).await, "access-control-allow-methods"), "");
        assert_eq!(header(&answer(&["*"], "OPTIONS", PAGE).await, "access-control-allow-origin"), "*");
    }
}
