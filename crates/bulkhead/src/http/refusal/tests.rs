//! Panics and unknown methods, as each kind of client hears of them.
use super::*;
use axum::{Router, body::Body, middleware::from_fn, routing::any};
use tower::ServiceExt as _;

/// HTTP status, `grpc-status` and content type of the answer.
async fn answer(path: &str, content_type: &str) -> (u16, String, String) {
    let panics = any(|| async {
        if true {
            panic!("the handler fell over {}", 1)
        }
    });
    let rest = Router::new().fallback(|| async { "rest" }).layer(from_fn(unknown_rpc));
    let router = Router::new().route("/panics", panics).fallback_service(rest).layer(from_fn(catch_panics));
    let request = Request::post(path).header(CONTENT_TYPE, content_type).body(Body::empty()).unwrap();
    let response = router.oneshot(request).await.unwrap();
    let header = |name: &str| response.headers().get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
    assert!(!header("grpc-message").contains("fell"), "a panic's text is not for clients");
    (response.status().as_u16(), header("grpc-status"), header("content-type"))
}

#[tokio::test]
async fn each_in_its_form() {
    for (path, content_type, http, grpc, expected) in [
        ("/panics", "application/grpc", 200, "13", "application/grpc"),
        ("/panics", "application/grpc-web-text", 200, "13", "application/grpc-web-text"),
        ("/panics", "application/json", 500, "", "application/json"),
        ("/a.B/C", "application/grpc+proto", 200, "12", "application/grpc"),
        ("/a.B/C", "application/grpc-web+proto", 200, "12", "application/grpc-web+proto"),
        ("/a.B/C", "application/json", 200, "", "text/plain; charset=utf-8"),
    ] {
        let expected = (http, grpc.to_owned(), expected.to_owned());
        assert_eq!(answer(path, content_type).await, expected, "{path} {content_type}");
    }
}

#[test]
fn panics_have_a_text() {
    let thrown = |panic: Box<dyn Any + Send>| text(&*panic).to_owned();
    assert_eq!(thrown(Box::new("static")), "static");
    assert_eq!(thrown(Box::new("owned".to_owned())), "owned");
    assert_eq!(thrown(Box::new(1)), "without a text");
}
