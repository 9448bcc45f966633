//! How a run proceeds. `step` takes a state and an event and says what is to be done: no IO, no clock, no chance, so
//! that a run can be replayed, and stopped and resumed between any two events.
mod constant;
mod io;
mod plan;
mod resolve;
mod state;
mod step;

pub use io::{Artifact, Failure, FailureKind, Inputs, Outputs};
pub use plan::{Plan, PlannedTask, Retry, RunContext};
pub use state::{State, Status, TaskState};
pub use step::{Command, Event, step};
