//! Tasks with all that is kept of them, one and by pages.
use super::{Of, Rest, Row};
use crate::{
    Error, Store, artifacts, columns,
    connect::{Connection, read},
    page::{Plan, Weigh, Weights, keys},
    runs,
    schema::tasks,
    specs::Wanted,
};
use access::Grant;
use api::access::{resource::Runs, verb::Get};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::{
    KeptTask, Kind, Recorded, Result, RuntimeState, Task, TaskId, TaskKind,
    list::{Page, Query},
};
use futures::future::BoxFuture;
use std::collections::HashMap;

/// The most tasks inside of a task that come with it.
const MAX_CHILDREN: i64 = 200;

/// How the text begins that is kept of a recorded task in place of the engine's, which is JSON or nothing.
pub(crate) const RECORDED: &str = "recorded ";

/// Which tasks a list is of.
#[derive(Clone, Debug)]
pub enum TasksOf {
    Run(String),
    /// Those inside of a task.
    Parent(String),
}

impl Weigh for Row {
    fn besides<'a>(conn: &'a mut Connection, rows: &'a [Self], _: Wanted) -> BoxFuture<'a, Result<Weights, Error>> {
        Box::pin(async move {
            let Some(first) = rows.first() else { return Ok(Weights::new()) };
            let ids: Vec<String> = rows.iter().map(|row| row.id.clone()).collect();
            let of = Of { home: &first.namespace, run_id: &first.run_id };
            let weights = of.weights(conn, &ids).await?;
            Ok(weights.into_iter().map(|(id, bytes)| (id, usize::try_from(bytes).unwrap_or_default())).collect())
        })
    }
}

fn state(text: &str) -> Option<String> {
    RuntimeState::parse(text).map(|state| state.as_str().to_owned())
}

fn kind(text: &str) -> Option<String> {
    TaskKind::parse(text).map(|kind| kind.as_str().to_owned())
}

keys!(tasks, Row, {
    "id" | "task_id" => text id,
    "name" => text name,
    "display_name" => text display_name,
    "parent_id" | "parent_task_id" => text parent_id,
    "type" => text(kind) kind,
    "status" | "state" => text(state) state,
    "created_at" | "create_time" => time created_at,
    "started_at" | "start_time" => time started_at,
    "finished_at" | "end_time" => time finished_at,
});

impl Store {
    /// A task that the grant reaches, with the first tasks inside of it.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn kept_task(&self, grant: &Grant<Get, Runs>, id: &str) -> Result<KeptTask> {
        grant.covers(Kind::Task, id)?;
        let (home, key) = (grant.home().as_column().to_owned(), id.to_owned());
        Ok(read!(self, |conn| kept(conn, &home, &key).await)?)
    }

    /// One page of the tasks of a run, or of those inside of a task.
    ///
    /// # Errors
    /// `NotFound` for the run or the task; `InvalidArgument` for an order, a filter or a token that is not one.
    pub async fn kept_tasks(&self, grant: &Grant<Get, Runs>, of: TasksOf, query: Query) -> Result<Page<KeptTask>> {
        let (kind, id) = match &of {
            TasksOf::Run(id) => (Kind::Run, id.clone()),
            TasksOf::Parent(id) => (Kind::Task, id.clone()),
        };
        grant.covers(kind, &id)?;
        let plan = Plan::read(query, &format!("tasks of {kind} {id}"), grant.home(), &self.page_key)?;
        let (home, key) = (grant.home().as_column().to_owned(), self.page_key.clone());
        Ok(read!(self, |conn| {
            let run_id = match &of {
                TasksOf::Run(_) => runs::find(conn, &home, &id).await?.id,
                TasksOf::Parent(_) => find(conn, &home, &id).await?.run_id,
            };
            let all = || {
                let of_home = tasks::table.filter(tasks::namespace.eq(home.clone())).into_boxed();
                match &of {
                    TasksOf::Run(_) => of_home.filter(tasks::run_id.eq(id.clone())),
                    TasksOf::Parent(_) => of_home.filter(tasks::parent_id.eq(id.clone())),
                }
            };
            let Page { items, total, next } = page(conn, plan, &key, None, all).await?;
            let items = complete(conn, Of { home: &home, run_id: &run_id }, items).await?;
            Ok(Page { items, total, next })
        })?)
    }
}

/// The task of that id in that home.
pub(crate) async fn find(conn: &mut Connection, home: &str, id: &str) -> Result<Row, Error> {
    let it = tasks::table.filter(tasks::id.eq(id)).filter(tasks::namespace.eq(home));
    let row: Option<Row> = it.select(Row::as_select()).first(conn).await.optional()?;
    Ok(row.ok_or_else(|| domain::Error::not_found(Kind::Task, id))?)
}

/// The same with all that is kept of it, and the first tasks inside of it.
pub(crate) async fn kept(conn: &mut Connection, home: &str, id: &str) -> Result<KeptTask, Error> {
    let row = find(conn, home, id).await?;
    let run_id = row.run_id.clone();
    let inside = tasks::table.filter(tasks::namespace.eq(home)).filter(tasks::parent_id.eq(id));
    let first = inside.order((tasks::created_at, tasks::id)).limit(MAX_CHILDREN);
    let children: Vec<(String, String)> = first.select((tasks::id, tasks::name)).load(conn).await?;
    let mut tasks = complete(conn, Of { home, run_id: &run_id }, vec![row]).await?;
    let task = tasks.pop().ok_or_else(|| domain::Error::not_found(Kind::Task, id))?;
    let children = children.into_iter().map(|(id, name)| (TaskId::from_text(id), name)).collect();
    Ok(KeptTask { children, ..task })
}

/// Tasks of one run with what goes in and comes out.
async fn complete(conn: &mut Connection, of: Of<'_>, rows: Vec<Row>) -> Result<Vec<KeptTask>, Error> {
    let ids: Vec<String> = rows.iter().map(|row| row.id.clone()).collect();
    let of_run = tasks::table.filter(tasks::namespace.eq(of.home)).filter(tasks::run_id.eq(of.run_id));
    let rest: Vec<(String, Rest)> =
        of_run.filter(tasks::id.eq_any(&ids)).select((tasks::id, Rest::as_select())).load(conn).await?;
    let mut rest: HashMap<String, Rest> = rest.into_iter().collect();
    let mut linked = artifacts::kept_of_tasks(conn, of.home, of.run_id, &ids).await?;
    let mut complete = Vec::new();
    for row in rows {
        let Some(rest) = rest.remove(&row.id) else { continue };
        let (inputs, outputs) = linked.remove(&row.id).unwrap_or_default();
        let recorded = rest.engine.strip_prefix(RECORDED);
        let recorded = recorded.map(|text| columns::value::<Recorded>("tasks.engine", text)).transpose()?;
        let mut task: Task = row.try_into()?;
        task.inputs.parameters = columns::value("tasks.input_parameters", &rest.input_parameters)?;
        task.outputs.parameters = columns::value("tasks.output_parameters", &rest.output_parameters)?;
        complete.push(KeptTask { task, inputs, outputs, children: Vec::new(), recorded });
    }
    Ok(complete)
}
