//! ArtifactService: what tasks have put out, as bytes.
use crate::{
    Context,
    files::{blocking, chunks},
};
use access::{Gate, Scope};
use api::bulkhead::v1::{ArtifactServiceHandlers, Chunk, ReadArtifactRequest, artifact_service_rpc as rpc};
use domain::Result;
use futures::stream::BoxStream;

pub(crate) struct Artifacts(pub(crate) Context);

impl ArtifactServiceHandlers<Gate> for Artifacts {
    async fn read_artifact(
        &self,
        scope: Scope<rpc::ReadArtifact>,
        req: ReadArtifactRequest,
    ) -> Result<BoxStream<'static, Result<Chunk>>> {
        let recorded = self.0.store.recorded(&scope.grant(), &req.run_id, &req.node_id).await?;
        let (files, grant) = (self.0.files.clone(), scope.grant());
        let contents = blocking(move || files.artifact(&grant, &recorded, &req.artifact_name)).await?;
        Ok(chunks(&self.0, scope.grant(), contents))
    }
}
