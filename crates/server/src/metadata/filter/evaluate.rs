//! Whether a node passes a filter. What is absent is neither equal nor unequal to anything, as in SQL.
use super::{
    Attribute, Comparison, Condition, Filter, Literal, Operand, PropertyKind, Surroundings, around::Neighbour,
};
use crate::metadata::messages::{self, Properties};
use api::ml_metadata::value;
use domain::{
    Error, Result,
    metadata::{Node, NodeContent, NodeKind},
};
use std::{cell::OnceCell, cmp::Ordering};

/// One node with one neighbour for each variable.
struct Place<'a> {
    node: &'a Node,
    neighbours: Vec<Neighbour<'a>>,
    properties: &'a OnceCell<Properties>,
}

/// Whether there are neighbours with which the condition holds.
pub(super) fn passes(filter: &Filter, node: &Node, around: &Surroundings) -> Result<bool> {
    let choices: Vec<Vec<Neighbour<'_>>> =
        filter.variables.iter().map(|(_, neighbours)| around.neighbours(*neighbours, node.id)).collect();
    if choices.iter().any(Vec::is_empty) {
        return Ok(false);
    }
    let properties = OnceCell::new();
    let mut chosen = vec![0; choices.len()];
    loop {
        let neighbours = choices.iter().zip(&chosen).map(|(choice, at)| choice[*at]).collect();
        let place = Place { node, neighbours, properties: &properties };
        if place.holds(&filter.condition)? == Some(true) {
            return Ok(true);
        }
        // The next combination, as a number is counted up.
        let Some(at) = (0..chosen.len()).find(|at| chosen[*at] + 1 < choices[*at].len()) else { return Ok(false) };
        chosen[at] += 1;
        chosen[..at].fill(0);
    }
}

impl Place<'_> {
    /// Nothing if it cannot be said.
    fn holds(&self, condition: &Condition) -> Result<Option<bool>> {
        Ok(match condition {
            Condition::And(all) => self.several(all, false)?,
            Condition::Or(all) => self.several(all, true)?,
            Condition::Not(inner) => self.holds(inner)?.map(|holds| !holds),
            Condition::Compare(one, comparison, other) => match (self.value(one), self.value(other)) {
                (Some(one), Some(other)) => compare(&one, &other)?.map(|order| comparison.allows(order)),
                _ => None,
            },
            Condition::In(operand, list) => {
                let Some(value) = self.value(operand) else { return Ok(None) };
                for literal in list {
                    if compare(&value, literal)? == Some(Ordering::Equal) {
                        return Ok(Some(true));
                    }
                }
                Some(false)
            }
            Condition::Like(operand, pattern) => match self.value(operand) {
                Some(Literal::Text(text)) => Some(like(&text, pattern)),
                Some(_) => return Err(Error::invalid("LIKE is for texts alone")),
                None => None,
            },
            Condition::IsNull(operand) => Some(self.value(operand).is_none()),
        })
    }

    /// Whether one of them is what decides, or none is.
    fn several(&self, all: &[Condition], decides: bool) -> Result<Option<bool>> {
        let mut result = Some(!decides);
        for condition in all {
            match self.holds(condition)? {
                Some(holds) if holds == decides => return Ok(Some(decides)),
                Some(_) => {}
                None => result = None,
            }
        }
        Ok(result)
    }

    fn value(&self, operand: &Operand) -> Option<Literal> {
        match operand {
            Operand::Literal(literal) => Some(literal.clone()),
            Operand::Attribute(attribute) => of_node(self.node, *attribute),
            Operand::OfNeighbour(at, attribute) => match self.neighbours[*at] {
                Neighbour::Context(node) => of_node(node, *attribute),
                Neighbour::Event(event) => Some(match attribute {
                    Attribute::ArtifactId => Literal::Int(event.artifact),
                    Attribute::ExecutionId => Literal::Int(event.execution),
                    Attribute::EventTime => Literal::Int(messages::millis(event.at)),
                    Attribute::EventType => Literal::Text(if event.is_output { "OUTPUT" } else { "INPUT" }.to_owned()),
                    _ => return None,
                }),
            },
            Operand::Property { custom: false, .. } => None,
            Operand::Property { custom: true, name, kind } => {
                let all = self.properties.get_or_init(|| messages::properties(self.node));
                match (all.get(name)?.value.as_ref()?, kind) {
                    (value::Value::IntValue(number), PropertyKind::Int) => Some(Literal::Int(*number)),
                    (value::Value::DoubleValue(number), PropertyKind::Double) => Some(Literal::Double(*number)),
                    (value::Value::StringValue(text), PropertyKind::Text) => Some(Literal::Text(text.clone())),
                    (value::Value::BoolValue(value), PropertyKind::Bool) => Some(Literal::Bool(*value)),
                    _ => None,
                }
            }
        }
    }
}

fn of_node(node: &Node, attribute: Attribute) -> Option<Literal> {
    let some = |text: &str| (!text.is_empty()).then(|| Literal::Text(text.to_owned()));
    match attribute {
        Attribute::Id => Some(Literal::Int(node.id)),
        Attribute::TypeId => Some(Literal::Int(node.node_type.id)),
        Attribute::Type => some(&node.node_type.name),
        Attribute::Name => some(&node.name),
        Attribute::Created => Some(Literal::Int(messages::millis(node.created_at))),
        Attribute::Updated => Some(Literal::Int(messages::millis(node.updated_at))),
        Attribute::Uri => match &node.content {
            NodeContent::Artifact(artifact) => some(&artifact.uri),
            _ => None,
        },
        Attribute::State => match (&node.content, node.kind) {
            (NodeContent::Artifact(artifact), _) => some(if artifact.materialized { "LIVE" } else { "DELETED" }),
            (_, NodeKind::Execution) => some(messages::state(node).as_str_name()),
            _ => None,
        },
        Attribute::ExternalId
        | Attribute::ArtifactId
        | Attribute::ExecutionId
        | Attribute::EventType
        | Attribute::EventTime => None,
    }
}

fn compare(one: &Literal, other: &Literal) -> Result<Option<Ordering>> {
    #[expect(clippy::cast_precision_loss, reason = "a double is what it is compared with")]
    let double = |number: &i64| *number as f64;
    Ok(match (one, other) {
        (Literal::Int(one), Literal::Int(other)) => Some(one.cmp(other)),
        (Literal::Int(one), Literal::Double(other)) => double(one).partial_cmp(other),
        (Literal::Double(one), Literal::Int(other)) => one.partial_cmp(&double(other)),
        (Literal::Double(one), Literal::Double(other)) => one.partial_cmp(other),
        (Literal::Text(one), Literal::Text(other)) => Some(one.cmp(other)),
        (Literal::Bool(one), Literal::Bool(other)) => Some(one.cmp(other)),
        _ => return Err(Error::invalid("a text, a number and a truth are not compared with each other")),
    })
}

impl Comparison {
    fn allows(self, order: Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::Unequal => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::AtMost => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::AtLeast => order.is_ge(),
        }
    }
}

/// Whether a text is as a pattern says: `%` is any letters, `_` one.
fn like(text: &str, pattern: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    // For each beginning of the text whether the pattern so far matches it.
    let mut fits = vec![false; text.len() + 1];
    fits[0] = true;
    for wanted in pattern.chars() {
        if wanted == '%' {
            let first = fits.iter().position(|fits| *fits).unwrap_or(fits.len());
            fits[first..].fill(true);
            continue;
        }
        for at in (0..text.len()).rev() {
            fits[at + 1] = fits[at] && (wanted == '_' || wanted == text[at]);
        }
        fits[0] = false;
    }
    fits[text.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{
        Artifact, ArtifactId, Namespace, Timestamp,
        metadata::{NodeEvent, NodeType},
    };
    use serde_json::json;

    fn node(id: i64, kind: NodeKind, type_name: &str, content: NodeContent) -> Node {
        Node {
            id,
            kind,
            namespace: Namespace::parse("a").unwrap(),
            node_type: NodeType { id: 21, of: kind, name: type_name.to_owned() },
            name: String::new(),
            created_at: Timestamp(5_000),
            updated_at: Timestamp(7_000),
            content,
        }
    }

    fn artifact() -> Node {
        let metadata = json!({"rows": 3, "format": "csv", "clean": true}).as_object().unwrap().clone();
        let artifact = Artifact {
            id: ArtifactId::from_text("x"),
            name: "data".into(),
            kind: "system.Dataset".into(),
            schema_version: String::new(),
            instance_schema: String::new(),
            uri: "s3://bucket/key".into(),
            metadata,
            materialized: true,
        };
        node(9, NodeKind::Artifact, "system.Dataset", NodeContent::Artifact(artifact))
    }

    fn context(id: i64, name: &str) -> Node {
        Node { name: name.into(), ..node(id, NodeKind::Context, "system.PipelineRun", NodeContent::Pipeline) }
    }

    #[track_caller]
    fn check(text: &str, expect: bool) {
        let around = Surroundings {
            contexts: [(9, vec![context(1, "one"), context(2, "two")])].into(),
            events: [(
                9,
                vec![NodeEvent {
                    execution: 4,
                    artifact: 9,
                    is_output: true,
                    name: "data".into(),
                    at: Timestamp(8_000),
                }],
            )]
            .into(),
            ..Surroundings::default()
        };
        let filter = Filter::parse(text, NodeKind::Artifact).unwrap();
        assert_eq!(filter.passes(&artifact(), &around).unwrap(), expect, "{text}");
    }

    #[test]
    fn attributes() {
        for (text, expect) in [
            ("id = 9", true),
            ("id != 9", false),
            ("id < 9.5", true),
            ("id IN (1, 9)", true),
            ("id NOT IN (1, 9)", false),
            ("id BETWEEN 9 AND 10", true),
            ("id NOT BETWEEN 9 AND 10", false),
            ("type = 'system.Dataset'", true),
            ("type_id = 21", true),
            ("uri LIKE 's3://%/k_y'", true),
            ("uri NOT LIKE 's3://%'", false),
            ("state = LIVE", true),
            ("state = 'DELETED'", false),
            ("create_time_since_epoch = 5 AND last_update_time_since_epoch >= 7", true),
            ("NOT id = 9 OR uri = 's3://bucket/key'", true),
            ("TRUE = FALSE", false),
        ] {
            check(text, expect);
        }
    }

    #[test]
    fn what_is_absent_is_neither_equal_nor_unequal() {
        for (text, expect) in [
            ("name = 'x'", false),
            ("name != 'x'", false),
            ("NOT name = 'x'", false),
            ("name IS NULL", true),
            ("name IS NOT NULL", false),
            ("name = 'x' OR id = 9", true),
            ("NOT (name = 'x' AND id = 9)", false),
            ("NOT (name = 'x' AND id = 8)", true),
            ("external_id IS NULL", true),
            ("properties.rows.int_value IS NULL", true),
        ] {
            check(text, expect);
        }
    }

    #[test]
    fn properties() {
        for (text, expect) in [
            ("custom_properties.rows.double_value > 2", true),
            ("custom_properties.rows.int_value > 2", false),
            ("custom_properties.`format`.string_value = \"csv\"", true),
            ("custom_properties.clean.int_value = 1", true),
            ("custom_properties.none.int_value IS NULL", true),
        ] {
            check(text, expect);
        }
    }

    #[test]
    fn neighbours() {
        for (text, expect) in [
            ("contexts_a.name = 'two' AND contexts_a.id = 2", true),
            ("contexts_a.name = 'two' AND contexts_a.id = 1", false),
            ("contexts_a.name = 'two' AND contexts_b.id = 1", true),
            ("events_0.type = OUTPUT AND events_0.execution_id = 4", true),
            ("events_0.type = INPUT", false),
            ("events_0.milliseconds_since_epoch = 8", true),
        ] {
            check(text, expect);
        }
        // Without a neighbour nothing is said of one.
        let filter = Filter::parse("contexts_a.id = 1 OR id = 9", NodeKind::Artifact).unwrap();
        assert!(!filter.passes(&artifact(), &Surroundings::default()).unwrap());
    }

    #[test]
    fn what_cannot_be_compared() {
        for text in ["id = 'x'", "uri > 1", "id LIKE 'x'", "id IN ('x')"] {
            let filter = Filter::parse(text, NodeKind::Artifact).unwrap();
            assert!(filter.passes(&artifact(), &Surroundings::default()).is_err(), "{text}");
        }
    }

    #[test]
    fn patterns() {
        for (text, pattern, expect) in [
            ("", "", true),
            ("", "%", true),
            ("abc", "%", true),
            ("abc", "a%c", true),
            ("abc", "a_c", true),
            ("abc", "a_", false),
            ("aXbXc", "a%X%c", true),
            ("abc", "%b", false),
            ("ab", "%%b", true),
        ] {
            assert_eq!(like(text, pattern), expect, "{text} {pattern}");
        }
    }
}
