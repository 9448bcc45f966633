//! v1 manifests: Argo Workflows, as kfp 1 compiled them.
use crate::{bounds, package, value, yaml};
use domain::{Error, Result};
use serde_json::{Map, Value, json};

/// What all versions of Argo's API have in front, and the only one there is.
const GROUP: &str = "argoproj.io/";
const API_VERSION: &str = "argoproj.io/v1alpha1";
const KIND: &str = "Workflow";
/// The most that the parameters may have as JSON, in bytes (KFP API, MAX_PARAMETER_BYTES).
const MAX_PARAMETERS: usize = 10_000;
/// Marks manifests of pipelines whose name is in a parameter.
const ANNOTATION: &str = "pipelines.kubeflow.org/v2_pipeline";
const NAME_PARAMETER: &str = "pipeline-name";

/// An Argo Workflow. Only what the API shows of it is looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifest {
    document: Value,
    /// Those of `spec.arguments`.
    pub parameters: Vec<Parameter>,
}

/// A parameter of a manifest. Argo knows no types.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    pub name: String,
    /// Empty where the manifest has none.
    pub value: String,
}

impl Manifest {
    /// Whether a document means to be a manifest.
    pub(crate) fn is(document: &Value) -> bool {
        document.get("apiVersion").and_then(Value::as_str).is_some_and(|version| version.starts_with(GROUP))
    }

    /// Reads a document that `is` one.
    pub(crate) fn read(mut document: Value) -> Result<Self> {
        bounds::check(&document)?;
        for (field, wanted) in [("apiVersion", API_VERSION), ("kind", KIND)] {
            let found = document.get(field).unwrap_or(&Value::Null);
            if found != wanted {
                let found = yaml::clip(&found.to_string());
                return Err(Error::invalid(format!("{field}: a v1 manifest has {wanted:?} here, not {found}")));
            }
        }
        value::integral(&mut document);
        document.sort_all_objects();
        let parameters = parameters(&document)?;
        Ok(Self { document, parameters })
    }

    pub(crate) fn document(&self) -> &Value {
        &self.document
    }

    pub(crate) fn to_json(&self) -> Value {
        self.document.clone()
    }

    pub(crate) fn canonical(&self) -> Result<String> {
        let text = self.document.to_string();
        // All of JSON is YAML but for corners such as very long keys.
        match yaml::read(&text)? == [self.document.clone()] {
            true => Ok(text),
            false => Err(Error::invalid("the manifest has keys or values that cannot be stored unchanged")),
        }
    }

    pub(crate) fn check_name(&self) -> Result<()> {
        let annotation =
            self.document.get("metadata").and_then(|metadata| metadata.get("annotations")?.get(ANNOTATION));
        if annotation.and_then(Value::as_str) != Some("true") {
            return Ok(());
        }
        match self.parameters.iter().find(|parameter| parameter.name == NAME_PARAMETER) {
            Some(parameter) => package::check_name(format_args!("parameter {NAME_PARAMETER:?}"), &parameter.value),
            None => Ok(()),
        }
    }
}

fn parameters(document: &Value) -> Result<Vec<Parameter>> {
    let spec =
        map("spec", document.get("spec"))?.ok_or_else(|| Error::invalid("spec: missing from the v1 manifest"))?;
    let Some(arguments) = map("spec.arguments", spec.get("arguments"))? else { return Ok(Vec::new()) };
    let listed = match arguments.get("parameters") {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(listed)) => listed,
        Some(other) => return Err(wrong("spec.arguments.parameters", "a list", other)),
    };
    let read = |(index, parameter): (usize, &Value)| {
        let name = parameter.get("name").and_then(Value::as_str).filter(|name| !name.is_empty());
        let name = name.ok_or_else(|| {
            Error::invalid(format!("spec.arguments.parameters[{index}]: a parameter with a name is wanted"))
        })?;
        let value = parameter.get("value").map(value::text).unwrap_or_default();
        Ok(Parameter { name: name.to_owned(), value })
    };
    let parameters: Vec<Parameter> = listed.iter().enumerate().map(read).collect::<Result<_>>()?;
    let shown: Value = parameters.iter().map(|p| json!({"name": p.name, "value": p.value})).collect();
    let bytes = shown.to_string().len();
    if bytes > MAX_PARAMETERS {
        return Err(Error::invalid(format!(
            "spec.arguments.parameters: {bytes} bytes as JSON, and at most {MAX_PARAMETERS} are allowed"
        )));
    }
    Ok(parameters)
}

fn map<'a>(place: &str, value: Option<&'a Value>) -> Result<Option<&'a Map<String, Value>>> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(fields)) => Ok(Some(fields)),
        Some(other) => Err(wrong(place, "a map", other)),
    }
}

fn wrong(place: &str, wanted: &str, found: &Value) -> Error {
    Error::invalid(format!("{place}: {wanted} is wanted, not {}", value::kind(found)))
}
