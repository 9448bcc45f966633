//! Tenants and rights of a cluster, from the token in a pod to the log that is followed.
use crate::{
    cluster::{Cluster, user},
    eventually, http,
    server::{JANE, Server},
};
use serde_json::{Value, json};
use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::{Duration, Instant},
};

const BOUND: Duration = Duration::from_secs(3);
/// What a busy machine may add.
const SLACK: Duration = Duration::from_secs(2);
const EDITOR: &str = "system:serviceaccount:team:default-editor";

fn call(server: &Server, token: &str, method: &str, path: &str, body: &Value) -> http::Answer {
    let bearer = format!("Bearer {token}");
    let body = if body.is_null() { String::new() } else { body.to_string() };
    http::call(server.api(), method, path, &[("authorization", &bearer)], &body)
}

fn list(server: &Server, token: &str) -> http::Answer {
    call(server, token, "GET", "/apis/v2beta1/experiments?namespace=team", &Value::Null)
}

fn becomes(server: &Server, token: &str, status: u16) -> Duration {
    let began = Instant::now();
    eventually(&format!("a list is answered with {status}"), || (list(server, token).status == status).then_some(()));
    began.elapsed()
}

fn ready(server: &Server, status: u16) -> String {
    eventually(&format!("/readyz answers {status}"), || {
        let answer = http::call(server.admin(), "GET", "/readyz", &[], "");
        (answer.status == status).then_some(answer.body)
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_account_has_what_its_bindings_give() {
    let Some(cluster) = Cluster::start().await else { return };
    let server = cluster.serve("auth: {token_review: {enabled: true, cache: 0}}\n").await;
    ready(&server, 200);
    cluster.tenant("team", JANE).await;
    let token = cluster.token("team", "default-editor", "pipelines.kubeflow.org").await;
    list(&server, &token).refused(403, 7, &format!("{EDITOR} may not list experiments"));
    let account = json!({"kind": "ServiceAccount", "name": "default-editor", "namespace": "team"});
    cluster.bind("team", "default-editor", account.clone()).await;
    let given = becomes(&server, &token, 200);
    // A token that is made for the API server is none for us.
    let other = cluster.token("team", "default-editor", "https://kubernetes.default.svc").await;
    list(&server, &other).refused(401, 16, "Kubernetes does not accept the token");

    let mut log = follow_log(&server, &token);
    cluster.unbind("team", "default-editor").await;
    let began = Instant::now();
    let rest = log.rest();
    let cut = began.elapsed();
    assert!(!rest.ends_with("0\r\n\r\n"), "the log looked whole when the right was gone");
    assert!(cut < BOUND + SLACK, "{cut:?}");
    let taken = becomes(&server, &token, 403);
    println!("RoleBinding made -> 200 {given:?}; deleted -> log cut {cut:?}, then 403 {taken:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_let_in_while_the_api_server_is_away() {
    let Some(mut cluster) = Cluster::start().await else { return };
    cluster.tenant("team", JANE).await;
    cluster.bind("team", "jane", user(JANE)).await;
    cluster.bind("team", "john", user("john@example.com")).await;
    let account = json!({"kind": "ServiceAccount", "name": "default-editor", "namespace": "team"});
    cluster.bind("team", "default-editor", account).await;
    let server = cluster.serve("auth: {token_review: {enabled: true, cache: 0}}\n").await;
    let (pod, jane, john) = (
        cluster.token("team", "default-editor", "pipelines.kubeflow.org").await,
        server.token(JANE),
        server.token("john@example.com"),
    );
    becomes(&server, &pod, 200);
    list(&server, &jane).ok();

    let mut log = follow_log(&server, &jane);

    cluster.server.kill();
    let began = Instant::now();
    assert_eq!(list(&server, &pod).status, 503, "nobody vouches for the token");
    becomes(&server, &jane, 503);
    let stale = began.elapsed();
    assert!(stale < BOUND + SLACK, "{stale:?}");
    assert!(!log.rest().ends_with("0\r\n\r\n"), "the log looked whole when nobody knew of the right");
    let cut = began.elapsed();
    assert!(cut < BOUND + SLACK, "{cut:?}");
    let told = list(&server, &jane);
    told.refused(503, 14, "who may do what cannot be known at the moment");
    assert!(!told.body.contains("127.0.0.1") && !told.body.contains("rolebindings"), "{}", told.body);
    assert_eq!(ready(&server, 503), "Kubernetes is not heard; see the log\n");

    cluster.server.restart();
    let back = becomes(&server, &jane, 200);
    println!("API server killed -> 503 {stale:?} (bound {BOUND:?}), log cut {cut:?}; started again -> 200 {back:?}");
    becomes(&server, &pod, 200);
    ready(&server, 200);
    cluster.unbind("team", "john").await;
    becomes(&server, &john, 403);
}

/// A log that is being written and followed.
struct Follower(TcpStream);

impl Follower {
    /// Whatever comes until the connection ends.
    fn rest(&mut self) -> String {
        let mut rest = Vec::new();
        // A connection that is cut may end in an error.
        let _ = self.0.read_to_end(&mut rest);
        String::from_utf8(rest).unwrap()
    }
}

fn follow_log(server: &Server, token: &str) -> Follower {
    let new = json!({"display_name": "talk", "namespace": "team"});
    let experiment = call(server, token, "POST", "/apis/v2beta1/experiments", &new).ok();
    let line = "while true; do echo still here; sleep 0.1; done";
    let pipeline = json!({
        "pipelineInfo": {"name": "talk"},
        "schemaVersion": "2.1.0",
        "deploymentSpec": {"executors": {"exec-say": {"container": {"image": "none", "command": ["sh", "-c", line]}}}},
        "components": {"comp-say": {"executorLabel": "exec-say"}},
        "root": {"dag": {"tasks": {"say": {"componentRef": {"name": "comp-say"}}}}},
    });
    let new = json!({"display_name": "talk", "experiment_id": experiment["experiment_id"], "pipeline_spec": pipeline});
    let run = call(server, token, "POST", "/apis/v2beta1/runs", &new).ok();
    let path = format!("/apis/v1alpha1/runs/{}/nodes/say/log?follow=true", run["run_id"].as_str().unwrap());
    eventually("the task has a log", || {
        let mut stream = TcpStream::connect(server.api()).unwrap();
        stream.set_read_timeout(Some(crate::PATIENCE)).unwrap();
        let head =
            format!("GET {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        let mut text = Vec::new();
        let mut buffer = [0; 1024];
        while !String::from_utf8_lossy(&text).contains("still here") {
            match stream.read(&mut buffer).unwrap() {
                0 => return None,
                count => text.extend(&buffer[..count]),
            }
        }
        Some(Follower(stream))
    })
}
