//! A gate that follows the server.
use access::{Founded, Gate, Identity, Ports, Rbac, Review, Settings};
use api::access::{Resource, Verb};
use authz::{ClusterOptions, Handle, Watched, watch_cluster};
use domain::{Code, Home, Namespace};
use kube::Client;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

pub(crate) struct House {
    pub(crate) gate: Gate,
    pub(crate) handle: Handle,
}

impl House {
    /// A gate that decides by RBAC, or has `review` decide.
    pub(crate) fn follow(client: &Client, stale_after: Duration, review: Option<Arc<dyn Review>>) -> Self {
        let server_namespace = Namespace::parse("kubeflow").unwrap();
        let settings = Settings { server_namespace, default_service_account: "default-editor".into() };
        let watched = if review.is_some() { Watched::Tenants } else { Watched::TenantsAndRights };
        let ports = Ports { review, ..Ports::idle() };
        let Founded { gate, policy, .. } = access::found(settings, Rbac::default(), ports);
        Self { gate, handle: watch_cluster(client, ClusterOptions { stale_after, watched }, policy) }
    }

    /// Whether that may be done there; `None` if it cannot be known.
    pub(crate) async fn may(&self, who: &Identity, verb: Verb, resource: Resource, home: &Home) -> Option<bool> {
        match self.gate.would(who, verb, resource, home, "").await {
            Ok(why) => Some(why.allows()),
            Err(error) if error.code() == Code::Unavailable => None,
            Err(error) => panic!("{error}"),
        }
    }

    /// Waits until `user` may get runs in the namespace, or may not, or nobody can say; and tells how long that took.
    pub(crate) async fn until(&self, user: &str, namespace: &str, expect: Option<bool>) -> Duration {
        let (began, who, home) = (Instant::now(), Identity::forge(user, &[]), tenant(namespace));
        let asking = async {
            while self.may(&who, Verb::Get, Resource::Runs, &home).await != expect {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        let asked = tokio::time::timeout(Duration::from_secs(30), asking).await;
        assert!(asked.is_ok(), "not within 30 s: {user} in {namespace}: {expect:?} ({:?})", self.handle.health());
        began.elapsed()
    }
}

pub(crate) fn tenant(namespace: &str) -> Home {
    Home::Namespace(Namespace::parse(namespace).unwrap())
}
