//! Who gets how far without a login, and in what form the refusal comes.
use super::{super::restrain::MAX_ANONYMOUS, *};
use crate::metrics::Metrics;
use access::{Ports, Rbac, Settings, TokenScope};
use authz::{HeaderSettings, KnownToken, Tokens};
use axum::{
    Router,
    body::{Body, Bytes},
    middleware::from_fn_with_state,
    routing::any,
};
use domain::{Error, Namespace, Result, SystemClock};
use futures::{future::BoxFuture, stream};
use tower::ServiceExt as _;

/// Tokens, ids and audit of a server that has nothing but `jane`.
struct Nothing;

impl Tokens for Nothing {
    fn find<'a>(&'a self, secret: &'a str) -> BoxFuture<'a, Result<Option<KnownToken>>> {
        let jane = KnownToken {
            id: "t".into(),
            user: "jane".into(),
            groups: Vec::new(),
            scope: TokenScope::default(),
            expires_at: None,
            revoked: false,
        };
        let found = match secret {
            "jane" => Ok(Some(jane)),
            "down" => Err(Error::unavailable("the database is away", "gone")),
            _ => Ok(None),
        };
        Box::pin(async { found })
    }
}

/// Answers with the size of its body, or 400 if it could not be read, as the services do.
async fn size(body: Body) -> std::result::Result<String, http::StatusCode> {
    let body = axum::body::to_bytes(body, usize::MAX).await.map_err(|_| http::StatusCode::BAD_REQUEST)?;
    Ok(body.len().to_string())
}

fn router() -> Router {
    let server_namespace = Namespace::parse("kubeflow").unwrap();
    let settings = Settings { server_namespace, default_service_account: "default-editor".into() };
    let founded = access::found(settings, Rbac::default(), Ports::idle());
    let authn = Authn::new(founded.authenticators, Arc::new(Nothing), HeaderSettings::default(), Arc::new(SystemClock));
    let authenticate = Authenticate::MultiUser(Arc::new(authn));
    let trail = Arc::new(AuditTrail::log(Arc::new(Metrics::new().unwrap())));
    Router::new()
        .route("/size", any(size))
        .route("/unread", any(|| async { "unread" }))
        .layer(from_fn_with_state((authenticate, trail), super::authenticate))
}

/// HTTP status, `grpc-status` and body of the answer.
async fn answer(path: &str, token: &str, content_type: &str, body: Body) -> (u16, String, String) {
    let mut request = Request::post(path).header("content-type", content_type).body(body).unwrap();
    if !token.is_empty() {
        request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    }
    let response = router().oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let grpc = response.headers().get("grpc-status").map_or("", |value| value.to_str().unwrap()).to_owned();
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, grpc, String::from_utf8(body.to_vec()).unwrap())
}

/// A body whose size nobody announces.
fn streamed(chunks: usize, size: usize) -> Body {
    let chunk = move |_| Ok::<_, std::io::Error>(Bytes::from(vec![b'a'; size]));
    Body::from_stream(stream::iter((0..chunks).map(chunk)))
}

#[tokio::test]
async fn large_bodies_take_a_login() {
    let announced = |size: usize| Body::from(vec![b'a'; size]);
    let max = MAX_ANONYMOUS;
    for (name, token, body, expected) in [
        ("nothing", "", Body::empty(), Some(0)),
        ("announced", "", announced(max), Some(max)),
        ("announced, too large", "", announced(max + 1), None),
        ("streamed", "", streamed(4, max / 4), Some(max)),
        ("streamed, too large by one", "", streamed(1, max + 1), None),
        ("streamed, too large", "", streamed(40, max / 4), None),
        ("streamed without end", "", streamed(usize::MAX, 1 << 20), None),
        ("a bad token", "nobody", streamed(2, max), None),
        ("announced, with a login", "jane", announced(max + 1), Some(max + 1)),
        ("streamed, with a login", "jane", streamed(2, max), Some(2 * max)),
    ] {
        let (status, grpc, text) = answer("/size", token, "application/json", body).await;
        assert_eq!(grpc, "", "{name}");
        match expected {
            Some(size) => assert_eq!((status, text), (200, size.to_string()), "{name}"),
            None => {
                assert_eq!(status, 401, "{name}: {text}");
                assert!(text.contains(r#""code":16"#) && text.contains("not authenticated"), "{name}: {text}");
            }
        }
    }
    let unread = answer("/unread", "", "application/json", streamed(40, max)).await;
    assert_eq!(unread, (200, String::new(), "unread".to_owned()), "who reads nothing has nothing to refuse");
}

#[tokio::test]
async fn refusals_come_in_the_form_of_the_call() {
    for (token, http, grpc) in [("", 401, "16"), ("nobody", 401, "16"), ("down", 503, "14")] {
        for (content_type, is_grpc) in [
            ("application/grpc", true),
            ("application/grpc-web+proto", true),
            ("application/grpc-web-text", true),
            ("application/json", false),
        ] {
            let (status, code, body) = answer("/size", token, content_type, streamed(2, MAX_ANONYMOUS)).await;
            let expected = if is_grpc { (200, grpc) } else { (http, "") };
            assert_eq!((status, &*code), expected, "{token} {content_type}: {body}");
            assert_eq!(body.is_empty(), is_grpc, "{token} {content_type}: {body}");
        }
    }
}
