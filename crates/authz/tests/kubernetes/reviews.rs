//! What the server says of callers and their rights.
use crate::{client, create, eventually, namespace};
use k8s_openapi::api::{
    authentication::v1::{TokenRequest, TokenReview, TokenReviewStatus},
    authorization::v1::SubjectAccessReview,
    core::v1::ServiceAccount,
    rbac::v1::{Role, RoleBinding},
};
use kube::{Api, Client, api::PostParams};
use serde_json::json;
use testkit::KubeApiserver;

const PIPELINES: &str = "pipelines.kubeflow.org";
const KUBERNETES: &str = "https://kubernetes.default.svc";

/// Whether `user` may do `verb` with the runs of a namespace.
async fn may(client: &Client, user: &str, verb: &str, namespace: &str) -> bool {
    let attributes = json!({"group": PIPELINES, "resource": "runs", "verb": verb, "namespace": namespace});
    let review = json!({"metadata": {}, "spec": {"user": user, "resourceAttributes": attributes}});
    create(&Api::<SubjectAccessReview>::all(client.clone()), review).await.status.unwrap().allowed
}

/// Whose token it is, for one audience.
async fn review(client: &Client, token: &str, audience: &str) -> TokenReviewStatus {
    let review = json!({"metadata": {}, "spec": {"token": token, "audiences": [audience]}});
    create(&Api::<TokenReview>::all(client.clone()), review).await.status.unwrap()
}

#[tokio::test]
async fn a_binding_gives_its_role_to_its_subject_in_its_namespace() {
    let Some(server) = KubeApiserver::shared() else { return };
    let client = client(&server).await;
    let (namespace, other) = (namespace(&client).await, namespace(&client).await);
    let rules = json!([{"apiGroups": [PIPELINES], "resources": ["runs"], "verbs": ["get"]}]);
    let role = json!({"metadata": {"name": "reader"}, "rules": rules});
    create(&Api::<Role>::namespaced(client.clone(), &namespace), role).await;
    let binding = json!({
        "metadata": {"name": "jane-reads"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "jane@example.com"}],
    });
    create(&Api::<RoleBinding>::namespaced(client.clone(), &namespace), binding).await;

    eventually("Jane may get", async || may(&client, "jane@example.com", "get", &namespace).await).await;
    for (user, verb, namespace) in [
        ("john@example.com", "get", &namespace),
        ("jane@example.com", "delete", &namespace),
        ("jane@example.com", "get", &other),
    ] {
        assert!(!may(&client, user, verb, namespace).await, "{user} may {verb} in {namespace}");
    }
}

#[tokio::test]
async fn a_token_of_a_service_account_counts_for_its_audience_alone() {
    let Some(server) = KubeApiserver::shared() else { return };
    let client = client(&server).await;
    let namespace = namespace(&client).await;
    let accounts = Api::<ServiceAccount>::namespaced(client.clone(), &namespace);
    create(&accounts, json!({"metadata": {"name": "runner"}})).await;
    let asked: TokenRequest =
        serde_json::from_value(json!({"metadata": {}, "spec": {"audiences": [PIPELINES], "expirationSeconds": 7200}}))
            .unwrap();
    let given = accounts.create_token_request("runner", &PostParams::default(), &asked).await.unwrap();
    let token = given.status.unwrap().token.unwrap();

    let known = review(&client, &token, PIPELINES).await;
    assert_eq!(known.error, None);
    assert_eq!(known.authenticated, Some(true));
    assert_eq!(known.audiences, Some(vec![PIPELINES.to_owned()]));
    let user = known.user.unwrap();
    assert_eq!(user.username, Some(format!("system:serviceaccount:{namespace}:runner")));
    let groups = ["system:serviceaccounts", &format!("system:serviceaccounts:{namespace}"), "system:authenticated"];
    assert_eq!(user.groups.unwrap(), groups);

    let elsewhere = review(&client, &token, KUBERNETES).await;
    assert_ne!(elsewhere.authenticated, Some(true));
    assert_eq!(elsewhere.user.unwrap_or_default().username, None);
}

#[tokio::test]
async fn a_token_of_a_person_tells_the_groups() {
    let Some(server) = KubeApiserver::shared() else { return };
    let client = client(&server).await;
    for (name, groups) in KubeApiserver::USERS {
        let known = review(&client, server.user_token(name), PIPELINES).await;
        let user = known.user.unwrap();
        assert_eq!((known.authenticated, user.username.as_deref()), (Some(true), Some(name)));
        assert_eq!(user.groups.unwrap(), [groups, &["system:authenticated"]].concat());
    }
    assert_ne!(review(&client, "nobody's", PIPELINES).await.authenticated, Some(true));
}
