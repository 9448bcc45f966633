//! A run as a row.
use crate::{
    Error, columns,
    counts::{Counted, What},
    schema::runs,
    specs::{self, Wanted},
};
use diesel::prelude::*;
use domain::{
    Backend, ExperimentId, Home, Metric, Namespace, NewRun, PipelineId, PipelineVersionId, Run, RunId, RuntimeState,
    Source, StateChange, StorageState, Task, Timestamp,
};
use std::sync::Arc;

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
    pub(crate) spec_hash: String,
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
    /// A run that somebody has made just now, for a recurring run unless that is empty, with its definition.
    pub(crate) fn new(
        new: NewRun,
        namespace: &Namespace,
        recurring_run_id: &str,
        created_by: &str,
        now: Timestamp,
    ) -> (Self, Arc<str>) {
        let (pipeline_id, version_id, version_name) = match new.source {
            Source::Inline => Default::default(),
            Source::Version { pipeline_id, version_id, version_name } => {
                (pipeline_id.to_string(), version_id.to_string(), version_name)
            }
        };
        let spec = Arc::<str>::from(new.spec);
        let row = Row {
            id: new.id.unwrap_or_else(RunId::fresh).to_string(),
            namespace: namespace.to_string(),
            experiment_id: new.experiment_id.to_string(),
            name: new.name,
            description: new.description,
            service_account: new.service_account,
            pipeline_id,
            version_id,
            version_name,
            spec_hash: specs::hash(&spec),
            parameters: columns::text(&new.parameters),
            pipeline_root: new.pipeline_root,
            recurring_run_id: recurring_run_id.to_owned(),
            ..Row::pending(created_by.to_owned(), now, Backend::Local)
        };
        (row, spec)
    }

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
            spec_hash: String::new(),
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

    /// What it is counted with.
    pub(crate) fn counted(&self) -> Counted {
        Counted::of(What::Runs, &self.namespace, &self.experiment_id)
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

    /// Passes if another engine executes the run, so that clients may record what becomes of it.
    pub(crate) fn executed_elsewhere(&self) -> Result<(), Error> {
        if self.is_reported() {
            return Ok(());
        }
        let text = "the run is executed by this server, which records its tasks and artifacts itself";
        Err(domain::Error::precondition(text).into())
    }

    /// Whether its definition is one that is wanted.
    pub(crate) fn comes_with_spec(&self, wanted: Wanted) -> bool {
        wanted == Wanted::All || self.version_id.is_empty()
    }

    /// The run, with its definition, and the tasks and metrics that belong to it.
    pub(crate) fn with(self, spec: Arc<str>, tasks: Vec<Task>, metrics: Vec<Metric>) -> Result<Run, Error> {
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
            spec,
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
