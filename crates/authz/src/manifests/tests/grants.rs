//! What good manifests grant.
use super::{JANE, facts};
use access::{Identity, Rbac};
use api::access::{Resource, Verb};
use domain::Namespace;
use std::{fs, path::Path};

const KFP: &str = "pipelines.kubeflow.org";

/// Whether a user with one group may `verb` the runs of a namespace.
fn may(rbac: &Rbac, user: &str, group: &str, verb: Verb, namespace: &str) -> bool {
    let namespace = Namespace::parse(namespace).unwrap();
    rbac.allows(&Identity::forge(user, &[group]), verb, Resource::Runs, Some(&namespace), "")
}

fn object(kind: &str, metadata: &str, rest: &str) -> String {
    format!("apiVersion: rbac.authorization.k8s.io/v1\nkind: {kind}\nmetadata: {metadata}\n{rest}\n---\n")
}

#[test]
fn a_profile_becomes_what_its_controller_makes() {
    let facts = facts(&[JANE]);
    let mut lines = vec![format!("tenants {:?}", facts.tenants)];
    for (subject, namespace, rules) in &facts.held() {
        lines.push(format!("in {namespace:?}: {subject:?}"));
        lines.extend(rules.iter().map(|rule| {
            format!("    {} {} {}", rule.api_groups.join(","), rule.resources.join(","), rule.verbs.join(","))
        }));
    }
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn owners_of_every_kind() {
    for (owner, user, group) in [
        ("{kind: User, name: jane}", "jane", "x"),
        ("{kind: Group, name: ml}", "anybody", "ml"),
        ("{kind: ServiceAccount, name: bot, namespace: ci}", "system:serviceaccount:ci:bot", "x"),
    ] {
        let text =
            format!("apiVersion: kubeflow.org/v1beta1\nkind: Profile\nmetadata: {{name: a}}\nspec: {{owner: {owner}}}");
        let rbac = facts(&[&text]).rbac();
        assert!(may(&rbac, user, group, Verb::Delete, "a"), "{owner}");
        assert!(!may(&rbac, "other", "x", Verb::Get, "a"), "{owner}");
        assert_eq!(rbac.owned_by(&Identity::forge(user, &[group])).count(), 1, "{owner}");
    }
}

#[test]
fn a_failed_profile_closes_its_namespace() {
    let binding = object(
        "RoleBinding",
        "{name: b, namespace: jane-doe}",
        "roleRef: {kind: ClusterRole, name: kubeflow-view}\nsubjects: [{kind: User, name: viewer}]",
    );
    for (status, open) in [("True", false), ("False", true), ("Unknown", true)] {
        let text = format!("{JANE}status: {{conditions: [{{type: Failed, status: '{status}'}}]}}\n");
        let rbac = facts(&[&binding, &text]).rbac();
        assert_eq!(rbac.is_tenant(&Namespace::parse("jane-doe").unwrap()), open, "{status}");
        assert_eq!(may(&rbac, "jane@example.com", "x", Verb::Get, "jane-doe"), open, "{status}");
        assert_eq!(may(&rbac, "viewer", "x", Verb::Get, "jane-doe"), open, "{status}");
    }
}

#[test]
fn bindings_hold_where_they_say() {
    let runs = format!("rules: [{{apiGroups: [{KFP}], resources: [runs], verbs: [get]}}]");
    let text = [
        object("Role", "{name: r, namespace: a}", &runs),
        object(
            "ClusterRole",
            "{name: r}",
            &format!("rules: [{{apiGroups: [{KFP}], resources: [runs], verbs: [list]}}]"),
        ),
        object(
            "RoleBinding",
            "{name: to-role, namespace: a}",
            "roleRef: {kind: Role, name: r}\nsubjects: [{kind: User, name: u}]",
        ),
        object(
            "RoleBinding",
            "{name: to-cluster-role, namespace: b}",
            "roleRef: {kind: ClusterRole, name: r}\nsubjects: [{kind: Group, name: g}]",
        ),
        object(
            "ClusterRoleBinding",
            "{name: everywhere}",
            "roleRef: {kind: ClusterRole, name: r}\nsubjects: [{kind: ServiceAccount, name: s, namespace: ci}]",
        ),
        object(
            "RoleBinding",
            "{name: dangling, namespace: b}",
            "roleRef: {kind: Role, name: r}\nsubjects: [{kind: User, name: u}]",
        ),
        object("ClusterRoleBinding", "{name: dangling}", "roleRef: {kind: ClusterRole, name: none}"),
    ]
    .concat();
    let facts = facts(&[&text]);
    let warnings: Vec<_> = facts.warnings.iter().map(String::as_str).collect();
    assert_eq!(
        warnings,
        [
            "ClusterRoleBinding dangling grants nothing: there is no ClusterRole none",
            "RoleBinding b/dangling grants nothing: there is no Role b/r",
        ]
    );
    let rbac = facts.rbac();
    for (user, group, verb, namespace, expect) in [
        ("u", "x", Verb::Get, "a", true),
        ("u", "x", Verb::List, "a", false),
        ("u", "x", Verb::Get, "b", false),
        ("v", "g", Verb::List, "b", true),
        ("v", "g", Verb::List, "a", false),
        ("g", "x", Verb::List, "b", false),
        ("system:serviceaccount:ci:s", "x", Verb::List, "c", true),
        ("s", "x", Verb::List, "c", false),
    ] {
        assert_eq!(may(&rbac, user, group, verb, namespace), expect, "{user} {group} {verb} {namespace}");
    }
}

#[test]
fn cluster_roles_aggregate_to_a_fixpoint() {
    let rule = |verb: &str| format!("rules: [{{apiGroups: [{KFP}], resources: [runs], verbs: [{verb}]}}]");
    let select = |what: &str| format!("{}\naggregationRule: {{clusterRoleSelectors: [{what}]}}", rule("delete"));
    let text = [
        // A ring of two, one of which also takes from a third.
        object("ClusterRole", "{name: one, labels: {l: one}}", &select("{matchLabels: {l: two}}")),
        object(
            "ClusterRole",
            "{name: two, labels: {l: two}}",
            &select("{matchLabels: {l: one}}, {matchLabels: {l: x}}"),
        ),
        object("ClusterRole", "{name: three, labels: {l: x}}", &rule("retry")),
        object(
            "ClusterRole",
            "{name: in, labels: {}}",
            &select("{matchExpressions: [{key: l, operator: In, values: [x]}]}"),
        ),
        object("ClusterRole", "{name: exists}", &select("{matchExpressions: [{key: l, operator: Exists}]}")),
        object("ClusterRole", "{name: none}", "aggregationRule: {}"),
        object(
            "ClusterRole",
            "{name: not}",
            &select("{matchLabels: {l: x}, matchExpressions: [{key: l, operator: NotIn, values: [x]}]}"),
        ),
        object(
            "ClusterRole",
            "{name: absent}",
            &select("{matchLabels: {l: x}, matchExpressions: [{key: k, operator: DoesNotExist}]}"),
        ),
        object(
            "ClusterRole",
            "{name: extra, labels: {rbac.authorization.kubeflow.org/aggregate-to-kubeflow-pipelines-view: 'true'}}",
            &rule("terminate"),
        ),
    ]
    .concat();
    for (role, verb, expect) in [
        ("one", Verb::Retry, true),
        ("one", Verb::Delete, false),
        ("two", Verb::Retry, true),
        ("in", Verb::Retry, true),
        ("exists", Verb::Retry, true),
        ("exists", Verb::Get, false),
        ("none", Verb::Get, false),
        ("not", Verb::Retry, false),
        ("absent", Verb::Retry, true),
        ("kubeflow-view", Verb::Terminate, true),
        ("kubeflow-view", Verb::Get, true),
        ("kubeflow-view", Verb::Create, false),
        ("kubeflow-pipelines-view", Verb::Terminate, true),
        ("kubeflow-edit", Verb::Create, true),
        ("kubeflow-pipelines-edit", Verb::Create, true),
        ("kubeflow-admin", Verb::ReportMetrics, true),
    ] {
        let binding = object(
            "RoleBinding",
            "{name: b, namespace: a}",
            &format!("roleRef: {{kind: ClusterRole, name: {role}}}\nsubjects: [{{kind: User, name: u}}]"),
        );
        let rbac = facts(&[&text, &binding]).rbac();
        assert_eq!(may(&rbac, "u", "x", verb, "a"), expect, "{role} {verb}");
    }
}

#[test]
fn a_file_replaces_a_shipped_role() {
    let narrower = object("ClusterRole", "{name: aggregate-to-kubeflow-pipelines-edit}", "rules: []");
    let rbac = facts(&[JANE, &narrower]).rbac();
    assert!(!may(&rbac, "jane@example.com", "x", Verb::Create, "jane-doe"));
}

#[test]
fn the_examples_load() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/examples/profiles");
    let texts = ["jane-doe.yaml", "john-roe.yaml"].map(|name| fs::read_to_string(folder.join(name)).unwrap());
    let facts = facts(&texts.each_ref().map(String::as_str));
    assert!(facts.warnings.is_empty());
    let rbac = facts.rbac();
    for (user, verb, jane, john) in [
        ("jane@example.com", Verb::Create, true, false),
        ("john@example.com", Verb::Create, false, true),
        ("viewer@example.com", Verb::Get, true, false),
        ("viewer@example.com", Verb::Create, false, false),
    ] {
        assert_eq!(may(&rbac, user, "x", verb, "jane-doe"), jane, "{user} {verb}");
        assert_eq!(may(&rbac, user, "x", verb, "john-roe"), john, "{user} {verb}");
    }
}
