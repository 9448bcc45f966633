//! Looks for what other servers have done to runs, where they have the same database.
use super::{Handle, Shared};
use std::{sync::Arc, time::Duration};

/// How often, and how many at once.
const LOOK: Duration = Duration::from_secs(1);
const MOST: i64 = 500;

/// Wakes whatever waits to be taken up or ended, for as long as it is polled.
pub(super) async fn look_out(shared: Arc<Shared>, handle: Handle) {
    if !shared.options.others_make_runs {
        return;
    }
    let grant = shared.system.everywhere("take up runs that other servers have made");
    loop {
        tokio::time::sleep(LOOK).await;
        match shared.store.awaited_runs(&grant, MOST).await {
            Ok(awaited) => awaited.iter().for_each(|(run, namespace)| handle.wake(namespace, run)),
            Err(error) => tracing::warn!(%error, "runs that other servers have made could not be looked for"),
        }
    }
}
