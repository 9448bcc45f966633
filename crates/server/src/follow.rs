//! What the tasks of a run print, as it comes.
//!
//! A cursor says how far each task was read that may say more, and after which step of the run all that had ended was
//! read whole. So it stays short however many tasks a run has.
use crate::{Context, files, files::Lease, pace::Pace};
use api::{
    access::{resource::Runs, verb::Get},
    bulkhead::v1::{FollowLogsRequest, FollowLogsResponse},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use domain::{Error, Kind, Result, Task, TaskKind};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, HashSet, VecDeque},
    io::SeekFrom,
    time::Duration,
};

/// How often logs that are followed are looked at for more.
const LOOK: Duration = Duration::from_millis(200);

/// The longest cursor, in bytes: for a URL there is less room anyway.
const MAX_CURSOR: usize = 256 << 10;

/// How far logs were read.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
struct Cursor {
    /// All tasks that had ended by this step of the run were read whole.
    #[serde(rename = "r")]
    revision: u64,
    /// Attempt and byte of the others, by the task's id.
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

/// One look at all tasks that may have more to say.
struct Round {
    tasks: VecDeque<Task>,
    /// The step that the tasks are as of.
    revision: u64,
    /// Whether nothing comes after them.
    last: bool,
}

impl Follow {
    pub(crate) async fn new(context: Context, lease: Lease<Get, Runs>, req: FollowLogsRequest) -> Result<Self> {
        let bad = || Error::invalid("cursor is not one that FollowLogs has given");
        let cursor = match req.cursor.as_str() {
            "" => Cursor::default(),
            text if text.len() > MAX_CURSOR => return Err(bad()),
            text => BASE64.decode(text).ok().and_then(|json| serde_json::from_slice(&json).ok()).ok_or_else(bad)?,
        };
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
            let Some(round) = &mut self.round else {
                self.round = Some(self.look().await?);
                continue;
            };
            let Some(task) = round.tasks.front().cloned() else {
                let (revision, last) = (round.revision, round.last);
                self.round = None;
                self.cursor.revision = revision;
                if last {
                    return Ok(None);
                }
                self.pace.wait(&self.context, LOOK).await?;
                continue;
            };
            if let Some(message) = self.read(&task).await? {
                return Ok(Some((message, self)));
            }
            if let Some(round) = &mut self.round {
                round.tasks.pop_front();
            }
        }
    }

    /// The tasks that may have more to say, first how they stand and then their logs: what has ended says no more.
    async fn look(&mut self) -> Result<Round> {
        let (tasks, revision, ended) = self.context.store.task_heads(&self.lease.grant, &self.run_id).await?;
        let wanted = |task: &Task| match &self.only {
            Some(only) => task.id.as_str() == only,
            None => task.kind == TaskKind::Runtime && task.started_at.is_some(),
        };
        let all: Vec<Task> = tasks.into_iter().filter(wanted).collect();
        if all.is_empty() && self.only.is_some() {
            return Err(Error::not_found(Kind::Task, self.only.as_deref().unwrap_or_default()));
        }
        let settled = ended || self.only.is_some() && all.iter().all(|task| task.state.is_final());
        let since = self.cursor.revision;
        let done = |task: &Task| {
            let last = task.history.last().map_or(u64::MAX, |change| change.revision);
            task.state.is_final() && last <= since && since > 0
        };
        let tasks: VecDeque<Task> = all.into_iter().filter(|task| !done(task)).collect();
        let open: HashSet<&str> = tasks.iter().map(|task| task.id.as_str()).collect();
        self.cursor.open.retain(|id, _| open.contains(id.as_str()));
        Ok(Round { tasks, revision, last: settled || !self.follow })
    }

    /// The next bytes of a task, over as many attempts as it took.
    async fn read(&mut self, task: &Task) -> Result<Option<FollowLogsResponse>> {
        loop {
            let at = self.cursor.open.entry(task.id.to_string()).or_default();
            let (attempt, offset) = *at;
            let data = match self.open(task, attempt, offset).await? {
                Some(contents) => files::next(contents).await?.0,
                None => Vec::new(),
            };
            let at = self.cursor.open.entry(task.id.to_string()).or_default();
            if !data.is_empty() {
                at.1 += data.len() as u64;
                let cursor = serde_json::to_vec(&self.cursor).map_err(Error::internal)?;
                return Ok(Some(FollowLogsResponse {
                    cursor: BASE64.encode(cursor),
                    task_id: task.id.to_string(),
                    path: task.path.clone(),
                    attempt,
                    data,
                }));
            }
            if attempt >= task.attempt {
                return Ok(None);
            }
            *at = (attempt + 1, 0);
        }
    }

    async fn open(&self, task: &Task, attempt: u32, offset: u64) -> Result<Option<crate::Contents>> {
        let (store_files, grant, task) = (self.context.files.clone(), self.lease.grant.clone(), task.clone());
        files::blocking(move || {
            let Some(mut contents) = store_files.log(&grant, &task, attempt)? else { return Ok(None) };
            contents.seek(SeekFrom::Start(offset)).map_err(Error::internal)?;
            Ok(Some(contents))
        })
        .await
    }
}
