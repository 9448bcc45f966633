//! Reviews by an API server that is a function.
use super::*;
use access::Extra;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{Code, Timestamp};
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use kube::client::Body;
use serde_json::{Value, json};
use std::sync::{
    Mutex,
    atomic::{AtomicI64, AtomicUsize, Ordering::SeqCst},
};
use tokio::sync::Notify;

const NOW: i64 = 1_000_000;
const AUDIENCE: &str = "pipelines.kubeflow.org";

/// A clock that a test sets, in seconds.
#[derive(Clone)]
struct At(Arc<AtomicI64>);

impl Clock for At {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(self.0.load(SeqCst))
    }
}

/// What the API server does with a question.
#[derive(Clone)]
enum Api {
    Answer(StatusCode, String),
    Silence,
    Gone,
    /// Answers once it is told to.
    Later(Arc<Notify>, String),
}

struct House {
    review: TokenReview,
    clock: At,
    questions: Arc<AtomicUsize>,
    last: Arc<Mutex<Value>>,
    api: Arc<Mutex<Api>>,
}

fn house_with(audiences: &[&str], cache: u64, api: Api) -> House {
    let (questions, last) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(Value::Null)));
    let (api, clock) = (Arc::new(Mutex::new(api)), At(Arc::new(AtomicI64::new(NOW))));
    let service = {
        let (questions, last, api) = (questions.clone(), last.clone(), api.clone());
        tower::service_fn(move |request: Request<Body>| {
            questions.fetch_add(1, SeqCst);
            let (last, api) = (last.clone(), api.lock().unwrap().clone());
            async move {
                assert_eq!((request.method().as_str(), request.uri().path()), ("POST", ask_path()));
                let body = request.into_body().collect().await.unwrap().to_bytes();
                *last.lock().unwrap() = serde_json::from_slice(&body).unwrap();
                let (status, body) = match api {
                    Api::Answer(status, body) => (status, body),
                    Api::Silence => std::future::pending().await,
                    Api::Gone => return Err(std::io::Error::other("connection refused")),
                    Api::Later(told, body) => {
                        told.notified().await;
                        (StatusCode::CREATED, body)
                    }
                };
                Ok(Response::builder().status(status).body(Body::from(body.into_bytes())).unwrap())
            }
        })
    };
    let settings = TokenReviewSettings {
        audiences: audiences.iter().map(|&audience| audience.to_owned()).collect(),
        cache: Duration::from_secs(cache),
    };
    let review = TokenReview::new(kube::Client::new(service, "default"), settings, Arc::new(clock.clone()));
    House { review, clock, questions, last, api }
}

fn ask_path() -> &'static str {
    "/apis/authentication.k8s.io/v1/tokenreviews"
}

fn house(api: Api) -> House {
    house_with(&[AUDIENCE], 10, api)
}

impl House {
    async fn told(&self, token: &str) -> String {
        match self.review.claims(token).await {
            Ok(Ok(claims)) => format!("{} {:?}", claims.user, claims.groups),
            Ok(Err(refusal)) => format!("{refusal:?}"),
            Err(error) => format!("{:?}: {error}", error.code()),
        }
    }

    fn pass(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds, SeqCst);
    }

    fn questions(&self) -> usize {
        self.questions.load(SeqCst)
    }
}

fn answer(status: Value) -> String {
    json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": "s3cr3t"}, "status": status})
        .to_string()
}

fn good() -> String {
    answer(json!({
        "authenticated": true,
        "audiences": [AUDIENCE],
        "user": {
            "username": "system:serviceaccount:jane-doe:default-editor",
            "uid": "1",
            "groups": ["system:serviceaccounts", "system:authenticated"],
            "extra": {"authentication.kubernetes.io/pod-name": ["notebook-0"]},
        },
    }))
}

fn created(body: String) -> Api {
    Api::Answer(StatusCode::CREATED, body)
}

fn bad() -> Api {
    created(answer(json!({"error": "[invalid bearer token, s3cr3t]"})))
}

/// A token that says it ends at this second.
fn jwt(exp: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.{}", part(&json!({"alg": "RS256"})), part(&json!({"exp": exp})), URL_SAFE_NO_PAD.encode("x"))
}

#[tokio::test]
async fn all_that_kubernetes_says_is_kept() {
    let house = house(created(good()));
    let token = jwt(&json!(NOW + 7200));
    let claims = house.review.claims(&token).await.unwrap().unwrap();
    assert_eq!(claims.user, "system:serviceaccount:jane-doe:default-editor");
    assert_eq!(claims.groups, ["system:serviceaccounts", "system:authenticated"]);
    let pod = ("authentication.kubernetes.io/pod-name".to_owned(), vec!["notebook-0".to_owned()]);
    assert_eq!(claims.extra, Extra::from([pod]));
    assert_eq!((claims.proof, claims.until), (Proof::TokenReview, Some(Timestamp::from_seconds(NOW + 7200))));
    assert!(claims.scope.is_all());
    let asked = house.last.lock().unwrap().clone();
    assert_eq!(asked["spec"], json!({"token": token, "audiences": [AUDIENCE]}), "{asked}");
    assert_eq!(asked["kind"], "TokenReview");
    assert_eq!(house.review.claims("opaque").await.unwrap().unwrap().until, None);
}

#[tokio::test]
async fn who_is_let_in() {
    let refused = "Kubernetes does not accept the token";
    let audience = "not made for the audience";
    let user = json!({"username": "jane"});
    for (audiences, status, expect) in [
        (&[AUDIENCE][..], json!({"authenticated": true, "audiences": [AUDIENCE], "user": user}), "jane []"),
        (&[AUDIENCE], json!({"authenticated": true, "audiences": ["a", AUDIENCE], "user": user}), "jane []"),
        (&["a", "b"], json!({"authenticated": true, "audiences": ["b", "a"], "user": user}), "jane []"),
        (&["a", "b"], json!({"authenticated": true, "audiences": ["a"], "user": user}), audience),
        (&[AUDIENCE], json!({"authenticated": true, "audiences": [], "user": user}), audience),
        (&[AUDIENCE], json!({"authenticated": true, "user": user}), audience),
        (&[AUDIENCE], json!({"authenticated": true, "audiences": ["pipelines.kubeflow.org2"], "user": user}), audience),
        (&[], json!({"authenticated": true, "audiences": ["a"], "user": user}), audience),
        (&[AUDIENCE], json!({"authenticated": false, "audiences": [AUDIENCE], "user": user}), refused),
        (&[AUDIENCE], json!({"audiences": [AUDIENCE], "user": user}), refused),
        (&[AUDIENCE], json!({"error": "token s3cr3t has expired"}), refused),
        (&[AUDIENCE], json!({}), refused),
        // Without a name it is nobody, which is refused where identities are minted.
        (&[AUDIENCE], json!({"authenticated": true, "audiences": [AUDIENCE]}), " []"),
    ] {
        let told = house_with(audiences, 10, created(answer(status.clone()))).told("s3cr3t").await;
        assert!(told.contains(expect) && !told.contains("s3cr3t"), "{audiences:?} {status}: {told}");
    }
}

#[tokio::test(start_paused = true)]
async fn failures_are_told_apart() {
    let status = |code: u16| Api::Answer(StatusCode::from_u16(code).unwrap(), "token s3cr3t".into());
    for (name, api, expect) in [
        ("silence", Api::Silence, Code::Unavailable),
        ("no connection", Api::Gone, Code::Unavailable),
        ("429", status(429), Code::Unavailable),
        ("500", status(500), Code::Unavailable),
        ("503", status(503), Code::Unavailable),
        ("504", status(504), Code::Unavailable),
        ("401", status(401), Code::Internal),
        ("403", status(403), Code::Internal),
        ("404", status(404), Code::Internal),
        ("307", status(307), Code::Internal),
        ("no JSON", created("s3cr3t".into()), Code::Internal),
        ("other JSON", created(json!({"spec": {"token": ["s3cr3t"]}}).to_string()), Code::Internal),
        ("no status", created(json!({"spec": {"token": "s3cr3t"}}).to_string()), Code::Internal),
        ("endless", created("s3cr3t ".repeat(1 << 18)), Code::Internal),
    ] {
        let house = house(api);
        let error = house.review.claims("s3cr3t").await.unwrap_err();
        assert_eq!(error.code(), expect, "{name}");
        let said = format!("{error} {error:?}");
        assert!(!said.contains("s3cr3t"), "{name}: {said}");
        *house.api.lock().unwrap() = created(good());
        assert!(house.told("s3cr3t").await.starts_with("system:"), "{name}: a failure is not kept");
    }
}

#[tokio::test]
async fn verdicts_are_kept_for_a_while() {
    let house = house(created(good()));
    house.told("a").await;
    house.pass(9);
    house.told("a").await;
    assert_eq!(house.questions(), 1);
    house.told("b").await;
    assert_eq!(house.questions(), 2, "another token");
    *house.api.lock().unwrap() = bad();
    house.told("a").await;
    assert_eq!(house.questions(), 2, "revoked, and not known yet");
    house.pass(1);
    assert!(house.told("a").await.contains("does not accept"));
    assert_eq!(house.questions(), 3);
    // Refusals are kept for a shorter time.
    *house.api.lock().unwrap() = created(good());
    house.pass(1);
    assert!(house.told("a").await.contains("does not accept"));
    house.pass(1);
    assert!(house.told("a").await.starts_with("system:"));
    assert_eq!(house.questions(), 4);
}

#[tokio::test]
async fn no_verdict_outlives_the_token() {
    for (exp, after, expect) in [
        (json!(NOW + 3), 2, 1),
        (json!(NOW + 3), 3, 2),
        (json!(1_000_003.5), 3, 2),
        (json!(NOW + 100), 9, 1),
        (json!(NOW + 100), 10, 2),
        (json!(NOW - 1), 0, 2),
        (json!("soon"), 9, 1),
        (json!(u64::MAX), 10, 2),
    ] {
        let house = house(created(good()));
        let token = jwt(&exp);
        house.told(&token).await;
        house.pass(after);
        house.told(&token).await;
        assert_eq!(house.questions(), expect, "exp {exp}, after {after} s");
    }
}

#[tokio::test]
async fn without_a_cache_every_request_is_reviewed() {
    let house = house_with(&[AUDIENCE], 0, created(good()));
    for _ in 0..3 {
        house.told("a").await;
    }
    *house.api.lock().unwrap() = bad();
    house.told("a").await;
    house.told("a").await;
    assert_eq!(house.questions(), 5);
}

#[tokio::test]
async fn requests_with_one_token_are_one_question() {
    let told = Arc::new(Notify::new());
    let house = house_with(&[AUDIENCE], 0, Api::Later(told.clone(), good()));
    let all = futures::future::join_all((0..50).map(|_| house.told("a")));
    let (answers, ()) = tokio::join!(all, async {
        tokio::task::yield_now().await;
        told.notify_one();
    });
    assert!(answers.iter().all(|answer| answer.starts_with("system:")), "{answers:?}");
    assert_eq!(house.questions(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_tokens_is_a_few_questions_at_a_time() {
    let house = house(Api::Silence);
    let tokens: Vec<String> = (0..500).map(|n| format!("token {n}")).collect();
    let answers = futures::future::join_all(tokens.iter().map(|token| house.told(token))).await;
    assert!(answers.iter().all(|answer| answer.starts_with("Unavailable")), "{answers:?}");
    assert_eq!(house.questions(), 32);
}
