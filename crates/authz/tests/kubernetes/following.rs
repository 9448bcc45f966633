//! What is done in the cluster is what is decided by, within the bound.
use crate::{client, create, eventually, house::House, namespace};
use access::Identity;
use api::access::{Resource, Verb};
use authz::{Profile, Reviews};
use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding, RoleBinding};
use kube::{
    Api, Client,
    api::{DeleteParams, Patch, PatchParams},
};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use testkit::KubeApiserver;

const BOUND: Duration = Duration::from_secs(60);
const JANE: &str = "jane@example.com";

/// A namespace whose Profile says that it is Jane's.
async fn tenant(client: &Client) -> String {
    let namespace = namespace(client).await;
    let spec = json!({"owner": {"kind": "User", "name": JANE}});
    create(
        &Api::<Profile>::all(client.clone()),
        json!({"apiVersion": "kubeflow.org/v1", "kind": "Profile", "metadata": {"name": namespace}, "spec": spec}),
    )
    .await;
    namespace
}

fn rules(verb: &str) -> Value {
    json!([{"apiGroups": ["pipelines.kubeflow.org"], "resources": ["runs"], "verbs": [verb]}])
}

/// A ClusterRole that gives a verb on runs, with the name of the namespace, so that no other test has it.
async fn role(client: &Client, namespace: &str, verb: &str) {
    let role = json!({"metadata": {"name": namespace}, "rules": rules(verb)});
    create(&Api::<ClusterRole>::all(client.clone()), role).await;
}

/// Binds one subject in the namespace to the ClusterRole of its name.
async fn bind(client: &Client, namespace: &str, name: &str, subject: Value) {
    create(&Api::<RoleBinding>::namespaced(client.clone(), namespace), binding(namespace, name, subject)).await;
}

fn binding(role: &str, name: &str, subject: Value) -> Value {
    let role = json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role});
    json!({"metadata": {"name": name}, "roleRef": role, "subjects": [subject]})
}

fn user(name: &str) -> Value {
    json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": name})
}

async fn unbind(client: &Client, namespace: &str, name: &str) {
    let bindings = Api::<RoleBinding>::namespaced(client.clone(), namespace);
    bindings.delete(name, &DeleteParams::default()).await.unwrap();
}

#[tokio::test]
async fn rights_come_and_go_with_bindings() {
    let Some(server) = KubeApiserver::shared() else { return };
    let client = client(&server).await;
    let house = House::follow(&client, BOUND, None);
    let listed = house.until(JANE, "nobodys", Some(false)).await;

    let namespace = tenant(&client).await;
    role(&client, &namespace, "get").await;
    bind(&client, &namespace, "jane", user(JANE)).await;
    let given = house.until(JANE, &namespace, Some(true)).await;
    unbind(&client, &namespace, "jane").await;
    let taken = house.until(JANE, &namespace, Some(false)).await;
    println!("first lists {listed:?}; Profile and RoleBinding made -> access {given:?}; deleted -> refused {taken:?}");

    // A service account that is named without its namespace is of the binding's.
    bind(&client, &namespace, "robot", json!({"kind": "ServiceAccount", "name": "robot"})).await;
    house.until(&format!("system:serviceaccount:{namespace}:robot"), &namespace, Some(true)).await;
    // Everybody has the group of those who are logged in.
    bind(
        &client,
        &namespace,
        "all",
        json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "system:authenticated"}),
    )
    .await;
    house.until(JANE, &namespace, Some(true)).await;
    unbind(&client, &namespace, "all").await;
    house.until(JANE, &namespace, Some(false)).await;

    let everywhere = Api::<ClusterRoleBinding>::all(client.clone());
    create(&everywhere, binding(&namespace, &namespace, user(JANE))).await;
    house.until(JANE, &namespace, Some(true)).await;
    everywhere.delete(&namespace, &DeleteParams::default()).await.unwrap();
    house.until(JANE, &namespace, Some(false)).await;
}

#[tokio::test]
async fn rights_change_with_roles() {
    let Some(server) = KubeApiserver::shared() else { return };
    let client = client(&server).await;
    let house = House::follow(&client, BOUND, None);
    let namespace = tenant(&client).await;
    role(&client, &namespace, "list").await;
    bind(&client, &namespace, "jane", user(JANE)).await;
    let jane = Identity::forge(JANE, &[]);
    let home = crate::house::tenant(&namespace);
    eventually("she may list", async || house.may(&jane, Verb::List, Resource::Runs, &home).await == Some(true)).await;
    assert_eq!(house.may(&jane, Verb::Get, Resource::Runs, &home).await, Some(false));

    let roles = Api::<ClusterRole>::all(client);
    let patch = |change: Value| async {
        roles.patch(&namespace, &PatchParams::default(), &Patch::Merge(change)).await.unwrap();
    };
    patch(json!({"rules": rules("get")})).await;
    let changed = house.until(JANE, &namespace, Some(true)).await;
    println!("ClusterRole changed -> access {changed:?}");
    assert_eq!(house.may(&jane, Verb::List, Resource::Runs, &home).await, Some(false));

    // Its rules are now what a controller makes of those that it selects.
    let label = format!("test/{namespace}");
    patch(
        json!({"rules": null, "aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {label.clone(): "true"}}]}}),
    )
    .await;
    house.until(JANE, &namespace, Some(false)).await;
    let leaf = format!("{namespace}-leaf");
    create(&roles, json!({"metadata": {"name": leaf, "labels": {label: "true"}}, "rules": rules("get")})).await;
    house.until(JANE, &namespace, Some(true)).await;
    roles.delete(&leaf, &DeleteParams::default()).await.unwrap();
    house.until(JANE, &namespace, Some(false)).await;
}

#[tokio::test]
async fn profiles_say_what_is_a_tenants() {
    let Some(server) = KubeApiserver::shared() else { return };
    let client = client(&server).await;
    let house = House::follow(&client, BOUND, None);
    let namespace = namespace(&client).await;
    role(&client, &namespace, "get").await;
    bind(&client, &namespace, "jane", user(JANE)).await;
    house.until(JANE, &namespace, Some(false)).await;

    let profiles = Api::<Profile>::all(client);
    let profile = |name: &str| json!({"apiVersion": "kubeflow.org/v1", "kind": "Profile", "metadata": {"name": name}, "spec": {"owner": {"kind": "User", "name": JANE}}});
    create(&profiles, profile(&namespace)).await;
    house.until(JANE, &namespace, Some(true)).await;
    let failed = json!({"status": {"conditions": [{"type": "Failed", "status": "True", "message": "another's"}]}});
    profiles.patch(&namespace, &PatchParams::default(), &Patch::Merge(failed)).await.unwrap();
    house.until(JANE, &namespace, Some(false)).await;
    profiles.delete(&namespace, &DeleteParams::default()).await.unwrap();
    create(&profiles, profile(&namespace)).await;
    house.until(JANE, &namespace, Some(true)).await;
    profiles.delete(&namespace, &DeleteParams::default()).await.unwrap();
    house.until(JANE, &namespace, Some(false)).await;
}

#[tokio::test]
async fn an_outage_is_a_refusal_within_the_bound() {
    let Some(mut server) = KubeApiserver::start() else { return };
    let client = client(&server).await;
    let bound = Duration::from_secs(3);
    let house = House::follow(&client, bound, None);
    let namespace = tenant(&client).await;
    role(&client, &namespace, "get").await;
    for name in ["jane", "john"] {
        bind(&client, &namespace, name, user(name)).await;
    }
    house.until("jane", &namespace, Some(true)).await;
    house.until("john", &namespace, Some(true)).await;

    server.kill();
    let stale = house.until("jane", &namespace, None).await;
    assert!(stale <= bound + Duration::from_secs(2), "{stale:?}");
    eventually("readiness says why", async || house.handle.health().is_err_and(|why| why.contains("rolebindings")))
        .await;
    server.restart();
    let back = house.until("jane", &namespace, Some(true)).await;
    println!("API server killed -> refused {stale:?} (bound {bound:?}); started again -> access {back:?}");
    unbind(&client, &namespace, "john").await;
    house.until("john", &namespace, Some(false)).await;
    eventually("it is healthy", async || house.handle.health().is_ok()).await;
}

#[tokio::test]
async fn kubernetes_decides_where_it_is_asked_to() {
    let Some(server) = KubeApiserver::shared() else { return };
    let client = client(&server).await;
    let keep = Duration::from_secs(2);
    let house = House::follow(&client, BOUND, Some(Arc::new(Reviews::new(client.clone(), keep))));
    let namespace = tenant(&client).await;
    role(&client, &namespace, "get").await;
    bind(&client, &namespace, "jane", user(JANE)).await;
    let given = house.until(JANE, &namespace, Some(true)).await;
    house.until("john", &namespace, Some(false)).await;
    // What was answered counts for a while.
    let began = std::time::Instant::now();
    unbind(&client, &namespace, "jane").await;
    let jane = Identity::forge(JANE, &[]);
    let home = crate::house::tenant(&namespace);
    let still = house.may(&jane, Verb::Get, Resource::Runs, &home).await;
    assert!(still == Some(true) || began.elapsed() > keep.saturating_sub(given));
    let taken = house.until(JANE, &namespace, Some(false)).await;
    println!("by SubjectAccessReview: access after {given:?}, refused {taken:?} after its RoleBinding (kept {keep:?})");
    // Nobody's namespace is not asked about.
    house.until(JANE, "kube-system", Some(false)).await;
    let masters = Identity::forge("root", &["system:masters"]);
    assert_eq!(house.may(&masters, Verb::Get, Resource::Runs, &crate::house::tenant("kube-system")).await, Some(false));
    assert_eq!(house.may(&masters, Verb::Get, Resource::Runs, &home).await, Some(true));
}
