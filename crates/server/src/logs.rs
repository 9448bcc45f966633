//! LogService: what tasks print, afterwards or while they run.
use crate::{
    Contents, Context,
    files::{self, Lease, blocking, chunks},
    streams::Streams,
};
use access::{Gate, Grant, Scope};
use api::{
    access::{resource::Runs, verb::Get},
    bulkhead::v1::{Chunk, LogServiceHandlers, ReadLogRequest, log_service_rpc as rpc},
};
use domain::{Code, Error, Result, Task};
use futures::{
    StreamExt as _,
    stream::{self, BoxStream, try_unfold},
};
use std::time::Duration;
use store::Node;

/// How often a log that is followed is looked at for more.
const LOOK: Duration = Duration::from_millis(200);

pub(crate) struct Logs(pub(crate) Context, pub(crate) Streams);

impl LogServiceHandlers<Gate> for Logs {
    async fn read_log(
        &self,
        scope: Scope<rpc::ReadLog>,
        req: ReadLogRequest,
    ) -> Result<BoxStream<'static, Result<Chunk>>> {
        let grant = scope.grant();
        let open_stream = self.1.open(grant.namespace()?)?;
        let Node { task, settled } = self.0.store.node(&grant, &req.run_id, &req.node_id).await?;
        let attempt = task.attempt;
        let log = open(&self.0, &grant, &task, attempt).await?;
        if req.follow {
            let lease = Lease::new(self.0.gate.clone(), grant, open_stream);
            let follow = Follow { context: self.0.clone(), lease, task, settled, attempt, log };
            return Ok(try_unfold(follow, Follow::next).boxed());
        }
        Ok(log.map_or_else(|| stream::empty().boxed(), |log| chunks(&self.0, grant, open_stream, log)))
    }
}

async fn open(context: &Context, grant: &Grant<Get, Runs>, task: &Task, attempt: u32) -> Result<Option<Contents>> {
    let (files, grant, task) = (context.files.clone(), grant.clone(), task.clone());
    blocking(move || files.log(&grant, &task, attempt)).await
}

/// A log that is followed until its task has ended, over as many attempts as it takes.
struct Follow {
    context: Context,
    lease: Lease<Get, Runs>,
    /// As it was when it was last looked at.
    task: Task,
    settled: bool,
    /// The attempt whose log is being read.
    attempt: u32,
    log: Option<Contents>,
}

impl Follow {
    async fn next(mut self) -> Result<Option<(Chunk, Self)>> {
        loop {
            if *self.context.stopping.borrow() {
                return Err(Error::new(Code::Unavailable, "the server is stopping; follow the log of the next one"));
            }
            // First how things stand and then the log, so that a task which had ended has nothing more to say.
            if self.lease.check().await? {
                let (run, task) = (self.task.run_id.as_str(), self.task.id.as_str());
                let node = self.context.store.node(&self.lease.grant, run, task).await?;
                (self.task, self.settled) = (node.task, node.settled);
            }
            if self.log.is_none() {
                self.log = open(&self.context, &self.lease.grant, &self.task, self.attempt).await?;
            }
            if let Some(log) = self.log.take() {
                let (data, log) = files::next(log).await?;
                self.log = Some(log);
                if !data.is_empty() {
                    return Ok(Some((Chunk { data }, self)));
                }
            }
            if self.attempt < self.task.attempt {
                (self.attempt, self.log) = (self.attempt + 1, None);
            } else if self.settled {
                return Ok(None);
            } else {
                self.wait().await;
            }
        }
    }

    /// Until it is time to look again.
    async fn wait(&mut self) {
        tokio::select! {
            Ok(_) = self.context.stopping.wait_for(|stopping| *stopping) => {}
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}
