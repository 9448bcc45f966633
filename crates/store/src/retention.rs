//! Runs that have been kept for as long as they are to be. They are deleted as a client would delete them.
use crate::{
    Error, Store,
    connect::{read, write},
    runs as run,
    schema::{counts, runs},
};
use access::Grant;
use api::access::{
    resource::Runs,
    verb::{Delete, List},
};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::{Home, Namespace, Result, RunId, StorageState, Timestamp};
use std::time::Duration;

/// How long runs of a namespace are kept. One that has not ended is, whatever stands here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// Since their end.
    pub max_age: Option<Duration>,
    /// The newest so many.
    pub max_count: Option<u32>,
    /// Only archived ones go, and only they are counted.
    pub archived_only: bool,
}

/// A run that is not to be kept any longer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expired {
    pub id: RunId,
    pub created_at: Timestamp,
}

impl Store {
    /// The namespaces that have runs, in the order of their names. For a grant over all of them.
    ///
    /// # Errors
    /// Of the database.
    pub async fn namespaces_with_runs(&self, grant: &Grant<List, Runs>) -> Result<Vec<Namespace>> {
        grant.covers_all_tenants()?;
        let names: Vec<String> = read!(self, |conn| {
            let of_all = counts::table.filter(counts::kind.eq("runs")).filter(counts::parent.eq(""));
            Ok(of_all.select(counts::namespace).distinct().order(counts::namespace).load(conn).await?)
        })?;
        Ok(names.iter().filter_map(|name| Home::from_column(name).namespace().cloned()).collect())
    }

    /// Runs of the grant's namespace that are not to be kept, the oldest first, so many at most.
    ///
    /// # Errors
    /// Of the database.
    pub async fn expired_runs(
        &self,
        grant: &Grant<Delete, Runs>,
        retention: Retention,
        most: u32,
    ) -> Result<Vec<Expired>> {
        grant.covers_all()?;
        let (home, now) = (grant.home().as_column().to_owned(), self.clock.now().0);
        let mut rows: Vec<(i64, String)> = read!(self, |conn| {
            let kept_by = |home: String| {
                let of_home = runs::table.filter(runs::namespace.eq(home)).into_boxed();
                match retention.archived_only {
                    true => of_home.filter(runs::storage_state.eq(StorageState::Archived.as_str())),
                    false => of_home,
                }
            };
            let oldest = |home: String| {
                let ended = kept_by(home).filter(runs::finished_at.gt(0));
                ended.order((runs::created_at, runs::id)).select((runs::created_at, runs::id)).limit(most.into())
            };
            let mut expired: Vec<(i64, String)> = Vec::new();
            if let Some(age) = retention.max_age {
                let until = now.saturating_sub(i64::try_from(age.as_micros()).unwrap_or(i64::MAX));
                // None has ended before it was made, so that the index bounds what is looked at.
                let old = oldest(home.clone()).filter(runs::created_at.lt(until)).filter(runs::finished_at.lt(until));
                expired.extend(old.load::<(i64, String)>(conn).await?);
            }
            if let Some(count) = retention.max_count {
                let newest = kept_by(home.clone()).order((runs::created_at.desc(), runs::id.desc()));
                let beyond = newest.select((runs::created_at, runs::id)).offset(count.into()).limit(1);
                if let Some((at, id)) = beyond.load::<(i64, String)>(conn).await?.pop() {
                    let before = runs::created_at.lt(at).or(runs::created_at.eq(at).and(runs::id.le(id)));
                    expired.extend(oldest(home).filter(before).load::<(i64, String)>(conn).await?);
                }
            }
            Ok(expired)
        })?;
        rows.sort_unstable();
        rows.dedup();
        rows.truncate(usize::try_from(most).unwrap_or(usize::MAX));
        let expired = |(at, id)| Expired { id: RunId::from_text(id), created_at: Timestamp(at) };
        Ok(rows.into_iter().map(expired).collect())
    }

    /// Deletes those of some runs that are there and have ended, all in one transaction. Returns which they were.
    ///
    /// # Errors
    /// Of the database.
    pub async fn delete_ended_runs(&self, grant: &Grant<Delete, Runs>, ids: Vec<RunId>) -> Result<Vec<RunId>> {
        grant.covers_all()?;
        let home = grant.home().as_column().to_owned();
        let gone: Vec<RunId> = write!(self, |conn| {
            let mut gone = Vec::new();
            for id in ids {
                match run::find_if_any(conn, &home, id.as_str()).await? {
                    // It may have been retried meanwhile.
                    Some(row) if row.finished_at > 0 => run::remove(conn, &row).await?,
                    Some(_) | None => continue,
                }
                gone.push(id);
            }
            Ok::<_, Error>(gone)
        })?;
        gone.iter().for_each(|id| self.wakes.wake(grant.home().as_column(), id.as_str()));
        Ok(gone)
    }
}
