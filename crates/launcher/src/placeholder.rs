//! Placeholders in commands and arguments: `{{$.inputs.parameters['n']}}` and its like, `IfPresent` and `Concat`.
//!
//! Text is gone through once, from left to right: what is put in is never looked at again. The reference
//! implementation replaces in whatever order its maps have, also inside values; here a value stays what it is.
use crate::{
    Error, TaskContext,
    executor_input::{artifact_json, output_file, provision},
    folders::{Folders, text},
};
use engine::Artifact;
use serde_json::{Map, Value, json};

/// The longest argument that Linux takes, in bytes without the closing zero (`MAX_ARG_STRLEN`).
const MAX_ARGUMENT: usize = 128 * 1024 - 1;
/// How many bytes of arguments and environment together a process is given. Linux takes a quarter of the stack's
/// limit, which is 8 MiB nearly everywhere, and counts a pointer for each.
pub(crate) const MAX_TOTAL: usize = 2_000_000;

/// What placeholders are resolved from.
pub(crate) struct Placeholders<'a> {
    pub(crate) ctx: &'a TaskContext<'a>,
    /// With defaults.
    pub(crate) parameters: &'a Map<String, Value>,
    /// What `{{$}}` stands for.
    pub(crate) executor_input: &'a str,
}

impl Placeholders<'_> {
    /// The arguments that one argument of the pipeline becomes: one, but for `IfPresent`.
    pub(crate) fn arguments(&self, argument: &str) -> Result<Vec<String>, Error> {
        match structure(argument) {
            // Upstream hands it to the task as it is.
            Some(Value::Object(fields)) if self.ctx.run.strict && fields.contains_key("Concat") => {
                Ok(vec![self.substitute(argument)?])
            }
            Some(structure) => self.element(&structure),
            None => Ok(vec![self.substitute(argument)?]),
        }
    }

    /// One text with its placeholders resolved.
    pub(crate) fn one(&self, text: &str) -> Result<String, Error> {
        self.substitute(text)
    }

    fn element(&self, element: &Value) -> Result<Vec<String>, Error> {
        if let Value::String(text) = element {
            return self.arguments(text);
        }
        if let Some(Value::Array(parts)) = element.get("Concat") {
            let whole = self.elements(parts)?.concat();
            return if whole.len() > MAX_ARGUMENT { Err(too_long()) } else { Ok(vec![whole]) };
        }
        let Some(choice) = element.get("IfPresent") else {
            return Err(Error::task(format!("{element} is neither text nor Concat nor IfPresent")));
        };
        let name = choice.get("InputName").and_then(Value::as_str).unwrap_or_default();
        let inputs = self.ctx.inputs;
        let present = inputs.parameters.contains_key(name) || inputs.artifacts.contains_key(name);
        match choice.get(if present { "Then" } else { "Else" }) {
            Some(Value::Array(parts)) => self.elements(parts),
            Some(Value::Null) | None => Ok(Vec::new()),
            Some(part) => self.element(part),
        }
    }

    fn elements(&self, parts: &[Value]) -> Result<Vec<String>, Error> {
        let mut all = Vec::new();
        let mut total = 0;
        for part in parts {
            all.extend(self.element(part)?.into_iter().inspect(|text| total += text.len()));
            if total > MAX_TOTAL {
                return Err(too_long());
            }
        }
        Ok(all)
    }

    fn substitute(&self, text: &str) -> Result<String, Error> {
        let mut out = String::new();
        let mut rest = text;
        while let Some(start) = rest.find("{{$") {
            let Some(length) = rest[start..].find("}}") else { break };
            let placeholder = &rest[start..start + length + 2];
            out += &rest[..start];
            out += &self.value(placeholder)?.unwrap_or_else(|| placeholder.to_owned());
            rest = &rest[start + placeholder.len()..];
            if out.len() > MAX_ARGUMENT {
                break;
            }
        }
        out += rest;
        if out.len() > MAX_ARGUMENT {
            return Err(too_long());
        }
        Ok(out)
    }

    /// What a placeholder stands for; none if it is not one of ours and stays as it is.
    fn value(&self, placeholder: &str) -> Result<Option<String>, Error> {
        if placeholder == "{{$}}" {
            return Ok(Some(self.executor_input.to_owned()));
        }
        let inner = placeholder.trim_start_matches("{{$.").trim_end_matches("}}");
        if inner == "outputs.output_file" && !self.ctx.run.strict {
            return text(&Folders(self.ctx.dir).executor_output()).map(Some);
        }
        let outputs = &self.ctx.task.component.output_definitions;
        let reference = Reference::parse(inner);
        if self.ctx.run.strict && reference.as_ref().is_some_and(Reference::is_ours) {
            return Ok(None);
        }
        match reference {
            Some(Reference { of: "inputs.parameters", name, part: "" }) => self.parameter(name),
            Some(Reference { of: "inputs.artifacts", name, part }) => self.input_artifact(name, part),
            Some(Reference { of: "outputs.artifacts", name, part }) if outputs.artifacts.contains_key(name) => {
                Ok(part_of(&[provision(self.ctx, name)?], part))
            }
            Some(Reference { of: "outputs.parameters", name, part: ".output_file" })
                if outputs.parameters.contains_key(name) =>
            {
                output_file(self.ctx, name).map(Some)
            }
            _ => Ok(None),
        }
    }

    fn parameter(&self, name: &str) -> Result<Option<String>, Error> {
        if let Some(value) = self.parameters.get(name) {
            return Ok(Some(spec::text(value)));
        }
        if !self.ctx.task.component.input_definitions.parameters.contains_key(name) {
            return Ok(None);
        }
        Err(Error::task(format!(
            "the command uses the input parameter {name:?}, which was not given and has no default"
        )))
    }

    fn input_artifact(&self, name: &str, part: &str) -> Result<Option<String>, Error> {
        if let Some(artifacts) = self.ctx.inputs.artifacts.get(name) {
            return Ok(part_of(artifacts, part));
        }
        if !self.ctx.task.component.input_definitions.artifacts.contains_key(name) {
            return Ok(None);
        }
        Err(Error::task(format!("the command uses the input artifact {name:?}, which was not given")))
    }
}

fn too_long() -> Error {
    Error::task(format!(
        "an argument is longer than the {MAX_ARGUMENT} bytes that the system takes: pass large values as artifacts"
    ))
}

/// A part of an artifact, the first where there are several; none if there is no such part.
fn part_of(artifacts: &[Artifact], part: &str) -> Option<String> {
    if part.is_empty() {
        return Some(json!(artifacts.iter().map(artifact_json).collect::<Vec<_>>()).to_string());
    }
    let artifact = artifacts.first()?;
    match part {
        ".uri" | ".path" => Some(artifact.uri.clone()),
        ".metadata" => Some(Value::Object(artifact.metadata.clone()).to_string()),
        _ => {
            let Reference { of: ".metadata", name, part: "" } = Reference::parse(part)? else { return None };
            artifact.metadata.get(name).map(spec::text)
        }
    }
}

/// `of['name']part`, with either kind of quotes.
struct Reference<'a> {
    of: &'a str,
    name: &'a str,
    part: &'a str,
}

impl<'a> Reference<'a> {
    /// Whether upstream leaves it as it is: lists of artifacts and their metadata.
    fn is_ours(&self) -> bool {
        self.of.ends_with(".artifacts") && !matches!(self.part, ".uri" | ".path")
    }

    fn parse(text: &'a str) -> Option<Self> {
        let (of, rest) = text.split_once('[')?;
        let quote = rest.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
        let (name, part) = rest[1..].split_once(if quote == '"' { "\"]" } else { "']" })?;
        Some(Self { of, name, part })
    }
}

/// The JSON of `IfPresent` or `Concat`, if that is what an argument is.
fn structure(argument: &str) -> Option<Value> {
    if !argument.starts_with('{') {
        return None;
    }
    let value: Value = serde_json::from_str(argument).ok()?;
    let fields = value.as_object()?;
    let ours = fields.len() == 1 && fields.keys().all(|key| key == "IfPresent" || key == "Concat");
    ours.then_some(value)
}
