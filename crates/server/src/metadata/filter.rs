//! Filter queries of ML metadata: conditions on attributes, on properties, and on what is connected with a node. The
//! variables of neighbours (`contexts_a`, `events_0`) each stand for one neighbour, and a node passes if there are
//! neighbours for all of them with which the condition holds.
mod around;
mod evaluate;
mod narrow;
mod parse;
mod words;

use domain::{
    Result,
    metadata::{Node, NodeKind},
};

pub(super) use around::Surroundings;

/// A filter that has been read, for nodes of one kind.
#[derive(Debug)]
pub(super) struct Filter {
    condition: Condition,
    /// The variables, each of its kind of neighbours.
    variables: Vec<(String, Neighbours)>,
}

/// Which neighbours a variable is one of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Neighbours {
    Contexts,
    Events,
    Parents,
    Children,
}

#[derive(Debug, PartialEq)]
enum Condition {
    And(Vec<Condition>),
    Or(Vec<Condition>),
    Not(Box<Condition>),
    Compare(Operand, Comparison, Operand),
    In(Operand, Vec<Literal>),
    /// With `%` and `_`.
    Like(Operand, String),
    IsNull(Operand),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    Equal,
    Unequal,
    Less,
    AtMost,
    Greater,
    AtLeast,
}

#[derive(Clone, Debug, PartialEq)]
enum Operand {
    Literal(Literal),
    /// Of the node itself.
    Attribute(Attribute),
    /// Of the neighbour that a variable stands for.
    OfNeighbour(usize, Attribute),
    Property {
        custom: bool,
        name: String,
        kind: PropertyKind,
    },
}

#[derive(Clone, Debug, PartialEq)]
enum Literal {
    Int(i64),
    Double(f64),
    Text(String),
    Bool(bool),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Attribute {
    Id,
    TypeId,
    Type,
    Name,
    ExternalId,
    Uri,
    State,
    Created,
    Updated,
    ArtifactId,
    ExecutionId,
    EventType,
    EventTime,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PropertyKind {
    Int,
    Double,
    Text,
    Bool,
}

impl Filter {
    /// Reads a filter for nodes of a kind.
    ///
    /// # Errors
    /// `InvalidArgument`, with what is wrong and where.
    pub(super) fn parse(text: &str, kind: NodeKind) -> Result<Self> {
        let (condition, variables) = parse::parse(text, kind).map_err(|error| error.at("filter_query"))?;
        Ok(Self { condition, variables })
    }

    /// Whether a node passes.
    ///
    /// # Errors
    /// `InvalidArgument` if what is compared cannot be.
    pub(super) fn passes(&self, node: &Node, around: &Surroundings) -> Result<bool> {
        evaluate::passes(self, node, around).map_err(|error| error.at("filter_query"))
    }

    fn asks_for(&self, neighbours: Neighbours) -> bool {
        self.variables.iter().any(|(_, of)| *of == neighbours)
    }
}
