//! Whom a manifest names.
use super::tree::Wrong;
use access::Subject;
use domain::Namespace;
use k8s_openapi::api::rbac::v1::Subject as Named;

/// The API group of roles, bindings, users and groups.
pub(super) const RBAC: &str = "rbac.authorization.k8s.io";

/// The subject in the access crate's terms: a service account is the user that its token names.
///
/// # Errors
/// What is wrong with which field.
pub(super) fn subject(named: &Named) -> Result<Subject, Wrong> {
    let Named { kind, name, namespace, api_group } = named;
    if name.is_empty() {
        return Err(Wrong::new("/name", "`name` is missing"));
    }
    let group = match kind.as_str() {
        "User" | "Group" => RBAC,
        "ServiceAccount" => "",
        _ => {
            let what = format!("subject kind {kind:?} is unknown: it is User, Group or ServiceAccount");
            return Err(Wrong::new("/kind", what));
        }
    };
    if let Some(api_group) = api_group.as_deref().filter(|given| !given.is_empty() && *given != group) {
        let what = format!("apiGroup {api_group:?} does not go with kind {kind}: it is {group:?}");
        return Err(Wrong::new("/apiGroup", what));
    }
    match (kind.as_str(), namespace) {
        ("User", None) => Ok(Subject::User(name.clone())),
        ("Group", None) => Ok(Subject::Group(name.clone())),
        ("User" | "Group", Some(_)) => Err(Wrong::new("/namespace", format!("a {kind} has no namespace; remove it"))),
        (_, namespace) => account(namespace.as_deref().unwrap_or_default(), name),
    }
}

fn account(namespace: &str, name: &str) -> Result<Subject, Wrong> {
    if namespace.is_empty() {
        return Err(Wrong::new("", "`namespace` is missing, which a ServiceAccount needs"));
    }
    let namespace = Namespace::parse(namespace).map_err(|error| Wrong::new("/namespace", error.message()))?;
    let label = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.');
    if !name.bytes().all(label) {
        let what = format!("{name:?} cannot be a ServiceAccount: lower-case letters, digits, '-' and '.' only");
        return Err(Wrong::new("/name", what));
    }
    Ok(Subject::User(format!("system:serviceaccount:{namespace}:{name}")))
}
