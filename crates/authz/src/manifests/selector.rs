//! Label selectors, by which ClusterRoles are aggregated.
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, LabelSelectorRequirement};
use std::collections::BTreeMap;

/// A checked selector: all of its conditions must hold. One without conditions selects everything.
#[derive(Clone, Debug)]
pub(super) struct Selector(Vec<(String, Condition)>);

#[derive(Clone, Debug)]
enum Condition {
    In(Vec<String>),
    /// Holds for what lacks the label, too.
    NotIn(Vec<String>),
    Exists,
    DoesNotExist,
}

impl Selector {
    /// # Errors
    /// What is wrong with which condition.
    pub(super) fn parse(selector: &LabelSelector) -> Result<Self, String> {
        let labels = selector.match_labels.iter().flatten();
        let mut conditions: Vec<_> =
            labels.map(|(key, value)| (key.clone(), Condition::In(vec![value.clone()]))).collect();
        for expression in selector.match_expressions.iter().flatten() {
            conditions.push((expression.key.clone(), Condition::parse(expression)?));
        }
        Ok(Self(conditions))
    }

    pub(super) fn selects(&self, labels: &BTreeMap<String, String>) -> bool {
        self.0.iter().all(|(key, condition)| condition.holds(labels.get(key)))
    }
}

impl Condition {
    fn parse(expression: &LabelSelectorRequirement) -> Result<Self, String> {
        let LabelSelectorRequirement { key, operator, values } = expression;
        let values = values.clone().unwrap_or_default();
        match (operator.as_str(), values.is_empty()) {
            _ if key.is_empty() => Err("a condition lacks its `key`".into()),
            ("In", false) => Ok(Condition::In(values)),
            ("NotIn", false) => Ok(Condition::NotIn(values)),
            ("Exists", true) => Ok(Condition::Exists),
            ("DoesNotExist", true) => Ok(Condition::DoesNotExist),
            ("In" | "NotIn", true) => Err(format!("operator {operator} on {key:?} needs `values`")),
            ("Exists" | "DoesNotExist", false) => Err(format!("operator {operator} on {key:?} takes no `values`")),
            _ => Err(format!("operator {operator:?} on {key:?} is none of In, NotIn, Exists and DoesNotExist")),
        }
    }

    fn holds(&self, label: Option<&String>) -> bool {
        match self {
            Condition::In(values) => label.is_some_and(|label| values.contains(label)),
            Condition::NotIn(values) => label.is_none_or(|label| !values.contains(label)),
            Condition::Exists => label.is_some(),
            Condition::DoesNotExist => label.is_none(),
        }
    }
}
