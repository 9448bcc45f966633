//! What the server keeps, and what its controllers make of it.
use crate::{client, create, eventually, namespace};
use authz::Profile;
use futures::TryStreamExt;
use k8s_openapi::api::{
    core::v1::{Namespace, ServiceAccount},
    rbac::v1::ClusterRole,
};
use kube::{
    Api, ResourceExt,
    api::{ApiResource, DeleteParams, DynamicObject, GroupVersionKind, WatchEvent, WatchParams},
};
use serde_json::json;
use std::pin::pin;
use testkit::KubeApiserver;

/// What Bulkhead reads of them is what was written, and what older clients see is that, too.
#[tokio::test]
async fn profiles_are_served_in_both_versions_and_watched() {
    let Some(server) = KubeApiserver::shared() else { return };
    let client = client(&server).await;
    let profiles = Api::<Profile>::all(client.clone());
    let before = profiles.list(&Default::default()).await.unwrap().metadata.resource_version.unwrap();
    let conditions = json!([{"type": "Failed", "status": "True", "message": "the namespace is another's"}]);
    let profile = json!({
        "apiVersion": "kubeflow.org/v1",
        "kind": "Profile",
        "metadata": {"name": "refused"},
        "spec": {
            "owner": {"kind": "User", "name": "jane@example.com"},
            "plugins": [{"kind": "WorkloadIdentity", "spec": {"gcpServiceAccount": "jane"}}],
            "resourceQuotaSpec": {"hard": {"cpu": "2"}},
        },
        "status": {"conditions": conditions},
    });
    let of = |version| ApiResource::from_gvk(&GroupVersionKind::gvk("kubeflow.org", version, "Profile"));
    create(&Api::<DynamicObject>::all_with(client.clone(), &of("v1")), profile.clone()).await;

    let watch = profiles.watch(&WatchParams::default().timeout(20), &before).await.unwrap();
    let event = pin!(watch).try_next().await.unwrap();
    let Some(WatchEvent::Added(seen)) = event else { panic!("not added: {event:?}") };
    assert_eq!(seen.name_any(), "refused");
    assert_eq!(seen.spec.owner.name, "jane@example.com");
    assert!(seen.has_failed());

    let older = Api::<DynamicObject>::all_with(client, &of("v1beta1")).get("refused").await.unwrap();
    assert_eq!(older.data["spec"], profile["spec"]);
    assert_eq!(older.data["status"], profile["status"]);
}

#[tokio::test]
async fn aggregated_roles_get_their_rules() {
    let Some(server) = KubeApiserver::shared() else { return };
    let roles = Api::<ClusterRole>::all(client(&server).await);
    let aggregating = |label: &str| json!({"clusterRoleSelectors": [{"matchLabels": {label: "true"}}]});
    // The outer one is made of the inner one, which is made of the leaf, as those of Kubeflow are.
    for (name, label) in [("test-outer", "test/outer"), ("test-inner", "test/inner")] {
        let labels = if name == "test-inner" { json!({"test/outer": "true"}) } else { json!({}) };
        let metadata = json!({"name": name, "labels": labels});
        create(&roles, json!({"metadata": metadata, "aggregationRule": aggregating(label), "rules": []})).await;
    }
    let rules = json!([{"apiGroups": ["pipelines.kubeflow.org"], "resources": ["runs"], "verbs": ["get", "list"]}]);
    let leaf = json!({"name": "test-leaf", "labels": {"test/inner": "true"}});
    create(&roles, json!({"metadata": leaf, "rules": rules})).await;

    eventually("the outer role has the leaf's rules", async || {
        let outer = roles.get("test-outer").await.unwrap();
        outer.rules.is_some_and(|found| serde_json::to_value(found).unwrap() == rules)
    })
    .await;
}

#[tokio::test]
async fn namespaces_get_an_account_and_end_when_they_are_deleted() {
    let Some(server) = KubeApiserver::shared() else { return };
    let client = client(&server).await;
    let namespace = namespace(&client).await;
    let accounts = Api::<ServiceAccount>::namespaced(client.clone(), &namespace);
    eventually("there is the account", async || accounts.get_opt("default").await.unwrap().is_some()).await;

    let namespaces = Api::<Namespace>::all(client);
    namespaces.delete(&namespace, &DeleteParams::default()).await.unwrap();
    eventually("the namespace is gone", async || namespaces.get_opt(&namespace).await.unwrap().is_none()).await;
}

#[tokio::test]
async fn an_outage_loses_nothing() {
    let Some(mut server) = KubeApiserver::start() else { return };
    let before = client(&server).await;
    let namespace = namespace(&before).await;
    server.kill();
    assert!(Api::<Namespace>::all(before.clone()).get(&namespace).await.is_err());

    server.restart();
    Api::<Namespace>::all(before).get(&namespace).await.unwrap();
}
