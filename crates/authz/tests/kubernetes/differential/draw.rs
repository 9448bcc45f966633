//! Random sets of roles and bindings, and questions that have something to do with them.
use super::{Resource, Verb};
use rand::{Rng as _, rngs::StdRng, seq::IndexedRandom as _};
use serde_json::{Value, json};

/// What all objects of sets have, so that they can be deleted together.
pub(super) const LABEL: &str = "test/set";

const KFP: &str = "pipelines.kubeflow.org";
const RBAC: &str = "rbac.authorization.k8s.io";
const USERS: &[&str] = &["jane", "john@example.com", "JANE", "system:anonymous", "*"];
const GROUPS: &[&str] = &["ml", "ops", "ML", "*", "system:unauthenticated", "system:serviceaccounts"];
const ACCOUNTS: &[&str] = &["default-editor", "robot", "r.2"];
const NAMES: &[&str] = &["r1", "churn", "R1", "a/b", "*"];

/// Objects as manifests have them.
#[derive(Default)]
pub(super) struct Set {
    pub(super) roles: Vec<Value>,
    pub(super) cluster_roles: Vec<Value>,
    pub(super) bindings: Vec<Value>,
    pub(super) cluster_bindings: Vec<Value>,
}

impl Set {
    pub(super) fn draw(random: &mut StdRng, namespaces: &[String]) -> Self {
        let mut set = Set::default();
        for number in 0..random.random_range(3..5) {
            let rules = rules(random, true);
            set.cluster_roles.push(json!({"metadata": metadata(None, &role_name(number)), "rules": rules}));
        }
        for number in 0..random.random_range(0..3) {
            let subjects = subjects(random, namespaces, None);
            set.cluster_bindings.push(binding(None, number, ("ClusterRole", random.random_range(0..5)), subjects));
        }
        for namespace in namespaces {
            for number in 0..random.random_range(2..5) {
                let rules = rules(random, false);
                set.roles.push(json!({"metadata": metadata(Some(namespace), &role_name(number)), "rules": rules}));
            }
            for number in 0..random.random_range(0..5) {
                let subjects = subjects(random, namespaces, Some(namespace));
                let kind = if random.random_bool(0.5) { "Role" } else { "ClusterRole" };
                // Some name a role that there is not.
                set.bindings.push(binding(Some(namespace), number, (kind, random.random_range(0..5)), subjects));
            }
        }
        set
    }

    /// The rules that the binding gives, if there is its role.
    fn rules_of(&self, binding: &Value) -> &[Value] {
        let (namespace, role) = (&binding["metadata"]["namespace"], &binding["roleRef"]);
        let mut roles = match role["kind"].as_str() {
            Some("Role") => self.roles.iter(),
            _ => self.cluster_roles.iter(),
        };
        let is_it = |found: &&Value| {
            let metadata = &found["metadata"];
            metadata["name"] == role["name"] && (metadata["namespace"].is_null() || metadata["namespace"] == *namespace)
        };
        roles.find(is_it).map_or(&[], |role| role["rules"].as_array().unwrap())
    }

    /// One object of each kind, which nobody but the round's own users gets anything by.
    pub(super) fn marker(round: u64, namespace: &str) -> Self {
        let name = format!("marker-{round}");
        let rules = json!([{"apiGroups": [KFP], "resources": ["runs"], "verbs": ["get"]}]);
        let user = |of: &str| json!([{"apiGroup": RBAC, "kind": "User", "name": format!("{of}-{round}")}]);
        let of = |kind: &str| json!({"apiGroup": RBAC, "kind": kind, "name": name});
        let (inside, outside) = (metadata(Some(namespace), &name), metadata(None, &name));
        Set {
            roles: vec![json!({"metadata": inside, "rules": rules})],
            cluster_roles: vec![json!({"metadata": outside, "rules": rules})],
            bindings: vec![json!({"metadata": inside, "roleRef": of("Role"), "subjects": user("inside")})],
            cluster_bindings: vec![
                json!({"metadata": outside, "roleRef": of("ClusterRole"), "subjects": user("outside")}),
            ],
        }
    }
}

fn metadata(namespace: Option<&str>, name: &str) -> Value {
    let mut metadata = json!({"name": name, "labels": {LABEL: "true"}});
    if let Some(namespace) = namespace {
        metadata["namespace"] = namespace.into();
    }
    metadata
}

/// Names of roles may have what those of other objects may not.
fn role_name(number: usize) -> String {
    format!("Set:role.{number}")
}

fn some<'a>(random: &mut StdRng, all: &[&'a str]) -> Vec<&'a str> {
    (0..random.random_range(1..4)).map(|_| *all.choose(random).unwrap()).collect()
}

fn rules(random: &mut StdRng, is_of_cluster: bool) -> Value {
    let rules = (0..random.random_range(1..4)).map(|_| rule(random, is_of_cluster)).collect::<Vec<_>>();
    json!(rules)
}

fn rule(random: &mut StdRng, is_of_cluster: bool) -> Value {
    if is_of_cluster && random.random_bool(0.05) {
        return json!({"nonResourceURLs": ["*"], "verbs": ["*"]});
    }
    let groups: &[&str] = match random.random_range(0..10) {
        0 => &["*"],
        1 => &["apps", "kubeflow.org"],
        2 => &["", "kubeflow.org"],
        3 => &["pipelines.kubeflow.or", "Pipelines.kubeflow.org", "*.kubeflow.org"],
        _ => &[KFP, KFP, KFP, "kubeflow.org", ""],
    };
    let subresources = ["runs/log", "*/log", "*/*", "runs/*", "experiments/", "serviceaccounts/token", "RUNS", "run"];
    let resources = match random.random_range(0..10) {
        0..3 => vec!["*"],
        3 => some(random, &subresources),
        _ => {
            let words: Vec<&str> = Resource::ALL.iter().map(|resource| resource.as_str()).collect();
            (0..6).map(|_| *words.choose(random).unwrap()).collect()
        }
    };
    let verbs = match random.random_range(0..10) {
        0..3 => vec!["*"],
        3 => some(random, &["watch", "patch", "GET", "get*", "impersonate"]),
        _ => {
            let words: Vec<&str> = Verb::ALL.iter().map(|verb| verb.as_str()).collect();
            (0..7).map(|_| *words.choose(random).unwrap()).collect()
        }
    };
    let mut rule = json!({"apiGroups": some(random, groups), "resources": resources, "verbs": verbs});
    if random.random_bool(0.35) {
        let names: Vec<&str> = NAMES.iter().copied().chain([""]).collect();
        rule["resourceNames"] = some(random, &names).into();
    }
    rule
}

fn binding(namespace: Option<&str>, number: usize, (kind, role): (&str, usize), subjects: Value) -> Value {
    let metadata = metadata(namespace, &format!("Set:binding.{number}"));
    json!({"metadata": metadata, "roleRef": {"apiGroup": RBAC, "kind": kind, "name": role_name(role)}, "subjects": subjects})
}

fn subjects(random: &mut StdRng, namespaces: &[String], home: Option<&str>) -> Value {
    let subject = |random: &mut StdRng| match random.random_range(0..10) {
        0..3 => json!({"apiGroup": RBAC, "kind": "User", "name": user(random, namespaces)}),
        3..7 => {
            let group = match random.random_range(0..8) {
                0 => "system:authenticated".to_owned(),
                1 => "system:masters".to_owned(),
                2 => format!("system:serviceaccounts:{}", namespaces.choose(random).unwrap()),
                _ => (*GROUPS.choose(random).unwrap()).to_owned(),
            };
            json!({"apiGroup": RBAC, "kind": "Group", "name": group})
        }
        _ => {
            let mut account = json!({"kind": "ServiceAccount", "name": ACCOUNTS.choose(random).unwrap()});
            if home.is_none() || random.random_bool(0.5) {
                account["namespace"] = namespaces.choose(random).unwrap().as_str().into();
            }
            account
        }
    };
    let subjects = (0..random.random_range(1..4)).map(|_| subject(random)).collect::<Vec<_>>();
    json!(subjects)
}

fn user(random: &mut StdRng, namespaces: &[String]) -> String {
    if random.random_bool(0.3) {
        return account(random, namespaces).0;
    }
    (*USERS.choose(random).unwrap()).to_owned()
}

/// The user that a service account is, and the groups that it is in.
fn account(random: &mut StdRng, namespaces: &[String]) -> (String, Vec<String>) {
    let (namespace, name) = (namespaces.choose(random).unwrap(), ACCOUNTS.choose(random).unwrap());
    let groups = vec!["system:serviceaccounts".to_owned(), format!("system:serviceaccounts:{namespace}")];
    (format!("system:serviceaccount:{namespace}:{name}"), groups)
}

/// A question.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) user: String,
    /// Besides that of everybody who is logged in.
    pub(super) groups: Vec<String>,
    pub(super) verb: Verb,
    pub(super) resource: Resource,
    pub(super) namespace: Option<String>,
    pub(super) name: String,
}

impl Asked {
    pub(super) fn draw(random: &mut StdRng, set: &Set, namespaces: &[String]) -> Self {
        let mut asked = Self::anything(random, namespaces);
        // Most questions have something to do with a binding, which is not to say that it answers them.
        let bindings: Vec<&Value> = set.bindings.iter().chain(&set.cluster_bindings).collect();
        if let Some(binding) = bindings.choose(random).filter(|_| random.random_bool(0.8)) {
            if random.random_bool(0.9) {
                asked.come_from(binding, random);
            }
            if let Some(rule) = set.rules_of(binding).choose(random).filter(|_| random.random_bool(0.9)) {
                asked.fit(rule, random);
            }
            if let Some(namespace) = binding["metadata"]["namespace"].as_str().filter(|_| random.random_bool(0.8)) {
                asked.namespace = Some(namespace.to_owned());
            }
        }
        asked
    }

    fn anything(random: &mut StdRng, namespaces: &[String]) -> Self {
        let (user, mut groups) = if random.random_bool(0.4) {
            account(random, namespaces)
        } else {
            ((*USERS.choose(random).unwrap()).to_owned(), Vec::new())
        };
        for _ in 0..random.random_range(0..3) {
            groups.push((*GROUPS.choose(random).unwrap()).to_owned());
        }
        if random.random_bool(0.02) {
            groups.push("system:masters".to_owned());
        }
        let name = if random.random_bool(0.5) { String::new() } else { (*NAMES.choose(random).unwrap()).to_owned() };
        let (verb, resource) = (*Verb::ALL.choose(random).unwrap(), *Resource::ALL.choose(random).unwrap());
        let namespace = random.random_bool(0.85).then(|| namespaces.choose(random).unwrap().clone());
        Self { user, groups, verb, resource, namespace, name }
    }

    /// Has somebody ask whom the binding names.
    fn come_from(&mut self, binding: &Value, random: &mut StdRng) {
        let subjects = binding["subjects"].as_array().unwrap();
        let Some(subject) = subjects.choose(random) else { return };
        let name = subject["name"].as_str().unwrap();
        match subject["kind"].as_str().unwrap() {
            "User" => self.user = name.to_owned(),
            "ServiceAccount" => {
                let home = subject["namespace"].as_str().or(binding["metadata"]["namespace"].as_str()).unwrap();
                self.user = format!("system:serviceaccount:{home}:{name}");
            }
            _ if name == "system:masters" => {}
            _ => self.groups.push(name.to_owned()),
        }
    }

    /// Asks for something that the rule seems to be about.
    fn fit(&mut self, rule: &Value, random: &mut StdRng) {
        let has = |field: &str, word: &str| {
            rule[field].as_array().into_iter().flatten().any(|item| item == "*" || item == word)
        };
        let resources: Vec<Resource> = Resource::ALL.iter().copied().filter(|r| has("resources", r.as_str())).collect();
        let of_group: Vec<Resource> = resources.iter().copied().filter(|r| has("apiGroups", r.group())).collect();
        let verbs: Vec<Verb> = Verb::ALL.iter().copied().filter(|verb| has("verbs", verb.as_str())).collect();
        self.resource = *of_group.choose(random).or(resources.choose(random)).unwrap_or(&self.resource);
        self.verb = *verbs.choose(random).unwrap_or(&self.verb);
        if let Some(name) = rule["resourceNames"].as_array().and_then(|names| names.choose(random)) {
            self.name = name.as_str().unwrap().to_owned();
        }
    }

    /// Questions that are answered with yes by whoever knows of the markers.
    pub(super) fn markers(round: u64, namespace: &str) -> [Self; 2] {
        let of = |who: &str, namespace: Option<&str>| Self {
            user: format!("{who}-{round}"),
            groups: Vec::new(),
            verb: Verb::Get,
            resource: Resource::Runs,
            namespace: namespace.map(str::to_owned),
            name: String::new(),
        };
        [of("inside", Some(namespace)), of("outside", None)]
    }
}
