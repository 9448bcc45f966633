//! The evaluator against the server's own: whatever it says of a SubjectAccessReview, the gate says, too.
//!
//! `BULKHEAD_TEST_REVIEWS` is how many questions are asked (10,000), `BULKHEAD_TEST_SEED` what they are drawn from.
mod draw;

use crate::{client, create, eventually, house::House, namespace};
use access::Identity;
use api::access::{Resource, Verb};
use authz::Profile;
use domain::{Home, Namespace};
use draw::{Asked, Set};
use futures::{StreamExt, stream};
use k8s_openapi::api::{
    authorization::v1::SubjectAccessReview,
    rbac::v1::{ClusterRole, ClusterRoleBinding, Role, RoleBinding},
};
use kube::{
    Api, Client,
    api::{DeleteParams, ListParams, PostParams},
    core::NamespaceResourceScope,
};
use rand::{SeedableRng as _, rngs::StdRng};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use std::{
    fmt::Debug,
    time::{Duration, Instant},
};
use testkit::KubeApiserver;

/// How many questions are asked of one set.
const OF_ONE_SET: usize = 100;
/// How many requests are open at one time.
const AT_A_TIME: usize = 32;
const NAMESPACES: usize = 3;

fn from_env(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_evaluator_is_that_of_kubernetes() {
    // A server of its own: it is asked about what holds in the whole cluster.
    let Some(server) = KubeApiserver::start() else { return };
    let wanted = from_env("BULKHEAD_TEST_REVIEWS").unwrap_or(10_000);
    let seed = from_env("BULKHEAD_TEST_SEED").unwrap_or_else(rand::random);
    println!("differential: BULKHEAD_TEST_SEED={seed}");
    let cluster = Cluster::new(client(&server).await).await;

    let (began, mut asked, mut allowed, mut differences) = (Instant::now(), 0, 0, Vec::new());
    for round in 0..wanted.div_ceil(OF_ONE_SET as u64) {
        let mut random = StdRng::seed_from_u64(seed.wrapping_add(round));
        let set = Set::draw(&mut random, &cluster.namespaces);
        cluster.write(&set, round).await;
        let questions: Vec<Asked> =
            (0..OF_ONE_SET).map(|_| Asked::draw(&mut random, &set, &cluster.namespaces)).collect();
        let answers = stream::iter(questions)
            .map(|question| async {
                let (theirs, ours) = (cluster.theirs(&question).await, cluster.ours(&question).await);
                (question, theirs, ours)
            })
            .buffer_unordered(AT_A_TIME);
        for (question, theirs, ours) in answers.collect::<Vec<_>>().await {
            asked += 1;
            allowed += usize::from(theirs);
            if theirs != ours {
                differences.push(format!("seed {}: {question:?}: Kubernetes says {theirs}", seed.wrapping_add(round)));
            }
        }
    }
    let took = began.elapsed();
    println!("differential: {asked} questions, {allowed} allowed, {} differences, {took:?}", differences.len());
    assert!(differences.is_empty(), "{}", differences[..differences.len().min(10)].join("\n"));
    assert!(asked >= wanted as usize);
    let share = allowed * 100 / asked;
    assert!((10..=90).contains(&share), "{share}% allowed: such questions tell little");
}

/// A cluster with tenants, and a gate that follows it.
struct Cluster {
    client: Client,
    house: House,
    namespaces: Vec<String>,
}

impl Cluster {
    async fn new(client: Client) -> Self {
        let house = House::follow(&client, Duration::from_secs(60), None);
        let mut namespaces = Vec::new();
        for _ in 0..NAMESPACES {
            let name = namespace(&client).await;
            let profile = json!({"apiVersion": "kubeflow.org/v1", "kind": "Profile", "metadata": {"name": name}, "spec": {"owner": {"kind": "User", "name": "nobody"}}});
            create(&Api::<Profile>::all(client.clone()), profile).await;
            namespaces.push(name);
        }
        Self { client, house, namespaces }
    }

    /// Puts this set in the place of the one before, and waits until both have heard of it.
    async fn write(&self, set: &Set, round: u64) {
        let of_tests = ListParams::default().labels(draw::LABEL);
        for namespace in &self.namespaces {
            self.clear::<RoleBinding>(namespace, &of_tests).await;
            self.clear::<Role>(namespace, &of_tests).await;
        }
        let (roles, bindings) = (Api::<ClusterRole>::all(self.client.clone()), Api::all(self.client.clone()));
        roles.delete_collection(&DeleteParams::default(), &of_tests).await.unwrap();
        Api::<ClusterRoleBinding>::delete_collection(&bindings, &DeleteParams::default(), &of_tests).await.unwrap();

        self.all(&set.roles, |object| create_in::<Role>(&self.client, object)).await;
        self.all(&set.bindings, |object| create_in::<RoleBinding>(&self.client, object)).await;
        self.all(&set.cluster_roles, |object| async { drop(create(&roles, object).await) }).await;
        self.all(&set.cluster_bindings, |object| async { drop(create(&bindings, object).await) }).await;

        // Changes of a kind are heard in their order, so who knows of the last object of each kind knows of all.
        let last = Set::marker(round, &self.namespaces[0]);
        create_in::<Role>(&self.client, last.roles[0].clone()).await;
        create_in::<RoleBinding>(&self.client, last.bindings[0].clone()).await;
        create(&roles, last.cluster_roles[0].clone()).await;
        create(&bindings, last.cluster_bindings[0].clone()).await;
        for question in Asked::markers(round, &self.namespaces[0]) {
            eventually("both have heard", async || self.theirs(&question).await && self.ours(&question).await).await;
        }
    }

    async fn clear<K>(&self, namespace: &str, of_tests: &ListParams)
    where
        K: kube::Resource<Scope = NamespaceResourceScope> + Clone + DeserializeOwned + Debug,
        K::DynamicType: Default,
    {
        let api = Api::<K>::namespaced(self.client.clone(), namespace);
        api.delete_collection(&DeleteParams::default(), of_tests).await.unwrap();
    }

    async fn all<F: Future<Output = ()>>(&self, objects: &[Value], make: impl Fn(Value) -> F) {
        stream::iter(objects).map(|object| make(object.clone())).buffer_unordered(AT_A_TIME).collect::<()>().await;
    }

    async fn theirs(&self, asked: &Asked) -> bool {
        let Asked { user, groups, verb, resource, namespace, name } = asked;
        let mut groups = groups.clone();
        groups.push("system:authenticated".into());
        let attributes = json!({
            "group": resource.group(), "version": "v1beta1", "resource": resource.as_str(), "verb": verb.as_str(),
            "namespace": namespace.clone().unwrap_or_default(), "name": name,
        });
        let review =
            json!({"metadata": {}, "spec": {"user": user, "groups": groups, "resourceAttributes": attributes}});
        let review = serde_json::from_value(review).unwrap();
        let reviews = Api::<SubjectAccessReview>::all(self.client.clone());
        reviews.create(&PostParams::default(), &review).await.unwrap().status.unwrap().allowed
    }

    async fn ours(&self, asked: &Asked) -> bool {
        let Asked { user, groups, verb, resource, namespace, name } = asked;
        let groups: Vec<&str> = groups.iter().map(String::as_str).collect();
        let who = Identity::forge(user, &groups);
        let home = match namespace {
            Some(namespace) => Home::Namespace(Namespace::parse(namespace).unwrap()),
            None => Home::Cluster,
        };
        self.house.gate.would(&who, *verb, *resource, &home, name).await.is_ok_and(|why| why.allows())
    }
}

async fn create_in<K>(client: &Client, object: Value)
where
    K: kube::Resource<Scope = NamespaceResourceScope> + Clone + DeserializeOwned + Serialize + Debug,
    K::DynamicType: Default,
{
    let namespace = object["metadata"]["namespace"].as_str().unwrap();
    create(&Api::<K>::namespaced(client.clone(), namespace), object.clone()).await;
}
