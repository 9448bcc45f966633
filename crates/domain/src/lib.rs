//! The words of Bulkhead: ids, namespaces, experiments, pipelines, runs, states, errors and time. No IO.
mod error;
mod experiment;
mod ids;
mod lineage;
pub mod list;
pub mod metadata;
mod namespace;
mod pipeline;
mod recurring_run;
mod run;
mod schedule;
mod state;
mod time;

pub use error::{Code, Error, Kind, Result, clipped};
pub use experiment::{Experiment, NewExperiment};
pub use ids::{ArtifactId, ExperimentId, PipelineId, PipelineVersionId, RecurringRunId, RunId, TaskId};
pub use lineage::{
    ArtifactLink, Direction, KeptArtifact, KeptTask, NewArtifact, NewLink, NewTask, Pod, Producer, Recorded, TaskChange,
};
pub use namespace::{Home, Namespace};
pub use pipeline::{NewPipeline, NewVersion, Pipeline, PipelineVersion, Tags};
pub use recurring_run::{Executes, NewRecurringRun, RecurringRun, Trigger};
pub use run::{
    Artifact, Backend, Metric, MetricFormat, NewRun, ReportedNode, ReportedTask, Run, Source, Task, TaskIo, TaskKind,
    WorkflowReport,
};
pub use schedule::{Due, Fault, Fence, Fired, Firing, Lease, Outcome, Passed, Schedule, Settled, Tick};
pub use state::{RuntimeState, StateChange, StorageState};
pub use time::{Clock, SystemClock, Timestamp};
