//! How far recurring runs have come, and what has come of the moments at which they were due.
use crate::{Code, Namespace, RecurringRun, RecurringRunId, RunId, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A recurring run as its schedule stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    pub recurring_run: RecurringRun,
    /// When the scheduler is to look at it; never, if it is disabled or over.
    pub next_at: Option<Timestamp>,
    /// The last moment that was decided on.
    pub last_at: Option<Timestamp>,
    /// How many runs it has made.
    pub fired: i64,
    /// How many of them have not ended.
    pub active: i64,
    /// Whether a moment waits for one of these to end.
    pub waiting: bool,
    /// Goes up with each change, so that who has decided on what was before is told.
    pub revision: i64,
}

/// What keeps a recurring run from making runs, for its owner to see.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    pub code: Code,
    pub message: String,
    pub since: Timestamp,
}

/// What has come of a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// A run.
    Fired,
    /// Nothing: it was over before anything could be done, and is not made up for.
    Missed,
    /// Nothing: whoever it would have been made for may not, or what it would execute cannot be.
    Refused,
}

/// A moment that was decided on, or several that nothing came of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tick {
    pub recurring_run_id: RecurringRunId,
    pub fire_at: Timestamp,
    /// The last of several, else the same.
    pub until: Timestamp,
    /// How many they are.
    pub moments: i64,
    pub outcome: Outcome,
    /// Why there is no run, or who has asked for one.
    pub reason: String,
    pub run_id: Option<RunId>,
    pub decided_at: Timestamp,
    pub fencing_token: i64,
}

/// Moments in a row that nothing came of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passed {
    pub from: Timestamp,
    pub until: Timestamp,
    pub moments: i64,
    pub outcome: Outcome,
    pub reason: String,
}

/// Who fires. Where several servers share a database, each that takes over has a larger number, and what one with a
/// smaller number still writes is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fence {
    /// There is no other server.
    Alone,
    Token(i64),
}

/// Who holds a lease, as its row says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Empty once it was given up.
    pub holder: String,
    pub fencing_token: i64,
    /// Goes up for as long as the holder is there.
    pub beat: i64,
}

/// A schedule that is to be looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    pub id: RecurringRunId,
    pub namespace: Namespace,
    pub next_at: Timestamp,
}

/// A decision by which no run is made.
#[derive(Clone, Debug)]
pub struct Settled {
    pub id: RecurringRunId,
    /// What the schedule was like when it was decided.
    pub revision: i64,
    pub fence: Fence,
    /// Moments that nothing comes of.
    pub passed: Option<Passed>,
    /// When to look again.
    pub next_at: Option<Timestamp>,
    /// Whether a moment waits for a run to end. It is not written if one has ended already.
    pub waiting: bool,
    pub fault: Option<Fault>,
}

/// A decision to make a run.
#[derive(Clone, Debug)]
pub struct Firing {
    pub id: RecurringRunId,
    pub revision: i64,
    pub fence: Fence,
    /// The moment that it is made for.
    pub at: Timestamp,
    /// Moments before that, which nothing comes of.
    pub passed: Option<Passed>,
    pub next_at: Option<Timestamp>,
}

/// What has come of a decision to make a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fired {
    Made(RunId),
    /// The schedule is another one by now, or gone: look again.
    Overtaken,
    /// As many of its runs go on as may.
    Full,
}

impl Outcome {
    /// What rows, answers and metrics call it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fired => "FIRED",
            Self::Missed => "MISSED",
            Self::Refused => "REFUSED",
        }
    }

    /// Reads what `as_str` gives.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Fired, Self::Missed, Self::Refused].into_iter().find(|outcome| outcome.as_str() == text)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Fence {
    /// What rows keep of it.
    pub fn number(self) -> i64 {
        match self {
            Self::Alone => 0,
            Self::Token(token) => token,
        }
    }
}

impl Passed {
    /// The row of it.
    pub fn tick(self, of: &RecurringRunId, fence: Fence, now: Timestamp) -> Tick {
        Tick {
            recurring_run_id: of.clone(),
            fire_at: self.from,
            until: self.until,
            moments: self.moments,
            outcome: self.outcome,
            reason: self.reason,
            run_id: None,
            decided_at: now,
            fencing_token: fence.number(),
        }
    }
}
