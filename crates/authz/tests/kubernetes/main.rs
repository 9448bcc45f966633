//! Against a real Kubernetes API server, which `make test-kubernetes` provides; without it the tests say so and pass.
#![expect(clippy::unwrap_used, reason = "a test that fails should stop where it does")]
mod authn;
mod differential;
mod following;
mod house;
mod objects;
mod reviews;

use k8s_openapi::api::core::v1::Namespace;
use kube::{
    Api, Client, Config, ResourceExt,
    api::PostParams,
    config::{KubeConfigOptions, Kubeconfig},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use std::{fmt::Debug, time::Duration};
use testkit::KubeApiserver;

/// Speaks as the cluster's administrator.
async fn client(server: &KubeApiserver) -> Client {
    let kubeconfig = Kubeconfig::read_from(server.kubeconfig()).unwrap();
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
    Client::try_from(config).unwrap()
}

/// Creates an object, and gives what the server made of it.
async fn create<K>(api: &Api<K>, object: Value) -> K
where
    K: Clone + Debug + DeserializeOwned + Serialize,
{
    api.create(&PostParams::default(), &serde_json::from_value(object).unwrap()).await.unwrap()
}

/// A new namespace, which no other test has.
async fn namespace(client: &Client) -> String {
    let made = create(&Api::<Namespace>::all(client.clone()), json!({"metadata": {"generateName": "test-"}})).await;
    made.name_any()
}

/// Asks until the answer is yes: what a server is told reaches its authorizer and its controllers a moment later.
async fn eventually(what: &str, mut ask: impl AsyncFnMut() -> bool) {
    let asking = async {
        while !ask().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(20), asking).await.is_ok(), "not within 20 s: {what}");
}
