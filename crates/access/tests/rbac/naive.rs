//! RBAC as its documentation has it, without a thought for speed: lists, texts, and a walk over everything.
use crate::{
    draw::{Change, Question, Who},
    *,
};
use std::collections::BTreeMap;

/// Everything as it was given, by a text that names it.
#[derive(Default)]
pub(crate) struct Naive {
    roles: BTreeMap<String, (Key, Vec<PolicyRule>)>,
    bindings: BTreeMap<String, (Key, RoleBinding)>,
    tenants: BTreeMap<Namespace, Subject>,
}

fn text(key: &Key) -> String {
    format!("{:?}/{}", key.namespace, key.name)
}

impl Naive {
    pub(crate) fn apply(&mut self, change: &Change) {
        match change.clone() {
            Change::Role(key, Some(rules)) => drop(self.roles.insert(text(&key), (key, rules))),
            Change::Role(key, None) => drop(self.roles.remove(&text(&key))),
            Change::Binding(key, Some(binding)) => drop(self.bindings.insert(text(&key), (key, binding))),
            Change::Binding(key, None) => drop(self.bindings.remove(&text(&key))),
            Change::Tenant(namespace, Some(owner)) => drop(self.tenants.insert(namespace, owner)),
            Change::Tenant(namespace, None) => drop(self.tenants.remove(&namespace)),
        }
    }

    /// What makes the same of nothing.
    pub(crate) fn changes(&self) -> Vec<Change> {
        let roles = self.roles.values().map(|(key, rules)| Change::Role(key.clone(), Some(rules.clone())));
        let bindings = self.bindings.values().map(|(key, binding)| Change::Binding(key.clone(), Some(binding.clone())));
        let tenants = self.tenants.iter().map(|(tenant, owner)| Change::Tenant(tenant.clone(), Some(owner.clone())));
        bindings.chain(roles).chain(tenants).collect()
    }

    /// What makes nothing of it.
    pub(crate) fn undo(&self) -> Vec<Change> {
        let roles = self.roles.values().map(|(key, _)| Change::Role(key.clone(), None));
        let bindings = self.bindings.values().map(|(key, _)| Change::Binding(key.clone(), None));
        let tenants = self.tenants.keys().map(|tenant| Change::Tenant(tenant.clone(), None));
        roles.chain(bindings).chain(tenants).collect()
    }

    pub(crate) fn build(&self) -> Rbac {
        let mut rbac = Rbac::default();
        self.changes().iter().for_each(|change| change.apply(&mut rbac));
        rbac
    }

    pub(crate) fn allows(&self, question: &Question) -> bool {
        if question.who.groups.contains(&"system:masters") {
            return true;
        }
        self.bindings.values().any(|(key, binding)| {
            // A RoleBinding holds in its namespace, whatever it names; a ClusterRoleBinding everywhere.
            let holds = key.namespace.is_none() || key.namespace == question.namespace;
            let is_about = binding.subjects.iter().any(|subject| is_meant(subject, &question.who));
            let role = self.roles.values().find(|(of, _)| *of == binding.role);
            holds && is_about && role.is_some_and(|(_, rules)| rules.iter().any(|rule| allows(rule, question)))
        })
    }
}

fn is_meant(subject: &Subject, who: &Who) -> bool {
    match subject {
        Subject::User(user) => *user == who.user,
        Subject::Group(group) => group == "system:authenticated" || who.groups.contains(&group.as_str()),
    }
}

fn allows(rule: &PolicyRule, question: &Question) -> bool {
    let has = |list: &[String], word: &str| list.iter().any(|item| item == word || item == "*");
    has(&rule.api_groups, question.resource.group())
        && has(&rule.resources, question.resource.as_str())
        && has(&rule.verbs, question.verb.as_str())
        && (rule.resource_names.is_empty() || rule.resource_names.iter().any(|name| name == question.name))
}
