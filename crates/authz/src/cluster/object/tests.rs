//! What is made of objects as they are, and of such as they should not be.
use super::*;
use serde_json::json;

/// What of an object is used and what is not, in one line.
fn told(kind: Kind, object: Value) -> String {
    match read(kind, object) {
        Err(unknown) => format!("? {unknown}"),
        Ok(Object { key, fact, wrong }) => {
            let place = key.namespace.map_or_else(|| "-".to_owned(), |namespace| namespace.to_string());
            let fact = match fact {
                None => "nothing".to_owned(),
                Some(Fact::Tenant(owner)) => format!("of {owner:?}"),
                Some(Fact::Rules(rules)) => format!("{} rules", rules.len()),
                Some(Fact::Binding(RoleBinding { subjects, role })) => {
                    let of = role.namespace.map_or_else(|| "-".to_owned(), |namespace| namespace.to_string());
                    format!("{of}/{} to {subjects:?}", role.name)
                }
            };
            format!("{place}/{}: {fact} {wrong:?}", key.name)
        }
    }
}

#[track_caller]
fn check(kind: Kind, object: Value, expect: &str) {
    assert_eq!(told(kind, object), expect);
}

fn subject_of(kind: Kind, subject: Value) -> String {
    let metadata = if kind.is_namespaced() { json!({"name": "b", "namespace": "a"}) } else { json!({"name": "b"}) };
    let role = json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "r"});
    told(kind, json!({"metadata": metadata, "roleRef": role, "subjects": [subject]}))
}

#[test]
fn whom_subjects_name() {
    use Kind::{ClusterRoleBinding, RoleBinding};
    for (kind, subject, expect) in [
        (RoleBinding, json!({"kind": "User", "name": "jane"}), r#"a/b: -/r to [User("jane")] []"#),
        (RoleBinding, json!({"kind": "Group", "name": "ml"}), r#"a/b: -/r to [Group("ml")] []"#),
        (
            RoleBinding,
            json!({"kind": "ServiceAccount", "name": "x", "namespace": "c"}),
            r#"a/b: -/r to [User("system:serviceaccount:c:x")] []"#,
        ),
        // Without a namespace it is of the binding's own.
        (
            RoleBinding,
            json!({"kind": "ServiceAccount", "name": "x"}),
            r#"a/b: -/r to [User("system:serviceaccount:a:x")] []"#,
        ),
        (
            RoleBinding,
            json!({"kind": "ServiceAccount", "name": "x", "namespace": ""}),
            r#"a/b: -/r to [User("system:serviceaccount:a:x")] []"#,
        ),
        (
            ClusterRoleBinding,
            json!({"kind": "ServiceAccount", "name": "x"}),
            r#"-/b: -/r to [] ["service account \"x\" has no namespace"]"#,
        ),
        // The namespace of a user or a group is not looked at, nor is the API group of anybody.
        (
            ClusterRoleBinding,
            json!({"kind": "User", "name": "jane", "namespace": "c", "apiGroup": "example.com"}),
            r#"-/b: -/r to [User("jane")] []"#,
        ),
        (RoleBinding, json!({"kind": "user", "name": "jane"}), {
            r#"a/b: -/r to [] ["subject \"jane\" is of an unknown kind \"user\""]"#
        }),
        (RoleBinding, json!({"kind": "User"}), r#"a/b: -/r to [] ["a subject of kind \"User\" has no name"]"#),
        (RoleBinding, json!({}), r#"a/b: -/r to [] ["a subject of kind \"\" has no name"]"#),
    ] {
        assert_eq!(subject_of(kind, subject.clone()), expect, "{subject}");
    }
}

#[test]
fn one_bad_subject_does_not_spoil_the_others() {
    let subjects = json!([{"kind": "User", "name": ""}, {"kind": "User", "name": "jane"}]);
    let role = json!({"kind": "Role", "name": "r"});
    check(
        Kind::RoleBinding,
        json!({"metadata": {"name": "b", "namespace": "a"}, "roleRef": role, "subjects": subjects}),
        r#"a/b: a/r to [User("jane")] ["a subject of kind \"User\" has no name"]"#,
    );
}

#[test]
fn which_roles_are_bound() {
    use Kind::{ClusterRoleBinding, RoleBinding};
    for (kind, role, expect) in [
        (RoleBinding, json!({"kind": "Role", "name": "r"}), "a/b: a/r to [] []"),
        (RoleBinding, json!({"kind": "ClusterRole", "name": "r"}), "a/b: -/r to [] []"),
        (ClusterRoleBinding, json!({"kind": "ClusterRole", "name": "r"}), "-/b: -/r to [] []"),
        (ClusterRoleBinding, json!({"kind": "Role", "name": "r"}), {
            r#"-/b: nothing ["it binds a Role, which is of a namespace, in the whole cluster"]"#
        }),
        (RoleBinding, json!({"kind": "Robot", "name": "r"}), {
            r#"a/b: nothing ["it binds a \"Robot\", which is no kind of role"]"#
        }),
        (RoleBinding, json!({"kind": "Role"}), r#"a/b: nothing ["its role has no name"]"#),
        (RoleBinding, json!(null), r#"a/b: nothing ["its role has no name"]"#),
    ] {
        let metadata = if kind.is_namespaced() { json!({"name": "b", "namespace": "a"}) } else { json!({"name": "b"}) };
        assert_eq!(told(kind, json!({"metadata": metadata, "roleRef": role})), expect, "{role}");
    }
}

#[test]
fn roles() {
    let rule = json!({"apiGroups": null, "verbs": ["get"]});
    let metadata = json!({"name": "r", "namespace": "a"});
    check(Kind::Role, json!({"metadata": metadata, "rules": [rule, {}]}), "a/r: 2 rules []");
    check(Kind::Role, json!({"metadata": metadata, "rules": null}), "a/r: 0 rules []");
    check(Kind::ClusterRole, json!({"metadata": {"name": "r"}}), "-/r: 0 rules []");
    check(
        Kind::ClusterRole,
        json!({"metadata": {"name": "r"}, "rules": [{"verbs": "get"}]}),
        r#"-/r: nothing ["rules[0].verbs: invalid type: string \"get\", expected a sequence"]"#,
    );
}

#[test]
fn profiles() {
    let profile = |owner: Value, conditions: Value| json!({"metadata": {"name": "a"}, "spec": {"owner": owner}, "status": {"conditions": conditions}});
    let jane = json!({"kind": "User", "name": "jane"});
    check(Kind::Profile, profile(jane.clone(), json!(null)), r#"a/: of User("jane") []"#);
    check(Kind::Profile, profile(json!({"kind": "Group", "name": "ml"}), json!([])), r#"a/: of Group("ml") []"#);
    check(
        Kind::Profile,
        profile(json!({"kind": "ServiceAccount", "name": "x"}), json!([])),
        r#"a/: of User("system:serviceaccount:a:x") []"#,
    );
    check(
        Kind::Profile,
        profile(jane, json!([{"type": "Successful"}, {"type": "Failed", "status": "True"}])),
        "a/: nothing []",
    );
    check(
        Kind::Profile,
        profile(json!({"kind": "User"}), json!([])),
        r#"a/: nothing ["its owner: a subject of kind \"User\" has no name"]"#,
    );
    check(
        Kind::Profile,
        json!({"metadata": {"name": "a"}, "spec": {}}),
        r#"a/: nothing ["spec: missing field `owner`"]"#,
    );
    check(Kind::Profile, json!({"metadata": {"name": "a"}}), r#"a/: nothing ["missing field `spec`"]"#);
}

#[test]
fn objects_that_are_none() {
    check(Kind::Profile, json!({"metadata": {"name": "A.B"}}), {
        "? namespace \"A.B\" is not a valid name: at most 63 lower-case letters, digits and '-', with a letter or digit \
         at both ends"
    });
    for nothing in [json!(null), json!([]), json!({"metadata": []}), json!({"metadata": {"name": 5}})] {
        check(Kind::ClusterRole, nothing, "? it has no name");
    }
    check(Kind::Role, json!({"metadata": {"name": "r"}}), "? it has no namespace");
}
