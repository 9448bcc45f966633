//! From the objects of all files to what access decides by.
use super::{
    builtin,
    objects::{Objects, Profile, RoleBinding, RoleRef},
    roles::Roles,
};
use access::{Key, Rbac, Subject, Tenant};
use domain::Namespace;
use std::collections::{BTreeSet, HashSet};

/// Tenants and who holds which rules where.
pub(crate) struct Facts {
    pub(super) tenants: Vec<Tenant>,
    pub(super) roles: Roles,
    pub(super) bindings: Vec<(Key, access::RoleBinding)>,
    /// What looks like a mistake and grants nothing.
    pub(crate) warnings: BTreeSet<String>,
}

/// Puts the files together. Profiles become what the profile controller makes of them: a tenant, and bindings of
/// the owner to `kubeflow-admin` and of the two default service accounts to `kubeflow-edit` and `kubeflow-view`.
pub(crate) fn expand<'a>(files: impl Iterator<Item = &'a Objects> + Clone) -> Facts {
    let roles = Roles::new(files.clone());
    let profiles = || files.clone().flat_map(|file| &file.profiles);
    // A namespace whose profile failed may be another's; whoever gave rights there did so in error.
    let closed: HashSet<&Namespace> = profiles().filter(|profile| profile.failed).map(|p| &p.namespace).collect();
    let mut facts = Facts { tenants: Vec::new(), roles, bindings: Vec::new(), warnings: BTreeSet::new() };
    for profile in profiles().filter(|profile| !closed.contains(&profile.namespace)) {
        facts.tenants.push(Tenant { namespace: profile.namespace.clone(), owner: profile.owner.clone() });
        made_of(profile).iter().for_each(|binding| facts.bind(binding));
    }
    for binding in files.flat_map(|file| &file.bindings) {
        if binding.namespace.as_ref().is_none_or(|namespace| !closed.contains(namespace)) {
            facts.bind(binding);
        }
    }
    facts
}

/// The bindings that the profile controller makes. Their names have what no object's name can have, so that a file may
/// have them as well.
fn made_of(profile: &Profile) -> [RoleBinding; 3] {
    let binding = |name: &str, subject, role: &str| RoleBinding {
        namespace: Some(profile.namespace.clone()),
        name: name.to_owned(),
        subjects: vec![subject],
        role: RoleRef::ClusterRole(role.to_owned()),
    };
    let account = |name| Subject::User(format!("system:serviceaccount:{}:{name}", profile.namespace));
    [
        binding("Profile/namespaceAdmin", profile.owner.clone(), builtin::ADMIN),
        binding("Profile/default-editor", account("default-editor"), builtin::EDIT),
        binding("Profile/default-viewer", account("default-viewer"), builtin::VIEW),
    ]
}

impl Facts {
    fn bind(&mut self, binding: &RoleBinding) {
        let RoleBinding { namespace, name, subjects, role } = binding;
        let Some(role) = self.roles.find(namespace.as_ref(), role) else {
            self.warnings.insert(match (namespace, role) {
                (Some(namespace), RoleRef::Role(role)) => {
                    format!("RoleBinding {namespace}/{name} grants nothing: there is no Role {namespace}/{role}")
                }
                (Some(namespace), RoleRef::ClusterRole(role)) => {
                    format!("RoleBinding {namespace}/{name} grants nothing: there is no ClusterRole {role}")
                }
                (None, RoleRef::Role(role) | RoleRef::ClusterRole(role)) => {
                    format!("ClusterRoleBinding {name} grants nothing: there is no ClusterRole {role}")
                }
            });
            return;
        };
        let binding = access::RoleBinding { subjects: subjects.clone(), role };
        self.bindings.push((Key::new(namespace.clone(), name.as_str()), binding));
    }

    /// Who holds which rules where.
    #[cfg(test)]
    pub(super) fn held(&self) -> Vec<(Subject, Option<Namespace>, super::roles::Rules)> {
        let of = |(key, binding): &(Key, access::RoleBinding)| {
            let (namespace, rules) = (key.namespace.clone(), self.roles.rules(&binding.role).clone());
            let held = binding.subjects.iter().map(move |subject| (subject.clone(), namespace.clone(), rules.clone()));
            held.collect::<Vec<_>>()
        };
        self.bindings.iter().flat_map(of).collect()
    }

    /// The form that is fast to ask.
    pub(crate) fn rbac(self) -> Rbac {
        let mut rbac = Rbac::new(self.tenants, []);
        for (key, rules) in self.roles.into_iter() {
            rbac.set_role(key, Some(&rules));
        }
        for (key, binding) in self.bindings {
            rbac.set_binding(&key, Some(binding));
        }
        rbac
    }
}
