//! Kubernetes decides, where it is asked to.
use crate::{
    cluster::{Cluster, user},
    eventually, http,
    server::{JANE, Server},
};
use serde_json::{Value, json};
use std::time::Instant;

fn list(server: &Server, user: &str, namespace: &str) -> http::Answer {
    let path = format!("/apis/v2beta1/experiments?namespace={namespace}");
    server.call(user, "GET", &path, &Value::Null)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_review_is_the_answer() {
    let Some(mut cluster) = Cluster::start().await else { return };
    cluster.tenant("team", JANE).await;
    cluster.bind("team", "jane", user(JANE)).await;
    let group = json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "system:authenticated"});
    cluster.bind("kubeflow", "all", group).await;
    let server = cluster.serve("authorization: {decider: review}\nexecutor: {enabled: false}\n").await;
    let becomes = |status: u16| {
        let began = Instant::now();
        eventually("it is answered", || (list(&server, JANE, "team").status == status).then_some(()));
        began.elapsed()
    };
    becomes(200);
    list(&server, "john@example.com", "team").refused(403, 7, "john@example.com may not list experiments");
    // Without a Profile it is no tenant's, whatever Kubernetes would say.
    list(&server, JANE, "kubeflow").refused(403, 7, "may not list experiments");
    cluster.unbind("team", "jane").await;
    let taken = becomes(403);
    cluster.bind("team", "jane", user(JANE)).await;
    let given = becomes(200);
    println!("by SubjectAccessReview, kept for 1 s: RoleBinding deleted -> 403 {taken:?}; made -> 200 {given:?}");

    cluster.server.kill();
    becomes(503);
    let told = list(&server, JANE, "team");
    assert_eq!(told.status, 503);
    assert!(!told.body.contains("127.0.0.1"), "{}", told.body);
    cluster.server.restart();
    becomes(200);
}
