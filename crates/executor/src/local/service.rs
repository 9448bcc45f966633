//! A driver for each run: started when the run is named, nudged when it is named again, and started anew when it could
//! not carry the run on.
use super::{
    Cause, Happened, Shared, Wake,
    drive::{self, Ended},
};
use domain::{Namespace, RunId};
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio::{
    sync::mpsc,
    task::{Id, JoinError, JoinSet},
};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, Span};

/// How long a run rests that could not be carried on.
const REST: Duration = Duration::from_secs(30);

/// Serves until it is stopped. To stop is to kill all tasks.
pub(super) async fn serve(
    shared: Arc<Shared>,
    sweep: impl Future<Output = ()> + Send + 'static,
    mut incoming: mpsc::UnboundedReceiver<Wake>,
    stop: CancellationToken,
) {
    let mut drivers = Drivers { shared, set: JoinSet::new(), runs: HashMap::new(), driven: HashMap::new() };
    let mut background = JoinSet::new();
    background.spawn(sweep);
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            Some(wake) = incoming.recv() => drivers.wake(wake),
            Some(ended) = drivers.set.join_next_with_id() => drivers.ended(ended),
        }
    }
    drivers.set.shutdown().await;
}

struct Drivers {
    shared: Arc<Shared>,
    set: JoinSet<Over>,
    /// The run of each driver, should it end without a word.
    runs: HashMap<Id, (Namespace, RunId)>,
    /// Ids are unique, but a run that was deleted in one namespace can be made in another.
    driven: HashMap<(Namespace, RunId), Driven>,
}

/// A run that has a driver.
struct Driven {
    /// Takes the ids of requests that have named it again.
    nudge: mpsc::UnboundedSender<Arc<str>>,
    /// The span of its trace.
    traced: Span,
}

/// A driver that has ended, with the nudges that it did not see.
struct Over {
    ended: Ended,
    nudges: mpsc::UnboundedReceiver<Arc<str>>,
}

impl Drivers {
    fn wake(&mut self, wake: Wake) {
        let (key, Cause { request_id, span }) = ((wake.namespace, wake.run), wake.cause);
        if let Some(driven) = self.driven.get(&key)
            && driven.nudge.send(request_id.clone()).is_ok()
        {
            driven.traced.follows_from(&span);
            return;
        }
        self.start(key, Duration::ZERO, Cause { request_id, span });
    }

    /// What is done for the run from here on is in the log under the id of the request that made it happen, and in a trace
    /// of its own that names the one it came of. It is no part of that one, which would not end before the run does.
    fn start(&mut self, key: (Namespace, RunId), rest: Duration, Cause { request_id, span }: Cause) {
        let (nudge, mut nudges) = mpsc::unbounded_channel();
        let traced = tracing::trace_span!(
            target: "spans", parent: None, "run", run.id = %key.1, namespace = %key.0, request.id = &*request_id
        );
        traced.follows_from(&span);
        let logged = logged(&request_id);
        self.driven.insert(key.clone(), Driven { nudge, traced: traced.clone() });
        let (shared, (namespace, run)) = (self.shared.clone(), key.clone());
        let driver = async move {
            tokio::time::sleep(rest).await;
            shared.observer.happened(Happened::RunTakenUp);
            let ended = drive::drive(&shared, &namespace, &run, &mut nudges).await;
            if ended == Ended::GivenUp {
                shared.observer.happened(Happened::RunGivenUp);
            }
            Over { ended, nudges }
        };
        // The span of the trace is entered too: those within look for theirs among the spans that are.
        let driver = self.set.spawn(driver.instrument(logged).instrument(traced));
        self.runs.insert(driver.id(), key);
    }

    fn ended(&mut self, ended: Result<(Id, Over), JoinError>) {
        let (id, rest) = match ended {
            // A nudge that the driver did not see any more: the run was deleted, or retried, as it ended.
            Ok((id, Over { ended: Ended::Settled, mut nudges })) => {
                (id, nudges.try_recv().ok().map(|request_id| (Duration::ZERO, request_id)))
            }
            Ok((id, Over { ended: Ended::GivenUp, .. })) => (id, Some((REST, Arc::default()))),
            Err(error) => {
                tracing::error!(%error, "the driver of a run was cut off");
                (error.id(), Some((REST, Arc::default())))
            }
        };
        let Some(key) = self.runs.remove(&id) else { return };
        match rest {
            Some((rest, request_id)) => self.start(key, rest, Cause { request_id, span: Span::none() }),
            None => drop(self.driven.remove(&key)),
        }
    }
}

/// Log lines in it have the id of a request, if there is one.
pub(super) fn logged(request_id: &str) -> Span {
    match request_id {
        "" => Span::none(),
        id => tracing::info_span!("run", request.id = id),
    }
}
