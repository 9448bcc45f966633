//! What the JSON reader of prost-reflect lets pass and protobuf's JSON form does not: fields that come twice, and
//! nesting beyond what a protobuf decoder takes.
use std::{cell::Cell, collections::HashSet, fmt};

use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// Levels of protobuf messages that a body may have. Decoders refuse at 100, and a few are kept for the request
/// around the body. JSON inside a Struct takes three for each of its own.
const MAX_LEVELS: usize = 92;

/// The most values that a body may have. In memory each takes some hundred times what it takes as text.
const MAX_VALUES: usize = 100_000;

/// What the JSON at a place stands for.
#[derive(Clone)]
enum Shape {
    Message(MessageDescriptor),
    /// A map, with the shape of its values.
    Map(Box<Shape>),
    /// A scalar, or one of the well-known types that are written as free JSON.
    Free,
}

/// One place in the text, how many messages are around it, and how many values may come yet.
struct Place<'a> {
    shape: Shape,
    level: usize,
    left: &'a Cell<usize>,
}

/// Walks the JSON of a message. Wrong types are not its business.
pub(crate) fn check<'de, D: Deserializer<'de>>(descriptor: &MessageDescriptor, json: D) -> Result<(), D::Error> {
    let left = Cell::new(MAX_VALUES);
    Place { shape: Shape::of_message(descriptor.clone()), level: 0, left: &left }.deserialize(json)
}

impl Shape {
    fn of_message(message: MessageDescriptor) -> Self {
        if message.package_name() == "google.protobuf" { Self::Free } else { Self::Message(message) }
    }

    fn of_kind(kind: Kind) -> Self {
        match kind {
            Kind::Message(message) => Self::of_message(message),
            _ => Self::Free,
        }
    }

    fn of_field(field: &FieldDescriptor) -> Self {
        match field.kind() {
            Kind::Message(entry) if field.is_map() => {
                Self::Map(Box::new(Self::of_kind(entry.map_entry_value_field().kind())))
            }
            kind => Self::of_kind(kind),
        }
    }

    /// The one name of a key in an object of this shape, and the shape of what it holds.
    fn child(&self, key: String) -> (String, Self) {
        match self {
            Self::Message(message) => {
                let field = message.get_field_by_json_name(&key).or_else(|| message.get_field_by_name(&key));
                match field {
                    Some(field) => (field.name().to_owned(), Self::of_field(&field)),
                    None => (key, Self::Free),
                }
            }
            Self::Map(value) => (key, Self::clone(value)),
            Self::Free => (key, Self::Free),
        }
    }
}

impl Place<'_> {
    /// The place `levels` further in.
    fn inside<E: Error>(&self, shape: Shape, levels: usize) -> Result<Self, E> {
        let level = self.level + levels;
        if level > MAX_LEVELS {
            return Err(E::custom("nested too deeply"));
        }
        Ok(Self { shape, level, left: self.left })
    }
}

impl<'de> DeserializeSeed<'de> for Place<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        let Some(left) = self.left.get().checked_sub(1) else {
            return Err(D::Error::custom(format!("it has more than {MAX_VALUES} values")));
        };
        self.left.set(left);
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Place<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let levels = if matches!(self.shape, Shape::Free) { 3 } else { 1 };
        let mut seen = HashSet::new();
        while let Some(key) = map.next_key::<String>()? {
            let (name, shape) = self.shape.child(key);
            map.next_value_seed(self.inside(shape, levels)?)?;
            if let Some(name) = seen.replace(name) {
                return Err(A::Error::custom(format!("field {name:?} is given twice")));
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let levels = if matches!(self.shape, Shape::Free) { 2 } else { 0 };
        while list.next_element_seed(self.inside(self.shape.clone(), levels)?)?.is_some() {}
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
}
