//! YAML with the place of every node, so that whatever is wrong with a value can be pointed at.
use crate::problem::Place;
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{DeserializeOwned, MapAccess, SeqAccess, Visitor},
};
use serde_json::Value;
use serde_saphyr::Spanned;
use std::fmt;

/// A value and where it stands.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) place: Place,
    data: Data,
}

#[derive(Debug)]
enum Data {
    Leaf(Value),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

/// What is wrong with a node, and the way to it from the node that was looked at.
pub(super) struct Wrong {
    /// Names and indices, each after a `/`.
    pub(super) at: String,
    pub(super) what: String,
}

impl Wrong {
    pub(super) fn new(at: impl Into<String>, what: impl Into<String>) -> Self {
        Self { at: at.into(), what: what.into() }
    }
}

impl Node {
    /// The documents of a text; empty ones are left out.
    pub(super) fn documents(text: &str) -> Result<Vec<Node>, serde_saphyr::Error> {
        // The size of the file bounds the work. The default limits are below what a List of 10,000 Profiles takes.
        let options = serde_saphyr::options! {
            budget: serde_saphyr::budget! {
                max_documents: 1_000_000,
                max_events: 10_000_000,
                max_nodes: 5_000_000,
            },
            with_snippet: false,
        };
        serde_saphyr::from_multiple_with_options(text, options)
    }

    /// The node at the end of the way, or the last one on it that exists.
    pub(super) fn seek(&self, way: &str) -> &Node {
        let mut node = self;
        for step in way.split('/').filter(|step| !step.is_empty()) {
            let next = match &node.data {
                Data::Leaf(_) => None,
                Data::List(items) => step.parse::<usize>().ok().and_then(|index| items.get(index)),
                Data::Map(entries) => entries.iter().find(|(key, _)| key == step).map(|(_, value)| value),
            };
            match next {
                Some(next) => node = next,
                None => return node,
            }
        }
        node
    }

    /// A field that is a text.
    pub(super) fn text(&self, field: &str) -> Option<&str> {
        match &self.field(field)?.data {
            Data::Leaf(Value::String(text)) => Some(text),
            _ => None,
        }
    }

    /// A field that is a list.
    pub(super) fn list(&self, field: &str) -> Option<&[Node]> {
        match &self.field(field)?.data {
            Data::List(items) => Some(items),
            _ => None,
        }
    }

    fn field(&self, field: &str) -> Option<&Node> {
        let Data::Map(entries) = &self.data else { return None };
        entries.iter().find(|(key, _)| key == field).map(|(_, value)| value)
    }

    /// The node as a `T` that has every field which the node has, those of metadata and status aside. A mistyped
    /// field must not be overlooked: without its `resourceNames` a rule grants more than its author meant.
    pub(super) fn typed<T: DeserializeOwned + Serialize>(&self) -> Result<T, Wrong> {
        let value = self.value();
        let typed: T = serde_path_to_error::deserialize(&value).map_err(|error| {
            let at = error.path().to_string().replace(['.', '['], "/").replace(']', "");
            let what = error.into_inner().to_string();
            // YAML takes `no`, `on` and `12` for other things than texts.
            let hint = if what.ends_with("expected a string") { "; put it in quotes" } else { "" };
            Wrong::new(at, format!("{what}{hint}"))
        })?;
        let known = serde_json::to_value(&typed).map_err(|error| Wrong::new("", error.to_string()))?;
        let Some(at) = foreign(&value, &known, "") else { return Ok(typed) };
        let (_, name) = at.rsplit_once('/').unwrap_or_default();
        Err(Wrong::new(&at, format!("field {name:?} is unknown there")))
    }

    fn value(&self) -> Value {
        match &self.data {
            Data::Leaf(value) => value.clone(),
            Data::List(items) => items.iter().map(Node::value).collect(),
            Data::Map(entries) => entries.iter().map(|(key, node)| (key.clone(), node.value())).collect(),
        }
    }
}

/// The way to a field of `given` that `known` lacks.
fn foreign(given: &Value, known: &Value, at: &str) -> Option<String> {
    match (given, known) {
        (Value::Object(given), Value::Object(known)) => given.iter().find_map(|(key, value)| {
            if value.is_null() || (at.is_empty() && (key == "metadata" || key == "status")) {
                return None;
            }
            let here = format!("{at}/{key}");
            match known.get(key) {
                None => Some(here),
                Some(known) => foreign(value, known, &here),
            }
        }),
        (Value::Array(given), Value::Array(known)) => given
            .iter()
            .zip(known)
            .enumerate()
            .find_map(|(index, (given, known))| foreign(given, known, &format!("{at}/{index}"))),
        _ => None,
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Spanned { value: data, referenced: at, .. } = Spanned::deserialize(deserializer)?;
        Ok(Node { place: Place { line: at.line(), column: at.column() }, data })
    }
}

impl<'de> Deserialize<'de> for Data {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DataVisitor)
    }
}

struct DataVisitor;

impl<'de> Visitor<'de> for DataVisitor {
    type Value = Data;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Data, E> {
        Ok(Data::Leaf(Value::Null))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Data, E> {
        Ok(Data::Leaf(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Data, E> {
        Ok(Data::Leaf(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Data, E> {
        Ok(Data::Leaf(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Data, E> {
        Ok(Data::Leaf(value.into()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Data, E> {
        Ok(Data::Leaf(value.into()))
    }

    fn visit_string<E>(self, value: String) -> Result<Data, E> {
        Ok(Data::Leaf(value.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Data, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Data::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Data, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Data::Map(entries))
    }
}
