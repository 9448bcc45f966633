//! Tasks of runs, as rows.
use crate::{Error, columns, connect::Connection, schema::tasks};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::{RunId, RuntimeState, Task, TaskId, Timestamp};

#[derive(Queryable, Selectable, Insertable, AsChangeset, Clone)]
#[diesel(table_name = tasks, check_for_backend(diesel::sqlite::Sqlite))]
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) namespace: String,
    pub(crate) run_id: String,
    pub(crate) name: String,
    pub(crate) display_name: String,
    pub(crate) state: String,
    pub(crate) created_at: i64,
    pub(crate) started_at: i64,
    pub(crate) finished_at: i64,
    pub(crate) attempt: i32,
    pub(crate) history: String,
    pub(crate) error: String,
}

/// The tasks of a run, oldest first.
pub(crate) async fn of_run(conn: &mut Connection, home: &str, run_id: &str) -> Result<Vec<Task>, Error> {
    let of_it = tasks::table.filter(tasks::namespace.eq(home)).filter(tasks::run_id.eq(run_id));
    let rows: Vec<Row> = of_it.order(tasks::id).select(Row::as_select()).load(conn).await?;
    rows.into_iter().map(TryInto::try_into).collect()
}

impl Row {
    pub(crate) fn new(namespace: &str, run_id: &str, task: &Task) -> Self {
        Row {
            id: task.id.to_string(),
            namespace: namespace.to_owned(),
            run_id: run_id.to_owned(),
            name: task.name.clone(),
            display_name: task.display_name.clone(),
            state: task.state.as_str().to_owned(),
            created_at: task.created_at.0,
            started_at: task.started_at.unwrap_or_default().0,
            finished_at: task.finished_at.unwrap_or_default().0,
            attempt: i32::try_from(task.attempt).unwrap_or(i32::MAX),
            history: columns::text(&task.history),
            error: task.error.clone().unwrap_or_default(),
        }
    }
}

impl TryFrom<Row> for Task {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        Ok(Task {
            id: TaskId::from_text(row.id),
            run_id: RunId::from_text(row.run_id),
            name: row.name,
            display_name: row.display_name,
            state: columns::word("tasks.state", &row.state, RuntimeState::parse)?,
            created_at: Timestamp(row.created_at),
            started_at: columns::moment(row.started_at),
            finished_at: columns::moment(row.finished_at),
            attempt: u32::try_from(row.attempt).unwrap_or_default(),
            history: columns::value("tasks.history", &row.history)?,
            error: (!row.error.is_empty()).then_some(row.error),
        })
    }
}
