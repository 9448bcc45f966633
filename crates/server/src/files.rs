//! What is in files, as streams that end when the right to read them does.
use crate::{Contents, Context, streams::Open};
use access::{Gate, Grant};
use api::{
    access::{IsResource, IsVerb},
    bulkhead::v1::Chunk,
};
use domain::{Error, Result};
use futures::{
    StreamExt as _,
    stream::{BoxStream, try_unfold},
};
use std::{
    io::Read as _,
    time::{Duration, Instant},
};

/// The largest chunk, in bytes.
const CHUNK: u64 = 64 << 10;
/// How often the gate is asked whether a stream may go on.
const ASK: Duration = Duration::from_secs(1);

/// The right that a stream lives by.
pub(crate) struct Lease<V, T> {
    gate: Gate,
    pub(crate) grant: Grant<V, T>,
    open: Open,
    asked: Instant,
}

impl<V: IsVerb, T: IsResource> Lease<V, T> {
    pub(crate) fn new(gate: Gate, grant: Grant<V, T>, open: Open) -> Self {
        Self { gate, grant, open, asked: Instant::now() }
    }

    /// Passes while the right holds. Says whether the gate was asked, as it is every second.
    ///
    /// # Errors
    /// Those of [`Gate::holds`]; `Aborted` once the stream is too old.
    pub(crate) async fn check(&mut self) -> Result<bool> {
        if self.asked.elapsed() < ASK {
            return Ok(false);
        }
        self.asked = Instant::now();
        self.open.check()?;
        self.gate.holds(&self.grant).await?;
        Ok(true)
    }
}

/// Everything from here to the end.
pub(crate) fn chunks<V: IsVerb, T: IsResource>(
    context: &Context,
    grant: Grant<V, T>,
    open: Open,
    contents: Contents,
) -> BoxStream<'static, Result<Chunk>> {
    let from = (Lease::new(context.gate.clone(), grant, open), contents);
    let stream = try_unfold(from, |(mut lease, contents)| async move {
        lease.check().await?;
        let (data, contents) = next(contents).await?;
        Ok((!data.is_empty()).then_some((Chunk { data }, (lease, contents))))
    });
    stream.boxed()
}

/// The next bytes; none at the end.
pub(crate) async fn next(mut contents: Contents) -> Result<(Vec<u8>, Contents)> {
    blocking(move || {
        let mut data = Vec::new();
        (&mut contents).take(CHUNK).read_to_end(&mut data).map_err(Error::internal)?;
        Ok((data, contents))
    })
    .await
}

/// Does what may wait for a disk where nobody else waits for it.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(Error::internal)?
}
