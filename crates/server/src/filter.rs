//! The filters of list requests: JSON inside a query parameter (KFP API, `Filter` of both versions).
use domain::{
    Error, Result, Timestamp,
    list::{Operation, Predicate, Query, Value},
};
use percent_encoding::percent_decode_str;
use serde::{Deserialize, Deserializer};

/// The longest filter, in bytes.
const MAX_FILTER: usize = 256 << 10;

/// A page as a list request asks for it.
pub(crate) fn query(size: i32, token: String, sort_by: String, filter: &str) -> Result<Query> {
    Ok(Query { size, token, sort_by, predicates: predicates(filter)? })
}

/// Reads a filter. Clients encode it once more than HTTP asks for, so it may still be percent-encoded.
fn predicates(text: &str) -> Result<Vec<Predicate>> {
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    if text.len() > MAX_FILTER {
        return Err(wrong(&format!("it has {} bytes, and at most {MAX_FILTER} are allowed", text.len())));
    }
    if text.trim_start().starts_with('[') {
        return Err(wrong(&"invalid: an object with `predicates` is wanted, not a list"));
    }
    let plain = serde_json::from_str(text);
    let filter: Filter = match plain {
        Ok(filter) => filter,
        Err(error) if !text.contains('%') => return Err(wrong(&error)),
        Err(_) => {
            let decoded = percent_decode_str(text).decode_utf8().map_err(|error| wrong(&error))?;
            serde_json::from_str(&decoded).map_err(|error| wrong(&error))?
        }
    };
    filter.predicates.into_iter().map(TryInto::try_into).collect()
}

fn wrong(why: &dyn std::fmt::Display) -> Error {
    Error::invalid(format!("filter is not understood: {why}"))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Filter {
    #[serde(default)]
    predicates: Vec<Wire>,
}

/// `op` is the v1beta1 name, `operation` the v2beta1 one; values come in snake or camel case.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    #[serde(default)]
    key: String,
    #[serde(default, alias = "op", deserialize_with = "operation")]
    operation: Option<Operation>,
    #[serde(alias = "intValue")]
    int_value: Option<Number>,
    #[serde(alias = "longValue")]
    long_value: Option<Number>,
    #[serde(alias = "stringValue")]
    string_value: Option<String>,
    #[serde(alias = "timestampValue")]
    timestamp_value: Option<String>,
    #[serde(alias = "intValues")]
    int_values: Option<Many<Number>>,
    #[serde(alias = "longValues")]
    long_values: Option<Many<Number>>,
    #[serde(alias = "stringValues")]
    string_values: Option<Many<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Many<T> {
    #[serde(default = "Vec::new")]
    values: Vec<T>,
}

/// A 64-bit integer, which protojson writes as text.
#[derive(Deserialize)]
#[serde(untagged)]
enum Number {
    Plain(i64),
    Text(String),
}

impl Number {
    fn read(self) -> Result<i64> {
        match self {
            Number::Plain(number) => Ok(number),
            Number::Text(text) => text.parse().map_err(|_| wrong(&format!("{text:?} is not an integer"))),
        }
    }
}

impl TryFrom<Wire> for Predicate {
    type Error = Error;

    fn try_from(wire: Wire) -> Result<Self> {
        let about = |why: &str| wrong(&format!("the predicate on {:?} {why}", wire.key));
        if wire.key.is_empty() {
            return Err(wrong(&"a predicate has no key"));
        }
        let operation = wire.operation.ok_or_else(|| about("has no operation"))?;
        let numbers = |many: Many<Number>| many.values.into_iter().map(Number::read).collect::<Result<_>>();
        let mut values = Vec::new();
        for number in [wire.int_value, wire.long_value].into_iter().flatten() {
            values.push(Value::Int(number.read()?));
        }
        for many in [wire.int_values, wire.long_values].into_iter().flatten() {
            values.push(Value::Ints(numbers(many)?));
        }
        values.extend(wire.string_value.map(Value::Text));
        values.extend(wire.string_values.map(|many| Value::Texts(many.values)));
        if let Some(text) = wire.timestamp_value {
            values.push(Value::Time(
                Timestamp::parse(&text).ok_or_else(|| wrong(&format!("{text:?} is not an RFC 3339 time")))?,
            ));
        }
        match values.pop() {
            Some(value) if values.is_empty() => Ok(Predicate { key: wire.key, operation, value }),
            Some(_) => Err(wrong(&format!("the predicate on {:?} has more than one value", wire.key))),
            None => Err(wrong(&format!("the predicate on {:?} has no value", wire.key))),
        }
    }
}

/// An operation by name or by number.
fn operation<'de, D: Deserializer<'de>>(input: D) -> Result<Option<Operation>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Given {
        Number(i64),
        Name(String),
    }
    let given = Given::deserialize(input)?;
    let known = match &given {
        Given::Number(number) => OPERATIONS.iter().find(|(_, known, _)| known == number),
        Given::Name(name) => OPERATIONS.iter().find(|(known, _, _)| known == name),
    };
    match (known, given) {
        (Some((_, _, operation)), _) => Ok(Some(*operation)),
        (None, Given::Number(0)) => Ok(None),
        (None, Given::Number(number)) => Err(serde::de::Error::custom(format!("{number} is not an operation"))),
        (None, Given::Name(name)) => Err(serde::de::Error::custom(format!("{name:?} is not an operation"))),
    }
}

const OPERATIONS: [(&str, i64, Operation); 8] = [
    ("EQUALS", 1, Operation::Equals),
    ("NOT_EQUALS", 2, Operation::NotEquals),
    ("GREATER_THAN", 3, Operation::GreaterThan),
    ("GREATER_THAN_EQUALS", 5, Operation::GreaterThanEquals),
    ("LESS_THAN", 6, Operation::LessThan),
    ("LESS_THAN_EQUALS", 7, Operation::LessThanEquals),
    ("IN", 8, Operation::In),
    ("IS_SUBSTRING", 9, Operation::IsSubstring),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: Result<Value, &str>) {
        match (predicates(text), expect) {
            (Ok(read), Ok(value)) => assert_eq!(read[0].value, value),
            (Err(error), Err(part)) => assert!(error.message().contains(part), "{}", error.message()),
            (read, expect) => panic!("{read:?} instead of {expect:?}"),
        }
    }

    #[test]
    fn both_versions_and_both_cases() {
        let text = || Ok(Value::Text("x".into()));
        check(r#"{"predicates":[{"op":1,"key":"name","string_value":"x"}]}"#, text());
        check(r#"{"predicates":[{"operation":"EQUALS","key":"name","stringValue":"x"}]}"#, text());
        check(
            "%7B%22predicates%22%3A%5B%7B%22operation%22%3A1%2C%22key%22%3A%22name%22%2C%22stringValue%22%3A%22x%22%7D%5D%7D",
            text(),
        );
        check(
            r#"{"predicates":[{"op":8,"key":"name","string_values":{"values":["x"]}}]}"#,
            Ok(Value::Texts(vec!["x".into()])),
        );
        check(r#"{"predicates":[{"op":3,"key":"created_at","long_value":"5"}]}"#, Ok(Value::Int(5)));
        let time = Ok(Value::Time(Timestamp::from_seconds(5)));
        check(r#"{"predicates":[{"op":3,"key":"created_at","timestamp_value":"1970-01-01T00:00:05Z"}]}"#, time);
    }

    #[test]
    fn mistakes_are_named() {
        check("{", Err("filter is not understood: EOF"));
        check("[]", Err("invalid"));
        check(r#"{"predicate":[]}"#, Err("unknown field `predicate`"));
        check(r#"{"predicates":[{"op":1,"string_value":"x"}]}"#, Err("no key"));
        check(r#"{"predicates":[{"key":"a","string_value":"x"}]}"#, Err("no operation"));
        check(r#"{"predicates":[{"key":"a","op":77,"string_value":"x"}]}"#, Err("77 is not an operation"));
        check(r#"{"predicates":[{"key":"a","op":"EQUALS"}]}"#, Err("no value"));
        check(r#"{"predicates":[{"key":"a","op":1,"string_value":"x","int_value":1}]}"#, Err("more than one value"));
        check(r#"{"predicates":[{"key":"a","op":1,"timestamp_value":"soon"}]}"#, Err("not an RFC 3339 time"));
    }
}
