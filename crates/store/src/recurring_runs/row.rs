//! A recurring run as a row.
use crate::{
    Error, columns,
    schema::recurring_runs,
    specs::{self, Wanted},
};
use access::Owner;
use diesel::prelude::*;
use domain::{
    Executes, ExperimentId, Home, NewRecurringRun, PipelineId, PipelineVersionId, RecurringRun, RecurringRunId, Result,
    Source, Timestamp, Trigger,
};
use std::sync::Arc;

#[derive(Queryable, Selectable, Insertable, Clone)]
#[diesel(table_name = recurring_runs, check_for_backend(crate::any::AnyBackend))]
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) namespace: String,
    pub(crate) experiment_id: String,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) service_account: String,
    pub(crate) pipeline_id: String,
    pub(crate) version_id: String,
    pub(crate) version_name: String,
    pub(crate) spec_hash: String,
    pub(crate) parameters: String,
    pub(crate) pipeline_root: String,
    pub(crate) cron: String,
    pub(crate) interval_seconds: i64,
    pub(crate) starts_at: i64,
    pub(crate) ends_at: i64,
    pub(crate) max_concurrency: i64,
    pub(crate) catchup: bool,
    pub(crate) enabled: bool,
    pub(crate) created_at: i64,
    pub(crate) updated_at: i64,
    pub(crate) created_by: String,
    pub(crate) owner: String,
    pub(crate) time_zone: String,
    pub(crate) fault: String,
}

impl Row {
    /// A new recurring run, with its definition.
    pub(super) fn new(new: NewRecurringRun, namespace: &str, owner: &Owner, now: Timestamp) -> (Self, Arc<str>) {
        let text = |id: &dyn ToString| id.to_string();
        let (pipeline_id, version_id, version_name, spec) = match new.executes {
            Executes::Latest(pipeline_id) => (text(&pipeline_id), String::new(), String::new(), String::new()),
            Executes::Pinned { source: Source::Inline, spec } => (String::new(), String::new(), String::new(), spec),
            Executes::Pinned { source: Source::Version { pipeline_id, version_id, version_name }, spec } => {
                (text(&pipeline_id), text(&version_id), version_name, spec)
            }
        };
        let (cron, time_zone, interval_seconds, start, end) = match new.trigger {
            Trigger::Once => Default::default(),
            Trigger::Cron { cron, zone, start, end } => (cron, zone, 0, start, end),
            Trigger::Periodic { interval_seconds, start, end } => {
                (String::new(), String::new(), interval_seconds, start, end)
            }
        };
        let spec = Arc::<str>::from(spec);
        let row = Row {
            id: RecurringRunId::fresh().to_string(),
            namespace: namespace.to_owned(),
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
            cron,
            interval_seconds,
            starts_at: start.unwrap_or_default().0,
            ends_at: end.unwrap_or_default().0,
            max_concurrency: new.max_concurrency,
            catchup: new.catchup,
            enabled: new.enabled,
            created_at: now.0,
            updated_at: now.0,
            created_by: owner.user().to_owned(),
            owner: owner.to_row(),
            time_zone,
            fault: String::new(),
        };
        (row, spec)
    }

    /// Whether its definition is one that is wanted.
    pub(super) fn comes_with_spec(&self, wanted: Wanted) -> bool {
        wanted == Wanted::All || self.version_id.is_empty()
    }

    /// The recurring run, with its definition.
    pub(crate) fn with(self, spec: &str) -> Result<RecurringRun, Error> {
        let pipeline_id = PipelineId::from_text(self.pipeline_id);
        let executes = match (self.version_id.is_empty(), self.spec_hash.is_empty()) {
            (true, true) => Executes::Latest(pipeline_id),
            (true, false) => Executes::Pinned { source: Source::Inline, spec: spec.to_owned() },
            (false, _) => {
                let version_id = PipelineVersionId::from_text(self.version_id);
                let source = Source::Version { pipeline_id, version_id, version_name: self.version_name };
                Executes::Pinned { source, spec: spec.to_owned() }
            }
        };
        let (start, end) = (columns::moment(self.starts_at), columns::moment(self.ends_at));
        let trigger = match self.interval_seconds {
            0 if self.cron.is_empty() => Trigger::Once,
            0 => Trigger::Cron { cron: self.cron, zone: self.time_zone, start, end },
            interval_seconds => Trigger::Periodic { interval_seconds, start, end },
        };
        let home = Home::from_column(&self.namespace);
        Ok(RecurringRun {
            id: RecurringRunId::from_text(self.id),
            namespace: home
                .namespace()
                .cloned()
                .ok_or_else(|| domain::Error::internal("a recurring run outside of namespaces"))?,
            experiment_id: ExperimentId::from_text(self.experiment_id),
            name: self.name,
            description: self.description,
            service_account: self.service_account,
            executes,
            parameters: columns::value("recurring_runs.parameters", &self.parameters)?,
            pipeline_root: self.pipeline_root,
            trigger,
            max_concurrency: self.max_concurrency,
            catchup: self.catchup,
            enabled: self.enabled,
            created_at: Timestamp(self.created_at),
            updated_at: Timestamp(self.updated_at),
            created_by: self.created_by,
            fault: match self.fault.is_empty() {
                true => None,
                false => Some(columns::value("recurring_runs.fault", &self.fault)?),
            },
        })
    }
}
