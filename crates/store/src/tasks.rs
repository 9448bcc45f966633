//! Tasks of runs, as rows.
use crate::{Error, json, schema::tasks};
use diesel::prelude::*;
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
    pub(crate) outputs: String,
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
            history: json::text(&task.history),
            error: task.error.clone().unwrap_or_default(),
            outputs: json::text(&task.outputs),
        }
    }
}

impl TryFrom<Row> for Task {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        let moment = |micros: i64| (micros != 0).then_some(Timestamp(micros));
        Ok(Task {
            id: TaskId::from_text(row.id),
            run_id: RunId::from_text(row.run_id),
            name: row.name,
            display_name: row.display_name,
            state: RuntimeState::parse(&row.state).unwrap_or(RuntimeState::Pending),
            created_at: Timestamp(row.created_at),
            started_at: moment(row.started_at),
            finished_at: moment(row.finished_at),
            attempt: u32::try_from(row.attempt).unwrap_or_default(),
            history: json::value("tasks.history", &row.history)?,
            error: (!row.error.is_empty()).then_some(row.error),
            outputs: json::value("tasks.outputs", &row.outputs)?,
        })
    }
}
