//! Pipelines and their versions.
use crate::{Home, PipelineId, PipelineVersionId, Timestamp};
use std::{collections::BTreeMap, sync::Arc};

/// Labels that users put on pipelines and versions.
pub type Tags = BTreeMap<String, String>;

/// A named series of versions, private to a namespace or shared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pipeline {
    pub id: PipelineId,
    pub home: Home,
    /// The identity within the home.
    pub name: String,
    /// Free text.
    pub display_name: String,
    pub description: String,
    pub created_at: Timestamp,
    pub tags: Tags,
    pub created_by: String,
}

/// One uploaded definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PipelineVersion {
    pub id: PipelineVersionId,
    pub pipeline_id: PipelineId,
    pub name: String,
    pub display_name: String,
    pub description: String,
    pub created_at: Timestamp,
    pub code_source_url: String,
    /// Where it was fetched from, empty if it was not.
    pub package_url: String,
    pub tags: Tags,
    /// The canonical text, as `spec::Template` wrote it.
    pub spec: Arc<str>,
    pub created_by: String,
}

/// What a caller decides about a pipeline.
#[derive(Clone, Debug, Default)]
pub struct NewPipeline {
    pub name: String,
    pub display_name: String,
    pub description: String,
    pub tags: Tags,
}

/// What a caller decides about a version.
#[derive(Clone, Debug, Default)]
pub struct NewVersion {
    pub name: String,
    pub display_name: String,
    pub description: String,
    pub code_source_url: String,
    pub package_url: String,
    pub tags: Tags,
    pub spec: String,
}
