//! Conditions and selectors: expressions in CEL, the Common Expression Language (<https://cel.dev>).
//!
//! A condition sees the inputs of its task under the names of KFP's `ExecutorInput`, a selector one value. What they
//! say is decided in the server, so both are bounded: in length, in how deep they nest (by the parser), in how much
//! text they can put together, and there are no loops over lists.
use cel::{
    Context, Program,
    common::ast::{EntryExpr, Expr, IdedExpr, operators},
    to_value,
};
use serde_json::{Map, Value, json};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The longest expression, in bytes.
const MAX_EXPRESSION: usize = 16 << 10;
/// The stack for work on an expression, in bytes for each of its own, and what it takes besides: chains of operators nest as
/// deep as they are long.
const STACK: (usize, usize) = (16 << 10, 1 << 20);
/// How much text additions, lists and maps could make, in bytes.
const MAX_GROWTH: usize = 16 << 20;
/// How much an expression may look at, in bytes: it is evaluated where others wait.
const MAX_LOOKS: usize = 256 << 20;

/// Whether a task is to run (`triggerPolicy.condition`), given its inputs by name. Numbers are doubles; values of
/// different types cannot be compared.
///
/// # Errors
/// A message for the user: not CEL, an input that is not there, types that do not fit, or a result that is no boolean.
pub fn condition(expression: &str, inputs: &Map<String, Value>) -> Result<bool, String> {
    let doubles: Map<_, _> = inputs.iter().map(|(name, value)| (name.clone(), double(value))).collect();
    let seen = json!({"parameter_values": doubles, "parameterValues": doubles, "artifacts": {}});
    let variables = [("inputs", seen), ("outputs", json!({"parameters": {}, "artifacts": {}}))];
    match evaluate(expression, &variables)? {
        Value::Bool(met) => Ok(met),
        other => Err(format!("{expression:?} gives {}, not true or false", crate::kind(&other))),
    }
}

/// Takes a part out of a value (`parameterExpressionSelector`), such as `parseJson(string_value)["key"]`.
///
/// # Errors
/// A message for the user: not CEL, or nothing is there.
pub fn select(expression: &str, value: &Value) -> Result<Value, String> {
    let typed = match value {
        Value::Null => "null_value",
        Value::Bool(_) => "bool_value",
        Value::Number(_) => "number_value",
        Value::String(_) => "string_value",
        Value::Array(_) => "list_value",
        Value::Object(_) => "struct_value",
    };
    let variables = [("string_value", Value::String(crate::text(value))), (typed, double(value))];
    let mut part = evaluate(expression, &variables)?;
    crate::integral(&mut part);
    Ok(part)
}

/// Whether an expression can be evaluated at all.
///
/// # Errors
/// A message for its author.
pub fn check_expression(expression: &str) -> Result<(), String> {
    guarded(expression, || compile(expression).map(drop))?
}

fn compile(expression: &str) -> Result<Program, String> {
    if expression.len() > MAX_EXPRESSION {
        return Err(format!("an expression has at most {MAX_EXPRESSION} bytes, this one has {}", expression.len()));
    }
    let program = Program::compile(expression);
    let program = program.map_err(|error| format!("{expression:?} is not CEL: {}", first_line(&error)))?;
    if let Some(what) = unsupported(program.expression()) {
        return Err(format!("{expression:?} {what}, which is not supported"));
    }
    Ok(program)
}

fn evaluate(expression: &str, variables: &[(&str, Value)]) -> Result<Value, String> {
    // Each operator may look at all of the values, and so may each call; some put them together.
    let size: usize = variables.iter().map(|(_, value)| value.to_string().len()).sum();
    let times = |signs: &[char]| size.saturating_mul(expression.matches(signs).count());
    if times(&['+', ',']) > MAX_GROWTH || times(&['=', '<', '>', '(', '[']) > MAX_LOOKS {
        return Err(format!(
            "{expression:?} works on values that are too large for it: pass large values as artifacts"
        ));
    }
    let failed = |why: String| format!("{expression:?}: {why}");
    guarded(expression, || {
        let program = compile(expression)?;
        let mut context = Context::default();
        let _ = context.add_function("parseJson", parse_json);
        for (name, value) in variables {
            context.add_variable_from_value(*name, to_value(value).map_err(|error| failed(error.to_string()))?);
        }
        comparable(&context, program.expression()).map_err(failed)?;
        let value = program.execute(&context).map_err(|error| failed(first_line(&error)))?;
        value.json().map_err(|error| failed(error.to_string()))
    })?
}

/// An expression from a stranger must not take the server down, whatever the library thinks of it.
fn guarded<T>(expression: &str, work: impl FnOnce() -> T) -> Result<T, String> {
    let (by_byte, besides) = STACK;
    // One that is too long is refused before anything is done with it.
    let stack = expression.len().min(MAX_EXPRESSION) * by_byte + besides;
    let caught = stacker::grow(stack, || catch_unwind(AssertUnwindSafe(work)));
    caught.map_err(|_| "the expression cannot be evaluated".to_owned())
}

fn parse_json(text: std::sync::Arc<String>) -> Result<cel::Value, cel::ExecutionError> {
    let parsed: Result<Value, _> = serde_json::from_str(&text);
    let parsed = parsed.map_err(|error| cel::ExecutionError::function_error("parseJson", error))?;
    to_value(double(&parsed)).map_err(|error| cel::ExecutionError::function_error("parseJson", error))
}

/// A value with its numbers as `google.protobuf.Value` has them.
fn double(value: &Value) -> Value {
    match value {
        Value::Number(number) => json!(number.as_f64()),
        Value::Array(items) => items.iter().map(double).collect(),
        Value::Object(fields) => fields.iter().map(|(key, value)| (key.clone(), double(value))).collect(),
        other => other.clone(),
    }
}

/// Passes if what is compared for equality is of one type, as far as it is reached: upstream takes `1 == "1"` for a
/// mistake and not for false.
fn comparable(context: &Context<'_, '_>, expression: &IdedExpr) -> Result<(), String> {
    let Expr::Call(call) = &expression.expr else { return Ok(()) };
    let truth = |side: &IdedExpr| context.resolve(side).ok().map(|value| value == cel::Value::Bool(true));
    match (call.func_name.as_str(), call.args.as_slice()) {
        (operators::LOGICAL_AND, [left, right]) => {
            comparable(context, left)?;
            if truth(left) == Some(false) { Ok(()) } else { comparable(context, right) }
        }
        (operators::LOGICAL_OR, [left, right]) => {
            comparable(context, left)?;
            if truth(left) == Some(true) { Ok(()) } else { comparable(context, right) }
        }
        (operators::CONDITIONAL, [test, yes, no]) => {
            comparable(context, test)?;
            comparable(context, if truth(test) == Some(true) { yes } else { no })
        }
        (operators::EQUALS | operators::NOT_EQUALS, [left, right]) => {
            comparable(context, left)?;
            comparable(context, right)?;
            let (Ok(a), Ok(b)) = (context.resolve(left), context.resolve(right)) else { return Ok(()) };
            match class(&a) == class(&b) || class(&a) == "null" || class(&b) == "null" {
                true => Ok(()),
                false => Err(format!("{} cannot be compared with {}", class(&a), class(&b))),
            }
        }
        (_, args) => args.iter().try_for_each(|argument| comparable(context, argument)),
    }
}

fn class(value: &cel::Value) -> &'static str {
    match value {
        cel::Value::Int(_) | cel::Value::UInt(_) | cel::Value::Float(_) => "a number",
        cel::Value::String(_) => "a string",
        cel::Value::Bool(_) => "a boolean",
        cel::Value::List(_) => "a list",
        cel::Value::Map(_) => "a struct",
        cel::Value::Null => "null",
        _ => "something else",
    }
}

/// What of an expression is more than the bounds are made for, in words.
fn unsupported(expression: &IdedExpr) -> Option<&'static str> {
    match &expression.expr {
        Expr::Comprehension(_) => Some("loops over a list (all, exists, map, filter)"),
        Expr::Struct(_) => Some("makes a message"),
        Expr::Call(call) => call.target.iter().map(|target| &**target).chain(&call.args).find_map(unsupported),
        Expr::List(list) => list.elements.iter().find_map(unsupported),
        Expr::Map(map) => map.entries.iter().find_map(|entry| match &entry.expr {
            EntryExpr::MapEntry(entry) => unsupported(&entry.key).or_else(|| unsupported(&entry.value)),
            EntryExpr::StructField(field) => unsupported(&field.value),
        }),
        Expr::Select(select) => unsupported(&select.operand),
        Expr::Ident(_) | Expr::Literal(_) | Expr::Unspecified => None,
    }
}

fn first_line(error: &impl ToString) -> String {
    error.to_string().lines().next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, prelude::*, sample::select as select_from};
    use rstest::rstest;

    fn inputs() -> Map<String, Value> {
        let inputs = json!({
            "text": "heads", "quote": "it's \"x\"\n", "n": 3, "f": 0.5, "yes": true, "no": false,
            "list": [1, 2, "x"], "struct": {"a": {"b": 7}}, "json": "{\"k\": [1, 2]}", "null": null, "pipelinechannel--a-Output": "b",
        });
        inputs.as_object().cloned().unwrap_or_default()
    }

    #[rstest]
    #[case("inputs.parameter_values['text'] == 'heads'", true)]
    #[case("inputs.parameterValues['text'] == 'heads'", true)]
    #[case("inputs.parameter_values[\"text\"] != 'tails'", true)]
    #[case("inputs.parameter_values['pipelinechannel--a-Output'] == 'b'", true)]
    #[case("inputs.parameter_values.text == 'heads'", true)]
    #[case("!(inputs.parameter_values['text'] == 'heads')", false)]
    #[case("int(inputs.parameter_values['n']) == 3", true)]
    #[case("int(inputs.parameter_values['n']) > 3", false)]
    #[case("int(inputs.parameter_values['n']) >= 3", true)]
    #[case("int(inputs.parameter_values['n']) < 4 && int(inputs.parameter_values['n']) <= 3", true)]
    #[case("inputs.parameter_values['n'] == 3", true)]
    #[case("inputs.parameter_values['n'] == 3.0", true)]
    #[case("inputs.parameter_values['n'] > 2.5", true)]
    #[case("inputs.parameter_values['f'] < 1", true)]
    #[case("double(int(inputs.parameter_values['n'])) > inputs.parameter_values['f']", true)]
    #[case("inputs.parameter_values['yes'] == true", true)]
    #[case("inputs.parameter_values['no']", false)]
    #[case("!inputs.parameter_values['no']", true)]
    #[case("inputs.parameter_values['yes'] && !(inputs.parameter_values['no'] == true)", true)]
    #[case("inputs.parameter_values['no'] || inputs.parameter_values['yes']", true)]
    #[case("inputs.parameter_values['quote'] == 'it\\'s \"x\"\\n'", true)]
    #[case("'x' in inputs.parameter_values['list']", true)]
    #[case("'y' in inputs.parameter_values['list']", false)]
    #[case("inputs.parameter_values['list'][0] == 1", true)]
    #[case("size(inputs.parameter_values['list']) == 3", true)]
    #[case("inputs.parameter_values['struct'].a.b == 7", true)]
    #[case("has(inputs.parameter_values.text)", true)]
    #[case("has(inputs.parameter_values.gone)", false)]
    #[case("'gone' in inputs.parameter_values", false)]
    #[case("inputs.parameter_values['null'] == null", true)]
    #[case("parseJson(inputs.parameter_values['json'])['k'][1] == 2", true)]
    #[case("inputs.parameter_values['text'].startsWith('he')", true)]
    #[case("inputs.parameter_values['text'].contains('ead')", true)]
    #[case("inputs.parameter_values['text'].endsWith('x')", false)]
    #[case("{'heads': true}[inputs.parameter_values['text']]", true)]
    #[case("'heads' in {'heads': 1, 'tails': 2}", true)]
    #[case("int(inputs.parameter_values['n']) > 2 ? true : false", true)]
    #[case("inputs.parameter_values['text'] + 'x' == 'headsx'", true)]
    // What is not reached is not compared.
    #[case("inputs.parameter_values['no'] && inputs.parameter_values['n'] == 'x'", false)]
    #[case("inputs.parameter_values['yes'] || inputs.parameter_values['n'] == 'x'", true)]
    fn conditions(#[case] expression: &str, #[case] met: bool) {
        assert_eq!(condition(expression, &inputs()), Ok(met));
    }

    #[rstest]
    #[case("inputs.parameter_values['n'] == '3'", "cannot be compared with")]
    #[case("inputs.parameter_values['text'] != 3", "cannot be compared with")]
    #[case("inputs.parameter_values['yes'] == 'true'", "cannot be compared with")]
    #[case("inputs.parameter_values['list'] == 'x'", "cannot be compared with")]
    #[case("inputs.parameter_values['text'] > 3", "")]
    #[case("inputs.parameter_values['gone'] == 'x'", "gone")]
    #[case("nobody == 1", "nobody")]
    #[case("inputs.parameter_values['text']", "not true or false")]
    #[case("1 + 1", "not true or false")]
    #[case("1 / 0 == 1", "")]
    #[case("int('x') == 1", "")]
    #[case("parseJson('{') == 1", "parseJson")]
    #[case("", "not CEL")]
    #[case("inputs.", "not CEL")]
    #[case("inputs.parameter_values['text'] ==", "not CEL")]
    #[case("a = b", "not CEL")]
    #[case("inputs.parameter_values['text'] == 'it's'", "not CEL")]
    #[case("[1, 2].all(x, x > 0)", "loops over a list")]
    #[case("inputs.parameter_values['list'].exists(x, x == 1)", "loops over a list")]
    #[case("{'a': [1].all(x, true)}['a']", "loops over a list")]
    #[case("google.Thing{a: 1} == 1", "makes a message")]
    #[case("[1].map(x, [1].map(y, y)) == []", "loops over a list")]
    fn mistakes(#[case] expression: &str, #[case] words: &str) {
        let error = condition(expression, &inputs()).expect_err(expression);
        assert!(error.contains(words), "{error}");
    }

    #[rstest]
    #[case(r#"parseJson(string_value)["a"]"#, json!({"a": 1}), json!(1))]
    #[case(r#"parseJson(string_value)["a"]"#, json!("{\"a\": [1.5]}"), json!([1.5]))]
    #[case(r#"parseJson(string_value)["a"]["b"]"#, json!({"a": {"b": "x"}}), json!("x"))]
    #[case("parseJson(string_value)[1]", json!([1, 2]), json!(2))]
    #[case("struct_value.a", json!({"a": true}), json!(true))]
    #[case("list_value[0]", json!(["x"]), json!("x"))]
    #[case("number_value", json!(3), json!(3))]
    #[case("string_value", json!(3), json!("3"))]
    #[case("string_value", json!("x"), json!("x"))]
    #[case("bool_value", json!(false), json!(false))]
    #[case("string_value", json!(null), json!(""))]
    fn selectors(#[case] expression: &str, #[case] value: Value, #[case] part: Value) {
        assert_eq!(select(expression, &value), Ok(part));
    }

    #[test]
    fn nothing_grows_without_bound() {
        let inputs = json!({"x": "a".repeat(1 << 20)}).as_object().cloned().unwrap_or_default();
        let sum = ["inputs.parameter_values['x']"; 100].join(" + ");
        assert!(condition(&format!("{sum} == 'a'"), &inputs).expect_err("too much").contains("too large for it"));
        assert!(check_expression(&"!".repeat(20_000)).expect_err("too long").contains("at most"));
        for deep in ["(".repeat(8000), "[".repeat(8000), "-".repeat(8000) + "1"] {
            assert!(condition(&deep, &Map::new()).is_err(), "{}", &deep[..10]);
        }
    }

    proptest! {
        #[test]
        fn no_text_takes_the_server_down(
            text in ".{0,60}",
            tokens in vec(select_from(&TOKENS[..]), 0..40),
        ) {
            for expression in [text, tokens.concat()] {
                let _ = check_expression(&expression);
                let _ = condition(&expression, &inputs());
                let _ = select(&expression, &json!({"a": [1, null]}));
            }
        }
    }

    const TOKENS: [&str; 30] = [
        "inputs",
        ".parameter_values",
        "['n']",
        "['text']",
        "==",
        "!=",
        "<",
        ">=",
        "&&",
        "||",
        "!",
        "-",
        "+",
        "%",
        "/",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ":",
        ",",
        "?",
        "1",
        "0.5",
        "'x'",
        "int",
        "parseJson",
        "string_value",
    ];
}
