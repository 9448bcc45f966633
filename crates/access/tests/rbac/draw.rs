//! Random changes, and questions about what may come of them. The words are few, so that they meet.
use crate::*;
use proptest::{
    collection::vec,
    option::{of, weighted},
    sample::select,
};
use std::ops::Range;

pub(crate) const USERS: &[&str] = &["jane", "john", "system:serviceaccount:a:x"];
pub(crate) const GROUPS: &[&str] = &["ml", "jane", "system:authenticated", "system:masters"];
const NAMES: &[&str] = &["", "r1", "*"];
const NAMESPACES: &[&str] = &["a", "b"];
const VERBS: &[&str] = &["get", "list", "create", "*", "*", "GET", "readArtifact"];
const RESOURCES: &[&str] = &["runs", "jobs", "serviceaccounts", "viewers", "*", "*", "runs/log", "*/log"];
const API_GROUPS: &[&str] = &["pipelines.kubeflow.org", "pipelines.kubeflow.org", "kubeflow.org", "", "*", "apps"];

/// One change; `None` takes away.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    Role(Key, Option<Vec<PolicyRule>>),
    Binding(Key, Option<RoleBinding>),
    Tenant(Namespace, Option<Subject>),
}

impl Change {
    pub(crate) fn apply(&self, rbac: &mut Rbac) {
        match self.clone() {
            Change::Role(key, rules) => rbac.set_role(key, rules.as_deref()),
            Change::Binding(key, binding) => rbac.set_binding(&key, binding),
            Change::Tenant(namespace, owner) => rbac.set_tenant(&namespace, owner),
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Who {
    pub(crate) user: &'static str,
    /// Besides that of everybody who is logged in.
    pub(crate) groups: Vec<&'static str>,
}

#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) who: Who,
    pub(crate) verb: Verb,
    pub(crate) resource: Resource,
    pub(crate) namespace: Option<Namespace>,
    pub(crate) name: &'static str,
}

fn texts(words: &'static [&'static str], count: Range<usize>) -> impl Strategy<Value = Vec<String>> {
    vec(select(words).prop_map(str::to_owned), count)
}

fn namespace() -> impl Strategy<Value = Namespace> {
    select(NAMESPACES).prop_map(|name| Namespace::parse(name).unwrap())
}

fn key() -> impl Strategy<Value = Key> {
    (of(namespace()), select(&["one", "two"][..])).prop_map(|(namespace, name)| Key::new(namespace, name))
}

fn subject() -> impl Strategy<Value = Subject> {
    prop_oneof![
        select(USERS).prop_map(|name| Subject::User(name.to_owned())),
        // That everybody in `system:masters` may everything is not a matter of bindings.
        select(&GROUPS[..3]).prop_map(|name| Subject::Group(name.to_owned())),
    ]
}

fn rule() -> impl Strategy<Value = PolicyRule> {
    let names = prop_oneof![2 => Just(Vec::new()), 1 => texts(NAMES, 0..3)];
    (texts(API_GROUPS, 0..6), texts(RESOURCES, 0..6), texts(VERBS, 0..6), names).prop_map(
        |(api_groups, resources, verbs, resource_names)| PolicyRule { api_groups, resources, verbs, resource_names },
    )
}

fn change() -> impl Strategy<Value = Change> {
    let binding = (vec(subject(), 0..4), key()).prop_map(|(subjects, role)| RoleBinding { subjects, role });
    prop_oneof![
        3 => (key(), weighted(0.9, vec(rule(), 0..6))).prop_map(|(key, rules)| Change::Role(key, rules)),
        4 => (key(), weighted(0.9, binding)).prop_map(|(key, binding)| Change::Binding(key, binding)),
        1 => (namespace(), weighted(0.7, subject())).prop_map(|(of, owner)| Change::Tenant(of, owner)),
    ]
}

pub(crate) fn changes(most: usize) -> impl Strategy<Value = Vec<Change>> {
    vec(change(), 0..most)
}

pub(crate) fn question() -> impl Strategy<Value = Question> {
    // One in a hundred is in the group that may everything.
    let masters = weighted(0.01, Just("system:masters"));
    let groups = (vec(select(&GROUPS[..2]), 0..2), masters).prop_map(|(mut groups, masters)| {
        groups.extend(masters);
        groups
    });
    let who = (select(USERS), groups).prop_map(|(user, groups)| Who { user, groups });
    let words = (select(&[Verb::Get, Verb::List, Verb::Create, Verb::ReadArtifact, Verb::Use][..]), {
        select(&[Resource::Runs, Resource::Jobs, Resource::Serviceaccounts, Resource::Viewers][..])
    });
    (who, words, of(namespace()), select(NAMES)).prop_map(|(who, (verb, resource), namespace, name)| Question {
        who,
        verb,
        resource,
        namespace,
        name,
    })
}
