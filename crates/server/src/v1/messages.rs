//! From the domain to v1beta1's messages.
use crate::{json, time};
use api::v1::{self, Relationship, ResourceKey, ResourceReference, ResourceType};
use domain::{Error, Experiment, Home, Pipeline, PipelineVersion, Result, Run, Source};
use spec::Template;

pub(super) fn reference(kind: ResourceType, id: impl ToString, relationship: Relationship) -> ResourceReference {
    let key = ResourceKey { r#type: kind.into(), id: id.to_string() };
    ResourceReference { key: Some(key), relationship: relationship.into(), ..Default::default() }
}

pub(crate) fn experiment_message(experiment: &Experiment) -> v1::Experiment {
    use v1::experiment::StorageState;
    // The reference is there even where its id is empty, in single-user mode.
    let namespace = experiment.home.namespace().map(ToString::to_string).unwrap_or_default();
    v1::Experiment {
        id: experiment.id.to_string(),
        name: experiment.name.clone(),
        description: experiment.description.clone(),
        created_at: time::wire(experiment.created_at),
        resource_references: vec![reference(ResourceType::Namespace, namespace, Relationship::Owner)],
        storage_state: match experiment.storage_state {
            domain::StorageState::Available => StorageState::StoragestateAvailable,
            domain::StorageState::Archived => StorageState::StoragestateArchived,
        }
        .into(),
        created_by: experiment.created_by.clone(),
    }
}

pub(crate) fn pipeline_message(pipeline: &Pipeline, latest: Option<&PipelineVersion>) -> Result<v1::Pipeline> {
    let owner = match &pipeline.home {
        Home::Namespace(namespace) if !namespace.as_str().is_empty() => Some(namespace),
        _ => None,
    };
    let default_version = latest.map(version_message).transpose()?;
    Ok(v1::Pipeline {
        id: pipeline.id.to_string(),
        created_at: time::wire(pipeline.created_at),
        name: pipeline.name.clone(),
        description: pipeline.description.clone(),
        parameters: default_version.as_ref().map(|version| version.parameters.clone()).unwrap_or_default(),
        url: default_version.as_ref().and_then(|version| version.package_url.clone()),
        default_version,
        resource_references: owner
            .map(|namespace| reference(ResourceType::Namespace, namespace, Relationship::Owner))
            .into_iter()
            .collect(),
        created_by: pipeline.created_by.clone(),
        ..Default::default()
    })
}

/// v1beta1 shows where the source is as where the package came from (KFP API).
fn url(version: &PipelineVersion) -> Option<v1::Url> {
    let url = [&version.code_source_url, &version.package_url].into_iter().find(|url| !url.is_empty());
    url.map(|url| v1::Url { pipeline_url: url.clone() })
}

pub(crate) fn version_message(version: &PipelineVersion) -> Result<v1::PipelineVersion> {
    // What is stored was readable once, so a failure is ours.
    let parameters = Template::parameters(&version.spec).map_err(Error::internal)?;
    let parameter = |parameter: spec::Parameter| v1::Parameter { name: parameter.name, value: parameter.value };
    Ok(v1::PipelineVersion {
        id: version.id.to_string(),
        name: version.name.clone(),
        created_at: time::wire(version.created_at),
        parameters: parameters.into_iter().map(parameter).collect(),
        code_source_url: version.code_source_url.clone(),
        package_url: url(version),
        resource_references: vec![reference(ResourceType::Pipeline, &version.pipeline_id, Relationship::Owner)],
        description: version.description.clone(),
        created_by: version.created_by.clone(),
    })
}

/// A run with what it executes, and with the workflow that was reported of it if another engine does.
pub(crate) fn run_detail(run: &Run, workflow: Option<String>) -> v1::RunDetail {
    let workflow_manifest = workflow.unwrap_or_default();
    let runtime = v1::PipelineRuntime { pipeline_manifest: run.spec.to_string(), workflow_manifest };
    v1::RunDetail { run: Some(run_message(run)), pipeline_runtime: Some(runtime) }
}

pub(crate) fn run_message(run: &Run) -> v1::Run {
    use v1::run::StorageState;
    let mut resource_references = vec![
        reference(ResourceType::Experiment, &run.experiment_id, Relationship::Owner),
        reference(ResourceType::Namespace, &run.namespace, Relationship::Owner),
    ];
    if !run.recurring_run_id.is_empty() {
        resource_references.push(reference(ResourceType::Job, &run.recurring_run_id, Relationship::Creator));
    }
    resource_references.retain(|reference| reference.key.as_ref().is_some_and(|key| !key.id.is_empty()));
    let parameters = run.parameters.clone().into_iter().map(|(key, value)| (key, json::to_wire(value))).collect();
    let config = v1::pipeline_spec::RuntimeConfig { parameters, pipeline_root: run.pipeline_root.clone() };
    let mut spec = v1::PipelineSpec {
        pipeline_manifest: run.spec.to_string(),
        runtime_config: (config != Default::default()).then_some(config),
        ..Default::default()
    };
    if let Source::Version { pipeline_id, version_id, version_name } = &run.source {
        resource_references.push(reference(ResourceType::PipelineVersion, version_id, Relationship::Creator));
        spec.pipeline_id = pipeline_id.to_string();
        spec.pipeline_name = version_name.clone();
    }
    v1::Run {
        id: run.id.to_string(),
        name: run.name.clone(),
        storage_state: match run.storage_state {
            domain::StorageState::Available => StorageState::StoragestateAvailable,
            domain::StorageState::Archived => StorageState::StoragestateArchived,
        }
        .into(),
        description: run.description.clone(),
        pipeline_spec: Some(spec),
        resource_references,
        service_account: run.service_account.clone(),
        created_at: time::wire(run.created_at),
        scheduled_at: time::wire(run.scheduled_at),
        finished_at: time::wire(run.finished_at),
        status: run.state.v1().to_owned(),
        error: run.error.clone().unwrap_or_default(),
        metrics: run.metrics.iter().map(super::metrics::message).collect(),
        created_by: run.created_by.clone(),
    }
}
