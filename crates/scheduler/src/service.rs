//! Looks at schedules when they are due, and does what is decided.
//!
//! The database keeps when each is to be looked at, in an index: what is read is what is due within the next second, not
//! all there are. Of what happens between two looks, and is due sooner, [`Ports::wait`] tells.
use crate::{
    decide::{Decision, decide, refuse},
    lead::Lead,
    ports::{Happened, Observe, Ports},
};
use domain::{
    Code, Due, Error, Fault, Fence, Fired, Firing, Namespace, RecurringRunId, Result, Schedule, Settled, Timestamp,
};
use futures::{
    StreamExt,
    future::{self, Either},
    stream,
};
use std::{
    collections::HashMap,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// The longest pause between two looks.
const LOOK: Duration = Duration::from_secs(1);
/// How many schedules are read at once, and how many of them may be of one namespace while others wait.
const MOST: usize = 512;
const SHARE: usize = 64;
/// How many are seen to at one time, of one namespace together before others have their turn, and for how long at most.
const AT_ONCE: usize = 64;
const TOGETHER: usize = 16;
const TURN: Duration = Duration::from_secs(30);
/// For how long something rests that could not be seen to; if what it takes was away; and if another one was faster.
const FAILED: Duration = Duration::from_secs(10);
const AWAY: Duration = Duration::from_secs(1);
const OVERTAKEN: Duration = Duration::from_millis(500);
/// When to look again at what waits, should nobody tell.
const WAIT: Duration = Duration::from_secs(30);

/// What is due, and how it stands if it is still there.
type Read<O> = (Due, Option<(Schedule, O)>);

/// The one that fires, if it leads. Cheap to clone.
pub struct Scheduler<P> {
    ports: Arc<P>,
    lead: Lead,
    observer: Arc<dyn Observe>,
    resting: Mutex<HashMap<RecurringRunId, Rest>>,
}

/// What could not be seen to is left alone for a while, by the time that this server has run, unless it is due at another
/// moment by then: another server may see to it at once, and no clock that is wrong keeps anything from being looked at.
#[derive(Clone, Copy)]
struct Rest {
    of: Timestamp,
    until: Duration,
}

impl<P: Ports> Scheduler<P> {
    /// One that shares its database with no other.
    pub fn alone(ports: Arc<P>, observer: Arc<dyn Observe>) -> Self {
        Self { ports, lead: Lead::alone(), observer, resting: Mutex::default() }
    }

    /// One of several that share a database, of whom one fires.
    pub fn one_of_several(ports: Arc<P>, observer: Arc<dyn Observe>) -> Self {
        Self { ports, lead: Lead::default(), observer, resting: Mutex::default() }
    }

    /// Fires until `stop` is there, and lets another server take over then.
    pub async fn run(self, stop: impl Future<Output = ()> + Send) {
        {
            let work = future::join(self.lead.keep(&*self.ports, &*self.observer), self.look_on());
            future::select(pin!(stop), pin!(work)).await;
        }
        self.lead.give_up(&*self.ports).await;
    }

    async fn look_on(&self) {
        loop {
            let pause = match self.lead.fence(self.ports.uptime()) {
                None => LOOK,
                Some(fence) => self.look(fence).await.unwrap_or_else(|error| {
                    tracing::warn!(error = error.chain(), "schedules could not be looked at; it is tried again");
                    LOOK
                }),
            };
            if !pause.is_zero() {
                self.ports.wait(pause).await;
            }
        }
    }

    /// Sees to what is due, and returns when to look next.
    async fn look(&self, fence: Fence) -> Result<Duration> {
        let now = self.ports.now();
        let due = self.due(now.after(LOOK)).await?;
        let (mut ready, later): (Vec<Due>, Vec<Due>) = due.into_iter().partition(|due| due.next_at <= now);
        let rested = self.leave_alone(&mut ready);
        if ready.is_empty() {
            let first = later.first().map_or(LOOK, |first| first.next_at.since(self.ports.now()));
            return Ok(first.min(rested.unwrap_or(LOOK)).min(LOOK));
        }
        let pieces: Vec<Vec<Due>> = in_turns(ready).chunks(AT_ONCE).map(<[Due]>::to_vec).collect();
        // The next piece is read while there are turns of the last one.
        let read = stream::iter(pieces).map(|piece| self.read(piece)).buffered(1).flat_map(stream::iter);
        let turns = read.map(|read| self.turn(read, fence)).buffer_unordered(AT_ONCE);
        let seen_to: Vec<Result<()>> = turns.collect().await;
        let failed: Vec<&Error> = seen_to.iter().filter_map(|seen_to| seen_to.as_ref().err()).collect();
        match failed.first() {
            // Nothing of what was read has moved: the database is away, or another server leads.
            Some(error) => {
                let (schedules, error) = (failed.len(), error.chain());
                tracing::warn!(schedules, error, "schedules could not be seen to; it is tried again");
                Ok(LOOK)
            }
            None => Ok(Duration::ZERO),
        }
    }

    /// What is due by then. Where one namespace has more than its share of it, those of others are among it too.
    async fn due(&self, by: Timestamp) -> Result<Vec<Due>> {
        let mut due = self.ports.due(by, &[], MOST).await?;
        if due.len() < MOST {
            return Ok(due);
        }
        let mut shares: HashMap<Namespace, usize> = HashMap::new();
        due.iter().for_each(|due| *shares.entry(due.namespace.clone()).or_default() += 1);
        let crowded: Vec<Namespace> =
            shares.into_iter().filter(|(_, share)| *share > SHARE).map(|(namespace, _)| namespace).collect();
        let others = self.ports.due(by, &crowded, MOST).await?;
        if !others.is_empty() {
            let mut shares: HashMap<Namespace, usize> = HashMap::new();
            due.retain(|due| {
                let share = shares.entry(due.namespace.clone()).or_default();
                *share += 1;
                *share <= SHARE && crowded.contains(&due.namespace)
            });
            due.extend(others);
            due.sort_by_key(|due| due.next_at);
        }
        Ok(due)
    }

    /// Reads how schedules stand, if they are still there.
    async fn read(&self, due: Vec<Due>) -> Vec<Result<Read<P::Of>>> {
        let found = match self.ports.schedules(&due).await {
            Ok(found) => found,
            Err(error) => return vec![Err(error)],
        };
        let mut found: HashMap<RecurringRunId, _> =
            found.into_iter().map(|found| (found.0.recurring_run.id.clone(), found)).collect();
        let with = |due: Due| {
            let found = found.remove(&due.id);
            Ok((due, found))
        };
        due.into_iter().map(with).collect()
    }

    /// Leaves out what rests, and returns how long the first of that still does.
    fn leave_alone(&self, ready: &mut Vec<Due>) -> Option<Duration> {
        let (mut resting, uptime) = (self.resting(), self.ports.uptime());
        resting.retain(|_, rest| rest.until > uptime);
        ready.retain(|due| resting.get(&due.id).is_none_or(|rest| rest.of != due.next_at));
        resting.values().map(|rest| rest.until.saturating_sub(uptime)).min()
    }

    fn resting(&self) -> MutexGuard<'_, HashMap<RecurringRunId, Rest>> {
        // A map is whole after each of its operations.
        self.resting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sees to a schedule, or has it rest, so that it does not stand in the way of others.
    async fn turn(&self, read: Result<Read<P::Of>>, fence: Fence) -> Result<()> {
        let (due, found) = read?;
        // A turn may come late, when another server leads already.
        if self.lead.fence(self.ports.uptime()) != Some(fence) {
            return Ok(());
        }
        let rest = match future::select(pin!(self.see_to(&due, found, fence)), pin!(self.ports.sleep(TURN))).await {
            Either::Left((Ok(true), _)) => return Ok(()),
            Either::Left((Ok(false), _)) => OVERTAKEN,
            Either::Left((Err(error), _)) => match error.code() {
                Code::Aborted => return Err(error),
                code => {
                    self.told_of(&due, error.chain());
                    if matches!(code, Code::Unavailable | Code::DeadlineExceeded) { AWAY } else { FAILED }
                }
            },
            Either::Right(_) => {
                self.told_of(&due, format!("it took longer than {} s", TURN.as_secs()));
                FAILED
            }
        };
        let rest = Rest { of: due.next_at, until: self.ports.uptime() + rest };
        self.resting().insert(due.id, rest);
        Ok(())
    }

    fn told_of(&self, due: &Due, error: String) {
        let (id, namespace) = (&due.id, &due.namespace);
        tracing::warn!(recurring_run.id = %id, %namespace, error, "a schedule could not be seen to; it is looked at later");
    }

    /// Says whether something was written.
    async fn see_to(&self, due: &Due, found: Option<(Schedule, P::Of)>, fence: Fence) -> Result<bool> {
        let Some((schedule, of)) = found else { return Ok(false) };
        let now = self.ports.now();
        let settled = |next_at| Settled {
            id: due.id.clone(),
            revision: schedule.revision,
            fence,
            passed: None,
            next_at,
            waiting: false,
            fault: schedule.recurring_run.fault.clone(),
        };
        let settled = match decide(&schedule, now) {
            Ok(Decision::Rest(next_at)) => settled(next_at),
            Ok(Decision::Wait) => Settled { waiting: true, ..settled(Some(now.after(WAIT))) },
            Ok(Decision::Fire { at, passed, next }) => {
                let firing =
                    Firing { id: due.id.clone(), revision: schedule.revision, fence, at, passed, next_at: next };
                let missed = firing.passed.as_ref().map(|passed| passed.moments);
                match self.ports.fire(&schedule, of, firing).await {
                    Ok(Fired::Made(_)) => {
                        self.made(&schedule, at, missed);
                        return Ok(true);
                    }
                    Ok(Fired::Overtaken) => return Ok(false),
                    Ok(Fired::Full) => Settled { waiting: true, ..settled(Some(now.after(WAIT))) },
                    Err(error) => self.not_made(settled(Some(now.after(WAIT))), &schedule, now, error)?,
                }
            }
            // It was read when it was made: its row was changed by somebody else.
            Err(error) => Settled { fault: fault(&schedule, &error, now), ..settled(None) },
        };
        let (waits, refused) = (settled.waiting, settled.passed.as_ref().map(|passed| passed.moments));
        let written = self.ports.settle(settled).await.inspect_err(|error| self.told(error, fence))?;
        if written && waits && !schedule.waiting {
            self.observer.happened(Happened::Waits);
        }
        if let Some(moments) = refused.filter(|_| written) {
            self.observer.happened(Happened::Refused { moments });
        }
        Ok(written)
    }

    fn made(&self, schedule: &Schedule, at: Timestamp, missed: Option<i64>) {
        let waited = schedule.waiting || schedule.recurring_run.fault.is_some();
        self.observer.happened(Happened::Fired { late: self.ports.now().since(at), waited });
        if let Some(moments) = missed {
            self.observer.happened(Happened::Missed { moments, waited });
        }
    }

    /// What to write when no run could be made.
    fn not_made(&self, later: Settled, schedule: &Schedule, now: Timestamp, error: Error) -> Result<Settled> {
        match error.code() {
            Code::Unavailable | Code::DeadlineExceeded | Code::Internal => Err(error),
            Code::Aborted => {
                self.told(&error, later.fence);
                Err(error)
            }
            // There will be room when runs have ended or were deleted: the moment is not over.
            Code::ResourceExhausted => Ok(Settled { fault: fault(schedule, &error, now), ..later }),
            _ => {
                let (passed, next_at) = refuse(schedule, now, error.message().to_owned())?;
                Ok(Settled { passed, next_at, fault: fault(schedule, &error, now), ..later })
            }
        }
    }

    /// Takes in that another server leads.
    fn told(&self, error: &Error, fence: Fence) {
        if error.code() == Code::Aborted {
            self.lead.lose(fence);
        }
    }
}

/// What keeps a recurring run from making runs, since it first did.
fn fault(schedule: &Schedule, error: &Error, now: Timestamp) -> Option<Fault> {
    let before = schedule.recurring_run.fault.as_ref();
    let same = before.filter(|fault| fault.code == error.code() && fault.message == error.message());
    let since = same.map_or(now, |fault| fault.since);
    Some(Fault { code: error.code(), message: error.message().to_owned(), since })
}

/// The same schedules, a few of each namespace in turn.
fn in_turns(due: Vec<Due>) -> Vec<Due> {
    let mut turns: HashMap<Namespace, usize> = HashMap::new();
    let mut due: Vec<(usize, Due)> = due
        .into_iter()
        .map(|due| {
            let turn = turns.entry(due.namespace.clone()).or_default();
            *turn += 1;
            ((*turn - 1) / TOGETHER, due)
        })
        .collect();
    due.sort_by(|(a, one), (b, other)| (a, &one.namespace).cmp(&(b, &other.namespace)));
    due.into_iter().map(|(_, due)| due).collect()
}

impl<P> std::fmt::Debug for Scheduler<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scheduler").field("lead", &self.lead).finish_non_exhaustive()
    }
}
