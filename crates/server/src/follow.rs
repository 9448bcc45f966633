//! What the tasks of a run print, as it comes.
//!
//! It is told in rounds, each up to a step of the run: of every task, in the order of their ids, what it printed since
//! the step before. Which attempts had ended by a step a task's state changes say, so that a cursor names steps, and bytes
//! only of attempts that were running: it stays short however many tasks a run has, and a retry repeats nothing.
use crate::{
    Context, cursor, files,
    files::Lease,
    pace::{self, Pace},
};
use api::{
    access::{resource::Runs, verb::Get},
    bulkhead::v1::{FollowLogsRequest, FollowLogsResponse},
};
use domain::{Error, Kind, Result, RuntimeState, Task};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, VecDeque},
    io::SeekFrom,
    time::Duration,
};
use store::{Part, Which};

/// How often logs that are followed are looked at for more, and how often when nothing runs.
const LOOK: Duration = Duration::from_millis(200);
const IDLE: Duration = Duration::from_secs(1);

/// How many chunks of a task that goes on are read before it is the others' turn.
const TURN: usize = 16;

/// How far logs were read.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
struct Cursor {
    /// What was printed by this step of the run was read; 0 for nothing yet.
    #[serde(rename = "r")]
    revision: u64,
    /// The step of the round, and the last task that was read up to it.
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    part: Option<Part>,
    /// Attempt and byte, by the task's id: of the task that is being read, of those before it that ran at the step of the
    /// round, and of those after it that ran at the step before.
    #[serde(rename = "o")]
    open: BTreeMap<String, (u32, u64)>,
}

/// The logs of a run, or of one task.
pub(crate) struct Follow {
    context: Context,
    lease: Lease<Get, Runs>,
    pace: Pace,
    run_id: String,
    /// The one task that is wanted, by its id.
    only: Option<String>,
    follow: bool,
    cursor: Cursor,
    round: Option<Round>,
}

/// What is being read.
struct Round {
    /// The step up to which it goes.
    revision: u64,
    /// The last task that was read.
    after: String,
    tasks: VecDeque<Task>,
    /// Where the next tasks begin, if there are more than these.
    more: Option<String>,
    /// How many chunks of the first task were read.
    chunks: usize,
    /// Whether a task was left that has more to say.
    left: bool,
    /// Whether nothing comes after the round.
    last: bool,
}

/// How far a task had come by a step: how many of its attempts had ended, and whether the next one was running.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Come {
    ended: u32,
    running: bool,
}

impl Follow {
    pub(crate) async fn new(context: Context, lease: Lease<Get, Runs>, req: FollowLogsRequest) -> Result<Self> {
        let cursor = cursor::read(&req.cursor, "FollowLogs")?;
        let pace = Pace::new(context.store.writes(&lease.grant, &req.run_id).await?);
        let only = match req.task_id.as_str() {
            "" => None,
            task => Some(context.store.node(&lease.grant, &req.run_id, task).await?.task.id.to_string()),
        };
        let (run_id, follow) = (req.run_id, !req.no_follow);
        Ok(Self { context, lease, pace, run_id, only, follow, cursor, round: None })
    }

    pub(crate) async fn next(mut self) -> Result<Option<(FollowLogsResponse, Self)>> {
        loop {
            self.lease.check().await?;
            pace::go_on(&self.context)?;
            let Some(round) = &self.round else {
                self.look().await?;
                continue;
            };
            if let Some(task) = round.tasks.front().cloned() {
                if let Some(message) = self.read(&task).await? {
                    return Ok(Some((message, self)));
                }
                if let Some(round) = &mut self.round {
                    (round.after, round.chunks) = (task.id.to_string(), 0);
                    round.tasks.pop_front();
                }
                continue;
            }
            if round.more.is_some() {
                self.look().await?;
                continue;
            }
            let (last, left) = (round.last, round.left);
            (self.cursor.revision, self.cursor.part) = (round.revision, None);
            self.round = None;
            if last {
                return Ok(None);
            }
            if !left {
                let most = if self.cursor.open.is_empty() { IDLE } else { LOOK };
                self.pace.wait(&self.context, most).await?;
            }
        }
    }

    /// The next tasks of the round, or of a new one: first how they stand and then their logs, since what had ended then
    /// says no more.
    async fn look(&mut self) -> Result<()> {
        let (going_on, at) = match (self.round.take(), self.cursor.part.clone()) {
            (Some(round), _) => (Some((round.revision, round.left, round.last)), round.more.unwrap_or(round.after)),
            // Somebody comes back in the middle of a round. Another one follows, which knows what is the last.
            (None, Some(part)) => (Some((part.revision, false, false)), part.after),
            (None, None) => (None, String::new()),
        };
        let which = match &self.only {
            Some(only) => Which::Only(only.clone()),
            None => {
                let and = self.cursor.open.keys().cloned().collect();
                Which::Changed { since: self.cursor.revision, and }
            }
        };
        let talking = self.context.store.talking(&self.lease.grant, &self.run_id, which, at.clone()).await?;
        let settled = match &self.only {
            Some(only) => match talking.tasks.as_slice() {
                [] if at < *only => return Err(Error::not_found(Kind::Task, only)),
                tasks => tasks.iter().all(|task| task.state.is_final()),
            },
            None => false,
        };
        let begun = (talking.revision, false, talking.ended || settled || !self.follow);
        let (revision, left, last) = going_on.unwrap_or(begun);
        // Of what is not there any more nothing is to be remembered.
        let end = talking.after.as_deref();
        let known = |id: &str| talking.tasks.iter().any(|task| task.id.as_str() == id);
        let here = |id: &str| id > at.as_str() && end.is_none_or(|end| id <= end);
        self.cursor.open.retain(|id, _| !here(id) || known(id));
        let (tasks, more) = (talking.tasks.into(), talking.after);
        self.round = Some(Round { revision, after: at, tasks, more, chunks: 0, left, last });
        Ok(())
    }

    /// The next bytes of a task, over as many attempts as it took by the step of the round.
    async fn read(&mut self, task: &Task) -> Result<Option<FollowLogsResponse>> {
        let Some(round) = &mut self.round else { return Ok(None) };
        let (id, to) = (task.id.to_string(), come(task, round.revision));
        let begin = || (come(task, self.cursor.revision).ended, 0);
        let (mut attempt, mut offset) = self.cursor.open.get(&id).copied().unwrap_or_else(begin);
        while attempt < to.ended || attempt == to.ended && to.running {
            let ended = attempt < to.ended;
            if !ended && self.follow && round.chunks >= TURN {
                round.left = true;
                break;
            }
            let data = read(&self.context, &self.lease, task, attempt, offset).await?;
            if !data.is_empty() {
                round.chunks += 1;
                self.cursor.open.insert(id, (attempt, offset + data.len() as u64));
                self.cursor.part = Some(Part { revision: round.revision, after: round.after.clone() });
                return Ok(Some(FollowLogsResponse {
                    cursor: cursor::write(&self.cursor)?,
                    task_id: task.id.to_string(),
                    path: task.path.clone(),
                    attempt,
                    data,
                }));
            }
            if !ended {
                break;
            }
            (attempt, offset) = (attempt + 1, 0);
        }
        match to.running {
            true => drop(self.cursor.open.insert(id, (attempt, offset))),
            false => drop(self.cursor.open.remove(&id)),
        }
        Ok(None)
    }
}

/// The next bytes of an attempt; none at the end, or where nothing was printed.
async fn read(context: &Context, lease: &Lease<Get, Runs>, task: &Task, attempt: u32, offset: u64) -> Result<Vec<u8>> {
    let (files, grant, task) = (context.files.clone(), lease.grant.clone(), task.clone());
    let opened = files::blocking(move || {
        let Some(mut contents) = files.log(&grant, &task, attempt)? else { return Ok(None) };
        contents.seek(SeekFrom::Start(offset)).map_err(Error::internal)?;
        Ok(Some(contents))
    });
    match opened.await? {
        Some(contents) => Ok(files::next(contents).await?.0),
        None => Ok(Vec::new()),
    }
}

/// How far a task had come by a step. A process prints from when its attempt is RUNNING until it is not any more.
fn come(task: &Task, revision: u64) -> Come {
    let by_then = task.history.iter().take_while(|change| change.revision.max(1) <= revision).count();
    let (history, now) = (&task.history[..by_then], by_then == task.history.len());
    match history.last() {
        None => Come { ended: 0, running: false },
        // What was stored before changes had attempts says the last one alone.
        Some(last) if last.state == RuntimeState::Running => {
            Come { ended: if now { task.attempt } else { last.attempt }, running: true }
        }
        Some(last) if last.state.is_final() && now => Come { ended: task.attempt.saturating_add(1), running: false },
        Some(_) => {
            let ran = history.iter().rev().find(|change| change.state == RuntimeState::Running);
            Come { ended: ran.map_or(0, |change| change.attempt.saturating_add(1)), running: false }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{RunId, StateChange, Timestamp};

    #[test]
    fn attempts_are_over_when_their_state_says_so() {
        use RuntimeState::{Failed, Pending, Running, Skipped, Succeeded};
        let mut task = Task::pending(RunId::from_text("r"), "train", Timestamp(0));
        // A first attempt, one that is lost with its machine, one that never starts, and one after a retry of the run.
        let changes = [
            (Pending, 0, (0, false)),
            (Running, 0, (0, true)),
            (Pending, 0, (1, false)),
            (Running, 1, (1, true)),
            (Pending, 1, (2, false)),
            (Failed, 2, (2, false)),
            (Pending, 3, (2, false)),
            (Running, 3, (3, true)),
            (Succeeded, 3, (4, false)),
        ];
        for (revision, (state, attempt, _)) in (1..).zip(changes) {
            (task.state, task.attempt) = (state, attempt);
            let change = StateChange::new(Timestamp(0), state, None);
            task.history.push(StateChange { attempt, revision, ..change });
        }
        assert_eq!(come(&task, 0), Come { ended: 0, running: false });
        for (revision, (_, _, (ended, running))) in (1..).zip(changes) {
            assert_eq!(come(&task, revision), Come { ended, running }, "by step {revision}");
        }
        // What was skipped has printed nothing, and its first attempt may still come.
        task.history.truncate(1);
        for state in [Skipped, Pending] {
            let last = task.history.last().map_or(0, |change| change.revision);
            task.history.push(StateChange { revision: last + 1, ..StateChange::new(Timestamp(0), state, None) });
        }
        (task.state, task.attempt) = (Pending, 0);
        assert_eq!(come(&task, 3), Come { ended: 0, running: false });
        // Of old changes it is not known which attempt they are about.
        for change in &mut task.history {
            (change.state, change.revision) = (Failed, 0);
        }
        (task.state, task.attempt) = (Failed, 2);
        assert_eq!(come(&task, 1), Come { ended: 3, running: false });
    }
}
