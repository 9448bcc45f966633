//! What has come of the moments at which recurring runs were due.
use crate::{
    Error, Store, columns,
    connect::{Connection, read, write},
    page::{Cursor, Edge, Plan},
    schema::{recurring_runs, ticks},
};
use access::Grant;
use api::access::{
    resource::Jobs,
    verb::{Delete, Get},
};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::{Kind, Outcome, RecurringRunId, Result, RunId, Tick, Timestamp, list::Query};

/// The only order: the latest first.
const ORDER: &str = "fire_at desc";
/// How many go with their recurring run.
const AT_ONCE: i64 = 1000;

#[derive(Queryable, Selectable, Insertable, Clone)]
#[diesel(table_name = ticks, check_for_backend(crate::any::AnyBackend))]
struct Row {
    recurring_run_id: String,
    fire_at: i64,
    namespace: String,
    outcome: String,
    until_at: i64,
    moments: i64,
    reason: String,
    run_id: String,
    decided_at: i64,
    fencing_token: i64,
}

impl Store {
    /// One page of what has come of the moments of a recurring run, the latest first, with the token of the next. How many
    /// there are is not told: they are too many to count.
    ///
    /// # Errors
    /// `NotFound`; `InvalidArgument` for an order, a filter, or a token of another list.
    pub async fn ticks(&self, grant: &Grant<Get, Jobs>, id: &str, query: Query) -> Result<(Vec<Tick>, String)> {
        grant.covers(Kind::RecurringRun, id)?;
        if !query.predicates.is_empty() || !["", ORDER].contains(&query.sort_by.trim()) {
            return Err(domain::Error::invalid(format!("ticks have no filter, and no order but {ORDER:?}")));
        }
        let query = Query { sort_by: ORDER.to_owned(), ..query };
        let (home, key) = (grant.home().as_column().to_owned(), id.to_owned());
        let plan = Plan::read(query, &format!("ticks of {id}"), grant.home(), &self.page_key)?;
        let before = match plan.after {
            Some(Cursor { edge: Edge::Number(last), .. }) => last,
            _ => i64::MAX,
        };
        let size = plan.size;
        let mut rows: Vec<Row> = read!(self, |conn| {
            let it = recurring_runs::table.filter(recurring_runs::id.eq(&key));
            if it.filter(recurring_runs::namespace.eq(&home)).count().get_result::<i64>(conn).await? == 0 {
                return Err(domain::Error::not_found(Kind::RecurringRun, &key).into());
            }
            let of_it = ticks::table.filter(ticks::recurring_run_id.eq(&key)).filter(ticks::namespace.eq(&home));
            let page = of_it.filter(ticks::fire_at.lt(before)).order(ticks::fire_at.desc()).limit(size + 1);
            Ok(page.select(Row::as_select()).load(conn).await?)
        })?;
        let cursor = |row: &Row, _: &str| Cursor { edge: Edge::Number(row.fire_at), id: String::new() };
        let next = plan.cut(&mut rows, &self.page_key, |_| 0, cursor);
        Ok((rows.into_iter().map(Row::read).collect::<Result<_, _>>()?, next))
    }

    /// Forgets what was decided before a moment, of `most` moments at once; returns how many they were.
    ///
    /// # Errors
    /// Of the database; `Internal` if the grant is not for all tenants.
    pub async fn forget_ticks(&self, grant: &Grant<Delete, Jobs>, before: Timestamp, most: i64) -> Result<usize> {
        grant.covers_all_tenants()?;
        Ok(write!(self, |conn| {
            let old = ticks::table.filter(ticks::decided_at.lt(before.0)).order(ticks::decided_at).limit(most);
            let keys: Vec<(String, i64)> = old.select((ticks::recurring_run_id, ticks::fire_at)).load(conn).await?;
            for (id, fire_at) in &keys {
                diesel::delete(ticks::table.find((id, fire_at))).execute(conn).await?;
            }
            Ok(keys.len())
        })?)
    }
}

impl Row {
    fn read(self) -> Result<Tick, Error> {
        Ok(Tick {
            recurring_run_id: RecurringRunId::from_text(self.recurring_run_id),
            fire_at: Timestamp(self.fire_at),
            until: Timestamp(self.until_at),
            moments: self.moments,
            outcome: columns::word("ticks.outcome", &self.outcome, Outcome::parse)?,
            reason: self.reason,
            run_id: (!self.run_id.is_empty()).then(|| RunId::from_text(self.run_id)),
            decided_at: Timestamp(self.decided_at),
            fencing_token: self.fencing_token,
        })
    }
}

/// Takes down what has come of moments, each with the namespace, after it was seen that the schedules are still what was
/// decided on. That a moment is decided on twice is an error of the database.
pub(crate) async fn insert(conn: &mut Connection, all: Vec<(String, Tick)>) -> Result<(), Error> {
    let row = |(namespace, tick): (String, Tick)| Row {
        recurring_run_id: tick.recurring_run_id.to_string(),
        fire_at: tick.fire_at.0,
        namespace,
        outcome: tick.outcome.as_str().to_owned(),
        until_at: tick.until.0,
        moments: tick.moments,
        reason: tick.reason,
        run_id: tick.run_id.map(|id| id.to_string()).unwrap_or_default(),
        decided_at: tick.decided_at.0,
        fencing_token: tick.fencing_token,
    };
    let rows: Vec<Row> = all.into_iter().map(row).collect();
    if !rows.is_empty() {
        let inserted = diesel::insert_into(ticks::table).values(rows).execute(conn).await;
        inserted.map_err(|error| Error::from(error).after_looking())?;
    }
    Ok(())
}

/// Forgets the last ones of a recurring run that is gone. If they are many, the others go when they are old: nobody can
/// ask for them.
pub(crate) async fn delete(conn: &mut Connection, id: &str) -> Result<(), Error> {
    let of_it = || ticks::table.filter(ticks::recurring_run_id.eq(id));
    let last = of_it().order(ticks::fire_at.desc()).limit(AT_ONCE).select(ticks::fire_at);
    let last: Vec<i64> = last.load(conn).await?;
    if let Some(from) = last.last() {
        diesel::delete(of_it().filter(ticks::fire_at.ge(*from))).execute(conn).await?;
    }
    Ok(())
}
