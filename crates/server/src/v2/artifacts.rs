//! ArtifactService of v2beta1.
use super::{
    lineage::{artifact_message, link_message},
    recorded,
};
use crate::{Context, filter};
use access::{Gate, Scope};
use api::v2::{artifact_service_rpc as rpc, *};
use domain::{Direction, Result};
use store::LinksOf;

pub(crate) struct Artifacts(pub(crate) Context);

impl ArtifactServiceHandlers<Gate> for Artifacts {
    async fn list_artifacts(
        &self,
        scope: Scope<rpc::ListArtifacts>,
        req: ListArtifactRequest,
    ) -> Result<ListArtifactResponse> {
        let query = filter::query(req.page_size, req.page_token, req.sort_by, &req.filter)?;
        let page = self.0.store.artifacts(&scope.grant(), query).await?;
        Ok(ListArtifactResponse {
            artifacts: page.items.iter().map(artifact_message).collect(),
            total_size: page.total_size(),
            next_page_token: page.next,
        })
    }

    async fn get_artifact(&self, scope: Scope<rpc::GetArtifact>, req: GetArtifactRequest) -> Result<Artifact> {
        Ok(artifact_message(&self.0.store.artifact(&scope.grant(), &req.artifact_id).await?))
    }

    async fn list_artifact_tasks(
        &self,
        scope: Scope<rpc::ListArtifactTasks>,
        req: ListArtifactTasksRequest,
    ) -> Result<ListArtifactTasksResponse> {
        // INPUT is also what says nothing.
        let direction = (req.r#type() == ArtifactTaskType::Output).then_some(Direction::Output);
        let query = filter::query(req.page_size, req.page_token, req.sort_by, &req.filter)?;
        let of = LinksOf { tasks: req.task_ids, runs: req.run_ids, artifacts: req.artifact_ids, direction };
        let page = self.0.store.artifact_links(&scope.grant(), of, query).await?;
        Ok(ListArtifactTasksResponse {
            artifact_tasks: page.items.iter().map(link_message).collect(),
            total_size: page.total_size(),
            next_page_token: page.next,
        })
    }

    async fn create_artifact_task(
        &self,
        scope: Scope<rpc::CreateArtifactTask>,
        req: CreateArtifactTaskRequest,
    ) -> Result<ArtifactTask> {
        let new = recorded::link(req.artifact_task.unwrap_or_default())?;
        Ok(link_message(&self.0.store.record_link(&scope.grant(), &scope.grant(), new).await?))
    }

    async fn create_artifact(&self, scope: Scope<rpc::CreateArtifact>, req: CreateArtifactRequest) -> Result<Artifact> {
        let grant = scope.grant();
        let new = recorded::artifact(req, grant.namespace()?)?;
        Ok(artifact_message(&self.0.store.record_artifact(&grant, new).await?))
    }
}
