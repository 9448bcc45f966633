//! RunService of `bulkhead.v1`: runs as they proceed.
use crate::{Context, files::Lease, follow::Follow, messages, streams::Streams};
use access::{Gate, Scope};
use api::{
    access::{resource::Runs, verb::Get},
    bulkhead::v1::{
        FollowLogsRequest, FollowLogsResponse, RunServiceHandlers, WatchRunRequest, WatchRunResponse,
        run_service_rpc as rpc,
    },
};
use domain::{Code, Error, Result};
use futures::{
    StreamExt as _,
    stream::{BoxStream, try_unfold},
};
use std::time::Duration;

/// How often a run that is watched is looked at for changes.
const LOOK: Duration = Duration::from_millis(200);

pub(crate) struct Watching(pub(crate) Context, pub(crate) Streams);

impl RunServiceHandlers<Gate> for Watching {
    async fn watch_run(
        &self,
        scope: Scope<rpc::WatchRun>,
        req: WatchRunRequest,
    ) -> Result<BoxStream<'static, Result<WatchRunResponse>>> {
        let grant = scope.grant();
        let open = self.1.open(grant.namespace()?)?;
        let since = match req.cursor.as_str() {
            "" => 0,
            cursor => cursor.parse().map_err(|_| Error::invalid("cursor is not one that WatchRun has given"))?,
        };
        // Whoever has seen nothing sees how things stand, changed or not.
        let seen = (!req.cursor.is_empty()).then_some(since);
        self.0.store.revision(&grant, &req.run_id).await?;
        let lease = Lease::new(self.0.gate.clone(), grant, open);
        let watch = Watch { context: self.0.clone(), lease, run_id: req.run_id, seen, ended: false };
        Ok(try_unfold(watch, Watch::next).boxed())
    }

    async fn follow_logs(
        &self,
        scope: Scope<rpc::FollowLogs>,
        req: FollowLogsRequest,
    ) -> Result<BoxStream<'static, Result<FollowLogsResponse>>> {
        let grant = scope.grant();
        let open = self.1.open(grant.namespace()?)?;
        let lease = Lease::new(self.0.gate.clone(), grant, open);
        let follow = Follow::new(self.0.clone(), lease, req).await?;
        Ok(try_unfold(follow, Follow::next).boxed())
    }
}

/// A run that is watched until it has ended.
struct Watch {
    context: Context,
    lease: Lease<Get, Runs>,
    run_id: String,
    /// The step of the run that was told last.
    seen: Option<u64>,
    ended: bool,
}

impl Watch {
    async fn next(mut self) -> Result<Option<(WatchRunResponse, Self)>> {
        while !self.ended {
            self.lease.check().await?;
            let (revision, ended) = self.context.store.revision(&self.lease.grant, &self.run_id).await?;
            if self.seen.is_none_or(|seen| seen < revision) {
                let since = self.seen.unwrap_or_default();
                let watched = self.context.store.watched(&self.lease.grant, &self.run_id, since).await?;
                self.ended = watched.run.state.is_final();
                self.seen = Some(watched.revision);
                return Ok(Some((messages::watched(&watched, since), self)));
            }
            self.ended = ended;
            if !ended {
                pause(&self.context, LOOK).await?;
            }
        }
        Ok(None)
    }
}

/// Waits a little.
///
/// # Errors
/// `Unavailable` if the server is to stop.
pub(crate) async fn pause(context: &Context, time: Duration) -> Result<()> {
    let mut stopping = context.stopping.clone();
    tokio::select! {
        Ok(_) = stopping.wait_for(|stopping| *stopping) => {
            Err(Error::new(Code::Unavailable, "the server is stopping; go on with the cursor at the next one"))
        }
        () = tokio::time::sleep(time) => Ok(()),
    }
}
