//! How long a decision takes at 10,000 namespaces and 100,000 bindings, how long it takes to apply one changed binding,
//! and what all of them take in memory; beside one SubjectAccessReview of a real kube-apiserver, where there is one.
//!
//! `make bench-authz` runs it. Every call is timed by itself, so that the slow ones show; the clock's own time is
//! measured first and stands beside the figures, which include it.
#![expect(clippy::unwrap_used, reason = "a measurement that fails should stop where it does")]
use access::{Binding, Identity, Key, PolicyRule, Ports, Rbac, RoleBinding, Settings, Subject, Tenant};
use api::access::{Resource, Verb};
use domain::{Home, Namespace};
use std::{
    fs,
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};

const NAMESPACES: usize = 10_000;
const BINDINGS: usize = 100_000;
const CALLERS: usize = 10_000;
const CALLS: usize = 1_000_000;
const CHANGES: usize = 2_000;
const REVIEWS: usize = 500;

fn main() {
    let before = resident();
    let started = Instant::now();
    let rbac = rbac();
    let (built, memory) = (started.elapsed(), resident().saturating_sub(before));
    println!("{NAMESPACES} namespaces, {BINDINGS} bindings: built in {built:.0?}, {} MiB resident", memory >> 20);
    let asked = questions();
    report("the clock alone", CALLS, |_| {});
    report("a decision of the evaluator", CALLS, |at| {
        let (who, namespace, verb) = &asked[at % asked.len()];
        black_box(rbac.allows(who, *verb, Resource::Runs, Some(namespace), ""));
    });
    let access::Founded { gate, mut policy, .. } = access::found(settings(), rbac, Ports::idle());
    let homes: Vec<Home> = asked.iter().map(|(_, namespace, _)| Home::Namespace(namespace.clone())).collect();
    report("a decision of the gate", CALLS, |at| {
        let (who, _, verb) = &asked[at % asked.len()];
        let why = futures::executor::block_on(gate.would(who, *verb, Resource::Runs, &homes[at % homes.len()], ""));
        black_box(why.unwrap().allows());
    });
    report("one changed binding, applied", CHANGES, |at| {
        let namespace = namespace(at * 7 % NAMESPACES);
        let role = Key::new(None, "view");
        let binding = RoleBinding { subjects: vec![Subject::User(format!("new-{at}@example.com"))], role };
        policy.change(|rbac| rbac.set_binding(&Key::new(Some(namespace), format!("binding-{at}")), Some(binding)));
    });
    reviews();
}

/// Times `what` that often, and prints what most, nearly all and the slowest took.
fn report(name: &str, times: usize, mut what: impl FnMut(usize)) {
    for at in 0..times / 10 {
        what(at);
    }
    let mut took: Vec<Duration> = (0..times)
        .map(|at| {
            let started = Instant::now();
            what(at);
            started.elapsed()
        })
        .collect();
    print(name, &mut took);
}

fn print(name: &str, took: &mut [Duration]) {
    took.sort_unstable();
    let at = |share: f64| took[((took.len() - 1) as f64 * share) as usize];
    println!("{name:32} p50 {:>9.2?}  p99 {:>9.2?}  p99.9 {:>9.2?}  of {}", at(0.5), at(0.99), at(0.999), took.len());
}

fn namespace(number: usize) -> Namespace {
    Namespace::parse(&format!("team-{number:05}")).unwrap()
}

fn settings() -> Settings {
    Settings {
        server_namespace: Namespace::parse("kubeflow").unwrap(),
        default_service_account: "default-editor".into(),
    }
}

fn rules(verbs: &[&str]) -> Vec<PolicyRule> {
    let list = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
    vec![PolicyRule {
        api_groups: list(&["pipelines.kubeflow.org"]),
        resources: list(&["experiments", "runs", "jobs", "pipelines"]),
        verbs: list(verbs),
        resource_names: Vec::new(),
    }]
}

/// Ten bindings a namespace to one of three ClusterRoles: of users, groups and service accounts.
fn rbac() -> Rbac {
    let owner = |number: usize| Subject::User(format!("user-{number}@example.com"));
    let tenants = (0..NAMESPACES).map(|number| Tenant { namespace: namespace(number), owner: owner(number) });
    let mut rbac = Rbac::new(tenants, Vec::<Binding>::new());
    for (name, verbs) in
        [("view", &["get", "list"][..]), ("edit", &["get", "list", "create", "delete"]), ("admin", &["*"])]
    {
        rbac.set_role(Key::new(None, name), Some(&rules(verbs)));
    }
    for number in 0..BINDINGS {
        let (place, which) = (number % NAMESPACES, number / NAMESPACES);
        let (subject, role) = match which {
            0 => (owner(place), "admin"),
            1 => (Subject::User(format!("system:serviceaccount:team-{place:05}:default-editor")), "edit"),
            2 => (Subject::Group(format!("group-{}", place % 500)), "view"),
            other => (owner((place + other * 997) % CALLERS), if other % 2 == 0 { "edit" } else { "view" }),
        };
        let binding = RoleBinding { subjects: vec![subject], role: Key::new(None, role) };
        rbac.set_binding(&Key::new(Some(namespace(place)), format!("binding-{number}")), Some(binding));
    }
    rbac
}

/// Callers who may, who may by a group, and who may not.
fn questions() -> Vec<(Arc<Identity>, Namespace, Verb)> {
    let question = |number: usize| {
        let group = format!("group-{}", number % 500);
        let who = Identity::forge(&format!("user-{number}@example.com"), &["everybody", "engineers", &group]);
        let place = if number.is_multiple_of(3) { number } else { number * 7919 + number % 500 };
        (who, namespace(place % NAMESPACES), if number.is_multiple_of(5) { Verb::Delete } else { Verb::Get })
    };
    (0..CALLERS).map(question).collect()
}

/// Resident memory of this process, in bytes (proc(5), `statm`).
fn resident() -> u64 {
    let text = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    text.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or_default() * 4096
}

/// The same question as a round trip to Kubernetes.
fn reviews() {
    use k8s_openapi::api::authorization::v1::{ResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec};
    let Some(server) = testkit::KubeApiserver::start() else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let mut took = runtime.block_on(async {
        let kubeconfig = kube::config::Kubeconfig::read_from(server.kubeconfig()).unwrap();
        let config = kube::Config::from_custom_kubeconfig(kubeconfig, &Default::default()).await.unwrap();
        let reviews: kube::Api<SubjectAccessReview> = kube::Api::all(kube::Client::try_from(config).unwrap());
        let attributes = ResourceAttributes {
            group: Some("pipelines.kubeflow.org".into()),
            resource: Some("runs".into()),
            verb: Some("get".into()),
            namespace: Some("team-00001".into()),
            ..Default::default()
        };
        let spec = SubjectAccessReviewSpec {
            user: Some("user-1@example.com".into()),
            resource_attributes: Some(attributes),
            ..Default::default()
        };
        let review = SubjectAccessReview { spec, ..Default::default() };
        let mut took = Vec::new();
        for _ in 0..REVIEWS {
            let started = Instant::now();
            reviews.create(&Default::default(), &review).await.unwrap();
            took.push(started.elapsed());
        }
        took
    });
    print("one SubjectAccessReview", &mut took);
}
