//! Kubernetes RBAC over the verbs and resources of KFP, as one immutable value that is read without locks.
//!
//! Rules only add. A rule with `resourceNames` matches the objects of these names only, so it allows no list and no
//! nameless creation (Kubernetes documentation, "Using RBAC Authorization"). Bindings name roles, and the rules are
//! looked up when a decision is made, so that a changed role is one change however many bindings name it.
//!
//! The maps share what did not change between two versions of the value: to clone it costs nothing, and to change one
//! binding of a hundred thousand copies a few nodes.
mod rules;

pub use rules::PolicyRule;

use crate::Identity;
use api::access::{Resource, Verb};
use domain::Namespace;
use imbl::{GenericHashMap, shared_ptr::DefaultSharedPtr};
use rules::{Mask, Rules};
use std::{hash::RandomState, sync::Arc};

/// A map whose versions share what they have in common.
type Map<K, V> = GenericHashMap<K, V, RandomState, DefaultSharedPtr>;

/// Who is allowed everything before RBAC is asked (Kubernetes documentation, "Using RBAC Authorization").
const MASTERS: &str = "system:masters";

/// Whom a binding names. Service accounts are users by their full name, `system:serviceaccount:NAMESPACE:NAME`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    User(String),
    Group(String),
}

/// A Role or a RoleBinding by its name in its namespace; a ClusterRole or a ClusterRoleBinding without one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    pub namespace: Option<Namespace>,
    pub name: Arc<str>,
}

impl Key {
    pub fn new(namespace: Option<Namespace>, name: impl Into<Arc<str>>) -> Self {
        Self { namespace, name: name.into() }
    }
}

/// What a RoleBinding or a ClusterRoleBinding says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleBinding {
    pub subjects: Vec<Subject>,
    /// The role; that there is one is not required.
    pub role: Key,
}

/// A subject with rules of its own, for whoever has no roles to name.
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

/// The roles that bindings give in one place, once for each binding.
type Roles = Vec<Arc<Key>>;

#[derive(Clone, Debug, Default)]
struct Rights {
    everywhere: Roles,
    per: Map<Namespace, Roles>,
}

/// All rights of all subjects.
#[derive(Clone, Debug, Default)]
pub struct Rbac {
    roles: Map<Arc<Key>, Arc<Rules>>,
    bindings: Map<Key, Arc<RoleBinding>>,
    users: Map<Box<str>, Rights>,
    groups: Map<Box<str>, Rights>,
    tenants: Map<Namespace, Subject>,
    owned: Map<Subject, Vec<Namespace>>,
}

impl Rbac {
    /// The rights that these bindings give.
    pub fn new(tenants: impl IntoIterator<Item = Tenant>, bindings: impl IntoIterator<Item = Binding>) -> Self {
        let mut rbac = Rbac::default();
        for tenant in tenants {
            rbac.set_tenant(&tenant.namespace, Some(tenant.owner));
        }
        for (number, Binding { subject, namespace, rules }) in bindings.into_iter().enumerate() {
            let key = Key::new(namespace, number.to_string());
            rbac.set_role(key.clone(), Some(&rules));
            rbac.set_binding(&key, Some(RoleBinding { subjects: vec![subject], role: key.clone() }));
        }
        rbac
    }

    /// Makes the namespace a tenant's, or nobody's.
    pub fn set_tenant(&mut self, namespace: &Namespace, owner: Option<Subject>) {
        let before = match owner.clone() {
            Some(owner) => self.tenants.insert(namespace.clone(), owner),
            None => self.tenants.remove(namespace),
        };
        if let Some(before) = before
            && let Some(owned) = self.owned.get_mut(&before)
        {
            owned.retain(|other| other != namespace);
            if owned.is_empty() {
                self.owned.remove(&before);
            }
        }
        if let Some(owner) = owner {
            self.owned.entry(owner).or_default().push(namespace.clone());
        }
    }

    /// What the role allows from now on; `None` if it is gone.
    pub fn set_role(&mut self, key: Key, rules: Option<&[PolicyRule]>) {
        match rules {
            Some(rules) => drop(self.roles.insert(Arc::new(key), Arc::new(Rules::new(rules)))),
            None => drop(self.roles.remove(&key)),
        }
    }

    /// What the binding gives from now on; `None` if it is gone. Nothing but its own subjects is touched.
    pub fn set_binding(&mut self, key: &Key, binding: Option<RoleBinding>) {
        // A list of all bindings says of most what is known already.
        if self.bindings.get(key).map(|before| &**before) == binding.as_ref() {
            return;
        }
        if let Some(before) = self.bindings.remove(key) {
            let role = Arc::new(before.role.clone());
            before.subjects.iter().for_each(|subject| self.unbind(subject, key.namespace.as_ref(), &role));
        }
        let Some(binding) = binding else { return };
        // The key that the role itself has, if there is one, so that a role's name is in memory once.
        let known = self.roles.get_key_value(&binding.role).map(|(known, _)| known.clone());
        let role = known.unwrap_or_else(|| Arc::new(binding.role.clone()));
        for subject in &binding.subjects {
            let rights = match subject {
                Subject::User(name) => self.users.entry(name.as_str().into()).or_default(),
                Subject::Group(name) => self.groups.entry(name.as_str().into()).or_default(),
            };
            let roles = match &key.namespace {
                Some(namespace) => rights.per.entry(namespace.clone()).or_default(),
                None => &mut rights.everywhere,
            };
            roles.push(role.clone());
        }
        self.bindings.insert(key.clone(), Arc::new(binding));
    }

    /// Takes one of the roles away that the subject holds there.
    fn unbind(&mut self, subject: &Subject, namespace: Option<&Namespace>, role: &Key) {
        let (subjects, name) = match subject {
            Subject::User(name) => (&mut self.users, name.as_str()),
            Subject::Group(name) => (&mut self.groups, name.as_str()),
        };
        let Some(rights) = subjects.get_mut(name) else { return };
        let take = |roles: &mut Roles| {
            if let Some(at) = roles.iter().position(|held| **held == *role) {
                roles.swap_remove(at);
            }
            roles.is_empty()
        };
        match namespace {
            None => drop(take(&mut rights.everywhere)),
            Some(namespace) => {
                if rights.per.get_mut(namespace).is_some_and(take) {
                    rights.per.remove(namespace);
                }
            }
        }
        if rights.everywhere.is_empty() && rights.per.is_empty() {
            subjects.remove(name);
        }
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

    /// Whether `who` may do that in the namespace, or in the cluster if none is given. How far the credentials reach
    /// is not looked at.
    pub fn allows(
        &self,
        who: &Identity,
        verb: Verb,
        resource: Resource,
        namespace: Option<&Namespace>,
        name: &str,
    ) -> bool {
        let want = Mask::of(verb, resource);
        let give =
            |roles: &Roles| roles.iter().any(|role| self.roles.get(role).is_some_and(|rules| rules.allow(want, name)));
        let held = |rights: &Rights| {
            give(&rights.everywhere) || namespace.and_then(|namespace| rights.per.get(namespace)).is_some_and(give)
        };
        self.users.get(who.user()).is_some_and(held)
            || who.groups().any(|group| group == MASTERS || self.groups.get(group).is_some_and(held))
    }
}

#[cfg(test)]
mod tests;
