//! Tasks of runs, as rows.
pub(crate) mod records;

use crate::{Error, artifacts, columns, connect::Connection, metadata, schema::tasks};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::{RunId, RuntimeState, Task, TaskId, TaskIo, TaskKind, Timestamp};
use std::collections::{HashMap, HashSet};

diesel::define_sql_function! {
    /// The bytes of a text, which are known without reading it.
    fn octet_length(text: diesel::sql_types::Text) -> diesel::sql_types::Integer;
}

/// How many rows a statement is about at most.
pub(crate) const BATCH: usize = 500;

/// What lists of runs read of their tasks.
#[derive(Queryable, Selectable, Insertable, AsChangeset, Clone)]
#[diesel(table_name = tasks, check_for_backend(crate::any::AnyBackend))]
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) namespace: String,
    pub(crate) run_id: String,
    pub(crate) parent_id: String,
    pub(crate) path: String,
    pub(crate) name: String,
    pub(crate) display_name: String,
    pub(crate) kind: String,
    pub(crate) state: String,
    pub(crate) created_at: i64,
    pub(crate) started_at: i64,
    pub(crate) finished_at: i64,
    pub(crate) attempt: i32,
    pub(crate) history: String,
    pub(crate) error: String,
    pub(crate) cached_from: String,
    pub(crate) fingerprint: String,
}

/// The rest of a task, which can be large.
#[derive(Queryable, Selectable, Insertable, AsChangeset, Clone)]
#[diesel(table_name = tasks, check_for_backend(crate::any::AnyBackend))]
pub(crate) struct Rest {
    pub(crate) input_parameters: String,
    pub(crate) output_parameters: String,
    pub(crate) engine: String,
}

#[derive(Insertable, AsChangeset)]
#[diesel(table_name = tasks, check_for_backend(crate::any::AnyBackend))]
struct Whole {
    #[diesel(embed)]
    row: Row,
    #[diesel(embed)]
    rest: Rest,
    pipeline_name: String,
    revision: i64,
}

/// The run that tasks are read of.
#[derive(Clone, Copy)]
pub(crate) struct Of<'a> {
    pub(crate) home: &'a str,
    pub(crate) run_id: &'a str,
}

/// The run that tasks are saved for.
pub(crate) struct OfRun<'a> {
    pub(crate) home: &'a str,
    pub(crate) run_id: &'a str,
    /// The name that the pipeline gives itself.
    pub(crate) pipeline_name: &'a str,
    /// The step that changes them.
    pub(crate) revision: u64,
    pub(crate) now: Timestamp,
}

/// The tasks of a run, oldest first, without what goes in and comes out.
pub(crate) async fn of_run(conn: &mut Connection, home: &str, run_id: &str) -> Result<Vec<Task>, Error> {
    let of_it = tasks::table.filter(tasks::namespace.eq(home)).filter(tasks::run_id.eq(run_id));
    let rows: Vec<Row> = of_it.order((tasks::created_at, tasks::id)).select(Row::as_select()).load(conn).await?;
    rows.into_iter().map(TryInto::try_into).collect()
}

impl Of<'_> {
    /// The ids of its tasks that have changed after a step of the run, beyond one of them, in order.
    pub(crate) async fn changed(
        &self,
        conn: &mut Connection,
        since: u64,
        after: &str,
        most: usize,
    ) -> Result<Vec<String>, Error> {
        let of_it = tasks::table.filter(tasks::namespace.eq(self.home)).filter(tasks::run_id.eq(self.run_id));
        let new = of_it.filter(tasks::revision.gt(i64::try_from(since).unwrap_or(i64::MAX)));
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        Ok(new.filter(tasks::id.gt(after)).order(tasks::id).limit(most).select(tasks::id).load(conn).await?)
    }

    /// About how many bytes some tasks are, by their ids.
    async fn weights(&self, conn: &mut Connection, ids: &[String]) -> Result<HashMap<String, i64>, Error> {
        let of_it = tasks::table.filter(tasks::namespace.eq(self.home)).filter(tasks::run_id.eq(self.run_id));
        let parameters = octet_length(tasks::input_parameters) + octet_length(tasks::output_parameters);
        let columns = (tasks::id, parameters + octet_length(tasks::history));
        let weights = of_it.filter(tasks::id.eq_any(ids)).select(columns).load::<(String, i32)>(conn).await?;
        let mut weights: HashMap<String, i64> = weights.into_iter().map(|(id, bytes)| (id, bytes.into())).collect();
        for (id, weight) in artifacts::weights(conn, self.home, self.run_id, ids).await? {
            *weights.entry(id).or_default() += weight;
        }
        Ok(weights)
    }

    /// How many of some tasks, from the first on, weigh no more than so many bytes; of one task or more it is one.
    pub(crate) async fn fitting(&self, conn: &mut Connection, ids: &[String], most: usize) -> Result<usize, Error> {
        let weights = self.weights(conn, ids).await?;
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let sums = ids.iter().scan(0, |sum, id| {
            *sum += weights.get(id).copied().unwrap_or_default();
            Some(*sum)
        });
        Ok(sums.take_while(|sum| *sum <= most).count().max(1).min(ids.len()))
    }

    /// Some of its tasks, by their ids, without what goes in and comes out.
    pub(crate) async fn heads(&self, conn: &mut Connection, ids: &[String]) -> Result<Vec<Task>, Error> {
        let of_it = tasks::table.filter(tasks::namespace.eq(self.home)).filter(tasks::run_id.eq(self.run_id));
        let rows: Vec<Row> =
            of_it.filter(tasks::id.eq_any(ids)).order(tasks::id).select(Row::as_select()).load(conn).await?;
        rows.into_iter().map(TryInto::try_into).collect()
    }

    /// Some of its tasks, or all, oldest first, with all that there is.
    pub(crate) async fn whole(&self, conn: &mut Connection, some: Option<&[String]>) -> Result<Vec<Task>, Error> {
        let mut of_it =
            tasks::table.filter(tasks::namespace.eq(self.home)).filter(tasks::run_id.eq(self.run_id)).into_boxed();
        if let Some(ids) = some {
            of_it = of_it.filter(tasks::id.eq_any(ids));
        }
        let columns = (Row::as_select(), Rest::as_select());
        let rows: Vec<(Row, Rest)> = of_it.order((tasks::created_at, tasks::id)).select(columns).load(conn).await?;
        let mut linked = artifacts::of_tasks(conn, self.home, self.run_id, some).await?;
        rows.into_iter()
            .map(|(row, rest)| {
                let (inputs, outputs) = linked.remove(&row.id).unwrap_or_default();
                let parameters = |column, text| columns::value(column, text);
                Ok(Task {
                    inputs: TaskIo {
                        parameters: parameters("tasks.input_parameters", &rest.input_parameters)?,
                        artifacts: inputs,
                    },
                    outputs: TaskIo {
                        parameters: parameters("tasks.output_parameters", &rest.output_parameters)?,
                        artifacts: outputs,
                    },
                    engine: rest.engine,
                    ..row.try_into()?
                })
            })
            .collect()
    }
}

impl OfRun<'_> {
    /// Writes tasks, new ones and changed ones, with their artifacts.
    pub(crate) async fn save(&self, conn: &mut Connection, changed: &[Task]) -> Result<(), Error> {
        for batch in changed.chunks(BATCH) {
            let ids: Vec<&str> = batch.iter().map(|task| task.id.as_str()).collect();
            let of_it = tasks::table.filter(tasks::namespace.eq(self.home)).filter(tasks::run_id.eq(self.run_id));
            let there: Vec<String> = of_it.filter(tasks::id.eq_any(&ids)).select(tasks::id).load(conn).await?;
            let there: HashSet<String> = there.into_iter().collect();
            let (known, new): (Vec<&Task>, Vec<&Task>) =
                batch.iter().partition(|task| there.contains(task.id.as_str()));
            for task in new {
                self.insert(conn, task).await?;
            }
            for task in known {
                self.update(conn, task).await?;
            }
            artifacts::save(conn, self, batch, &there).await?;
            metadata::record(conn, self, batch).await?;
        }
        metadata::touch_run(conn, self).await
    }

    /// Writes what ML metadata has of tasks that were just written by themselves.
    pub(crate) async fn record(&self, conn: &mut Connection, written: &[Task]) -> Result<(), Error> {
        metadata::record(conn, self, written).await?;
        metadata::touch_run(conn, self).await
    }

    /// Writes a new task without artifacts.
    pub(crate) async fn insert(&self, conn: &mut Connection, task: &Task) -> Result<(), Error> {
        diesel::insert_into(tasks::table).values(self.row(task)).execute(conn).await?;
        Ok(())
    }

    /// Writes a task that is there, and leaves its artifacts as they are.
    pub(crate) async fn update(&self, conn: &mut Connection, task: &Task) -> Result<(), Error> {
        diesel::update(tasks::table.find(task.id.as_str())).set(self.row(task)).execute(conn).await?;
        Ok(())
    }

    fn row(&self, task: &Task) -> Whole {
        let mut history = task.history.clone();
        history.iter_mut().for_each(|change| change.stamp(self.revision));
        Whole {
            row: Row {
                id: task.id.to_string(),
                namespace: self.home.to_owned(),
                run_id: self.run_id.to_owned(),
                parent_id: task.parent_id.as_ref().map(ToString::to_string).unwrap_or_default(),
                path: task.path.clone(),
                name: task.name.clone(),
                display_name: task.display_name.clone(),
                kind: task.kind.as_str().to_owned(),
                state: task.state.as_str().to_owned(),
                created_at: task.created_at.0,
                started_at: task.started_at.unwrap_or_default().0,
                finished_at: task.finished_at.unwrap_or_default().0,
                attempt: i32::try_from(task.attempt).unwrap_or(i32::MAX),
                history: columns::text(&history),
                error: task.error.clone().unwrap_or_default(),
                cached_from: task.cached_from.as_ref().map(ToString::to_string).unwrap_or_default(),
                fingerprint: task.fingerprint.clone(),
            },
            rest: Rest {
                input_parameters: columns::text(&task.inputs.parameters),
                output_parameters: columns::text(&task.outputs.parameters),
                engine: task.engine.clone(),
            },
            pipeline_name: self.pipeline_name.to_owned(),
            revision: i64::try_from(self.revision).unwrap_or(i64::MAX),
        }
    }
}

impl TryFrom<Row> for Task {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        let id = |text: String| (!text.is_empty()).then(|| TaskId::from_text(text));
        Ok(Task {
            id: TaskId::from_text(row.id),
            run_id: RunId::from_text(row.run_id),
            parent_id: id(row.parent_id),
            path: row.path,
            name: row.name,
            display_name: row.display_name,
            kind: columns::word("tasks.kind", &row.kind, TaskKind::parse)?,
            state: columns::word("tasks.state", &row.state, RuntimeState::parse)?,
            created_at: Timestamp(row.created_at),
            started_at: columns::moment(row.started_at),
            finished_at: columns::moment(row.finished_at),
            attempt: u32::try_from(row.attempt).unwrap_or_default(),
            history: columns::value("tasks.history", &row.history)?,
            error: (!row.error.is_empty()).then_some(row.error),
            cached_from: id(row.cached_from),
            fingerprint: row.fingerprint,
            inputs: TaskIo::default(),
            outputs: TaskIo::default(),
            engine: String::new(),
        })
    }
}
