//! Those who vouch for callers besides Bulkhead: Kubernetes, an issuer that is away, and a sidecar. A client program
//! logs in at an issuer that answers.
use crate::{
    http,
    server::{JANE, NO_TASKS, Place, shared},
};
use axum::{Json, Router, extract::State, http::StatusCode, routing::post};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

const LIST: &str = "/apis/v2beta1/experiments?namespace=jane-doe";
const GATEWAY: &str = "spiffe://cluster.local/ns/istio-system/sa/gateway";
const ACCOUNT: &str = "system:serviceaccount:jane-doe:default-editor";

/// What a Kubernetes API server is asked, and whether it answers.
#[derive(Clone, Default)]
struct Api(Arc<Mutex<(Vec<Value>, bool)>>);

/// Knows a token whose text is `of` and the name of a service account in jane-doe.
async fn review(State(api): State<Api>, Json(question): Json<Value>) -> (StatusCode, Json<Value>) {
    let mut api = api.0.lock().unwrap();
    api.0.push(question["spec"].clone());
    if api.1 {
        return (StatusCode::SERVICE_UNAVAILABLE, Json(json!({})));
    }
    let status = match question["spec"]["token"].as_str().unwrap().strip_prefix("of-") {
        Some(name) => json!({
            "authenticated": true,
            "audiences": question["spec"]["audiences"],
            "user": {"username": format!("system:serviceaccount:jane-doe:{name}"), "groups": ["system:serviceaccounts"]},
        }),
        None => json!({"error": "invalid bearer token"}),
    };
    (StatusCode::CREATED, Json(json!({"spec": question["spec"], "status": status})))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_account_is_who_kubernetes_says() {
    let api = Api::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router =
        Router::new().route("/apis/authentication.k8s.io/v1/tokenreviews", post(review)).with_state(api.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let place = Place::new();
    place.write(
        "kubeconfig",
        &format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: a\nclusters: [{{name: a, cluster: {{server: 'http://{address}'}}}}]\n\
             users: [{{name: a, user: {{}}}}]\ncontexts: [{{name: a, context: {{cluster: a, user: a}}}}]\n"
        ),
    );
    let server = place.serve(&format!(
        "{NO_TASKS}auth: {{token_review: {{enabled: true, cache: 0}}}}\nkubernetes: {{enabled: true, kubeconfig: kubeconfig}}\n"
    ));
    let get = |token: &str| server.get(LIST, &[("authorization", &format!("Bearer {token}"))]);
    get("of-default-editor").ok();
    assert_eq!(api.0.lock().unwrap().0[0]["audiences"], json!(["pipelines.kubeflow.org"]));
    get("of-stranger").refused(403, 7, "system:serviceaccount:jane-doe:stranger may not list experiments");
    get("other").refused(401, 16, "Kubernetes does not accept the token");
    // Tokens of our own go nowhere else.
    get(&server.token(JANE)).ok();
    get("bhk_nosuch").refused(401, 16, "the token is not known here");
    assert_eq!(api.0.lock().unwrap().0.len(), 3);
    api.0.lock().unwrap().1 = true;
    let away = get("of-default-editor");
    assert_eq!((away.status, &away.json()["code"]), (503, &json!(14)), "{}", away.body);
    get(&server.token(JANE)).ok();
    api.0.lock().unwrap().1 = false;
    get("of-default-editor").ok();
}

#[test]
fn an_issuer_that_is_away_stops_only_its_own_tokens() {
    let server = Place::new()
        .serve(&format!("{NO_TASKS}auth: {{oidc: {{issuer: 'http://127.0.0.1:1', audiences: [bulkhead]}}}}\n"));
    // The header {"alg":"ES256"} and the claims {"iss":"http://127.0.0.1:1"}.
    let token = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJodHRwOi8vMTI3LjAuMC4xOjEifQ.AAAA";
    let away = server.get(LIST, &[("authorization", &format!("Bearer {token}"))]);
    assert_eq!((away.status, &away.json()["code"]), (503, &json!(14)), "{}", away.body);
    server.get(LIST, &[("authorization", "Bearer e30.e30.AAAA")]).refused(401, 16, "neither one of Bulkhead's own");
    server.get(LIST, &[("authorization", &format!("Bearer {}", server.token(JANE)))]).ok();
    assert_eq!(http::call(server.admin(), "GET", "/readyz", &[], "").status, 200);
}

#[test]
fn a_sidecar_says_who_the_proxy_is() {
    let server = Place::new()
        .serve(&format!("{NO_TASKS}auth: {{sidecar: [127.0.0.1/32], trusted_principals: ['{GATEWAY}']}}\n"));
    let of = |uri: &str| format!("By=spiffe://cluster.local/ns/kubeflow/sa/bulkhead;Hash=0a1b;Subject=\"\";URI={uri}");
    let (gateway, pod) = (of(GATEWAY), of("spiffe://cluster.local/ns/john-roe/sa/default-editor"));
    let get = |cert: &str| server.get(LIST, &[("kubeflow-userid", JANE), ("x-forwarded-client-cert", cert)]);
    get(&gateway).ok();
    get(&format!("{pod},{gateway}")).ok();
    for spoofed in [&pod, &format!("{gateway},{pod}"), &format!("{gateway},"), "", "URI"] {
        get(spoofed).refused(401, 16, "no credentials");
    }
    server.get(LIST, &[("kubeflow-userid", JANE)]).refused(401, 16, "no credentials");
    let twice = [("kubeflow-userid", JANE), ("x-forwarded-client-cert", &gateway), ("x-forwarded-client-cert", &pod)];
    server.get(LIST, &twice).refused(401, 16, "no credentials");
}

#[test]
fn without_a_cluster_its_tokens_let_nobody_in() {
    let server = shared();
    server.get(LIST, &[("authorization", "Bearer of-default-editor")]).refused(401, 16, "the token is not known here");
    server.get(LIST, &[("kubeflow-userid", ACCOUNT)]).refused(401, 16, "no credentials");
}
