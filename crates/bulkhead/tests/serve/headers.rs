//! Identity headers of a proxy in front, and a server that runs no tasks, which is what makes a proxy on this host
//! trustworthy.
use crate::{
    grpc::{channel, with},
    http,
    runs::{experiment, pipeline, run},
    server::{JANE, JOHN, NO_TASKS, Place, Server, shared},
};
use api::v2::{ListExperimentsRequest, experiment_service_client::ExperimentServiceClient};

const USER: &str = "kubeflow-userid";
const GROUPS: &str = "kubeflow-groups";
const LIST: &str = "/apis/v2beta1/experiments?namespace=jane-doe";

const AUTH: &str = "auth:
  trusted_proxies: [127.0.0.1/32]
  user_prefix: 'accounts.google.com:'
  groups_header: kubeflow-groups
";

/// The group `ml` may look at what Jane does.
const GROUP: &str = "apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: ml, namespace: jane-doe}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: kubeflow-view}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: ml}]
";

fn behind_a_proxy() -> Server {
    let place = Place::new();
    place.write("profiles/group.yaml", GROUP);
    place.serve(&format!("{NO_TASKS}{AUTH}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trusted_proxy_names_the_caller() {
    let server = behind_a_proxy();
    let jane = format!("accounts.google.com:{JANE}");
    let bob = "accounts.google.com:bob@example.com";
    let system = "accounts.google.com:system:admin";
    server.get(LIST, &[(USER, &jane)]).ok();
    server.get(LIST, &[("KubeFlow-UserId", &jane)]).ok();
    server.get(LIST, &[(USER, bob)]).refused(403, 7, "bob@example.com may not list experiments");
    server.get(LIST, &[(USER, bob), (GROUPS, "other, ml")]).ok();
    server.get(LIST, &[(USER, bob), (GROUPS, "mls")]).refused(403, 7, "bob@example.com may not");
    server.get(LIST, &[(GROUPS, "ml")]).refused(401, 16, "no credentials");
    server.get(LIST, &[(USER, JANE)]).refused(401, 16, "does not begin with \"accounts.google.com:\"");
    server.get(LIST, &[(USER, "accounts.google.com:")]).refused(401, 16, "names nobody");
    server.get(LIST, &[(USER, &jane), (USER, bob)]).refused(401, 16, "several `kubeflow-userid` headers");
    server.get(LIST, &[(USER, system)]).refused(401, 16, "only Kubernetes may vouch");
    server.get(LIST, &[(USER, bob), (GROUPS, "system:masters")]).refused(401, 16, "only Kubernetes may vouch");

    let mut client = ExperimentServiceClient::new(channel(server.api()).await);
    let request = || ListExperimentsRequest { namespace: "jane-doe".into(), ..Default::default() };
    client.list_experiments(with(&[(USER, &jane)], request())).await.unwrap();
    let status = client.list_experiments(with(&[(USER, bob)], request())).await.unwrap_err();
    assert_eq!(status.code(), tonic::Code::PermissionDenied);
}

#[test]
fn header_and_token_must_agree() {
    let server = behind_a_proxy();
    let bearer = format!("Bearer {}", server.token(JANE));
    let [jane, john] = [JANE, JOHN].map(|user| format!("accounts.google.com:{user}"));
    server.get(LIST, &[("authorization", &bearer), (USER, &jane)]).ok();
    let both = server.get(LIST, &[("authorization", &bearer), (USER, &john)]);
    both.refused(401, 16, "name different users");
    let bad = server.get(LIST, &[("authorization", "Bearer bhk_nosuch"), (USER, &jane)]);
    bad.refused(401, 16, "the token is not known here");
}

#[test]
fn a_peer_that_is_not_trusted_names_nobody() {
    let server = shared();
    server.get(LIST, &[(USER, JANE)]).refused(401, 16, "no credentials came with it");
    let bearer = format!("Bearer {}", server.token(JANE));
    server.get(LIST, &[("authorization", &bearer), (USER, JOHN)]).ok();
}

#[test]
fn without_an_executor_no_run_is_made() {
    let server = behind_a_proxy();
    let experiment = experiment(&server, JANE, "jane-doe");
    let answer = server.call(JANE, "POST", "/apis/v2beta1/runs", &run(&experiment, &pipeline("true")));
    answer.refused(400, 9, "executor.enabled is false");
    let list = format!("/apis/v2beta1/runs?experiment_id={experiment}");
    assert_eq!(server.call(JANE, "GET", &list, &serde_json::Value::Null).ok(), serde_json::json!({}));
    assert_eq!(http::call(server.admin(), "GET", "/readyz", &[], "").status, 200, "all else is served");
}
