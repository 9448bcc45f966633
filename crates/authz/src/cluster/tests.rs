//! Against an API server that does what it is told.
mod api;
mod following;
mod staleness;

use super::*;
use crate::tests::founded;
use ::api::access::{Resource, Verb};
use access::{Gate, Identity};
use api::Api;
use domain::{Home, Namespace};
use serde_json::{Value, json};

/// A bound that no test reaches.
const LONG: Duration = Duration::from_secs(600);

/// A gate that follows an API server.
struct House {
    gate: Gate,
    handle: Handle,
}

impl House {
    async fn follow(api: &Api, stale_after: Duration) -> Self {
        let founded = founded();
        let options = ClusterOptions { stale_after, watched: Watched::TenantsAndRights };
        let handle = watch_cluster(&api.client(), options, founded.policy);
        Self { gate: founded.gate, handle }
    }

    /// What the gate says of whether `user` may get runs there: `yes`, `no` or an error.
    async fn ask(&self, user: &str, namespace: &str) -> String {
        let home = Home::Namespace(Namespace::parse(namespace).unwrap());
        match self.gate.would(&Identity::forge(user, &[]), Verb::Get, Resource::Runs, &home, "").await {
            Ok(why) => if why.allows() { "yes" } else { "no" }.to_owned(),
            Err(error) => format!("{:?}", error.code()),
        }
    }

    /// Waits until the gate says so.
    #[track_caller]
    fn until(&self, user: &str, namespace: &str, expect: &str) -> impl Future<Output = ()> {
        let caller = std::panic::Location::caller();
        async move {
            let what = format!("{caller}: {user} in {namespace}: {expect}");
            eventually(&what, async || self.ask(user, namespace).await == expect).await;
        }
    }
}

async fn eventually(what: &str, mut ask: impl AsyncFnMut() -> bool) {
    let asking = async {
        while !ask().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(20), asking).await.is_ok(), "not within 20 s: {what}");
}

fn profile(namespace: &str, owner: &str) -> Value {
    json!({"metadata": {"name": namespace}, "spec": {"owner": {"kind": "User", "name": owner}}})
}

fn role(name: &str, verbs: &[&str]) -> Value {
    let rules = json!([{"apiGroups": ["pipelines.kubeflow.org"], "resources": ["runs"], "verbs": verbs}]);
    json!({"metadata": {"name": name}, "rules": rules})
}

fn binding(name: &str, role: &str, user: &str) -> Value {
    let subjects = json!([{"kind": "User", "name": user}]);
    json!({"metadata": {"name": name}, "roleRef": {"kind": "ClusterRole", "name": role}, "subjects": subjects})
}

/// The same in a namespace.
fn within(namespace: &str, mut object: Value) -> Value {
    object["metadata"]["namespace"] = namespace.into();
    object
}

/// A tenant `team` in which `jane` may get runs.
async fn team() -> Api {
    let api = Api::start().await;
    api.put("profiles", profile("team", "jane"));
    api.put("clusterroles", role("reader", &["get"]));
    api.put("rolebindings", within("team", binding("jane-reads", "reader", "jane")));
    api
}
