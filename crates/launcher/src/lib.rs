//! What happens before and after the process of a task: folders, placeholders and arguments on the way in, outputs on
//! the way out. Starting the process is the executor's.
pub mod beneath;
mod collect;
mod error;
mod executor_input;
mod folders;
mod pip;
mod placeholder;
mod stage;

pub use collect::{collect, is_remote};
pub use error::Error;
pub use pip::{Packages, PipInstall};
pub use stage::{Launch, Resources, stage};

use std::path::Path;

/// One attempt of a task.
#[derive(Clone, Copy, Debug)]
pub struct TaskContext<'a> {
    pub run: &'a RunInfo,
    pub task: &'a engine::PlannedTask,
    /// The container of the task.
    pub container: &'a spec::ContainerSpec,
    /// From 0.
    pub attempt: u32,
    pub inputs: &'a engine::Inputs,
    /// The attempt's own folder: absolute, and at the same place for the task. Nothing else is in it before `stage`,
    /// and after that whatever the task likes.
    pub dir: &'a Path,
    /// Whether the task runs in its image: then the image has the entry point, and its Python installs packages.
    pub in_image: bool,
    /// The folder that the tasks of the run share, if this one may use it.
    pub workspace: Option<&'a Path>,
}

/// The run that a task is part of.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunInfo {
    pub run_id: String,
    pub run_name: String,
    pub pipeline_name: String,
    pub namespace: String,
    /// Upstream's behaviour where a pipeline could depend on it.
    pub strict: bool,
}
