//! How a run proceeds. `step` takes a state and an event and says what is to be done: no IO, no clock, no chance, so
//! that a run can be replayed, and stopped and resumed between any two events.
mod constant;
mod fingerprint;
mod import;
mod io;
mod plan;
mod resolve;
mod state;
mod step;
mod task_config;
mod tree;

pub use io::{Artifact, Failure, FailureKind, Import, Inputs, Outputs, Success, Work, WorkKind};
pub use plan::{Body, Dag, Items, Iterator, Plan, PlannedTask, Retry, Rules, RunContext, Strategy};
pub use state::{Node, NodeId, Place, RunState, State, Status};
pub use step::{Command, Event, step};
