//! Lists of runs.
mod by_metric;

use super::Row;
use crate::{
    Error, Store,
    connect::{Connection, read},
    counts::{Counted, What},
    metrics,
    page::{Plan, Weigh, Weights, keys},
    schema::{run_metrics, runs, tasks},
    specs::{self, Wanted},
    tasks as task,
};
use access::Grant;
use api::access::{resource::Runs, verb::List};
use diesel::{dsl::count_star, prelude::*};
use diesel_async::RunQueryDsl;
use domain::{
    Result, Run, RuntimeState, Task,
    list::{Page, Query},
};
use futures::future::BoxFuture;
use std::collections::HashMap;

/// Which runs, or recurring runs, of the grant's home a list is about.
#[derive(Clone, Debug)]
pub enum ListScope {
    Everything,
    Experiment(String),
}

impl ListScope {
    /// What tokens of the list are bound to.
    pub(crate) fn name(&self, what: &str) -> String {
        match self {
            ListScope::Everything => what.to_owned(),
            ListScope::Experiment(id) => format!("{what} of {id}"),
        }
    }

    pub(crate) fn counted(&self, what: What, home: &str) -> Counted {
        match self {
            ListScope::Everything => Counted::all(what, home),
            ListScope::Experiment(id) => Counted::of(what, home, id),
        }
    }
}

/// What a task and a metric of a run weigh, in bytes: little, but a run can have thousands.
const TASK: usize = 1024;
const METRIC: usize = 128;

impl Weigh for Row {
    fn bytes(&self) -> usize {
        self.parameters.len()
    }

    fn besides<'a>(
        conn: &'a mut Connection,
        rows: &'a [Self],
        wanted: Wanted,
    ) -> BoxFuture<'a, Result<Weights, Error>> {
        Box::pin(async move {
            let Some(home) = rows.first().map(|row| &row.namespace) else { return Ok(Weights::new()) };
            let with = rows.iter().filter(|row| row.comes_with_spec(wanted));
            let with: Vec<_> = with.map(|row| (row.id.as_str(), row.spec_hash.as_str())).collect();
            let mut besides = specs::weights(conn, home, &with).await?;
            let ids: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
            let of_them = tasks::table.filter(tasks::namespace.eq(home)).filter(tasks::run_id.eq_any(&ids));
            let counted = of_them.group_by(tasks::run_id).select((tasks::run_id, count_star()));
            for (id, count) in counted.load::<(String, i64)>(conn).await? {
                *besides.entry(id).or_default() += usize::try_from(count).unwrap_or_default() * TASK;
            }
            let of_them = run_metrics::table.filter(run_metrics::namespace.eq(home));
            let of_them = of_them.filter(run_metrics::run_id.eq_any(&ids));
            let counted = of_them.group_by(run_metrics::run_id).select((run_metrics::run_id, count_star()));
            for (id, count) in counted.load::<(String, i64)>(conn).await? {
                *besides.entry(id).or_default() += usize::try_from(count).unwrap_or_default() * METRIC;
            }
            Ok(besides)
        })
    }
}

fn state_v1(text: &str) -> Option<String> {
    RuntimeState::parse_v1(text).map(|state| state.as_str().to_owned())
}

keys!(runs, Row, {
    "id" | "run_id" => text id,
    "name" | "display_name" => text name,
    "description" => text description,
    "namespace" => text namespace,
    "experiment_id" => text experiment_id,
    "recurring_run_id" => text recurring_run_id,
    "created_at" => time created_at,
    "created_by" => text created_by,
    "scheduled_at" => time scheduled_at,
    "finished_at" => time finished_at,
    "storage_state" => storage storage_state,
    "state" => text state,
    "status" => text(state_v1) state,
});

impl Store {
    /// One page of runs with their tasks.
    ///
    /// # Errors
    /// `InvalidArgument` for an order, a filter or a token that is not one.
    pub async fn runs(&self, grant: &Grant<List, Runs>, scope: ListScope, query: Query) -> Result<Page<Run>> {
        self.list_runs(grant, scope, query, Wanted::All).await
    }

    /// The same, but the definition of a run that names a version is empty.
    ///
    /// # Errors
    /// As [`Store::runs`].
    pub async fn runs_in_short(&self, grant: &Grant<List, Runs>, scope: ListScope, query: Query) -> Result<Page<Run>> {
        self.list_runs(grant, scope, query, Wanted::Own).await
    }

    async fn list_runs(
        &self,
        grant: &Grant<List, Runs>,
        scope: ListScope,
        query: Query,
        wanted: Wanted,
    ) -> Result<Page<Run>> {
        let list = scope.name("runs");
        grant.covers_all()?;
        let plan = Plan::read(query, &list, grant.home(), &self.page_key)?.with(wanted);
        let (home, key, specs) = (grant.home().as_column().to_owned(), self.page_key.clone(), self.specs.clone());
        let (page, texts, task_rows, mut metrics) = read!(self, |conn| {
            let all = || {
                let of_home = runs::table.filter(runs::namespace.eq(home.clone())).into_boxed();
                match &scope {
                    ListScope::Everything => of_home,
                    ListScope::Experiment(id) => of_home.filter(runs::experiment_id.eq(id.clone())),
                }
            };
            let counted = Some(scope.counted(What::Runs, &home));
            let page = match plan.sort.field.starts_with(by_metric::PREFIX) {
                true => by_metric::page(conn, plan, &key, counted, all).await?,
                false => page(conn, plan, &key, counted, all).await?,
            };
            let ids: Vec<String> = page.items.iter().map(|row| row.id.clone()).collect();
            let metrics = metrics::of_runs(conn, &home, &ids).await?;
            let of_them = tasks::table.filter(tasks::namespace.eq(home.clone())).filter(tasks::run_id.eq_any(ids));
            let task_rows: Vec<task::Row> = of_them.order(tasks::id).select(task::Row::as_select()).load(conn).await?;
            let with = page.items.iter().filter(|row| row.comes_with_spec(wanted));
            let hashes = with.map(|row| row.spec_hash.clone()).collect();
            let texts = specs.read_all(conn, &home, hashes).await?;
            Ok((page, texts, task_rows, metrics))
        })?;
        let mut by_run: HashMap<String, Vec<Task>> = HashMap::new();
        for row in task_rows {
            by_run.entry(row.run_id.clone()).or_default().push(row.try_into()?);
        }
        Ok(page.try_map(|row| {
            let (tasks, metrics) = (by_run.remove(&row.id), metrics.remove(&row.id));
            let spec = texts.get(&row.spec_hash).filter(|_| row.comes_with_spec(wanted)).cloned().unwrap_or_default();
            row.with(spec, tasks.unwrap_or_default(), metrics.unwrap_or_default())
        })?)
    }
}
