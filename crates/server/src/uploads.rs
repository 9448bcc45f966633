//! Uploads of pipeline packages: an RPC of our own that the multipart routes of HTTP call.
use crate::{Context, names, package, v1, v2};
use access::{Gate, Scope};
use api::bulkhead::v1::{
    Package, UploadPipelineRequest, UploadPipelineResponse, UploadPipelineVersionRequest,
    UploadPipelineVersionResponse, UploadServiceHandlers, upload_service_rpc as rpc,
};
use domain::{Home, NewPipeline, NewVersion, Result};

pub(crate) struct Uploads(pub(crate) Context);

impl UploadServiceHandlers<Gate> for Uploads {
    async fn upload_pipeline(
        &self,
        scope: Scope<rpc::UploadPipeline>,
        req: UploadPipelineRequest,
    ) -> Result<UploadPipelineResponse> {
        let file = req.package.unwrap_or_default();
        let (name, display_name) = named(&file, req.name, req.display_name);
        let tags = req.tags.into_iter().collect();
        names::name("the pipeline's name", &name, names::PIPELINE)?;
        names::name("the pipeline's display name", &display_name, names::PIPELINE)?;
        // The first version takes the name of its pipeline, and a version's may be one character shorter.
        names::length("the pipeline's name, which its first version takes,", &name, names::VERSION)?;
        names::description(&req.description)?;
        names::length("code_source_url", &req.code_source_url, names::URL)?;
        names::tags(&tags)?;
        let spec = package::read(file).await?;
        let description = req.description;
        let version = NewVersion {
            name: name.clone(),
            display_name: display_name.clone(),
            description: description.clone(),
            code_source_url: req.code_source_url,
            tags: Default::default(),
            spec,
        };
        let grant = scope.grant();
        let new = NewPipeline { name, display_name, description, tags };
        let (pipeline, version) = self.0.store.create_pipeline(&grant, new, Some(version)).await?;
        if pipeline.home == Home::Shared {
            tracing::info!(pipeline.id = %pipeline.id, user = grant.who().user(), "a pipeline was shared with everybody");
        }
        Ok(UploadPipelineResponse {
            pipeline_v1: Some(v1::pipeline_message(&pipeline, version.as_ref())),
            pipeline: Some(v2::pipeline_message(&pipeline)),
        })
    }

    async fn upload_pipeline_version(
        &self,
        scope: Scope<rpc::UploadPipelineVersion>,
        req: UploadPipelineVersionRequest,
    ) -> Result<UploadPipelineVersionResponse> {
        let file = req.package.unwrap_or_default();
        let (name, display_name) = named(&file, req.name, req.display_name);
        let tags = req.tags.into_iter().collect();
        names::name("the version's name", &name, names::VERSION)?;
        names::name("the version's display name", &display_name, names::PIPELINE)?;
        names::description(&req.description)?;
        names::length("code_source_url", &req.code_source_url, names::URL)?;
        names::tags(&tags)?;
        let spec = package::read(file).await?;
        let code_source_url = req.code_source_url;
        let new = NewVersion { name, display_name, description: req.description, code_source_url, tags, spec };
        let version = self.0.store.create_version(&scope.grant(), &req.pipeline_id, new).await?;
        Ok(UploadPipelineVersionResponse {
            version_v1: Some(v1::version_message(&version)),
            version: Some(v2::version_message(&version)?),
        })
    }
}

/// Both names of what is uploaded. Without any it is called like its file.
fn named(file: &Package, name: String, display_name: String) -> (String, String) {
    let nameless = name.is_empty() && display_name.is_empty();
    names::both(if nameless { file.filename.clone() } else { name }, display_name)
}
