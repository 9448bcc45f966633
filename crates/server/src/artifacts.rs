//! ArtifactService: what tasks have put out, as bytes.
use crate::{
    Context,
    files::{blocking, chunks},
    streams::Streams,
};
use access::{Gate, Scope};
use api::bulkhead::v1::{ArtifactServiceHandlers, Chunk, ReadArtifactRequest, artifact_service_rpc as rpc};
use domain::Result;
use futures::stream::BoxStream;

pub(crate) struct Artifacts(pub(crate) Context, pub(crate) Streams);

impl ArtifactServiceHandlers<Gate> for Artifacts {
    async fn read_artifact(
        &self,
        scope: Scope<rpc::ReadArtifact>,
        req: ReadArtifactRequest,
    ) -> Result<BoxStream<'static, Result<Chunk>>> {
        let grant = scope.grant();
        let open_stream = self.1.open(grant.namespace()?)?;
        let task = self.0.store.recorded(&grant, &req.run_id, &req.node_id).await?;
        let (files, own) = (self.0.files.clone(), grant.clone());
        let contents = blocking(move || files.artifact(&own, &task, &req.artifact_name)).await?;
        Ok(chunks(&self.0, grant, open_stream, contents))
    }
}
