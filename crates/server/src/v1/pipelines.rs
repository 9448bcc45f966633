//! PipelineService of v1beta1. A pipeline shows its latest version as the default one.
use super::messages::{pipeline_message, version_message};
use crate::{
    Context, filter, names,
    pipelines::{create, create_version, origin},
};
use access::{Gate, Scope};
use api::{
    access::refs,
    v1::{pipeline_service_rpc as rpc, *},
};
use domain::{Error, NewPipeline, NewVersion, Result};
use store::Cascade;

pub(crate) struct Pipelines(pub(crate) Context);

impl PipelineServiceHandlers<Gate> for Pipelines {
    async fn create_pipeline_v1(
        &self,
        scope: Scope<rpc::CreatePipelineV1>,
        req: CreatePipelineRequest,
    ) -> Result<Pipeline> {
        let pipeline = req.pipeline.unwrap_or_default();
        let origin = origin(pipeline.url.map(|url| url.pipeline_url), None)?;
        let (name, display_name) = names::both(pipeline.name, String::new());
        let new = NewPipeline { name, display_name, description: pipeline.description, ..Default::default() };
        let (made, version) = create(&self.0, &scope.grant(), new, NewVersion::default(), origin).await?;
        pipeline_message(&made, Some(&version))
    }

    async fn get_pipeline_v1(&self, scope: Scope<rpc::GetPipelineV1>, req: GetPipelineRequest) -> Result<Pipeline> {
        let grant = scope.grant();
        let pipeline = self.0.store.pipeline(&grant, &req.id).await?;
        let latest = self.0.store.latest_version_if_any(&grant, &req.id).await?;
        pipeline_message(&pipeline, latest.as_ref())
    }

    async fn get_pipeline_by_name_v1(
        &self,
        scope: Scope<rpc::GetPipelineByNameV1>,
        req: GetPipelineByNameRequest,
    ) -> Result<Pipeline> {
        let grant = scope.grant();
        let pipeline = self.0.store.pipeline_by_name(&grant, &req.name).await?;
        let latest = self.0.store.latest_version_if_any(&grant, pipeline.id.as_str()).await?;
        pipeline_message(&pipeline, latest.as_ref())
    }

    async fn list_pipelines_v1(
        &self,
        scope: Scope<rpc::ListPipelinesV1>,
        req: ListPipelinesRequest,
    ) -> Result<ListPipelinesResponse> {
        if let Some(key) = req.resource_reference_key.filter(|key| key.r#type() == ResourceType::Experiment) {
            return Err(Error::invalid(format!(
                "pipelines do not belong to experiments such as {}: name a NAMESPACE",
                key.id
            )));
        }
        let query = filter::query(req.page_size, req.page_token, req.sort_by, &req.filter)?;
        let grant = scope.grant();
        let page = self.0.store.pipelines(&grant, query).await?;
        let ids = page.items.iter().map(|pipeline| pipeline.id.clone()).collect();
        let mut latest = self.0.store.latest_versions(&grant, ids).await?;
        let message = |pipeline: &domain::Pipeline| pipeline_message(pipeline, latest.remove(&pipeline.id).as_ref());
        Ok(ListPipelinesResponse {
            pipelines: page.items.iter().map(message).collect::<Result<_>>()?,
            total_size: page.total_size(),
            next_page_token: page.next,
        })
    }

    async fn delete_pipeline_v1(&self, scope: Scope<rpc::DeletePipelineV1>, req: DeletePipelineRequest) -> Result<()> {
        // v1beta1 has no way to ask; its pipelines always go with their versions.
        self.0.store.delete_pipeline(&scope.grant(), &req.id, Cascade::Versions).await
    }

    async fn get_template(
        &self,
        scope: Scope<rpc::GetTemplate>,
        req: GetTemplateRequest,
    ) -> Result<GetTemplateResponse> {
        let latest = self.0.store.latest_version(&scope.grant(), &req.id).await?;
        Ok(GetTemplateResponse { template: latest.spec.to_string() })
    }

    async fn create_pipeline_version_v1(
        &self,
        scope: Scope<rpc::CreatePipelineVersionV1>,
        req: CreatePipelineVersionRequest,
    ) -> Result<PipelineVersion> {
        let version = req.version.unwrap_or_default();
        let pipeline_id = refs::id(&version.resource_references, ResourceType::Pipeline).unwrap_or_default().to_owned();
        if pipeline_id.is_empty() {
            return Err(Error::invalid(
                "version.resource_references: a reference of type PIPELINE and relationship OWNER is required",
            ));
        }
        let origin = origin(version.package_url.map(|url| url.pipeline_url), None)?;
        let (name, display_name) = names::both(version.name, String::new());
        let new = NewVersion {
            name,
            display_name,
            description: version.description,
            code_source_url: version.code_source_url,
            ..Default::default()
        };
        version_message(&create_version(&self.0, &scope.grant(), &pipeline_id, new, origin).await?)
    }

    async fn get_pipeline_version_v1(
        &self,
        scope: Scope<rpc::GetPipelineVersionV1>,
        req: GetPipelineVersionRequest,
    ) -> Result<PipelineVersion> {
        version_message(&self.0.store.version(&scope.grant(), "", &req.version_id).await?)
    }

    async fn list_pipeline_versions_v1(
        &self,
        scope: Scope<rpc::ListPipelineVersionsV1>,
        req: ListPipelineVersionsRequest,
    ) -> Result<ListPipelineVersionsResponse> {
        let query = filter::query(req.page_size, req.page_token, req.sort_by, &req.filter)?;
        let id = req.resource_key.unwrap_or_default().id;
        let page = self.0.store.versions(&scope.grant(), &id, query).await?;
        Ok(ListPipelineVersionsResponse {
            versions: page.items.iter().map(version_message).collect::<Result<_>>()?,
            total_size: page.total_size(),
            next_page_token: page.next,
        })
    }

    async fn delete_pipeline_version_v1(
        &self,
        scope: Scope<rpc::DeletePipelineVersionV1>,
        req: DeletePipelineVersionRequest,
    ) -> Result<()> {
        self.0.store.delete_version(&scope.grant(), "", &req.version_id).await
    }

    async fn get_pipeline_version_template(
        &self,
        scope: Scope<rpc::GetPipelineVersionTemplate>,
        req: GetPipelineVersionTemplateRequest,
    ) -> Result<GetTemplateResponse> {
        let version = self.0.store.version(&scope.grant(), "", &req.version_id).await?;
        Ok(GetTemplateResponse { template: version.spec.to_string() })
    }

    async fn update_pipeline_default_version_v1(
        &self,
        _: Scope<rpc::UpdatePipelineDefaultVersionV1>,
        _: UpdatePipelineDefaultVersionRequest,
    ) -> Result<()> {
        // Admission has found both objects. KFP stores the choice and never reads it: the default is the latest.
        Ok(())
    }
}
