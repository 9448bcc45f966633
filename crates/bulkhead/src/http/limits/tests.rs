//! Whose requests are worked on, and for how long.
use super::*;
use crate::{config, limits::Limits, metrics::Metrics};
use axum::{Router, body::Bytes, middleware::from_fn_with_state, routing::any};
use http::StatusCode;
use tower::ServiceExt as _;

/// What takes `milliseconds` once its body is there.
async fn work(body: Body, milliseconds: u64) -> std::result::Result<String, StatusCode> {
    let body = axum::body::to_bytes(body, usize::MAX).await.map_err(|_| StatusCode::BAD_REQUEST)?;
    tokio::time::sleep(Duration::from_millis(milliseconds)).await;
    Ok(body.len().to_string())
}

/// An application for strangers alone, who count as one user.
fn app(limits: config::Limits) -> Router {
    let config = config::Config { limits, ..config::Config::default() };
    let limits = Arc::new(Limits::new(&config, &Metrics::new().unwrap()));
    Router::new()
        .route("/quick", any(|body| work(body, 0)))
        .route("/slow", any(|body| work(body, 300)))
        .layer(from_fn_with_state(limits, limit))
}

async fn answer(app: &Router, request: Request) -> (u16, String, String) {
    let response = app.clone().oneshot(request).await.unwrap();
    let grpc = response.headers().get("grpc-status").map(|status| status.to_str().unwrap().to_owned());
    let status = response.status().as_u16();
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, grpc.unwrap_or_default(), String::from_utf8(body.to_vec()).unwrap())
}

fn post(path: &str, body: Body) -> Request {
    Request::post(path).body(body).unwrap()
}

#[tokio::test]
async fn a_request_has_so_long_from_when_it_is_there() {
    let app =
        app(config::Limits { request_timeout: config::Seconds(Duration::from_millis(200)), ..Default::default() });
    let (status, _, body) = answer(&app, post("/slow", Body::from("abc"))).await;
    assert!(status == 504 && body.contains("longer than 0.2 s"), "{status} {body}");
    let (status, _, body) = answer(&app, Request::get("/slow").body(Body::empty()).unwrap()).await;
    assert!(status == 504 && body.contains("limits.request_timeout"), "{status} {body}");
    let grpc = |timeout: &str| {
        let request = Request::post("/slow").header("content-type", "application/grpc").header("grpc-timeout", timeout);
        request.body(Body::empty()).unwrap()
    };
    assert_eq!(answer(&app, grpc("50m")).await, (200, "4".to_owned(), String::new()));
    // Not its own, and not over REST, where the gateway minds it.
    assert_eq!(answer(&app, grpc("soon")).await.1, "4");
    // A body may take longer than the answer.
    let slowly = stream::iter(0..5).then(|_| async {
        tokio::time::sleep(Duration::from_millis(60)).await;
        Ok::<_, std::convert::Infallible>(Bytes::from_static(b"x"))
    });
    assert_eq!(answer(&app, post("/quick", Body::from_stream(slowly))).await, (200, String::new(), "5".to_owned()));
}

#[tokio::test]
async fn a_slow_body_holds_no_place() {
    let app = app(config::Limits { concurrency: 1, user_concurrency: 1, ..Default::default() });
    let never = Body::from_stream(stream::pending::<std::result::Result<Bytes, std::convert::Infallible>>());
    let (slow, of_slow) = (answer(&app, post("/quick", never)), app.clone());
    let quick = answer(&of_slow, post("/quick", Body::from("abc")));
    tokio::select! {
        biased;
        answer = slow => panic!("{answer:?}"),
        answer = quick => assert_eq!(answer, (200, String::new(), "3".to_owned())),
    }
}

#[tokio::test]
async fn too_many_that_wait_are_refused_whatever_the_service_makes_of_it() {
    let app = app(config::Limits { user_concurrency: 1, ..Default::default() });
    let all = (0..8).map(|number| {
        let body = if number % 2 == 0 { Body::empty() } else { Body::from("abc") };
        answer(&app, post("/slow", body))
    });
    let answers = future::join_all(all).await;
    let (good, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|(status, ..)| *status == 200);
    assert_eq!(good.len(), 5);
    for (status, _, body) in refused {
        assert!(status == 429 && body.contains("limits.user_concurrency"), "{status} {body}");
    }
}
