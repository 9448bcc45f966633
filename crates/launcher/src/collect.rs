//! After the process: what it left behind, none of which is trusted.
use crate::{
    Error, TaskContext,
    beneath::{self, Found},
    executor_input::provision,
    folders::{EXECUTOR_OUTPUT, Folders, check_name},
};
use engine::{Artifact, Outputs};
use serde::Deserialize;
use serde_json::{Map, Value};
use spec::ParameterType;
use std::{
    collections::BTreeMap,
    path::{Component, Path, PathBuf},
};

/// The longest output parameter, in bytes.
const MAX_PARAMETER: u64 = 1 << 20;
/// The longest `ExecutorOutput`, in bytes.
const MAX_EXECUTOR_OUTPUT: u64 = 8 << 20;
/// The deepest nesting of values. Messages of the API cannot carry much more.
const MAX_DEPTH: usize = 60;
/// The most artifacts of a list.
const MAX_LIST: usize = 10_000;
/// The longest URI, in bytes.
const MAX_URI: usize = 4096;

/// What the SDK's executor writes (`ml_pipelines.ExecutorOutput`).
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
struct ExecutorOutput {
    #[serde(alias = "parameter_values")]
    parameter_values: Map<String, Value>,
    artifacts: BTreeMap<String, ArtifactList>,
    /// Deprecated, and nobody writes it.
    parameters: Value,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct ArtifactList {
    artifacts: Vec<RuntimeArtifact>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
struct RuntimeArtifact {
    uri: String,
    metadata: Option<Map<String, Value>>,
    #[serde(alias = "custom_path")]
    custom_path: Option<String>,
    name: Value,
    r#type: Value,
    properties: Value,
    #[serde(alias = "custom_properties")]
    custom_properties: Value,
}

/// Reads the outputs of an attempt whose process has ended well and whose every process is gone.
///
/// # Errors
/// `Task` if an output is missing, too long, of the wrong type or not where it has to be.
pub fn collect(ctx: &TaskContext<'_>) -> Result<Outputs, Error> {
    let written = executor_output(ctx)?;
    let defined = &ctx.task.component.output_definitions;
    let mut outputs = Outputs::default();
    for (name, definition) in &defined.parameters {
        let value = match written.parameter_values.get(name) {
            Some(value) => Ok(value.clone()),
            None => parameter(ctx, name, definition.parameter_type),
        };
        let value = value.and_then(shallow).map_err(|error| error.at(format_args!("output parameter {name:?}")))?;
        outputs.parameters.insert(name.clone(), value);
    }
    outputs.parameters.values_mut().for_each(spec::integral);
    for (name, definition) in &defined.artifacts {
        let listed = written.artifacts.get(name).map(|list| list.artifacts.as_slice()).unwrap_or_default();
        // Where there is one there is no list, so that only the first counts.
        let count = if definition.is_artifact_list { listed.len() } else { 1 };
        if count > MAX_LIST {
            return Err(Error::task(format!("output artifact {name:?}: a list has at most {MAX_LIST} artifacts")));
        }
        let artifacts = (0..count).map(|at| artifact(ctx, name, listed.get(at))).collect::<Result<_, _>>();
        let artifacts: Vec<_> = artifacts.map_err(|error: Error| error.at(format_args!("output artifact {name:?}")))?;
        outputs.artifacts.insert(name.clone(), artifacts);
    }
    Ok(outputs)
}

fn executor_output(ctx: &TaskContext<'_>) -> Result<ExecutorOutput, Error> {
    let path = Path::new(Folders::ARTIFACTS).join(EXECUTOR_OUTPUT);
    let Some(bytes) = read(ctx, &path, MAX_EXECUTOR_OUTPUT).map_err(|error| error.at("executor output"))? else {
        return Ok(ExecutorOutput::default());
    };
    serde_json::from_slice(&bytes)
        .map_err(|error| Error::task(format!("executor output: not the JSON that it should be: {error}")))
}

/// Reads a file that the task may have written.
fn read(ctx: &TaskContext<'_>, path: &Path, most: u64) -> Result<Option<Vec<u8>>, Error> {
    let failed = "reading an output of a task";
    match beneath::look(ctx.dir, path).map_err(Error::io(failed))? {
        Found::Nothing => Ok(None),
        Found::Folder | Found::Strange => {
            Err(Error::task(format!("{} is not a plain file in a plain folder", path.display())))
        }
        Found::File(file) => match beneath::read(file, most).map_err(Error::io(failed))? {
            Some(bytes) => Ok(Some(bytes)),
            None => Err(Error::task(format!("{} has more than {most} bytes", path.display()))),
        },
    }
}

fn parameter(ctx: &TaskContext<'_>, name: &str, kind: ParameterType) -> Result<Value, Error> {
    check_name(name)?;
    let path = Path::new(Folders::OUTPUTS).join(name);
    let Some(bytes) = read(ctx, &path, MAX_PARAMETER)? else {
        let file = path.display();
        return Err(Error::task(format!(
            "the task ended without writing this {kind} to the file it was given ({file})"
        )));
    };
    let text = String::from_utf8(bytes).map_err(|_| Error::task("what was written is not UTF-8 text"))?;
    value(&text, kind).ok_or_else(|| {
        let shown: String = text.chars().take(100).collect();
        Error::task(format!("type {kind} is wanted, but {shown:?} was written"))
    })
}

fn shallow(value: Value) -> Result<Value, Error> {
    fn fits(value: &Value, depth: usize) -> bool {
        match value {
            _ if depth == 0 => false,
            Value::Array(items) => items.iter().all(|item| fits(item, depth - 1)),
            Value::Object(fields) => fields.values().all(|item| fits(item, depth - 1)),
            _ => true,
        }
    }
    if fits(&value, MAX_DEPTH) {
        Ok(value)
    } else {
        Err(Error::task(format!("it nests deeper than {MAX_DEPTH} levels")))
    }
}

/// The value that a text stands for (KFP's launcher: strings as they are, others without the space around them).
fn value(text: &str, kind: ParameterType) -> Option<Value> {
    let trimmed = text.trim();
    match kind {
        ParameterType::String => Some(text.into()),
        ParameterType::NumberInteger => trimmed.parse::<i64>().ok().map(Value::from),
        // Infinities and the like have no JSON.
        ParameterType::NumberDouble => trimmed.parse::<f64>().ok().filter(|number| number.is_finite()).map(Value::from),
        ParameterType::Boolean => match trimmed {
            "1" | "t" | "T" | "true" | "True" | "TRUE" => Some(true.into()),
            "0" | "f" | "F" | "false" | "False" | "FALSE" => Some(false.into()),
            _ => None,
        },
        _ => serde_json::from_str(trimmed).ok().filter(|value| kind.fits(value)),
    }
}

fn artifact(ctx: &TaskContext<'_>, name: &str, written: Option<&RuntimeArtifact>) -> Result<Artifact, Error> {
    let mut artifact = provision(ctx, name)?;
    if let Some(written) = written {
        for (key, value) in written.metadata.iter().flatten() {
            artifact.metadata.insert(key.clone(), shallow(value.clone())?);
        }
        let place = written.custom_path.as_ref().filter(|path| !path.is_empty()).unwrap_or(&written.uri);
        if !place.is_empty() {
            artifact.uri = place.clone();
        }
    }
    artifact.metadata.values_mut().for_each(spec::integral);
    artifact.missing = !is_there(ctx, &artifact.uri)?;
    Ok(artifact)
}

/// A URI of another place is only text. A path must be among the attempt's own artifacts, without links on the way,
/// or be an artifact that the task was given. Says whether it is there, as far as that can be seen from here.
fn is_there(ctx: &TaskContext<'_>, uri: &str) -> Result<bool, Error> {
    if uri.len() > MAX_URI || uri.contains(char::is_control) {
        return Err(Error::task(format!("its uri is not printable or has more than {MAX_URI} bytes")));
    }
    if is_remote(uri) || ctx.inputs.artifacts.values().flatten().any(|input| input.uri == uri) {
        return Ok(true);
    }
    if let Some(below) = ctx.workspace.and_then(|workspace| Path::new(uri).strip_prefix(workspace).ok()) {
        let below = ctx.workspace.map(|workspace| beneath::look(workspace, below));
        return match below.transpose().map_err(Error::io("looking at an artifact in the workspace"))? {
            Some(Found::File(_) | Found::Folder) => Ok(true),
            Some(Found::Nothing) | None => Ok(false),
            Some(Found::Strange) => Err(strange()),
        };
    }
    let artifacts = Folders(ctx.dir).artifacts();
    let outside = || Error::task(format!("its path {uri:?} is not among the artifacts of the task"));
    let below = Path::new(uri).strip_prefix(&artifacts).map_err(|_| outside())?;
    let plain = below.components().all(|component| matches!(component, Component::Normal(_)));
    if !plain || below.as_os_str().is_empty() || below == Path::new(EXECUTOR_OUTPUT) {
        return Err(outside());
    }
    let path: PathBuf = Path::new(Folders::ARTIFACTS).join(below);
    match beneath::look(ctx.dir, &path).map_err(Error::io("looking at an artifact of a task"))? {
        // The reference implementation only warns of an artifact that was not written.
        Found::Nothing => Ok(false),
        Found::File(_) | Found::Folder => Ok(true),
        Found::Strange => Err(strange()),
    }
}

fn strange() -> Error {
    Error::task("it is, or is behind, something that is neither a file nor a folder")
}

/// Whether a URI begins with a scheme other than `file`, such as `gs://`: it is no place of this host then.
pub fn is_remote(uri: &str) -> bool {
    let Some((scheme, _)) = uri.split_once("://") else { return false };
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(plain)
        && !scheme.eq_ignore_ascii_case("file")
}
