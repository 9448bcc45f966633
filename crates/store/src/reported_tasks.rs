//! Tasks that others have executed and reported. Nothing that runs here reads them.
use crate::{
    Error, Store, columns,
    connect::{read, write},
    page::{Plan, Weigh, keys},
    runs::find,
    schema::reported_tasks,
};
use access::Grant;
use api::access::{
    resource::Runs,
    verb::{Get, ReportMetrics},
};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::{
    Home, Kind, ReportedTask, Result, RunId, TaskId, Timestamp,
    list::{Page, Query},
};

/// The most tasks that may be reported of one run.
const MAX_TASKS: i64 = 10_000;

#[derive(Queryable, Selectable, Insertable, Clone)]
#[diesel(table_name = reported_tasks, check_for_backend(crate::any::AnyBackend))]
struct Row {
    id: String,
    namespace: String,
    run_id: String,
    pipeline_name: String,
    execution_id: String,
    fingerprint: String,
    created_at: i64,
    finished_at: i64,
}

impl Weigh for Row {}

keys!(reported_tasks, Row, {
    "id" | "task_id" => text id,
    "namespace" => text namespace,
    "pipeline_name" | "pipelineName" | "pipelinename" => text pipeline_name,
    "run_id" | "runId" | "runid" => text run_id,
    "execution_id" | "mlmdExecutionID" | "mlmdexecutionid" => text execution_id,
    "fingerprint" => text fingerprint,
    "created_at" | "create_time" => time created_at,
    "finished_at" | "end_time" => time finished_at,
});

impl TryFrom<Row> for ReportedTask {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        let home = Home::from_column(&row.namespace);
        let namespace = home.namespace().cloned();
        Ok(ReportedTask {
            id: TaskId::from_text(row.id),
            namespace: namespace.ok_or_else(|| domain::Error::internal("a task outside of namespaces"))?,
            run_id: RunId::from_text(row.run_id),
            pipeline_name: row.pipeline_name,
            execution_id: row.execution_id,
            fingerprint: row.fingerprint,
            created_at: Timestamp(row.created_at),
            finished_at: columns::moment(row.finished_at),
        })
    }
}

impl Store {
    /// Keeps a task that was reported of a run that the grant reaches.
    ///
    /// # Errors
    /// `NotFound` for the run; `ResourceExhausted` if it has too many already.
    pub async fn report_task(&self, grant: &Grant<ReportMetrics, Runs>, task: ReportedTask) -> Result<ReportedTask> {
        grant.covers(Kind::Run, task.run_id.as_str())?;
        let home = grant.home().as_column().to_owned();
        let row = Row {
            id: task.id.to_string(),
            namespace: home.clone(),
            run_id: task.run_id.to_string(),
            pipeline_name: task.pipeline_name,
            execution_id: task.execution_id,
            fingerprint: task.fingerprint,
            created_at: task.created_at.0,
            finished_at: task.finished_at.unwrap_or_default().0,
        };
        let insert = row.clone();
        write!(self, |conn| {
            find(conn, &home, &insert.run_id).await?;
            let of_home = reported_tasks::table.filter(reported_tasks::namespace.eq(&home));
            let of_it = of_home.filter(reported_tasks::run_id.eq(&insert.run_id));
            if of_it.count().get_result::<i64>(conn).await? >= MAX_TASKS {
                let text = format!("run {} has {MAX_TASKS} reported tasks, and may have no more", insert.run_id);
                return Err(domain::Error::new(domain::Code::ResourceExhausted, text).into());
            }
            Ok(diesel::insert_into(reported_tasks::table).values(insert).execute(conn).await?)
        })?;
        Ok(row.try_into()?)
    }

    /// One page of the tasks that were reported of a run, or of all runs in the home of the grant.
    ///
    /// # Errors
    /// `InvalidArgument` for an order, a filter or a token that is not one, or if the grant is for one run and none is
    /// named.
    pub async fn reported_tasks(
        &self,
        grant: &Grant<Get, Runs>,
        run_id: Option<String>,
        query: Query,
    ) -> Result<Page<ReportedTask>> {
        match &run_id {
            Some(id) => grant.covers(Kind::Run, id)?,
            None => grant.covers_all()?,
        }
        let list = format!("tasks {}", run_id.as_deref().unwrap_or_default());
        let plan = Plan::read(query, &list, grant.home(), &self.page_key)?;
        let (home, key) = (grant.home().as_column().to_owned(), self.page_key.clone());
        let page = read!(self, |conn| {
            let all = || {
                let of_home = reported_tasks::table.filter(reported_tasks::namespace.eq(home.clone())).into_boxed();
                match &run_id {
                    Some(id) => of_home.filter(reported_tasks::run_id.eq(id.clone())),
                    None => of_home,
                }
            };
            page(conn, plan, &key, None, all).await
        })?;
        Ok(page.try_map(TryInto::try_into)?)
    }
}
