//! Between `google.protobuf.Struct` and JSON. Its numbers are doubles; whole ones become integers again, since Python
//! components ask for `int`.
use domain::{Error, Result};
use prost_types::{ListValue, Struct, Value as Wire, value::Kind};
use serde_json::{Map, Value};

/// How deep a value may nest: deeper ones could not be written to REST again.
const MAX_DEPTH: usize = 25;

pub(crate) fn to_struct(object: Map<String, Value>) -> Struct {
    Struct { fields: object.into_iter().map(|(key, value)| (key, to_wire(value))).collect() }
}

/// A value as protobuf has it.
pub(crate) fn to_wire(value: Value) -> Wire {
    let kind = match value {
        Value::Null => Kind::NullValue(0),
        Value::Bool(value) => Kind::BoolValue(value),
        Value::Number(value) => Kind::NumberValue(value.as_f64().unwrap_or_default()),
        Value::String(value) => Kind::StringValue(value),
        Value::Array(values) => Kind::ListValue(ListValue { values: values.into_iter().map(to_wire).collect() }),
        Value::Object(object) => Kind::StructValue(to_struct(object)),
    };
    Wire { kind: Some(kind) }
}

/// The JSON of a Struct.
///
/// # Errors
/// `InvalidArgument` for what JSON does not have: NaN, infinities, nesting without end.
pub(crate) fn from_struct(value: Struct) -> Result<Map<String, Value>> {
    object(value.fields, MAX_DEPTH)
}

/// The JSON of a map of values, such as the parameters of a run.
///
/// # Errors
/// As [`from_struct`].
pub(crate) fn from_values(fields: impl IntoIterator<Item = (String, Wire)>) -> Result<Map<String, Value>> {
    object(fields, MAX_DEPTH)
}

fn object(fields: impl IntoIterator<Item = (String, Wire)>, depth: usize) -> Result<Map<String, Value>> {
    let entry = |(key, value)| match from_wire(value, depth) {
        Ok(value) => Ok((key, value)),
        Err(error) => Err(error.at(key)),
    };
    fields.into_iter().map(entry).collect()
}

fn from_wire(value: Wire, depth: usize) -> Result<Value> {
    let Some(depth) = depth.checked_sub(1) else {
        return Err(Error::invalid(format!("the value nests deeper than {MAX_DEPTH} levels")));
    };
    Ok(match value.kind {
        None | Some(Kind::NullValue(_)) => Value::Null,
        Some(Kind::BoolValue(value)) => Value::Bool(value),
        Some(Kind::StringValue(value)) => Value::String(value),
        Some(Kind::NumberValue(value)) => number(value)?,
        Some(Kind::ListValue(list)) => {
            Value::Array(list.values.into_iter().map(|value| from_wire(value, depth)).collect::<Result<_>>()?)
        }
        Some(Kind::StructValue(value)) => Value::Object(object(value.fields, depth)?),
    })
}

fn number(value: f64) -> Result<Value> {
    let number = serde_json::Number::from_f64(value);
    let mut value = Value::Number(number.ok_or_else(|| Error::invalid(format!("{value} is not a JSON number")))?);
    spec::integral(&mut value);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn whole_numbers_stay_whole() {
        let value = json!({"a": 1, "b": [2.5, null, true, "x"], "c": {"d": -3}});
        let object = value.as_object().unwrap().clone();
        assert_eq!(Value::Object(from_struct(to_struct(object)).unwrap()), value);
    }

    #[test]
    fn what_json_lacks_is_refused_with_its_place() {
        let nan = Wire { kind: Some(Kind::NumberValue(f64::NAN)) };
        assert_eq!(from_values([("lr".to_owned(), nan)]).unwrap_err().message(), "lr: NaN is not a JSON number");
        let deep = (0..60)
            .fold(Wire::default(), |inner, _| Wire { kind: Some(Kind::ListValue(ListValue { values: vec![inner] })) });
        assert!(from_values([("x".to_owned(), deep)]).is_err());
    }
}
