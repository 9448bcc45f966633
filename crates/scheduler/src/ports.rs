//! What the scheduler asks of others: the time, the database, and whoever makes runs.
use domain::{Due, Fired, Firing, Lease, Namespace, Result, Schedule, Settled, Timestamp};
use std::time::Duration;

/// All of it. Errors are passed on as they come; what is `Unavailable`, or a bug, is tried again.
pub trait Ports: Send + Sync + 'static {
    /// What it takes besides to make a run, such as whom it is made for.
    type Of: Send;

    /// The wall clock, which may be set.
    fn now(&self) -> Timestamp;

    /// How long this server has run, by a clock that nobody sets.
    fn uptime(&self) -> Duration;

    /// Waits so long.
    fn sleep(&self, time: Duration) -> impl Future<Output = ()> + Send;

    /// Waits so long, or until a schedule has changed.
    fn wait(&self, at_most: Duration) -> impl Future<Output = ()> + Send;

    /// The schedules that are to be looked at by a moment, but those of some namespaces, the longest due first, `most` of
    /// them.
    fn due(&self, by: Timestamp, but: &[Namespace], most: usize) -> impl Future<Output = Result<Vec<Due>>> + Send;

    /// How some of them stand. Those that are gone are left out.
    fn schedules(&self, due: &[Due]) -> impl Future<Output = Result<Vec<(Schedule, Self::Of)>>> + Send;

    /// Writes a decision by which no run is made. It is false if the schedule is another one by now.
    ///
    /// `Aborted` if another server fires by now.
    fn settle(&self, settled: Settled) -> impl Future<Output = Result<bool>> + Send;

    /// Makes the run of a moment, by the right of whoever it is for.
    ///
    /// `Aborted` if another server fires by now; `ResourceExhausted` if there is no room for the run now; whatever else
    /// is neither `Unavailable`, `DeadlineExceeded` nor `Internal` is an answer: there will be no run of that moment.
    fn fire(&self, schedule: &Schedule, of: Self::Of, firing: Firing) -> impl Future<Output = Result<Fired>> + Send;

    /// Who fires, if anybody ever has.
    fn lease(&self) -> impl Future<Output = Result<Option<Lease>>> + Send;

    /// Takes the lease over if it still is as it was seen; the fencing token, if it was.
    fn take_lease(&self, seen: Option<Lease>) -> impl Future<Output = Result<Option<i64>>> + Send;

    /// Says that the holder of a token is there; false if another one has taken over.
    fn beat_lease(&self, token: i64) -> impl Future<Output = Result<bool>> + Send;

    /// Gives the lease up.
    fn give_up_lease(&self, token: i64) -> impl Future<Output = Result<()>> + Send;
}

/// Hears of what happens, for metrics.
pub trait Observe: Send + Sync + 'static {
    fn happened(&self, happened: Happened);
}

/// What can be heard of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happened {
    /// A run was made, so long after its moment.
    Fired { late: Duration, waited: bool },
    /// Moments have passed without a run, since too many went on or since nobody saw to them.
    Missed { moments: i64, waited: bool },
    /// Moments without a run, since it may not or cannot be.
    Refused { moments: i64 },
    /// A moment waits for a run to end, or for room.
    Waits,
    /// This server fires from now on, or does not any more.
    Leads(bool),
}
