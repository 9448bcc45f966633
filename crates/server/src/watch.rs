//! RunService of `bulkhead.v1`: runs as they proceed.
use crate::{Context, cursor, files::Lease, follow::Follow, messages, pace::Pace, streams::Streams};
use access::{Gate, Scope};
use api::{
    access::{resource::Runs, verb::Get},
    bulkhead::v1::{
        FollowLogsRequest, FollowLogsResponse, RunServiceHandlers, WatchRunRequest, WatchRunResponse,
        run_service_rpc as rpc,
    },
};
use domain::Result;
use futures::{
    StreamExt as _,
    stream::{BoxStream, try_unfold},
};
use std::time::Duration;
use store::Seen;

/// How often a run that is watched is looked at for what another server has written.
const LOOK: Duration = Duration::from_secs(1);

pub(crate) struct Watching(pub(crate) Context, pub(crate) Streams);

impl RunServiceHandlers<Gate> for Watching {
    async fn watch_run(
        &self,
        scope: Scope<rpc::WatchRun>,
        req: WatchRunRequest,
    ) -> Result<BoxStream<'static, Result<WatchRunResponse>>> {
        let grant = scope.grant();
        let open = self.1.open(grant.namespace()?)?;
        let seen = match req.cursor.parse() {
            // As they were before there were parts.
            Ok(revision) => Seen { revision, part: None },
            Err(_) => cursor::read(&req.cursor, "WatchRun")?,
        };
        let pace = Pace::new(self.0.store.writes(&grant, &req.run_id).await?);
        let lease = Lease::new(self.0.gate.clone(), grant, open);
        let watch = Watch { context: self.0.clone(), lease, pace, run_id: req.run_id, seen, ended: false };
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
    pace: Pace,
    run_id: String,
    seen: Seen,
    ended: bool,
}

impl Watch {
    async fn next(mut self) -> Result<Option<(WatchRunResponse, Self)>> {
        while !self.ended {
            self.lease.check().await?;
            let (revision, ended) = self.context.store.revision(&self.lease.grant, &self.run_id).await?;
            // Who comes back for the end of a run hears once more that it has ended.
            if self.seen.part.is_none() && self.seen.revision >= revision && !ended {
                self.pace.wait(&self.context, LOOK).await?;
                continue;
            }
            let watched = self.context.store.watched(&self.lease.grant, &self.run_id, self.seen.clone()).await?;
            let (message, seen) = messages::watched(watched)?;
            // All that this part would be about may be of a later step.
            let empty = message.tasks.is_empty() && seen.part.is_some();
            (self.seen, self.ended) = (seen, message.ended);
            if !empty {
                return Ok(Some((message, self)));
            }
        }
        Ok(None)
    }
}
