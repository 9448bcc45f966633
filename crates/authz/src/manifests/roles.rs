//! All roles by name, with ClusterRoles aggregated.
use super::{
    builtin,
    objects::{Objects, Role, RoleRef},
};
use access::{Key, PolicyRule};
use domain::Namespace;
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

/// The rules of one role; shared, since one role is bound in many namespaces.
pub(super) type Rules = Arc<[PolicyRule]>;

pub(super) struct Roles(HashMap<Key, Rules>);

impl Roles {
    /// The shipped roles and those of files, where a file's replaces a shipped one of its name.
    pub(super) fn new<'a>(files: impl Iterator<Item = &'a Objects>) -> Self {
        let mut cluster: HashMap<String, Role> = builtin::roles().map(|role| (role.name.clone(), role)).collect();
        let mut roles = HashMap::new();
        for role in files.flat_map(|file| &file.roles) {
            match &role.namespace {
                Some(namespace) => {
                    let key = Key::new(Some(namespace.clone()), role.name.as_str());
                    roles.insert(key, role.rules.as_slice().into());
                }
                None => {
                    cluster.insert(role.name.clone(), role.clone());
                }
            }
        }
        roles.extend(aggregate(&cluster));
        Self(roles)
    }

    /// The role that a binding in `namespace`, or of the cluster, names; `None` if there is no such role.
    pub(super) fn find(&self, namespace: Option<&Namespace>, role: &RoleRef) -> Option<Key> {
        let key = match role {
            RoleRef::ClusterRole(name) => Key::new(None, name.as_str()),
            RoleRef::Role(name) => Key::new(Some(namespace?.clone()), name.as_str()),
        };
        self.0.contains_key(&key).then_some(key)
    }

    /// Every role with its rules.
    pub(super) fn into_iter(self) -> impl Iterator<Item = (Key, Rules)> {
        self.0.into_iter()
    }

    /// The rules of a role.
    #[cfg(test)]
    pub(super) fn rules(&self, key: &Key) -> &Rules {
        &self.0[key]
    }
}

/// The rules of each ClusterRole, as the controller that aggregates them would leave them: a role with an
/// aggregation rule has the rules of those that it selects, never itself, until nothing more is added.
fn aggregate(roles: &HashMap<String, Role>) -> impl Iterator<Item = (Key, Rules)> {
    roles.values().map(|role| (Key::new(None, role.name.as_str()), collect(role, roles)))
}

/// Rules only add up, so the fixpoint is whatever own rules can be reached from the role.
fn collect(role: &Role, roles: &HashMap<String, Role>) -> Rules {
    let mut reached = HashSet::from([role.name.as_str()]);
    let mut open = vec![role];
    let mut rules: Vec<PolicyRule> = Vec::new();
    while let Some(role) = open.pop() {
        let Some(selectors) = &role.aggregates else {
            rules.extend(role.rules.iter().filter(|rule| !rules.contains(rule)).cloned().collect::<Vec<_>>());
            continue;
        };
        let selected = roles.values().filter(|other| selectors.iter().any(|selector| selector.selects(&other.labels)));
        open.extend(selected.filter(|other| reached.insert(&other.name)));
    }
    rules.sort_by(|a, b| (&a.api_groups, &a.resources, &a.verbs).cmp(&(&b.api_groups, &b.resources, &b.verbs)));
    rules.into()
}
