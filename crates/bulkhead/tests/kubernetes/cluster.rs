//! A cluster with Bulkhead's own account, which has the rights that the documentation gives it, and no others.
use crate::server::{Place, Server};
use authz::Profile;
use k8s_openapi::api::{
    authentication::v1::TokenRequest,
    core::v1::{Namespace, ServiceAccount},
    rbac::v1::{ClusterRole, ClusterRoleBinding, RoleBinding},
};
use kube::{
    Api, Client, Config,
    api::{DeleteParams, PostParams},
    config::{KubeConfigOptions, Kubeconfig},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use std::{fmt::Debug, sync::Arc};
use testkit::KubeApiserver;

/// The ClusterRole of those who may everything that KFP has.
pub(crate) const EDIT: &str = "kubeflow-edit";
const API_SERVER: &str = "https://kubernetes.default.svc";
const OPERATIONS: &str = include_str!("../../../../docs/OPERATIONS.md");

pub(crate) struct Cluster {
    pub(crate) server: KubeApiserver,
    client: Client,
}

impl Cluster {
    /// `None` where there is no API server to start.
    pub(crate) async fn start() -> Option<Self> {
        let server = KubeApiserver::start()?;
        let kubeconfig = Kubeconfig::read_from(server.kubeconfig()).unwrap();
        let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
        let cluster = Self { server, client: Client::try_from(config).unwrap() };
        cluster.make(&cluster.all::<Namespace>(), json!({"metadata": {"name": "kubeflow"}})).await;
        cluster.account("kubeflow", "bulkhead").await;
        let (_, rest) = OPERATIONS.split_once("\n## In a cluster\n").unwrap();
        let (_, rest) = rest.split_once("```yaml\n").unwrap();
        let (yaml, _) = rest.split_once("```").unwrap();
        let (role, binding) = yaml.split_once("---\n").unwrap();
        cluster.make(&cluster.all::<ClusterRole>(), serde_saphyr::from_str(role).unwrap()).await;
        cluster.make(&cluster.all::<ClusterRoleBinding>(), serde_saphyr::from_str(binding).unwrap()).await;
        let rules = json!([{"apiGroups": ["pipelines.kubeflow.org"], "resources": ["*"], "verbs": ["*"]}]);
        cluster.make(&cluster.all::<ClusterRole>(), json!({"metadata": {"name": EDIT}, "rules": rules})).await;
        Some(cluster)
    }

    /// A `bulkhead serve` without a folder of Profiles, with `config` besides what it needs to know of the cluster.
    pub(crate) async fn serve(&self, config: &str) -> Server {
        let place = Place::new();
        let (url, ca) = (self.server.url(), self.server.ca().display());
        let token = self.token("kubeflow", "bulkhead", API_SERVER).await;
        place.write(
            "kubeconfig",
            &format!(
                "apiVersion: v1\nkind: Config\ncurrent-context: a\n\
                 clusters: [{{name: a, cluster: {{server: '{url}', certificate-authority: '{ca}'}}}}]\n\
                 users: [{{name: a, user: {{token: '{token}'}}}}]\n\
                 contexts: [{{name: a, context: {{cluster: a, user: a}}}}]\n"
            ),
        );
        place.write("config.yaml", config);
        let free = "127.0.0.1:0";
        let args = ["serve", "--config", "config.yaml", "--listen", free, "--admin-listen", free];
        let mut command = place.bulkhead(&args);
        let cluster = [("ENABLED", "true"), ("KUBECONFIG", "kubeconfig"), ("STALE_AFTER", "3"), ("REVIEW_CACHE", "1")];
        command.envs(cluster.map(|(key, value)| (format!("BULKHEAD_KUBERNETES_{key}"), value)));
        Server::start(Arc::new(place), command)
    }

    /// A namespace with a Profile, and the account that Kubeflow gives it.
    pub(crate) async fn tenant(&self, name: &str, owner: &str) {
        self.make(&self.all::<Namespace>(), json!({"metadata": {"name": name}})).await;
        self.account(name, "default-editor").await;
        let spec = json!({"owner": {"kind": "User", "name": owner}});
        let profile =
            json!({"apiVersion": "kubeflow.org/v1", "kind": "Profile", "metadata": {"name": name}, "spec": spec});
        self.make(&self.all::<Profile>(), profile).await;
    }

    pub(crate) async fn bind(&self, namespace: &str, name: &str, subject: Value) {
        let role = json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": EDIT});
        let bindings = Api::<RoleBinding>::namespaced(self.client.clone(), namespace);
        self.make(&bindings, json!({"metadata": {"name": name}, "roleRef": role, "subjects": [subject]})).await;
    }

    pub(crate) async fn unbind(&self, namespace: &str, name: &str) {
        let bindings = Api::<RoleBinding>::namespaced(self.client.clone(), namespace);
        bindings.delete(name, &DeleteParams::default()).await.unwrap();
    }

    /// What a projected volume would hold: a token of an account, for one audience.
    pub(crate) async fn token(&self, namespace: &str, account: &str, audience: &str) -> String {
        let accounts = Api::<ServiceAccount>::namespaced(self.client.clone(), namespace);
        let asked: TokenRequest = serde_json::from_value(
            json!({"metadata": {}, "spec": {"audiences": [audience], "expirationSeconds": 7200}}),
        )
        .unwrap();
        let given = accounts.create_token_request(account, &PostParams::default(), &asked).await.unwrap();
        given.status.unwrap().token.unwrap()
    }

    async fn account(&self, namespace: &str, name: &str) {
        let accounts = Api::<ServiceAccount>::namespaced(self.client.clone(), namespace);
        self.make(&accounts, json!({"metadata": {"name": name}})).await;
    }

    fn all<K: kube::Resource<DynamicType = ()>>(&self) -> Api<K> {
        Api::all(self.client.clone())
    }

    async fn make<K>(&self, api: &Api<K>, object: Value)
    where
        K: Clone + Debug + DeserializeOwned + Serialize,
    {
        api.create(&PostParams::default(), &serde_json::from_value(object).unwrap()).await.unwrap();
    }
}

pub(crate) fn user(name: &str) -> Value {
    json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": name})
}
