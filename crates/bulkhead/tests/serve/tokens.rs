//! API tokens: made and revoked beside a running server.
use crate::{
    eventually,
    grpc::{bearing, channel},
    http::Answer,
    server::{JANE, Server, last_line, shared},
};
use api::v2::{ListExperimentsRequest, experiment_service_client::ExperimentServiceClient};
use serde_json::{Value, json};
use tonic::Code;

const TOKENS: &str = "/apis/bulkhead/v1/tokens";
const LIST: &str = "/apis/v2beta1/experiments?namespace=jane-doe";

#[test]
fn the_last_line_is_the_token_alone() {
    let server = shared();
    let told = server.place.told(&["token", "create", "--user", JANE, "--group", "ml", "--expires", "1h"]);
    let secret = last_line(&told);
    assert!(secret.starts_with("bhk_") && !secret.contains(char::is_whitespace), "{told}");
    assert_eq!(told.matches(&secret).count(), 1);
    assert_eq!(list(&server, &secret).status, 200);

    let id = told.split_whitespace().nth(1).unwrap();
    let all = server.place.told(&["token", "list"]);
    let row = all.lines().find(|line| line.starts_with(id)).unwrap();
    assert!(row.contains(JANE) && row.contains("valid") && row.contains("ml"), "{row}");
    assert!(!all.contains(&secret) && !all.contains(secret.trim_start_matches("bhk_")), "{all}");
}

#[test]
fn names_of_kubernetes_get_no_token() {
    let server = shared();
    for args in [["--user", "system:admin"].as_slice(), &["--user", JANE, "--group", "system:masters"]] {
        let output = server.place.bulkhead(&[&["token", "create"], args].concat()).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(1) && output.stdout.is_empty(), "{stderr}");
        assert!(stderr.contains("only Kubernetes may vouch"), "{stderr}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_one_is_refused() {
    let server = shared();
    let secret = last_line(&server.place.told(&["token", "create", "--user", JANE, "--expires", "1s"]));
    let answer = eventually("the token has expired", || {
        let answer = list(&server, &secret);
        (answer.status != 200).then_some(answer)
    });
    refused(&server, &secret, &answer, "the token expired at ").await;
    assert!(server.place.told(&["token", "list"]).contains("expired"));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_revoked_here_is_refused_at_once_and_elsewhere_soon() {
    let server = shared();
    let told = server.place.told(&["token", "create", "--user", JANE]);
    let (id, secret) = (told.split_whitespace().nth(1).unwrap(), last_line(&told));
    assert_eq!(list(&server, &secret).status, 200);
    server.place.told(&["token", "revoke", id]);
    let answer = eventually("it is refused", || {
        let answer = list(&server, &secret);
        (answer.status != 200).then_some(answer)
    });
    refused(&server, &secret, &answer, "the token was revoked").await;
    let made = server.call(JANE, "POST", TOKENS, &json!({"description": "to be revoked"})).ok();
    let (id, secret) = (made["token"]["token_id"].as_str().unwrap(), made["secret"].as_str().unwrap());
    assert_eq!(list(&server, secret).status, 200);
    server.call(JANE, "DELETE", &format!("{TOKENS}/{id}"), &Value::Null).ok();
    refused(&server, secret, &list(&server, secret), "the token was revoked").await;
    let id = told.split_whitespace().nth(1).unwrap();
    let again = server.place.bulkhead(&["token", "revoke", id]).output().unwrap();
    assert_eq!(again.status.code(), Some(1), "there is nothing left to revoke");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_was_never_made_is_refused() {
    let server = shared();
    refused(&server, "bhk_nosuch", &list(&server, "bhk_nosuch"), "the token is not known here").await;
    server.get(LIST, &[]).refused(401, 16, "no credentials came with it");
    server.get(LIST, &[("authorization", "Basic amFuZTo=")]).refused(401, 16, "another scheme than Bearer");
}

fn list(server: &Server, secret: &str) -> Answer {
    server.get(LIST, &[("authorization", &format!("Bearer {secret}"))])
}

/// Passes if REST has refused the token for this reason, and gRPC does the same.
async fn refused(server: &Server, secret: &str, answer: &Answer, why: &str) {
    answer.refused(401, 16, why);
    assert!(answer.header("www-authenticate").unwrap().contains(why), "{answer:?}");
    assert!(!answer.body.contains(secret));
    let mut client = ExperimentServiceClient::new(channel(server.api()).await);
    let request = ListExperimentsRequest { namespace: "jane-doe".into(), ..Default::default() };
    let status = client.list_experiments(bearing(secret, request)).await.unwrap_err();
    assert_eq!(status.code(), Code::Unauthenticated);
    assert_eq!(status.message(), answer.json()["message"], "both say the same");
}
