//! Kubernetes RBAC over the verbs and resources of KFP, as one immutable value that is read without locks.
//!
//! Rules only add. A rule with `resourceNames` matches named objects only, so it never allows a list or a nameless
//! create (Kubernetes documentation, "Using RBAC Authorization").
use crate::Identity;
use api::access::{Resource, Verb};
use domain::Namespace;
use std::collections::{HashMap, HashSet};

/// Who is allowed everything before RBAC is asked (Kubernetes documentation, "Using RBAC Authorization").
const MASTERS: &str = "system:masters";

/// Whom a binding names. Service accounts are users by their full name, `system:serviceaccount:NAMESPACE:NAME`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    User(String),
    Group(String),
}

/// A rule of a Role or ClusterRole, as manifests have it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicyRule {
    pub api_groups: Vec<String>,
    pub resources: Vec<String>,
    pub verbs: Vec<String>,
    /// Empty for all objects.
    pub resource_names: Vec<String>,
}

/// A subject with the rules of its role.
#[derive(Clone, Debug)]
pub struct Binding {
    pub subject: Subject,
    /// `None` for a binding that holds everywhere.
    pub namespace: Option<Namespace>,
    pub rules: Vec<PolicyRule>,
}

/// A namespace that belongs to a tenant. Rights elsewhere are not ours to act on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    pub namespace: Namespace,
    pub owner: Subject,
}

/// One bit for each verb on each resource.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Mask([u128; 2]);

const _: () = assert!(Verb::ALL.len() * Resource::ALL.len() <= 256, "a mask has room for every verb on every resource");

impl Mask {
    fn of(verb: Verb, resource: Resource) -> Mask {
        let bit = verb as usize * Resource::ALL.len() + resource as usize;
        let mut mask = Mask::default();
        mask.0[bit / 128] = 1 << (bit % 128);
        mask
    }

    fn has(self, other: Mask) -> bool {
        self.0[0] & other.0[0] != 0 || self.0[1] & other.0[1] != 0
    }

    fn add(&mut self, other: Mask) {
        self.0[0] |= other.0[0];
        self.0[1] |= other.0[1];
    }
}

/// What a subject holds in one place.
#[derive(Debug, Default)]
struct Held {
    all: Mask,
    named: HashMap<Box<str>, Mask>,
}

impl Held {
    fn has(&self, want: Mask, name: &str) -> bool {
        self.all.has(want) || (!name.is_empty() && self.named.get(name).is_some_and(|mask| mask.has(want)))
    }

    fn add(&mut self, rule: &PolicyRule) {
        let mask = mask(rule);
        if rule.resource_names.is_empty() {
            self.all.add(mask);
        }
        for name in &rule.resource_names {
            self.named.entry(name.as_str().into()).or_default().add(mask);
        }
    }
}

#[derive(Debug, Default)]
struct Rights {
    everywhere: Held,
    per: HashMap<Namespace, Held>,
}

/// All rights of all subjects.
#[derive(Debug, Default)]
pub struct Rbac {
    users: HashMap<Box<str>, Rights>,
    groups: HashMap<Box<str>, Rights>,
    tenants: HashMap<Namespace, Subject>,
    owned: HashMap<Subject, HashSet<Namespace>>,
}

impl Rbac {
    pub fn new(tenants: impl IntoIterator<Item = Tenant>, bindings: impl IntoIterator<Item = Binding>) -> Self {
        let mut rbac = Rbac::default();
        for Tenant { namespace, owner } in tenants {
            rbac.owned.entry(owner.clone()).or_default().insert(namespace.clone());
            rbac.tenants.insert(namespace, owner);
        }
        for binding in bindings {
            let rights = match binding.subject {
                Subject::User(name) => rbac.users.entry(name.into()).or_default(),
                Subject::Group(name) => rbac.groups.entry(name.into()).or_default(),
            };
            let held = match binding.namespace {
                Some(namespace) => rights.per.entry(namespace).or_default(),
                None => &mut rights.everywhere,
            };
            binding.rules.iter().for_each(|rule| held.add(rule));
        }
        rbac
    }

    /// Whether the namespace is a tenant's.
    pub fn is_tenant(&self, namespace: &Namespace) -> bool {
        self.tenants.contains_key(namespace)
    }

    /// The tenants' namespaces, in no order.
    pub fn tenants(&self) -> impl Iterator<Item = &Namespace> {
        self.tenants.keys()
    }

    /// The namespaces whose Profile names the caller, or a group of theirs, as owner.
    pub fn owned_by(&self, who: &Identity) -> impl Iterator<Item = &Namespace> {
        let subjects = std::iter::once(Subject::User(who.user().to_owned()))
            .chain(who.groups().map(|group| Subject::Group(group.to_owned())));
        subjects.filter_map(|subject| self.owned.get(&subject)).flatten()
    }

    /// Whether `who` may do that in the namespace, or in the cluster if none is given.
    pub fn allows(
        &self,
        who: &Identity,
        verb: Verb,
        resource: Resource,
        namespace: Option<&Namespace>,
        name: &str,
    ) -> bool {
        let want = Mask::of(verb, resource);
        let held = |rights: &Rights| {
            rights.everywhere.has(want, name)
                || namespace.and_then(|namespace| rights.per.get(namespace)).is_some_and(|held| held.has(want, name))
        };
        self.users.get(who.user()).is_some_and(held)
            || who.groups().any(|group| group == MASTERS || self.groups.get(group).is_some_and(held))
    }
}

/// The bits of a rule. `*` stands for everything; `runs/log` and the like are other resources than `runs`.
fn mask(rule: &PolicyRule) -> Mask {
    let matches = |list: &[String], word: &str| list.iter().any(|item| item == "*" || item == word);
    let mut mask = Mask::default();
    for &resource in Resource::ALL {
        if !matches(&rule.api_groups, resource.group()) || !matches(&rule.resources, resource.as_str()) {
            continue;
        }
        for &verb in Verb::ALL.iter().filter(|verb| matches(&rule.verbs, verb.as_str())) {
            mask.add(Mask::of(verb, resource));
        }
    }
    mask
}

#[cfg(test)]
mod tests;
