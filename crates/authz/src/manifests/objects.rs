//! What a file says of tenants and rights, checked.
use super::selector::Selector;
use crate::problem::Place;
use access::{PolicyRule, Subject};
use domain::Namespace;
use std::{collections::BTreeMap, fmt};

/// The objects of one file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Objects {
    pub(super) profiles: Vec<Profile>,
    pub(super) roles: Vec<Role>,
    pub(super) bindings: Vec<RoleBinding>,
    /// Every object's name and where it stands.
    pub(crate) keys: Vec<(Key, Place)>,
}

/// What Kubernetes keeps at most one of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(super) kind: &'static str,
    pub(super) namespace: Option<Namespace>,
    pub(super) name: String,
}

#[derive(Clone, Debug)]
pub(super) struct Profile {
    pub(super) namespace: Namespace,
    pub(super) owner: Subject,
    /// It gives nobody anything, and lets nobody else give anything in its namespace.
    pub(super) failed: bool,
}

/// A Role, or a ClusterRole if it has no namespace.
#[derive(Clone, Debug)]
pub(super) struct Role {
    pub(super) namespace: Option<Namespace>,
    pub(super) name: String,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) rules: Vec<PolicyRule>,
    /// If set, its rules are those of the roles that one of these selects, and none of its own.
    pub(super) aggregates: Option<Vec<Selector>>,
}

/// A RoleBinding, or a ClusterRoleBinding if it has no namespace.
#[derive(Clone, Debug)]
pub(super) struct RoleBinding {
    pub(super) namespace: Option<Namespace>,
    pub(super) name: String,
    pub(super) subjects: Vec<Subject>,
    pub(super) role: RoleRef,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum RoleRef {
    /// A Role of the binding's own namespace.
    Role(String),
    ClusterRole(String),
}

impl Objects {
    /// The same objects, granting nothing. They keep their names: if they went altogether, a role that a file
    /// replaces with a narrower one would be back, and a refused namespace open again.
    pub(crate) fn withdrawn(&self) -> Self {
        let mut objects = self.clone();
        objects.bindings.clear();
        objects.profiles.iter_mut().for_each(|profile| profile.failed = true);
        for role in &mut objects.roles {
            role.rules.clear();
            role.aggregates = None;
        }
        objects
    }
}

impl fmt::Display for Key {
    /// `RoleBinding jane-doe/editors`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Key { kind, namespace, name } = self;
        match namespace {
            Some(namespace) => write!(f, "{kind} {namespace}/{name}"),
            None => write!(f, "{kind} {name}"),
        }
    }
}
