//! How many rows there are, kept beside them: to count a million takes as long as to read them.
//!
//! Whatever adds rows, deletes them or moves them between storage states says so here, in the same transaction.
use crate::{
    Error, Store,
    any::AnyBackend,
    connect::{Connection, read},
    page::TextFilter,
    page::storage_filter,
    quotas::Quota,
    schema::{counts, runs},
};
use access::Grant;
use api::access::{resource::Runs, verb::List};
use diesel::{
    QueryResult,
    prelude::*,
    query_builder::{AstPass, QueryFragment, QueryId},
    sql_types::{BigInt, Integer, Text},
};
use diesel_async::RunQueryDsl;
use domain::{Result, list::Predicate};

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// Of a namespace and of an experiment, by their storage state.
    Runs,
    /// Of a namespace, by their storage state.
    Experiments,
    /// Of a namespace.
    Pipelines,
    /// Of a pipeline.
    Versions,
    /// Of a namespace and of an experiment.
    RecurringRuns,
}

/// Rows that are counted together: all of a namespace, or those of one parent.
#[derive(Clone, Debug)]
pub(crate) struct Counted {
    what: What,
    namespace: String,
    /// None for all.
    parent: Option<String>,
}

/// What a namespace holds of that which is limited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Runs that have not ended.
    pub active_runs: i64,
    /// Runs, archived ones too.
    pub stored_runs: i64,
    pub pipelines: i64,
    /// Recurring runs, disabled ones too.
    pub recurring_runs: i64,
}

/// In how many parts the number of a namespace is kept. Experiments write to different ones, so that those who make
/// runs in several do not wait for each other. One part may be below zero: what counts is their sum.
const PARTS: u32 = 16;

impl What {
    fn as_str(self) -> &'static str {
        match self {
            What::Runs => "runs",
            What::Experiments => "experiments",
            What::Pipelines => "pipelines",
            What::Versions => "versions",
            What::RecurringRuns => "recurring_runs",
        }
    }
}

impl Usage {
    /// How many there are of one of them.
    pub fn of(&self, quota: Quota) -> i64 {
        match quota {
            Quota::ActiveRuns => self.active_runs,
            Quota::StoredRuns => self.stored_runs,
            Quota::Pipelines => self.pipelines,
            Quota::RecurringRuns => self.recurring_runs,
        }
    }
}

impl Counted {
    pub(crate) fn all(what: What, namespace: &str) -> Self {
        Self { what, namespace: namespace.to_owned(), parent: None }
    }

    pub(crate) fn of(what: What, namespace: &str, parent: &str) -> Self {
        Self { what, namespace: namespace.to_owned(), parent: Some(parent.to_owned()) }
    }

    /// So many rows have come into a storage state, or have gone from it if it is less than nothing. The state is empty
    /// for what has none.
    pub(crate) async fn add(&self, conn: &mut Connection, storage_state: &str, by: i64) -> Result<(), Error> {
        if by == 0 {
            return Ok(());
        }
        let Self { what, namespace, parent } = self;
        let parent = parent.as_deref().unwrap_or_default();
        let to = |parent, part| Addition { kind: what.as_str(), namespace, parent, part, storage_state, by };
        if !parent.is_empty() {
            to(parent, 0).execute(conn).await?;
        }
        if *what != What::Versions {
            let part = parent.bytes().fold(0, |sum: u32, byte| sum.wrapping_mul(31).wrapping_add(byte.into())) % PARTS;
            to("", part.cast_signed()).execute(conn).await?;
        }
        if by < 0 && !parent.is_empty() {
            // Parents go, and nothing of them stays.
            let of_home = counts::table.filter(counts::namespace.eq(namespace)).filter(counts::kind.eq(what.as_str()));
            let none = of_home.filter(counts::parent.eq(parent)).filter(counts::total.eq(0));
            diesel::delete(none).execute(conn).await?;
        }
        Ok(())
    }

    /// Keeps others who ask for the same from going on before this transaction has ended: on MySQL they wait, and on
    /// PostgreSQL they begin anew after that, so that each of them sees what the one before it has made.
    pub(crate) async fn hold(&self, conn: &mut Connection) -> Result<(), Error> {
        let Self { what, namespace, parent } = self;
        let parent = parent.as_deref().unwrap_or_default();
        // It is the same row for all, whose total stays as it is.
        let nothing = Addition { kind: what.as_str(), namespace, parent, part: 0, storage_state: "", by: 0 };
        nothing.execute(conn).await?;
        Ok(())
    }

    /// How many rows there are in a storage state, or in all.
    async fn total(&self, conn: &mut Connection, storage_state: Option<&str>) -> Result<i64, Error> {
        let parent = match self.parent.as_deref() {
            None => "",
            // It is no parent's name, but stands for all of them.
            Some("") => return Ok(0),
            Some(parent) => parent,
        };
        let of_home = counts::table.filter(counts::namespace.eq(&self.namespace));
        let of_kind = of_home.filter(counts::kind.eq(self.what.as_str())).filter(counts::parent.eq(parent));
        let rows: Vec<(String, i64)> = of_kind.select((counts::storage_state, counts::total)).load(conn).await?;
        let of_it = rows.iter().filter(|(state, _)| storage_state.is_none_or(|wanted| state == wanted));
        Ok(of_it.map(|(_, total)| total).sum())
    }

    /// How many rows a filter keeps, if that is known without a look at them.
    pub(crate) async fn matching(&self, conn: &mut Connection, filter: &[Predicate]) -> Result<Option<i64>, Error> {
        match filter {
            [] => Ok(Some(self.total(conn, None).await?)),
            [only] if only.key == "storage_state" => match storage_filter(only)? {
                TextFilter::Equals(state) => Ok(Some(self.total(conn, Some(&state)).await?)),
                _ => Ok(None),
            },
            _ => Ok(None),
        }
    }
}

/// Adds to a number, which is nothing if there is none yet: in one statement, which does not first read what is there
/// and so conflicts with those alone that add to the same.
#[derive(Debug)]
struct Addition<'a> {
    kind: &'static str,
    namespace: &'a str,
    parent: &'a str,
    part: i32,
    storage_state: &'a str,
    by: i64,
}

impl QueryFragment<AnyBackend> for Addition<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, AnyBackend>) -> QueryResult<()> {
        let backend = *out.backend();
        out.push_sql("INSERT INTO counts (namespace, kind, parent, storage_state, part, total) VALUES (");
        for text in [self.namespace, self.kind, self.parent, self.storage_state] {
            out.push_bind_param::<Text, str>(text)?;
            out.push_sql(", ");
        }
        out.push_bind_param::<Integer, _>(&self.part)?;
        out.push_sql(", ");
        out.push_bind_param::<BigInt, _>(&self.by)?;
        out.push_sql(match backend {
            AnyBackend::Mysql => ") ON DUPLICATE KEY UPDATE total = total + VALUES(total)",
            AnyBackend::Sqlite | AnyBackend::Postgres => {
                ") ON CONFLICT (namespace, kind, parent, storage_state, part) \
                 DO UPDATE SET total = counts.total + excluded.total"
            }
        });
        Ok(())
    }
}

impl QueryId for Addition<'_> {
    type QueryId = ();

    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Store {
    /// What the namespace of the grant holds.
    ///
    /// # Errors
    /// `InvalidArgument` if the grant is for no namespace.
    pub async fn usage(&self, grant: &Grant<List, Runs>) -> Result<Usage> {
        grant.covers_all()?;
        let home = grant.namespace()?.to_string();
        Ok(read!(self, |conn| usage(conn, &home).await)?)
    }
}

/// What a namespace holds.
async fn usage(conn: &mut Connection, namespace: &str) -> Result<Usage, Error> {
    Ok(Usage {
        active_runs: used(conn, namespace, Quota::ActiveRuns).await?,
        stored_runs: used(conn, namespace, Quota::StoredRuns).await?,
        pipelines: used(conn, namespace, Quota::Pipelines).await?,
        recurring_runs: used(conn, namespace, Quota::RecurringRuns).await?,
    })
}

/// How much a namespace holds of one thing that is limited.
pub(crate) async fn used(conn: &mut Connection, namespace: &str, quota: Quota) -> Result<i64, Error> {
    let what = match quota {
        Quota::ActiveRuns => {
            // They are few, and found in an index.
            let active = runs::table.filter(runs::namespace.eq(namespace)).filter(runs::finished_at.eq(0));
            return Ok(active.count().get_result(conn).await?);
        }
        Quota::StoredRuns => What::Runs,
        Quota::Pipelines => What::Pipelines,
        Quota::RecurringRuns => What::RecurringRuns,
    };
    Counted::all(what, namespace).total(conn, None).await
}
