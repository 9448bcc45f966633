//! Holds a document against the tables.
use super::{
    Allowance, Policy, Touches, labels, pod,
    shape::{Field, Shape},
    touches::Touched,
};
use crate::{bounds, value::kind, yaml};
use domain::{Error, Result};
use serde_json::{Map, Value};

/// The account that kfp 1 wrote into everything that it compiled. Servers put the run's account in its place.
const RUNNER: &str = "pipeline-runner";
/// Where a parameter begins.
const PARAMETER: &str = "{{";
/// Parameters whose values Argo makes itself, of letters, digits, '-' and '.'.
const MADE: [&str; 4] = ["{{workflow.name}}", "{{workflow.uid}}", "{{workflow.namespace}}", "{{pod.name}}"];

/// A walk through one document.
pub(super) struct Walk<'a> {
    policy: &'a Policy,
    pub(super) touches: Touches,
    /// Where it is, as `spec.templates[2].name`.
    path: String,
}

impl<'a> Walk<'a> {
    pub(super) fn new(policy: &'a Policy) -> Self {
        Self { policy, touches: Touches::default(), path: String::new() }
    }

    /// Passes a value that has the shape.
    ///
    /// # Errors
    /// `InvalidArgument` with the path of what has not.
    pub(super) fn check(&mut self, value: &Value, shape: &Shape) -> Result<()> {
        if value.is_null() {
            return Ok(());
        }
        match shape {
            Shape::Object(fields) => self.object(self.map(value)?, fields, Spelling::AsIs),
            Shape::Message(fields) => self.object(self.map(value)?, fields, Spelling::Proto),
            Shape::List(items) => {
                let values = value.as_array().ok_or_else(|| self.wrong("a list", value))?;
                values.iter().enumerate().try_for_each(|(index, value)| {
                    self.within(format_args!("[{index}]"), |walk| walk.check(value, items))
                })
            }
            Shape::Map(values) => self.each(value, |walk, key, value| {
                labels::check_key(key).map_err(|error| walk.here(&error))?;
                walk.check(value, values)
            }),
            Shape::ByLabel(values) => self.each(value, |walk, _, value| walk.check(value, values)),
            Shape::Labels => self.each(value, |walk, key, value| {
                labels::check_label(walk.policy, key, value).map_err(|error| walk.here(&error))
            }),
            Shape::Annotations => {
                labels::check_size(self.map(value)?).map_err(|error| self.here(&error))?;
                self.each(value, |walk, key, value| {
                    labels::check_annotation(walk.policy, key, value).map_err(|error| walk.here(&error))
                })
            }
            Shape::Name(touched) => self.name(value, *touched),
            Shape::Later(shape) => {
                self.touches.undecided.insert(self.path.clone());
                self.check(value, shape)
            }
            Shape::ClaimText => self.claim(value),
            Shape::Unless { harmless, allowance, full } => self.unless(value, harmless, *allowance, full),
            leaf => match self.is(value, leaf) {
                Ok(()) => Ok(()),
                Err(wanted) => Err(self.wrong(&wanted, value)),
            },
        }
    }

    /// Does something for each entry of a map, at its place.
    fn each(&mut self, value: &Value, work: impl Fn(&mut Self, &str, &Value) -> Result<()>) -> Result<()> {
        let mut entries = self.map(value)?.iter();
        entries.try_for_each(|(key, value)| self.within_key(key, |walk| work(walk, key, value)))
    }

    fn object(&mut self, fields: &Map<String, Value>, known: &[Field], spelling: Spelling) -> Result<()> {
        for (key, value) in fields {
            let Some((name, shape)) = find(known, key, spelling) else {
                return self.within_key(key, |walk| Err(walk.unknown()));
            };
            if key != name && fields.contains_key(name) {
                return self.within_key(key, |walk| {
                    Err(walk.here(&Error::invalid(format!("{name} stands beside it, which is the same field"))))
                });
            }
            self.within_key(key, |walk| walk.check(value, shape))?;
        }
        Ok(())
    }

    /// Whether a value without parts has the shape; else what is wanted.
    fn is(&self, value: &Value, shape: &Shape) -> Result<(), String> {
        let text = value.as_str();
        let (good, wanted) = match shape {
            Shape::Free => (true, "anything"),
            Shape::Nothing => (is_empty(value), "nothing"),
            Shape::Text => (value.is_string(), "text"),
            Shape::Scalar => (!value.is_array() && !value.is_object(), "text, a number or a boolean"),
            Shape::Count => (value.is_string() || value.is_number(), "a number"),
            Shape::Number => (value.is_number(), "a number"),
            Shape::Boolean => (value.is_boolean(), "a boolean"),
            Shape::False => (*value == Value::Bool(false), "false"),
            Shape::True => (*value == Value::Bool(true), "true"),
            Shape::User => (value.as_u64().is_some_and(is_user), "a user other than root"),
            Shape::WireUser => {
                let read = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok());
                let user = value.as_u64().or_else(|| read(text?).flatten());
                (user.is_some_and(is_user), "a user other than root")
            }
            Shape::Account => (text.is_some_and(|name| self.is_own(name)), "the run's own service account"),
            Shape::RunAccount => {
                (text.is_some_and(|name| name == RUNNER || self.is_own(name)), "the run's own service account")
            }
            Shape::Duration => (text.is_some_and(is_duration), "a duration such as 30s"),
            Shape::Word(words) => {
                return match text.is_some_and(|text| words.contains(&text)) {
                    true => Ok(()),
                    false => Err(words.join(" or ")),
                };
            }
            _ => (false, "nothing"),
        };
        if good { Ok(()) } else { Err(wanted.to_owned()) }
    }

    fn is_own(&self, account: &str) -> bool {
        account.is_empty() || account == self.policy.default_service_account
    }

    /// Notes the name of an object.
    fn name(&mut self, value: &Value, touched: Touched) -> Result<()> {
        let name = value.as_str().ok_or_else(|| self.wrong("a name", value))?;
        if !name.contains(PARAMETER) {
            if !name.is_empty() {
                self.touches.add(touched, name);
            }
            return Ok(());
        }
        if touched == Touched::ServiceAccount {
            let text =
                "a parameter stands in the name of a service account, so that nobody can tell whose rights it has";
            return Err(self.here(&Error::invalid(text)));
        }
        self.touches.undecided.insert(self.path.clone());
        Ok(())
    }

    /// The manifest is read with words in place of what Argo puts in. Anything else that could be put in could be a
    /// manifest of its own.
    fn claim(&mut self, value: &Value) -> Result<()> {
        let text = value.as_str().ok_or_else(|| self.wrong("text", value))?;
        let text = MADE.iter().fold(text.to_owned(), |text, made| text.replace(made, "x"));
        if text.contains(PARAMETER) {
            return Err(self.here(&Error::invalid("parameters stand in the manifest")));
        }
        // What others read of it must be what was read here, and readers of YAML 1.1 break lines where 1.2 does not.
        if text.chars().any(|c| !matches!(c, ' '..='~' | '\n' | '\t')) {
            return Err(self.here(&Error::invalid("characters other than those of ASCII stand in the manifest")));
        }
        // Each of many manifests could have as many as one document may.
        if text.contains(['&', '*']) {
            return Err(self.here(&Error::invalid("anchors or aliases stand in the manifest")));
        }
        let documents = yaml::read(&text).map_err(|error| self.here(&error))?;
        let [document] = documents.as_slice() else {
            return Err(self.here(&Error::invalid("one manifest is wanted")));
        };
        bounds::check(document).map_err(|error| self.here(&error))?;
        self.check(document, &pod::CLAIM)
    }

    fn unless(&mut self, value: &Value, harmless: &Shape, allowance: Allowance, full: &Shape) -> Result<()> {
        let mut other = Walk { policy: self.policy, touches: Touches::default(), path: self.path.clone() };
        let harmful = match (other.check(value, harmless), harmless) {
            (Ok(()), _) => {
                self.touches.extend(other.touches);
                return Ok(());
            }
            (Err(_), Shape::Never) => String::new(),
            (Err(error), _) => {
                let why = error.message();
                let why = why.strip_prefix(&self.path).unwrap_or(why).trim_start_matches(['.', ':', ' ']);
                format!(" ({why})")
            }
        };
        match self.policy.allow.contains(&allowance) {
            true => self.check(value, full),
            false => Err(self.here(&Error::invalid(format!(
                "refused by policy{harmful}; the administrator can allow it with \"{allowance}\" in policy.allow, or \
                 in policy.namespaces for one namespace"
            )))),
        }
    }

    fn map<'v>(&self, value: &'v Value) -> Result<&'v Map<String, Value>> {
        value.as_object().ok_or_else(|| self.wrong("a map", value))
    }

    fn within_key<T>(&mut self, key: &str, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let dot = if self.path.is_empty() { "" } else { "." };
        self.within(format_args!("{dot}{}", yaml::clip(key)), work)
    }

    fn within<T>(&mut self, step: std::fmt::Arguments<'_>, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let before = self.path.len();
        self.path += &step.to_string();
        let done = work(self);
        self.path.truncate(before);
        done
    }

    fn unknown(&self) -> Error {
        self.here(&Error::invalid("this field is not among those that manifests may have here, whatever the policy"))
    }

    fn wrong(&self, wanted: &str, found: &Value) -> Error {
        let found = match found {
            Value::Array(_) | Value::Object(_) => kind(found).to_owned(),
            other => yaml::clip(&other.to_string()),
        };
        self.here(&Error::invalid(format!("{wanted} is wanted, not {found}")))
    }

    /// The error at this place.
    fn here(&self, error: &Error) -> Error {
        Error::new(error.code(), error.message()).at(yaml::clip(&self.path))
    }
}

/// How the keys of a map may be written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Spelling {
    AsIs,
    Proto,
}

fn find(known: &[Field], key: &str, spelling: Spelling) -> Option<(&'static str, &'static Shape)> {
    known.iter().find_map(|(name, shape)| match (*name, *shape) {
        ("", Shape::Object(others)) => find(others, key, spelling),
        (name, shape) => {
            let same = key == name || spelling == Spelling::Proto && key == snake(name);
            (same && !name.is_empty()).then_some((name, shape))
        }
    })
}

/// `fieldName` as `field_name`.
fn snake(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

/// Whether it is the number of a user (Kubernetes) who is not root.
fn is_user(number: u64) -> bool {
    (1..=i32::MAX as u64).contains(&number)
}

/// Whether it is one as Go reads it, without a sign: numbers, each with its unit. What is this short cannot overflow.
fn is_duration(text: &str) -> bool {
    let mut rest = text;
    while !rest.is_empty() {
        let number = rest.trim_start_matches(|letter: char| letter.is_ascii_digit());
        let unit = ["ms", "h", "m", "s"].iter().find_map(|unit| number.strip_prefix(unit));
        match unit {
            Some(after) if (1..=6).contains(&(rest.len() - number.len())) => rest = after,
            _ => return false,
        }
    }
    (1..=20).contains(&text.len())
}

/// Whether nothing is in it but more of nothing.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(fields) => fields.values().all(is_empty),
        _ => false,
    }
}
