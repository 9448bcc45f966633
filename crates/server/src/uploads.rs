//! Uploads of pipeline packages: an RPC of our own that the multipart routes of HTTP call.
use crate::{Context, names, package::Origin, pipelines, v1, v2};
use access::{Gate, Scope};
use api::bulkhead::v1::{
    Package, UploadPipelineRequest, UploadPipelineResponse, UploadPipelineVersionRequest,
    UploadPipelineVersionResponse, UploadServiceHandlers, upload_service_rpc as rpc,
};
use domain::{NewPipeline, NewVersion, Result};

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
        let new = NewPipeline { name, display_name, description: req.description, tags };
        let version = NewVersion { code_source_url: req.code_source_url, ..Default::default() };
        let (pipeline, version) = pipelines::create(&self.0, &scope.grant(), new, version, Origin::File(file)).await?;
        Ok(UploadPipelineResponse {
            pipeline_v1: Some(v1::pipeline_message(&pipeline, Some(&version))?),
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
        let new = NewVersion {
            name,
            display_name,
            description: req.description,
            code_source_url: req.code_source_url,
            tags,
            ..Default::default()
        };
        let origin = Origin::File(file);
        let version = pipelines::create_version(&self.0, &scope.grant(), &req.pipeline_id, new, origin).await?;
        Ok(UploadPipelineVersionResponse {
            version_v1: Some(v1::version_message(&version)?),
            version: Some(v2::version_message(&version)?),
        })
    }
}

/// Both names of what is uploaded. Without any it is called like its file.
fn named(file: &Package, name: String, display_name: String) -> (String, String) {
    let nameless = name.is_empty() && display_name.is_empty();
    names::both(if nameless { file.filename.clone() } else { name }, display_name)
}
