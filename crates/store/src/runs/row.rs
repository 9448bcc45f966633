//! A run as a row.
use crate::{Error, columns, schema::runs};
use diesel::prelude::*;
use domain::{
    Backend, ExperimentId, Home, Metric, PipelineId, PipelineVersionId, Run, RunId, RuntimeState, Source, StateChange,
    StorageState, Task, Timestamp,
};

/// The columns that clients see; the engine's own is left out.
#[derive(Queryable, Selectable, Insertable, Clone)]
#[diesel(table_name = runs, check_for_backend(crate::any::AnyBackend))]
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) namespace: String,
    pub(crate) experiment_id: String,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) storage_state: String,
    pub(crate) service_account: String,
    pub(crate) pipeline_id: String,
    pub(crate) version_id: String,
    pub(crate) version_name: String,
    pub(crate) spec: String,
    pub(crate) parameters: String,
    pub(crate) pipeline_root: String,
    pub(crate) created_at: i64,
    pub(crate) scheduled_at: i64,
    pub(crate) finished_at: i64,
    pub(crate) state: String,
    pub(crate) history: String,
    pub(crate) error: String,
    pub(crate) recurring_run_id: String,
    pub(crate) created_by: String,
    pub(crate) terminated_by: String,
    pub(crate) backend: String,
    pub(crate) revision: i64,
}

impl Row {
    /// A run that was made just now. What it is of, where it is and what it is called has to be filled in.
    pub(crate) fn pending(created_by: String, now: Timestamp, backend: Backend) -> Self {
        Row {
            id: String::new(),
            namespace: String::new(),
            experiment_id: String::new(),
            name: String::new(),
            description: String::new(),
            storage_state: StorageState::Available.as_str().to_owned(),
            service_account: String::new(),
            pipeline_id: String::new(),
            version_id: String::new(),
            version_name: String::new(),
            spec: String::new(),
            parameters: String::new(),
            pipeline_root: String::new(),
            created_at: now.0,
            scheduled_at: now.0,
            finished_at: 0,
            state: RuntimeState::Pending.as_str().to_owned(),
            history: columns::text(&[StateChange {
                revision: 1,
                ..StateChange::new(now, RuntimeState::Pending, None)
            }]),
            error: String::new(),
            recurring_run_id: String::new(),
            created_by,
            terminated_by: String::new(),
            backend: backend.as_str().to_owned(),
            revision: 1,
        }
    }

    /// The next step of the run, in which its state may change: its history after that, and the how manyth step it is.
    pub(crate) fn step(&self, change: Option<StateChange>) -> Result<(String, i64), Error> {
        let revision = self.revision + 1;
        let mut history: Vec<StateChange> = columns::value("runs.history", &self.history)?;
        if let Some(change) = change {
            change.append_to(&mut history);
        }
        history.iter_mut().for_each(|change| change.stamp(revision.unsigned_abs()));
        Ok((columns::text(&history), revision))
    }

    /// Whether another engine executes it.
    pub(crate) fn is_reported(&self) -> bool {
        self.backend == Backend::Reported.as_str()
    }

    /// Passes if this server executes the run, and so can do `what` to it.
    pub(crate) fn executed_here(&self, what: &str) -> Result<(), Error> {
        if self.is_reported() {
            let text = format!("run {} is executed by another engine, which alone can {what} it", self.id);
            return Err(domain::Error::precondition(text).into());
        }
        Ok(())
    }

    /// The run, with the tasks and metrics that belong to it.
    pub(crate) fn with(self, tasks: Vec<Task>, metrics: Vec<Metric>) -> Result<Run, Error> {
        let text = |text: String| (!text.is_empty()).then_some(text);
        let source = match text(self.version_id) {
            None => Source::Inline,
            Some(version) => Source::Version {
                pipeline_id: PipelineId::from_text(self.pipeline_id),
                version_id: PipelineVersionId::from_text(version),
                version_name: self.version_name,
            },
        };
        let home = Home::from_column(&self.namespace);
        Ok(Run {
            id: RunId::from_text(self.id),
            namespace: home
                .namespace()
                .cloned()
                .ok_or_else(|| domain::Error::internal("a run outside of namespaces"))?,
            experiment_id: ExperimentId::from_text(self.experiment_id),
            name: self.name,
            description: self.description,
            storage_state: columns::word("runs.storage_state", &self.storage_state, StorageState::parse)?,
            service_account: self.service_account,
            source,
            spec: self.spec,
            parameters: columns::value("runs.parameters", &self.parameters)?,
            pipeline_root: self.pipeline_root,
            created_at: Timestamp(self.created_at),
            scheduled_at: Timestamp(self.scheduled_at),
            finished_at: columns::moment(self.finished_at),
            state: columns::word("runs.state", &self.state, RuntimeState::parse)?,
            history: columns::value("runs.history", &self.history)?,
            error: text(self.error),
            recurring_run_id: self.recurring_run_id,
            created_by: self.created_by,
            terminated_by: text(self.terminated_by),
            backend: columns::word("runs.backend", &self.backend, Backend::parse)?,
            tasks,
            metrics,
        })
    }
}
