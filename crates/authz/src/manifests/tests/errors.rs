//! What a person is told of broken manifests.
use crate::manifests::read;
use std::path::Path;

#[track_caller]
fn check(text: &str, expect: &[&str]) {
    let told = match read(Path::new("a.yaml"), text) {
        Ok(_) => Vec::new(),
        Err(problems) => problems.iter().map(ToString::to_string).collect(),
    };
    assert_eq!(told, expect);
}

/// A RoleBinding in which one piece is replaced.
fn binding(old: &str, new: &str) -> String {
    let good = "apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: b
  namespace: a
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: kubeflow-view
subjects:
- kind: User
  name: jane
";
    assert!(good.contains(old), "{old:?}");
    good.replacen(old, new, 1)
}

#[test]
fn syntax() {
    check("a: [", &["a.yaml:1:4: this is not YAML: unclosed bracket '['"]);
    check("a: 1\na: 2\n", &["a.yaml:2:1: this is not YAML: duplicate mapping key `a` is not allowed here"]);
    check(
        "just text",
        &["a.yaml:1:1: document 1: every object has a text `apiVersion` and a text `kind`, and one of them is missing"],
    );
}

#[test]
fn objects() {
    let text = "
apiVersion: kubeflow.org/v1
kind: Profile
metadata: {name: Jane}
spec: {owner: {kind: User, name: jane}}
---
apiVersion: kubeflow.org/v1
kind: Notebook
metadata: {name: nb}
---
apiVersion: kubeflow.org/v2
kind: Profile
metadata: {name: q}
---
apiVersion: rbac.authorization.k8s.io/v1beta1
kind: Role
metadata: {name: r, namespace: a}
---
kind: Role
---
apiVersion: kubeflow.org/v1
kind: Profile
metadata: {name: jane}
spec: {owner: {kind: Robot, name: jane}}
---
apiVersion: kubeflow.org/v1
kind: Profile
metadata: {name: no-spec}
---
apiVersion: kubeflow.org/v1
kind: Profile
metadata: {name: lists}
spec: {owner: [jane]}
---
apiVersion: kubeflow.org/v1
kind: Profile
metadata: {name: sa}
spec: {owner: {kind: ServiceAccount, name: bot}}
---
apiVersion: kubeflow.org/v1
kind: Profile
spec: {owner: {kind: User, name: on}}
---
apiVersion: v1
kind: List
items:
- apiVersion: rbac.authorization.k8s.io/v1
  kind: ClusterRole
  metadata: {name: c, namespace: a}
- apiVersion: rbac.authorization.k8s.io/v1
  kind: ClusterRole
  metadata: {name: d}
  rules:
  - {apiGroups: [''], resources: [pods], verbs: [get], resourceName: [x]}
- apiVersion: rbac.authorization.k8s.io/v1
  kind: ClusterRole
  metadata: {name: e}
  rules:
  - {apiGroups: [''], resources: [pods]}
- apiVersion: rbac.authorization.k8s.io/v1
  kind: ClusterRole
  metadata: {name: f}
  aggregationRule: {clusterRoleSelectors: [{matchExpressions: [{key: k, operator: Like, values: [v]}]}]}
- apiVersion: rbac.authorization.k8s.io/v1
  kind: ClusterRoleBinding
  metadata: {name: g}
  roleRef: {kind: Role, name: r}
---
apiVersion: v1
kind: List
items: 3
";
    check(
        text,
        &[
            "a.yaml:4:18: document 1, Profile \"Jane\": namespace \"Jane\" is not a valid name: at most 63 lower-case letters, digits and '-', with a letter or digit at both ends",
            "a.yaml:8:7: document 2, Notebook \"nb\": kubeflow.org/v1 Notebook is not understood: of these API groups, Profile, Role, ClusterRole, RoleBinding and ClusterRoleBinding are. Move it to another folder",
            "a.yaml:11:13: document 3, Profile \"q\": a Profile is of kubeflow.org/v1 or kubeflow.org/v1beta1, not of kubeflow.org/v2",
            "a.yaml:15:1: document 4, Role \"r\": invalid value: string \"rbac.authorization.k8s.io/v1beta1\", expected rbac.authorization.k8s.io/v1",
            "a.yaml:19:1: document 5: every object has a text `apiVersion` and a text `kind`, and one of them is missing",
            "a.yaml:24:22: document 6, Profile \"jane\": subject kind \"Robot\" is unknown: it is User, Group or ServiceAccount",
            "a.yaml:26:1: document 7, Profile \"no-spec\": missing field `spec`",
            "a.yaml:33:15: document 8, Profile \"lists\": invalid type: sequence, expected Subject",
            "a.yaml:38:15: document 9, Profile \"sa\": `namespace` is missing, which a ServiceAccount needs",
            "a.yaml:42:34: document 10, Profile \"\": invalid type: boolean `true`, expected a string; put it in quotes",
            "a.yaml:49:34: document 11, items[0], ClusterRole \"c\": a ClusterRole is of the whole cluster and has no namespace; remove it",
            "a.yaml:54:70: document 11, items[1], ClusterRole \"d\": field \"resourceName\" is unknown there",
            "a.yaml:59:5: document 11, items[2], ClusterRole \"e\": the rule lacks `verbs`",
            "a.yaml:63:44: document 11, items[3], ClusterRole \"f\": operator \"Like\" on \"k\" is none of In, NotIn, Exists and DoesNotExist",
            "a.yaml:67:19: document 11, items[4], ClusterRoleBinding \"g\": a ClusterRoleBinding binds a ClusterRole, not a Role",
            "a.yaml:71:8: document 12: a List has a list of `items`",
        ],
    );
}

#[test]
fn bindings() {
    check(&binding("", ""), &[]);
    for (old, new, expect) in [
        (
            "  namespace: a\n",
            "",
            "a.yaml:4:3: document 1, RoleBinding \"b\": `metadata.namespace` is missing: say in which namespace it holds",
        ),
        (
            "namespace: a",
            "namespace: A_B",
            "a.yaml:5:14: document 1, RoleBinding \"b\": namespace \"A_B\" is not a valid name: at most 63 lower-case letters, digits and '-', with a letter or digit at both ends",
        ),
        ("  name: b\n", "", "a.yaml:4:3: document 1, RoleBinding \"\": `metadata.name` is missing"),
        (
            "kind: User",
            "kind: Robot",
            "a.yaml:11:9: document 1, RoleBinding \"b\": subject kind \"Robot\" is unknown: it is User, Group or ServiceAccount",
        ),
        (
            "kind: User",
            "kind: ServiceAccount",
            "a.yaml:11:3: document 1, RoleBinding \"b\": `namespace` is missing, which a ServiceAccount needs",
        ),
        (
            "kind: User",
            "kind: ServiceAccount\n  namespace: a\n  apiGroup: rbac.authorization.k8s.io",
            "a.yaml:13:13: document 1, RoleBinding \"b\": apiGroup \"rbac.authorization.k8s.io\" does not go with kind ServiceAccount: it is \"\"",
        ),
        (
            "kind: User",
            "kind: User\n  namespace: a",
            "a.yaml:12:14: document 1, RoleBinding \"b\": a User has no namespace; remove it",
        ),
        (
            "  name: jane",
            "  name: a:b\n  kind2: x",
            "a.yaml:13:10: document 1, RoleBinding \"b\": field \"kind2\" is unknown there",
        ),
        (
            "  name: jane",
            "  name: 12",
            "a.yaml:12:9: document 1, RoleBinding \"b\": invalid type: integer `12`, expected a string; put it in quotes",
        ),
        (
            "kind: ClusterRole",
            "kind: Group",
            "a.yaml:8:9: document 1, RoleBinding \"b\": role kind \"Group\" is unknown: it is Role or ClusterRole",
        ),
        ("  name: kubeflow-view\n", "", "a.yaml:7:3: document 1, RoleBinding \"b\": `roleRef.name` is missing"),
        (
            "apiGroup: rbac.authorization.k8s.io",
            "apiGroup: rbac",
            "a.yaml:7:13: document 1, RoleBinding \"b\": roles are of rbac.authorization.k8s.io, not of \"rbac\"",
        ),
        ("subjects:", "subject:", "a.yaml:11:3: document 1, RoleBinding \"b\": field \"subject\" is unknown there"),
    ] {
        check(&binding(old, new), &[expect]);
    }
}

#[test]
fn an_object_twice_in_one_file() {
    let twice = format!("{}---\n{0}", binding("", ""));
    check(&twice, &["a.yaml:14:1: document 2, RoleBinding \"b\": it is in this file before, at line 1; keep one"]);
}

#[test]
fn what_is_fine() {
    check("", &[]);
    check("# nothing\n---\n---\n", &[]);
    check("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {a: b}\n", &[]);
    check("{\n\t\"apiVersion\": \"v1\",\n\t\"kind\": \"Namespace\",\n\t\"metadata\": {\"name\": \"c\"}\n}\n", &[]);
    check(
        "apiVersion: kubeflow.org/v1beta1
kind: Profile
metadata:
  name: jane
  finalizers: [profile-finalizer]
  creationTimestamp: 2026-01-02T03:04:05Z
spec:
  owner: {kind: User, name: jane, apiGroup: rbac.authorization.k8s.io}
  plugins:
  - {kind: WorkloadIdentity, spec: {gcpServiceAccount: a@b}}
  resourceQuotaSpec: {hard: {cpu: '2', memory: 2Gi}}
status:
  conditions: [{type: Successful, status: 'True', lastTransitionTime: x}]
",
        &[],
    );
}
