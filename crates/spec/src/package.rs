//! Packages: what a pipeline file holds.
use crate::{ExecutorSpec, PipelineSpec, Platform, Template, bounds, check, value, yaml};
use domain::{Error, Result};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use std::{collections::BTreeMap, fmt::Display};

/// The only version of the IR there is.
const SCHEMA_VERSION: &str = "2.1.0";
/// The longest name that a stored pipeline may have inside.
const MAX_NAME: usize = 128;
/// Fields whose value is a `google.protobuf.Value` or `Struct`: a null in them is theirs.
const FREE: [&str; 9] = [
    "deploymentSpec",
    "deployment_spec",
    "constant",
    "defaultValue",
    "default_value",
    "literals",
    "metadata",
    "config",
    "platforms",
];

/// A pipeline and, where it has one, its settings for Kubernetes (`platforms.kubernetes`).
#[derive(Clone, Debug, PartialEq)]
pub struct Package {
    pub pipeline: PipelineSpec,
    pub platform: Option<Value>,
}

impl Package {
    /// Reads a pipeline file: YAML or JSON, one document with the pipeline and at most one with platform settings,
    /// in any order (KFP's `template` package). The caller bounds the size of the text.
    ///
    /// # Errors
    /// `InvalidArgument` for anything that is not a consistent pipeline, naming the place; `Unimplemented` for a v1
    /// manifest.
    pub fn parse(text: &str) -> Result<Self> {
        Template::parse(text)?.into_package()
    }

    /// Reads the pipeline that a request carries: the IR itself, or `{"pipeline_spec": .., "platform_spec": ..}`.
    ///
    /// # Errors
    /// As `parse`.
    pub fn from_json(document: &Value) -> Result<Self> {
        Template::from_json(document)?.into_package()
    }

    /// The pipeline as the API shows it: the IR itself, or a wrapper around it where there are platform settings.
    pub fn to_json(&self) -> Value {
        let pipeline = sorted(&self.pipeline);
        match &self.platform {
            Some(platform) => json!({"pipeline_spec": pipeline, "platform_spec": sorted(platform)}),
            None => pipeline,
        }
    }

    /// The text to store: YAML with sorted camelCase keys that reads as the same package.
    ///
    /// # Errors
    /// `Internal` if it cannot be written, which would be a bug.
    pub fn canonical(&self) -> Result<String> {
        let mut text = yaml::write(&sorted(&self.pipeline))?;
        if let Some(platform) = &self.platform {
            text.truncate(text.trim_end_matches('\n').len());
            text += "\n---\n";
            text += &yaml::write(&sorted(platform))?;
        }
        Ok(text)
    }

    /// Whether the name inside lets the package be stored: `^[a-z0-9][a-z0-9-]{0,127}$`. A pipeline that a request
    /// carries may have any name.
    ///
    /// # Errors
    /// `InvalidArgument` if not.
    pub fn check_name(&self) -> Result<()> {
        check_name("pipelineInfo.name", &self.pipeline.pipeline_info.name)
    }

    pub(crate) fn from_documents(documents: Vec<Value>) -> Result<Self> {
        let (mut pipeline, mut platform) = (None, None);
        for (index, mut document) in documents.into_iter().enumerate() {
            bounds::check(&document)?;
            value::integral(&mut document);
            let (slot, what) = match Kind::of(&document, index)? {
                Kind::Pipeline => (&mut pipeline, "PipelineSpec"),
                Kind::Platform => (&mut platform, "platform spec"),
            };
            if slot.replace(document).is_some() {
                return Err(Error::invalid(format!("document {}: a second {what}; only one is allowed", index + 1)));
            }
        }
        let pipeline = pipeline.ok_or_else(|| Error::invalid("there is a platform spec but no PipelineSpec"))?;
        let package = Self { pipeline: read_pipeline(pipeline)?, platform };
        Platform::of(&package)?;
        Ok(package)
    }
}

enum Kind {
    Pipeline,
    Platform,
}

impl Kind {
    fn of(document: &Value, index: usize) -> Result<Self> {
        let has = |names: &[&str]| names.iter().any(|name| document.get(name).is_some());
        if has(&["pipelineInfo", "pipeline_info", "root", "deploymentSpec", "deployment_spec", "components"]) {
            return Ok(Kind::Pipeline);
        }
        match document.get("platforms") {
            Some(platforms) if platforms.get("kubernetes").is_some_and(Value::is_object) => Ok(Kind::Platform),
            Some(_) => Err(Error::invalid("platforms: only the platform \"kubernetes\" is known")),
            None => Err(Error::invalid(format!(
                "document {}: neither a PipelineSpec (it has no pipelineInfo and root) nor a platform spec (it has no \
                 platforms.kubernetes)",
                index + 1
            ))),
        }
    }
}

/// The names that pipelines may have inside to be stored.
pub(crate) fn check_name(place: impl Display, name: &str) -> Result<()> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let good = name.len() <= MAX_NAME
        && name.bytes().all(|byte| plain(byte) || byte == b'-')
        && name.bytes().next().is_some_and(plain);
    if good {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "{place}: {:?} is not a valid name: 1 to {MAX_NAME} lower-case letters, digits and '-', not beginning with '-'",
        yaml::clip(name)
    )))
}

fn read_pipeline(mut document: Value) -> Result<PipelineSpec> {
    check_version(&document)?;
    drop_nulls(&mut document);
    for (field, other) in [("pipelineInfo", "pipeline_info"), ("root", "root")] {
        if document.get(field).or(document.get(other)).is_none() {
            return Err(Error::invalid(format!("{field}: missing from the PipelineSpec")));
        }
    }
    let mut pipeline: PipelineSpec = typed(document, "")?;
    if pipeline.pipeline_info.name.is_empty() {
        return Err(Error::invalid("pipelineInfo.name: missing or empty"));
    }
    if let Some(executors) = pipeline.deployment_spec.get("executors") {
        let mut executors = executors.clone();
        drop_nulls(&mut executors);
        pipeline.executors = typed::<BTreeMap<String, ExecutorSpec>>(executors, "deploymentSpec.executors")?;
    }
    check::pipeline(&pipeline)?;
    Ok(pipeline)
}

/// Looked at before anything else: with another version, other fields may be wrong for no other reason.
fn check_version(document: &Value) -> Result<()> {
    match document.get("schemaVersion").or(document.get("schema_version")) {
        Some(Value::String(version)) if version == SCHEMA_VERSION => Ok(()),
        Some(version) => Err(Error::invalid(format!(
            "schemaVersion: {} is not supported; {SCHEMA_VERSION} is wanted, which kfp 2 writes",
            yaml::clip(&version.to_string())
        ))),
        None => Err(Error::invalid(format!("schemaVersion: missing; {SCHEMA_VERSION} is wanted"))),
    }
}

/// Reads a message, naming the place where it is wrong.
pub(crate) fn typed<T: DeserializeOwned>(document: Value, within: &str) -> Result<T> {
    serde_path_to_error::deserialize(document).map_err(|error| {
        let path = error.path().to_string();
        let place = match (within, path.as_str()) {
            ("", ".") => "the PipelineSpec".to_owned(),
            ("", path) => path.to_owned(),
            (within, ".") => within.to_owned(),
            (within, path) => format!("{within}.{path}"),
        };
        Error::invalid(yaml::clip(&error.inner().to_string())).at(yaml::clip(&place))
    })
}

/// In proto3 JSON a null stands for an absent field.
pub(crate) fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|key, field| FREE.contains(&key.as_str()) || !field.is_null());
            fields.iter_mut().filter(|(key, _)| !FREE.contains(&key.as_str())).for_each(|(_, field)| drop_nulls(field));
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

/// As JSON, with the keys of every map sorted, whatever maps `serde_json` was built with.
fn sorted(value: &impl Serialize) -> Value {
    let mut value = serde_json::to_value(value).unwrap_or_default();
    value.sort_all_objects();
    value::integral(&mut value);
    value
}
