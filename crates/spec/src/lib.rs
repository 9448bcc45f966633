//! The pipeline IR (`ml_pipelines.PipelineSpec` 2.1.0): reading, checking and writing packages. No IO.
mod bounds;
mod check;
mod ir;
mod package;
mod parameters;
mod runnable;
mod value;
mod yaml;

pub use ir::*;
pub use package::Package;
pub use parameters::check_parameters;
pub use runnable::runnable;
pub use value::{integral, kind, same, text};
