//! Fields that a request names from outside the body: by path parameter or in the query.
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, Value};

/// How deep a dotted name may go. Without a bound a recursive message would let a long query build a value so deep
/// that encoding it overflows the stack.
const MAX_DEPTH: usize = 16;

/// A field, maybe of a nested message, as the way to it from the request.
#[derive(Clone, Debug)]
pub(crate) struct FieldPath {
    /// The singular messages on the way.
    way: Vec<FieldDescriptor>,
    leaf: FieldDescriptor,
}

impl FieldPath {
    /// Finds `a.b.c`, each part by proto name or by camelCase name. None if a part is unknown, or if one before the
    /// last is not a singular message.
    pub(crate) fn resolve(root: &MessageDescriptor, dotted: &str) -> Option<Self> {
        let mut parts = dotted.split('.');
        let mut leaf = field(root, parts.next()?)?;
        let mut way = Vec::new();
        for part in parts {
            let Kind::Message(message) = leaf.kind() else { return None };
            if leaf.is_list() || way.len() == MAX_DEPTH {
                return None;
            }
            way.push(std::mem::replace(&mut leaf, field(&message, part)?));
        }
        Some(Self { way, leaf })
    }

    pub(crate) fn leaf(&self) -> &FieldDescriptor {
        &self.leaf
    }

    /// The field of the request itself that this path begins with.
    pub(crate) fn head(&self) -> &FieldDescriptor {
        self.way.first().unwrap_or(&self.leaf)
    }

    /// The dotted proto names: the same for every spelling that a client may use.
    pub(crate) fn name(&self) -> String {
        let names: Vec<_> = self.way.iter().chain([&self.leaf]).map(FieldDescriptor::name).collect();
        names.join(".")
    }

    /// Sets the field in `message`, making the messages on the way. The value must be of the field's type.
    pub(crate) fn set(&self, message: &mut DynamicMessage, value: Value) {
        let mut place = message;
        for field in &self.way {
            let Some(next) = place.get_field_mut(field).as_message_mut() else { return };
            place = next;
        }
        place.set_field(&self.leaf, value);
    }
}

fn field(message: &MessageDescriptor, name: &str) -> Option<FieldDescriptor> {
    message.get_field_by_name(name).or_else(|| message.get_field_by_json_name(name))
}

/// Whether a value of this kind can be written as text in a path or a query.
pub(crate) fn is_scalar(kind: &Kind) -> bool {
    !matches!(kind, Kind::Message(_) | Kind::Bytes)
}

/// Reads one value from text; the error says what was expected.
pub(crate) fn scalar(kind: &Kind, text: &str) -> Result<Value, String> {
    let value = match kind {
        Kind::String => Some(Value::String(text.to_owned())),
        Kind::Bool => boolean(text).map(Value::Bool),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => text.parse().ok().map(Value::I32),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => text.parse().ok().map(Value::I64),
        Kind::Uint32 | Kind::Fixed32 => text.parse().ok().map(Value::U32),
        Kind::Uint64 | Kind::Fixed64 => text.parse().ok().map(Value::U64),
        Kind::Float => text.parse().ok().map(Value::F32),
        Kind::Double => text.parse().ok().map(Value::F64),
        Kind::Enum(names) => {
            let by_number = || names.get_value(text.parse().ok()?);
            names.get_value_by_name(text).or_else(by_number).map(|value| Value::EnumNumber(value.number()))
        }
        Kind::Bytes | Kind::Message(_) => None,
    };
    value.ok_or_else(|| match kind {
        Kind::Bool => format!("{text:?} is not true or false"),
        Kind::Enum(names) => {
            let known: Vec<_> = names.values().map(|value| value.name().to_owned()).collect();
            format!("{text:?} is not one of {}", known.join(", "))
        }
        Kind::Bytes | Kind::Message(_) => "this field can be given in the body only".to_owned(),
        other => format!("{text:?} is not a value of type {other:?}, or is out of its range"),
    })
}

/// Booleans as Go's `strconv.ParseBool` takes them; Python clients send `True`.
fn boolean(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}
