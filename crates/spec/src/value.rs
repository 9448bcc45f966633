//! Values as `google.protobuf.Value` has them: every number is a double, and one without a fraction is written
//! without one.
use serde_json::{Number, Value};

/// Doubles have whole numbers without gaps up to here.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Writes doubles without a fraction as integers, all the way down: `2.0` becomes `2`. Python code that was promised
/// an `int` refuses `2.0`.
pub fn integral(value: &mut Value) {
    match value {
        Value::Number(number) => {
            if let Some(double) = number.as_f64()
                && number.is_f64()
                && double.fract() == 0.0
                && double.abs() <= EXACT
            {
                *number = Number::from(double as i64);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(integral),
        Value::Object(fields) => fields.values_mut().for_each(integral),
        _ => {}
    }
}

/// The items of an iterator that are written down (`parameterIterator.items.raw`): JSON text of a list.
///
/// # Errors
/// A message for the author, if it is something else.
pub fn iterator_items(raw: &str) -> Result<Vec<Value>, String> {
    let mut items: Value = serde_json::from_str(raw).map_err(|error| format!("the items are not JSON: {error}"))?;
    integral(&mut items);
    match items {
        Value::Array(items) => Ok(items),
        other => Err(format!("the items are {}, not a list", kind(&other))),
    }
}

/// The items of a value that a task iterates over: a list, or a text that holds one.
///
/// # Errors
/// A message for the user, if it is something else.
pub fn list_of(value: &Value) -> Result<Vec<Value>, String> {
    match value {
        Value::Array(items) => Ok(items.clone()),
        Value::String(text) => iterator_items(text),
        other => Err(format!("it is {}", kind(other))),
    }
}

/// What kind of value it is, in words for a message.
pub fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "a struct",
    }
}

/// Whether two values are equal, with numbers compared as doubles.
pub fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        _ => a == b,
    }
}

/// The text of a value where text is wanted: strings as they are, numbers in plain decimals, lists and structs as
/// JSON, nothing for null.
pub fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Number(number) if number.is_f64() => {
            number.as_f64().map(|double| double.to_string()).unwrap_or_default()
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn doubles_without_fraction_lose_it() {
        let mut value = json!({"a": [1.0, 1.5, -3.0, 1e20], "b": {"c": 0.0}, "d": 7});
        integral(&mut value);
        assert_eq!(value.to_string(), r#"{"a":[1,1.5,-3,1e+20],"b":{"c":0},"d":7}"#);
    }

    #[test]
    fn texts() {
        for (value, expect) in [
            (json!(null), ""),
            (json!("a \"b\""), "a \"b\""),
            (json!(3), "3"),
            (json!(0.1), "0.1"),
            (json!(1e21), "1000000000000000000000"),
            (json!(true), "true"),
            (json!([1, "x"]), r#"[1,"x"]"#),
            (json!({"k": 1}), r#"{"k":1}"#),
        ] {
            assert_eq!(text(&value), expect);
        }
    }

    #[test]
    fn numbers_are_equal_as_doubles() {
        assert!(same(&json!({"a": [1]}), &json!({"a": [1.0]})));
        assert!(!same(&json!("1"), &json!(1)));
    }
}
