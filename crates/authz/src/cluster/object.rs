//! From an object of the API to what it says of tenants and rights.
//!
//! What cannot be used grants nothing. Kubernetes itself is followed to the letter where it would match
//! (`appliesToUser` and `GetRoleReferenceRules` of its RBAC authorizer), not where its validation would refuse: what is
//! stored has passed that, or an older one.
use super::kind::Kind;
use crate::Profile;
use access::{Key, PolicyRule, RoleBinding, Subject};
use domain::Namespace;
use k8s_openapi::api::rbac::v1;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// What an object says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fact {
    /// The namespace is a tenant's, whose owner this is.
    Tenant(Subject),
    Rules(Vec<PolicyRule>),
    Binding(RoleBinding),
}

/// One object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Object {
    /// A Profile's has its namespace, and no name.
    pub(super) key: Key,
    /// `None` if it says nothing that counts.
    pub(super) fact: Option<Fact>,
    /// What about it cannot be used.
    pub(super) wrong: Vec<String>,
}

/// Which object it is.
///
/// # Errors
/// Why it cannot be told.
pub(super) fn key(kind: Kind, object: &Value) -> Result<Key, String> {
    let text = |field: &str| object.pointer(field).and_then(Value::as_str).filter(|text| !text.is_empty());
    let name = text("/metadata/name").ok_or("it has no name")?;
    let namespace = |name: &str| Namespace::parse(name).map_err(|error| error.message().to_owned());
    if kind == Kind::Profile {
        return Ok(Key::new(Some(namespace(name)?), ""));
    }
    if !kind.is_namespaced() {
        return Ok(Key::new(None, name));
    }
    Ok(Key::new(Some(namespace(text("/metadata/namespace").ok_or("it has no namespace")?)?), name))
}

/// What it says.
///
/// # Errors
/// Why it cannot be told which object it is.
pub(super) fn read(kind: Kind, object: Value) -> Result<Object, String> {
    let key = key(kind, &object)?;
    let mut wrong = Vec::new();
    let fact = match kind {
        Kind::Profile => tenant(&key, object),
        Kind::Role => typed::<v1::Role>(object).map(|role| Some(Fact::Rules(rules(role.rules)))),
        // The rules of a role that aggregates others are there as well: a controller of Kubernetes writes them.
        Kind::ClusterRole => typed::<v1::ClusterRole>(object).map(|role| Some(Fact::Rules(rules(role.rules)))),
        Kind::RoleBinding => typed::<v1::RoleBinding>(object)
            .and_then(|binding| bind(&key, &binding.role_ref, binding.subjects, &mut wrong)),
        Kind::ClusterRoleBinding => typed::<v1::ClusterRoleBinding>(object)
            .and_then(|binding| bind(&key, &binding.role_ref, binding.subjects, &mut wrong)),
    };
    let fact = fact.unwrap_or_else(|unusable| {
        wrong.push(unusable);
        None
    });
    Ok(Object { key, fact, wrong })
}

fn typed<T: DeserializeOwned>(object: Value) -> Result<T, String> {
    serde_path_to_error::deserialize(object).map_err(|error| error.to_string())
}

fn tenant(key: &Key, object: Value) -> Result<Option<Fact>, String> {
    let profile: Profile = typed(object)?;
    if profile.has_failed() {
        return Ok(None);
    }
    let owner = subject(profile.spec.owner, key.namespace.as_ref()).map_err(|wrong| format!("its owner: {wrong}"))?;
    Ok(Some(Fact::Tenant(owner)))
}

fn rules(rules: Option<Vec<v1::PolicyRule>>) -> Vec<PolicyRule> {
    let rule = |rule: v1::PolicyRule| PolicyRule {
        api_groups: rule.api_groups.unwrap_or_default(),
        resources: rule.resources.unwrap_or_default(),
        verbs: rule.verbs,
        resource_names: rule.resource_names.unwrap_or_default(),
    };
    rules.into_iter().flatten().map(rule).collect()
}

fn bind(
    key: &Key,
    role: &v1::RoleRef,
    subjects: Option<Vec<v1::Subject>>,
    wrong: &mut Vec<String>,
) -> Result<Option<Fact>, String> {
    let namespace = key.namespace.as_ref();
    let role = match (role.kind.as_str(), namespace) {
        _ if role.name.is_empty() => return Err("its role has no name".into()),
        ("ClusterRole", _) => Key::new(None, role.name.as_str()),
        ("Role", Some(namespace)) => Key::new(Some(namespace.clone()), role.name.as_str()),
        ("Role", None) => return Err("it binds a Role, which is of a namespace, in the whole cluster".into()),
        (kind, _) => return Err(format!("it binds a {kind:?}, which is no kind of role")),
    };
    let mut usable = Vec::new();
    for named in subjects.into_iter().flatten() {
        match subject(named, namespace) {
            Ok(subject) => usable.push(subject),
            Err(unusable) => wrong.push(unusable),
        }
    }
    Ok(Some(Fact::Binding(RoleBinding { subjects: usable, role })))
}

/// Whom it names. A service account without a namespace is of the one where it is named.
fn subject(named: v1::Subject, home: Option<&Namespace>) -> Result<Subject, String> {
    let v1::Subject { kind, name, namespace, .. } = named;
    match kind.as_str() {
        _ if name.is_empty() => Err(format!("a subject of kind {kind:?} has no name")),
        "User" => Ok(Subject::User(name)),
        "Group" => Ok(Subject::Group(name)),
        "ServiceAccount" => {
            let own = namespace.as_deref().filter(|given| !given.is_empty()).or(home.map(Namespace::as_str));
            let own = own.ok_or_else(|| format!("service account {name:?} has no namespace"))?;
            Ok(Subject::User(format!("system:serviceaccount:{own}:{name}")))
        }
        _ => Err(format!("subject {name:?} is of an unknown kind {kind:?}")),
    }
}

#[cfg(test)]
mod tests;
