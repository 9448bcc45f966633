//! What the creation of pipelines and their versions is, whichever way they come.
use crate::{
    Context, names,
    package::{self, Origin},
};
use access::Grant;
use api::access::{resource::Pipelines, verb::Create};
use domain::{Error, Home, NewPipeline, NewVersion, Pipeline, PipelineVersion, Result};
use prost_types::Struct;

/// Makes a pipeline with its first version, both or neither. The version takes the names and the description of the
/// pipeline; of `version` the source and the tags count.
pub(crate) async fn create(
    context: &Context,
    grant: &Grant<Create, Pipelines>,
    new: NewPipeline,
    version: NewVersion,
    origin: Origin,
) -> Result<(Pipeline, PipelineVersion)> {
    check_pipeline(&new)?;
    // The first version takes the name of its pipeline, and a version's may be one character shorter.
    names::length("the pipeline's name, which its first version takes,", &new.name, names::VERSION)?;
    let version = NewVersion {
        name: new.name.clone(),
        display_name: new.display_name.clone(),
        description: new.description.clone(),
        ..version
    };
    check_version(&version, &origin)?;
    let version = filled(context, grant.home(), version, origin).await?;
    let (pipeline, version) = context.store.create_pipeline(grant, new, Some(version)).await?;
    let version =
        version.ok_or_else(|| Error::internal("a pipeline was made without the version that it was given"))?;
    if pipeline.home == Home::Shared {
        tracing::info!(pipeline.id = %pipeline.id, user = grant.who().user(), "a pipeline was shared with everybody");
    }
    Ok((pipeline, version))
}

/// Adds a version to a pipeline.
pub(crate) async fn create_version(
    context: &Context,
    grant: &Grant<Create, Pipelines>,
    pipeline_id: &str,
    new: NewVersion,
    origin: Origin,
) -> Result<PipelineVersion> {
    check_version(&new, &origin)?;
    let new = filled(context, grant.home(), new, origin).await?;
    context.store.create_version(grant, pipeline_id, new).await
}

/// Passes what may be a pipeline.
pub(crate) fn check_pipeline(new: &NewPipeline) -> Result<()> {
    names::name("the pipeline's name", &new.name, names::PIPELINE)?;
    names::name("the pipeline's display_name", &new.display_name, names::PIPELINE)?;
    names::description(&new.description)?;
    names::tags(&new.tags)
}

/// Where a request says that its definition is. Of a URL and a spec the URL counts, as for clients that send back
/// what they were shown.
pub(crate) fn origin(url: Option<String>, spec: Option<Struct>) -> Result<Origin> {
    match (url.filter(|url| !url.is_empty()), spec) {
        (Some(url), _) => Ok(Origin::Url(url)),
        (None, Some(spec)) => Ok(Origin::Inline(spec)),
        (None, None) => Err(Error::invalid("a pipeline_url is required: it says where the package is")),
    }
}

fn check_version(new: &NewVersion, origin: &Origin) -> Result<()> {
    names::name("the version's name", &new.name, names::VERSION)?;
    names::name("the version's display_name", &new.display_name, names::PIPELINE)?;
    names::description(&new.description)?;
    names::length("code_source_url", &new.code_source_url, names::URL)?;
    names::tags(&new.tags)?;
    match origin {
        Origin::Url(url) => names::length("package_url", url, names::URL),
        Origin::File(_) | Origin::Inline(_) => Ok(()),
    }
}

async fn filled(context: &Context, home: &Home, new: NewVersion, origin: Origin) -> Result<NewVersion> {
    let definition = package::read(context, home, origin).await?;
    Ok(NewVersion { spec: definition.spec, package_url: definition.package_url, ..new })
}
