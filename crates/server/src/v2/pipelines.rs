//! PipelineService of v2beta1.
use super::messages::{pipeline_message, version_message};
use crate::{
    Context, filter, names,
    pipelines::{check_pipeline, create, create_version, origin},
};
use access::{Gate, Scope};
use api::v2::{pipeline_service_rpc as rpc, *};
use domain::{Error, NewPipeline, NewVersion, Result, Tags};
use std::collections::HashMap;
use store::Cascade;

pub(crate) struct Pipelines(pub(crate) Context);

impl PipelineServiceHandlers<Gate> for Pipelines {
    async fn create_pipeline(&self, scope: Scope<rpc::CreatePipeline>, req: CreatePipelineRequest) -> Result<Pipeline> {
        let pipeline = req.pipeline.unwrap_or_default();
        let (name, display_name) = names::both(pipeline.name, pipeline.display_name);
        let tags = pipeline.tags.into_iter().collect();
        let new = NewPipeline { name, display_name, description: pipeline.description, tags };
        check_pipeline(&new)?;
        let (made, _) = self.0.store.create_pipeline(&scope.grant(), new, None).await?;
        Ok(pipeline_message(&made))
    }

    async fn get_pipeline(&self, scope: Scope<rpc::GetPipeline>, req: GetPipelineRequest) -> Result<Pipeline> {
        Ok(pipeline_message(&self.0.store.pipeline(&scope.grant(), &req.pipeline_id).await?))
    }

    async fn get_pipeline_by_name(
        &self,
        scope: Scope<rpc::GetPipelineByName>,
        req: GetPipelineByNameRequest,
    ) -> Result<Pipeline> {
        Ok(pipeline_message(&self.0.store.pipeline_by_name(&scope.grant(), &req.name).await?))
    }

    async fn list_pipelines(
        &self,
        scope: Scope<rpc::ListPipelines>,
        req: ListPipelinesRequest,
    ) -> Result<ListPipelinesResponse> {
        let query = filter::query(req.page_size, req.page_token, req.sort_by, &req.filter)?;
        let page = self.0.store.pipelines(&scope.grant(), query).await?;
        Ok(ListPipelinesResponse {
            pipelines: page.items.iter().map(pipeline_message).collect(),
            total_size: page.total_size(),
            next_page_token: page.next,
        })
    }

    async fn delete_pipeline(&self, scope: Scope<rpc::DeletePipeline>, req: DeletePipelineRequest) -> Result<()> {
        let cascade = if req.cascade { Cascade::Versions } else { Cascade::Nothing };
        self.0.store.delete_pipeline(&scope.grant(), &req.pipeline_id, cascade).await
    }

    async fn create_pipeline_and_version(
        &self,
        scope: Scope<rpc::CreatePipelineAndVersion>,
        req: CreatePipelineAndVersionRequest,
    ) -> Result<Pipeline> {
        let pipeline = req.pipeline.unwrap_or_default();
        let version = req.pipeline_version.unwrap_or_default();
        let origin = origin(version.package_url.map(|url| url.pipeline_url), version.pipeline_spec)?;
        let (name, display_name) = names::both(pipeline.name, pipeline.display_name);
        let tags = pipeline.tags.into_iter().collect();
        let new = NewPipeline { name, display_name, description: pipeline.description, tags };
        let version = NewVersion {
            code_source_url: version.code_source_url,
            tags: version.tags.into_iter().collect(),
            ..Default::default()
        };
        let (made, _) = create(&self.0, &scope.grant(), new, version, origin).await?;
        Ok(pipeline_message(&made))
    }

    async fn create_pipeline_version(
        &self,
        scope: Scope<rpc::CreatePipelineVersion>,
        req: CreatePipelineVersionRequest,
    ) -> Result<PipelineVersion> {
        let version = req.pipeline_version.unwrap_or_default();
        if !version.pipeline_id.is_empty() && version.pipeline_id != req.pipeline_id {
            return Err(Error::invalid("pipeline_version.pipeline_id names another pipeline than pipeline_id does"));
        }
        let origin = origin(version.package_url.map(|url| url.pipeline_url), version.pipeline_spec)?;
        let (name, display_name) = names::both(version.name, version.display_name);
        let new = NewVersion {
            name,
            display_name,
            description: version.description,
            code_source_url: version.code_source_url,
            tags: version.tags.into_iter().collect(),
            ..Default::default()
        };
        version_message(&create_version(&self.0, &scope.grant(), &req.pipeline_id, new, origin).await?)
    }

    async fn get_pipeline_version(
        &self,
        scope: Scope<rpc::GetPipelineVersion>,
        req: GetPipelineVersionRequest,
    ) -> Result<PipelineVersion> {
        let version = self.0.store.version(&scope.grant(), &req.pipeline_id, &req.pipeline_version_id).await?;
        version_message(&version)
    }

    async fn list_pipeline_versions(
        &self,
        scope: Scope<rpc::ListPipelineVersions>,
        req: ListPipelineVersionsRequest,
    ) -> Result<ListPipelineVersionsResponse> {
        let query = filter::query(req.page_size, req.page_token, req.sort_by, &req.filter)?;
        let page = self.0.store.versions(&scope.grant(), &req.pipeline_id, query).await?;
        Ok(ListPipelineVersionsResponse {
            pipeline_versions: page.items.iter().map(version_message).collect::<Result<_>>()?,
            total_size: page.total_size(),
            next_page_token: page.next,
        })
    }

    async fn delete_pipeline_version(
        &self,
        scope: Scope<rpc::DeletePipelineVersion>,
        req: DeletePipelineVersionRequest,
    ) -> Result<()> {
        self.0.store.delete_version(&scope.grant(), &req.pipeline_id, &req.pipeline_version_id).await
    }

    async fn update_pipeline(&self, scope: Scope<rpc::UpdatePipeline>, req: UpdatePipelineRequest) -> Result<Pipeline> {
        let pipeline = req.pipeline.unwrap_or_default();
        let (display_name, tags) = changes(pipeline.display_name, pipeline.tags, req.clear_tags)?;
        let changed = self.0.store.update_pipeline(&scope.grant(), &pipeline.pipeline_id, display_name, tags).await?;
        Ok(pipeline_message(&changed))
    }

    async fn update_pipeline_version(
        &self,
        scope: Scope<rpc::UpdatePipelineVersion>,
        req: UpdatePipelineVersionRequest,
    ) -> Result<PipelineVersion> {
        let version = req.pipeline_version.unwrap_or_default();
        let (display_name, tags) = changes(version.display_name, version.tags, req.clear_tags)?;
        let (pipeline_id, id) = (&version.pipeline_id, &version.pipeline_version_id);
        version_message(&self.0.store.update_version(&scope.grant(), pipeline_id, id, display_name, tags).await?)
    }
}

/// What an update changes: an empty display name stays as it is, and so do tags, unless they are to be cleared.
fn changes(
    display_name: String,
    tags: HashMap<String, String>,
    clear_tags: bool,
) -> Result<(Option<String>, Option<Tags>)> {
    let tags: Tags = tags.into_iter().collect();
    names::length("display_name", &display_name, names::PIPELINE)?;
    names::tags(&tags)?;
    Ok(((!display_name.is_empty()).then_some(display_name), (clear_tags || !tags.is_empty()).then_some(tags)))
}
