//! The evaluator against the rules of Kubernetes.
use super::*;

fn rule(groups: &str, resources: &str, verbs: &str, names: &str) -> PolicyRule {
    let list = |text: &str| text.split(',').filter(|word| !word.is_empty()).map(str::to_owned).collect();
    PolicyRule {
        api_groups: if groups.is_empty() { vec![String::new()] } else { list(groups) },
        resources: list(resources),
        verbs: list(verbs),
        resource_names: list(names),
    }
}

#[track_caller]
fn check(rule: PolicyRule, verb: Verb, resource: Resource, name: &str, expect: bool) {
    let namespace = Namespace::parse("a").unwrap();
    let binding =
        Binding { subject: Subject::User("jane".into()), namespace: Some(namespace.clone()), rules: vec![rule] };
    let rbac = Rbac::new([], [binding]);
    let jane = Identity::forge("jane", &[]);
    assert_eq!(rbac.allows(&jane, verb, resource, Some(&namespace), name), expect);
    let other = Namespace::parse("b").unwrap();
    assert!(!rbac.allows(&jane, verb, resource, Some(&other), name), "a right leaked into another namespace");
    assert!(!rbac.allows(&jane, verb, resource, None, name), "a right leaked into the cluster");
}

const KFP: &str = "pipelines.kubeflow.org";

#[test]
fn rules_match_as_kubernetes_says() {
    use {Resource::*, Verb::*};
    check(rule(KFP, "runs", "get", ""), Get, Runs, "", true);
    check(rule(KFP, "runs", "get", ""), Get, Runs, "x", true);
    check(rule(KFP, "runs", "get", ""), List, Runs, "", false);
    check(rule(KFP, "runs", "get", ""), Get, Jobs, "", false);
    check(rule("*", "*", "*", ""), ReportMetrics, Runs, "", true);
    check(rule("kubeflow.org", "runs", "get", ""), Get, Runs, "", false);
    check(rule("kubeflow.org", "viewers", "get", ""), Get, Viewers, "", true);
    check(rule("", "serviceaccounts", "use", ""), Use, Serviceaccounts, "default", true);
    check(rule(KFP, "serviceaccounts", "use", ""), Use, Serviceaccounts, "default", false);
    check(rule(KFP, "runs/log", "get", ""), Get, Runs, "", false);
    check(rule(KFP, "*/log", "get", ""), Get, Runs, "", false);
    check(rule(KFP, "runs", "get", "r1,r2"), Get, Runs, "r2", true);
    check(rule(KFP, "runs", "get", "r1,r2"), Get, Runs, "r3", false);
    check(rule(KFP, "runs", "get,list", "r1"), List, Runs, "", false);
    check(rule(KFP, "runs", "create", "r1"), Create, Runs, "", false);
    check(rule(KFP, "runs", "GET", ""), Get, Runs, "", false);
}

#[test]
fn groups_count_and_masters_may_everything() {
    let namespace = Namespace::parse("a").unwrap();
    let rules = vec![rule(KFP, "runs", "get", "")];
    let binding = Binding { subject: Subject::Group("ml".into()), namespace: None, rules };
    let rbac = Rbac::new([], [binding]);
    let allows = |who: &Identity| rbac.allows(who, Verb::Get, Resource::Runs, Some(&namespace), "");
    assert!(allows(&Identity::forge("jane", &["x", "ml"])));
    assert!(!allows(&Identity::forge("ml", &["x"])), "a user is not a group of the same name");
    assert!(allows(&Identity::forge("admin", &[MASTERS])));
}
