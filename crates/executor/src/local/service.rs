//! A driver for each run: started when the run is named, nudged when it is named again, and started anew when it could
//! not carry the run on.
use super::{
    Shared,
    drive::{self, Ended},
};
use domain::{Namespace, RunId};
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio::{
    sync::mpsc,
    task::{Id, JoinError, JoinSet},
};
use tokio_util::sync::CancellationToken;

/// How long a run rests that could not be carried on.
const REST: Duration = Duration::from_secs(30);

/// Serves until it is stopped. To stop is to kill all tasks.
pub(super) async fn serve(
    shared: Arc<Shared>,
    sweep: impl Future<Output = ()> + Send + 'static,
    mut incoming: mpsc::UnboundedReceiver<(Namespace, RunId)>,
    stop: CancellationToken,
) {
    let mut drivers = Drivers { shared, set: JoinSet::new(), runs: HashMap::new(), nudges: HashMap::new() };
    let mut background = JoinSet::new();
    background.spawn(sweep);
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            Some((namespace, run)) = incoming.recv() => drivers.wake(namespace, run),
            Some(ended) = drivers.set.join_next_with_id() => drivers.ended(ended),
        }
    }
    drivers.set.shutdown().await;
}

struct Drivers {
    shared: Arc<Shared>,
    set: JoinSet<Driven>,
    /// The run of each driver, should it end without a word.
    runs: HashMap<Id, (Namespace, RunId)>,
    /// Ids are unique, but a run that was deleted in one namespace can be made in another.
    nudges: HashMap<(Namespace, RunId), mpsc::UnboundedSender<()>>,
}

/// A driver that has ended, with the nudges that it did not see.
struct Driven {
    ended: Ended,
    nudges: mpsc::UnboundedReceiver<()>,
}

impl Drivers {
    fn wake(&mut self, namespace: Namespace, run: RunId) {
        let key = (namespace, run);
        let nudged = self.nudges.get(&key).is_some_and(|nudge| nudge.send(()).is_ok());
        if !nudged {
            self.start(key, Duration::ZERO);
        }
    }

    fn start(&mut self, key: (Namespace, RunId), rest: Duration) {
        let (nudge, mut nudges) = mpsc::unbounded_channel();
        self.nudges.insert(key.clone(), nudge);
        let (shared, (namespace, run)) = (self.shared.clone(), key.clone());
        let driver = self.set.spawn(async move {
            tokio::time::sleep(rest).await;
            let ended = drive::drive(&shared, &namespace, &run, &mut nudges).await;
            Driven { ended, nudges }
        });
        self.runs.insert(driver.id(), key);
    }

    fn ended(&mut self, ended: Result<(Id, Driven), JoinError>) {
        let (id, rest) = match ended {
            // A nudge that the driver did not see any more: the run was deleted, or retried, as it ended.
            Ok((id, Driven { ended: Ended::Settled, mut nudges })) => {
                (id, nudges.try_recv().is_ok().then_some(Duration::ZERO))
            }
            Ok((id, Driven { ended: Ended::GivenUp, .. })) => (id, Some(REST)),
            Err(error) => {
                tracing::error!(%error, "the driver of a run was cut off");
                (error.id(), Some(REST))
            }
        };
        let Some(key) = self.runs.remove(&id) else { return };
        match rest {
            Some(rest) => self.start(key, rest),
            None => drop(self.nudges.remove(&key)),
        }
    }
}
