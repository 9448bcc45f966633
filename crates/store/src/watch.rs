//! What those see who watch a run: what has changed since they last looked, a part at a time.
//!
//! A part is of one step of the run: all that has changed after the step that was told last, up to it. Its tasks come in
//! the order of their ids, so that who has seen a part of it can go on at any later time: a task that changes meanwhile
//! stays where it was in that order, and its state changes say which of them belong to the step that is being told.
use crate::{
    Error, Store, columns,
    connect::{Connection, read},
    schema::runs,
    tasks as task,
    wakes::Writes,
};
use access::Grant;
use api::access::{resource::Runs, verb::Get};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::{Kind, Result, RunId, RuntimeState, StateChange, Task, TaskIo, TaskKind, Timestamp};
use serde::{Deserialize, Serialize};

/// How many tasks a part has at most, and what they weigh, in bytes; one task may be heavier by itself.
const MOST: (usize, usize) = (task::BATCH, 1 << 20);

/// How far somebody has seen a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Seen {
    /// The step up to which everything was seen; 0 for nothing yet.
    #[serde(rename = "r")]
    pub revision: u64,
    /// The step of which a part was seen.
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    pub part: Option<Part>,
}

/// How far a step was told.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Part {
    #[serde(rename = "r")]
    pub revision: u64,
    /// The id of the last task that was told.
    #[serde(rename = "t")]
    pub after: String,
}

/// A part of what has changed.
#[derive(Clone, Debug)]
pub struct Watched {
    pub run: Head,
    /// What the pipeline has given, once it has succeeded.
    pub outputs: Option<TaskIo>,
    /// Tasks that have changed, whole, by their ids. They are as they stand now, perhaps after later steps.
    pub tasks: Vec<Task>,
    /// The steps that are told: those after the first, up to the second.
    pub steps: (u64, u64),
    /// Where the next part begins; none after the last one of the step.
    pub after: Option<String>,
}

/// A run, without what it was made from.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    pub id: RunId,
    pub name: String,
    pub state: RuntimeState,
    pub error: Option<String>,
    pub created_at: Timestamp,
    pub finished_at: Option<Timestamp>,
    pub history: Vec<StateChange>,
    /// How many steps of it are stored.
    pub revision: u64,
}

/// Tasks whose logs may have more to say than somebody has read.
#[derive(Clone, Debug)]
pub struct Talking {
    /// By their ids, without what goes in and comes out.
    pub tasks: Vec<Task>,
    /// Where the next ones begin, if there are more.
    pub after: Option<String>,
    /// How many steps of the run are stored, and whether it has ended.
    pub revision: u64,
    pub ended: bool,
}

/// Which tasks.
#[derive(Clone, Debug)]
pub enum Which {
    /// Containers that have changed after a step, and those of these ids.
    Changed { since: u64, and: Vec<String> },
    /// The one of this id.
    Only(String),
}

impl Watched {
    /// Whether nothing comes after this, unless somebody retries the run.
    pub fn is_last(&self) -> bool {
        self.after.is_none() && self.run.state.is_final() && self.run.revision == self.steps.1
    }

    /// What somebody has seen who has seen this.
    pub fn seen(&self) -> Seen {
        let (since, to) = self.steps;
        match &self.after {
            None => Seen { revision: to, part: None },
            Some(after) => Seen { revision: since, part: Some(Part { revision: to, after: after.clone() }) },
        }
    }

    /// Keeps the first tasks alone. The others come with the next part.
    pub fn truncate(&mut self, count: usize) {
        if let Some(last) = count.checked_sub(1).and_then(|last| self.tasks.get(last))
            && count < self.tasks.len()
        {
            self.after = Some(last.id.to_string());
            self.tasks.truncate(count);
        }
    }

    /// Those of some state changes that the steps are about.
    pub fn changes<'a>(&self, history: &'a [StateChange]) -> impl Iterator<Item = &'a StateChange> + use<'a> {
        let (since, to) = self.steps;
        // Before steps were counted all were the first.
        history.iter().filter(move |change| {
            let step = change.revision.max(1);
            step > since && step <= to
        })
    }
}

impl Store {
    /// The writes of a run by this server, from now on.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn writes(&self, grant: &Grant<Get, Runs>, id: &str) -> Result<Writes> {
        grant.covers(Kind::Run, id)?;
        let writes = self.wakes.watch(grant.home().as_column(), id);
        self.revision(grant, id).await?;
        Ok(writes)
    }

    /// How many steps of a run are stored, and whether it has ended.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn revision(&self, grant: &Grant<Get, Runs>, id: &str) -> Result<(u64, bool)> {
        grant.covers(Kind::Run, id)?;
        let (home, key) = (grant.home().as_column().to_owned(), id.to_owned());
        Ok(read!(self, |conn| stand(conn, &home, &key).await)?)
    }

    /// The next part of what somebody has not seen of a run.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn watched(&self, grant: &Grant<Get, Runs>, id: &str, seen: Seen) -> Result<Watched> {
        grant.covers(Kind::Run, id)?;
        let (home, key) = (grant.home().as_column().to_owned(), id.to_owned());
        Ok(read!(self, |conn| {
            let run = head(conn, &home, &key).await?;
            let Part { revision, after } = seen.part.unwrap_or(Part { revision: run.revision, after: String::new() });
            let of_run = task::Of { home: &home, run_id: &key };
            let mut ids = of_run.changed(conn, seen.revision, &after, MOST.0 + 1).await?;
            let heavy = of_run.fitting(conn, &ids, MOST.1).await?.min(MOST.0);
            let after = (heavy < ids.len()).then(|| ids[heavy - 1].clone());
            ids.truncate(heavy);
            let mut tasks = of_run.whole(conn, Some(&ids)).await?;
            tasks.sort_by(|one, other| one.id.cmp(&other.id));
            // What came into being later belongs to a later step.
            let old = |task: &Task| task.history.iter().any(|change| change.revision <= revision);
            tasks.retain(|task| task.history.is_empty() || old(task));
            let outputs = if after.is_none() { outputs(conn, &key).await? } else { None };
            Ok(Watched { run, outputs, tasks, steps: (seen.revision, revision), after })
        })?)
    }

    /// Tasks that may have said more, by their ids, after one of them.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn talking(&self, grant: &Grant<Get, Runs>, id: &str, which: Which, after: String) -> Result<Talking> {
        grant.covers(Kind::Run, id)?;
        let (home, key) = (grant.home().as_column().to_owned(), id.to_owned());
        Ok(read!(self, |conn| {
            let (revision, ended) = stand(conn, &home, &key).await?;
            let of_run = task::Of { home: &home, run_id: &key };
            let mut ids = match &which {
                Which::Only(id) => vec![id.clone()],
                Which::Changed { since, and } => {
                    let mut ids = of_run.changed(conn, *since, &after, MOST.0 + 1).await?;
                    ids.extend(and.iter().cloned());
                    ids
                }
            };
            ids.retain(|id| *id > after);
            ids.sort();
            ids.dedup();
            let after = (ids.len() > MOST.0).then(|| ids[MOST.0 - 1].clone());
            ids.truncate(MOST.0);
            let mut tasks = of_run.heads(conn, &ids).await?;
            tasks.retain(|task| task.kind == TaskKind::Runtime || matches!(which, Which::Only(_)));
            Ok(Talking { tasks, after, revision, ended })
        })?)
    }
}

async fn stand(conn: &mut Connection, home: &str, id: &str) -> Result<(u64, bool), Error> {
    let it = runs::table.filter(runs::id.eq(id)).filter(runs::namespace.eq(home));
    let found: Option<(i64, i64)> = it.select((runs::revision, runs::finished_at)).first(conn).await.optional()?;
    let (revision, finished) = found.ok_or_else(|| domain::Error::not_found(Kind::Run, id))?;
    Ok((revision.unsigned_abs(), finished != 0))
}

async fn head(conn: &mut Connection, home: &str, id: &str) -> Result<Head, Error> {
    let it = runs::table.filter(runs::id.eq(id)).filter(runs::namespace.eq(home));
    let columns =
        (runs::name, runs::state, runs::error, runs::created_at, runs::finished_at, runs::history, runs::revision);
    type Found = (String, String, String, i64, i64, String, i64);
    let found: Option<Found> = it.select(columns).first(conn).await.optional()?;
    let (name, state, error, created_at, finished_at, history, revision) =
        found.ok_or_else(|| domain::Error::not_found(Kind::Run, id))?;
    Ok(Head {
        id: RunId::from_text(id.to_owned()),
        name,
        state: columns::word("runs.state", &state, RuntimeState::parse)?,
        error: (!error.is_empty()).then_some(error),
        created_at: Timestamp(created_at),
        finished_at: columns::moment(finished_at),
        history: columns::value("runs.history", &history)?,
        revision: revision.unsigned_abs(),
    })
}

async fn outputs(conn: &mut Connection, id: &str) -> Result<Option<TaskIo>, Error> {
    let text: String = runs::table.find(id).select(runs::outputs).first(conn).await?;
    if text.is_empty() { Ok(None) } else { Ok(Some(columns::value("runs.outputs", &text)?)) }
}
