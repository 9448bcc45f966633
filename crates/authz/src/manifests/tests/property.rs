//! Whatever the manifests, a Profile and the bindings beside it reach no further than their namespaces.
use super::facts;
use access::Subject;
use proptest::prelude::*;
use std::collections::BTreeSet;

#[derive(Clone, Debug)]
struct Given {
    namespace: &'static str,
    owner: &'static str,
    failed: bool,
    /// Of its own namespace: whom it binds to which role.
    bindings: Vec<(&'static str, &'static str)>,
}

fn given() -> impl Strategy<Value = Given> {
    let user = || prop::sample::select(vec!["jane", "john", "jill"]);
    let role = prop::sample::select(vec!["kubeflow-admin", "kubeflow-edit", "kubeflow-view", "no-such-role"]);
    let namespace = prop::sample::select(vec!["a", "b", "c", "d"]);
    (namespace, user(), any::<bool>(), prop::collection::vec((user(), role), 0..3))
        .prop_map(|(namespace, owner, failed, bindings)| Given { namespace, owner, failed, bindings })
}

fn text(given: &Given) -> String {
    let Given { namespace, owner, failed, bindings } = given;
    let status = if *failed { "True" } else { "False" };
    let mut text = format!(
        "apiVersion: kubeflow.org/v1\nkind: Profile\nmetadata: {{name: {namespace}}}\n\
         spec: {{owner: {{kind: User, name: {owner}}}}}\n\
         status: {{conditions: [{{type: Failed, status: '{status}'}}]}}\n"
    );
    for (index, (user, role)) in bindings.iter().enumerate() {
        text += &format!(
            "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\n\
             metadata: {{name: b{index}, namespace: {namespace}}}\n\
             roleRef: {{kind: ClusterRole, name: {role}}}\nsubjects: [{{kind: User, name: {user}}}]\n"
        );
    }
    text
}

proptest! {
    #[test]
    fn grants_stay_in_their_namespace(all in prop::collection::vec(given(), 0..4)) {
        let mut namespaces = BTreeSet::new();
        let all: Vec<Given> = all.into_iter().filter(|given| namespaces.insert(given.namespace)).collect();
        let texts: Vec<String> = all.iter().map(text).collect();
        let facts = facts(&texts.iter().map(String::as_str).collect::<Vec<_>>());

        let open: BTreeSet<&str> = all.iter().filter(|given| !given.failed).map(|given| given.namespace).collect();
        let tenants: BTreeSet<&str> = facts.tenants.iter().map(|tenant| tenant.namespace.as_str()).collect();
        prop_assert_eq!(&tenants, &open);
        for (subject, namespace, _) in &facts.held() {
            let namespace = namespace.as_ref().map(|namespace| namespace.as_str());
            let given = all.iter().find(|given| Some(given.namespace) == namespace && !given.failed);
            let Some(given) = given else { return Err(TestCaseError::fail("a grant outside of every namespace")) };
            let account = |name: &str| format!("system:serviceaccount:{}:{name}", given.namespace);
            let meant = [given.owner.to_owned(), account("default-editor"), account("default-viewer")];
            let bound = given.bindings.iter().map(|(user, _)| (*user).to_owned());
            let Subject::User(user) = subject else { return Err(TestCaseError::fail("a group out of nowhere")) };
            prop_assert!(meant.into_iter().chain(bound).any(|known| known == *user), "{} was not named", user);
        }
    }
}
