//! How often a run is looked at that somebody watches.
use crate::Context;
use domain::{Code, Error, Result};
use std::time::Duration;
use store::Writes;
use tokio::time::{Instant, sleep_until, timeout};

/// The shortest time between two looks: a run of many short tasks is written more often than anybody reads.
const LEAST: Duration = Duration::from_millis(50);

/// Wakes who watches a run when this server has written it, and now and then, since others may have.
#[derive(Debug)]
pub(crate) struct Pace {
    writes: Writes,
    looked: Instant,
}

impl Pace {
    pub(crate) fn new(writes: Writes) -> Self {
        Self { writes, looked: Instant::now() }
    }

    /// Waits until it is time to look again, at most for so long.
    ///
    /// # Errors
    /// `Unavailable` if the server is to stop.
    pub(crate) async fn wait(&mut self, context: &Context, most: Duration) -> Result<()> {
        let mut stopping = context.stopping.clone();
        let next = async {
            // Either is a reason to look.
            let _ = timeout(most, self.writes.next()).await;
            sleep_until(self.looked + LEAST).await;
        };
        tokio::select! {
            Ok(_) = stopping.wait_for(|stopping| *stopping) => {}
            () = next => {}
        }
        self.looked = Instant::now();
        go_on(context)
    }
}

/// Passes while the server runs.
///
/// # Errors
/// `Unavailable` if it is to stop.
pub(crate) fn go_on(context: &Context) -> Result<()> {
    match *context.stopping.borrow() {
        true => Err(Error::new(Code::Unavailable, "the server is stopping; go on with the cursor at the next one")),
        false => Ok(()),
    }
}
