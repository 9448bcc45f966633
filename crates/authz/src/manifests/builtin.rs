//! The ClusterRoles that KFP and Kubeflow ship, which need not be in the folder; a file there may replace each.
//!
//! Names and labels are those of the shipped manifests, so that roles of others that aggregate to them, or take
//! from them, do so here as well. The verbs are those that the API server of KFP 2.17 asks for.
use super::{objects::Role, selector::Selector};
use access::PolicyRule;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use std::collections::BTreeMap;

/// What the owner of a profile is bound to.
pub(super) const ADMIN: &str = "kubeflow-admin";
/// What a profile's `default-editor` is bound to.
pub(super) const EDIT: &str = "kubeflow-edit";
/// What a profile's `default-viewer` is bound to.
pub(super) const VIEW: &str = "kubeflow-view";

const PIPELINES: &str = "pipelines.kubeflow.org";

/// Group, resources, verbs.
type Rules = &'static [(&'static str, &'static [&'static str], &'static [&'static str])];

const PIPELINES_VIEW: Rules = &[
    (PIPELINES, &["experiments", "jobs", "pipelines", "pipelineversions"], &["get", "list"]),
    (PIPELINES, &["runs"], &["get", "list", "readArtifact"]),
    (PIPELINES, &["visualizations"], &["create"]),
    ("kubeflow.org", &["viewers"], &["create", "delete", "get"]),
];

const PIPELINES_EDIT: Rules = &[
    (PIPELINES, &["pipelines", "pipelineversions"], &["create", "delete", "update"]),
    (PIPELINES, &["experiments"], &["archive", "create", "delete", "unarchive"]),
    (
        PIPELINES,
        &["runs"],
        &["archive", "create", "delete", "readArtifact", "reportMetrics", "retry", "terminate", "unarchive"],
    ),
    (PIPELINES, &["jobs"], &["create", "delete", "disable", "enable"]),
];

/// Where a role's rules come from.
enum From {
    Rules(Rules),
    /// From the roles that are labelled as aggregating to this one.
    Aggregated,
}

/// Name, source of the rules, and the roles that it aggregates to.
const ROLES: &[(&str, From, &[&str])] = &[
    (ADMIN, From::Aggregated, &[]),
    (EDIT, From::Aggregated, &[ADMIN]),
    (VIEW, From::Aggregated, &[EDIT]),
    ("kubeflow-pipelines-edit", From::Aggregated, &[EDIT]),
    ("kubeflow-pipelines-view", From::Aggregated, &["kubeflow-pipelines-edit", VIEW]),
    ("aggregate-to-kubeflow-pipelines-edit", From::Rules(PIPELINES_EDIT), &["kubeflow-pipelines-edit"]),
    ("aggregate-to-kubeflow-pipelines-view", From::Rules(PIPELINES_VIEW), &["kubeflow-pipelines-view"]),
];

/// The shipped roles, not yet aggregated.
pub(super) fn roles() -> impl Iterator<Item = Role> {
    ROLES.iter().map(|(name, from, to)| {
        let (rules, aggregates) = match from {
            From::Rules(rules) => (rules.iter().map(|&rule| policy_rule(rule)).collect(), None),
            From::Aggregated => (Vec::new(), selector(name).map(|selector| vec![selector])),
        };
        let labels = to.iter().map(|to| (label(to), "true".to_owned())).collect();
        Role { namespace: None, name: (*name).to_owned(), labels, rules, aggregates }
    })
}

fn policy_rule((group, resources, verbs): (&str, &[&str], &[&str])) -> PolicyRule {
    let list = |items: &[&str]| items.iter().map(|&item| item.to_owned()).collect();
    PolicyRule {
        api_groups: list(&[group]),
        resources: list(resources),
        verbs: list(verbs),
        resource_names: Vec::new(),
    }
}

fn selector(role: &str) -> Option<Selector> {
    let match_labels = Some(BTreeMap::from([(label(role), "true".to_owned())]));
    Selector::parse(&LabelSelector { match_labels, match_expressions: None }).ok()
}

fn label(role: &str) -> String {
    format!("rbac.authorization.kubeflow.org/aggregate-to-{role}")
}
