//! The pipeline IR (`ml_pipelines.PipelineSpec` 2.1.0): reading, checking and writing packages. v1 manifests (Argo
//! Workflows) are read as far as the API shows them. No IO.
mod bounds;
mod check;
mod ir;
mod manifest;
mod package;
mod parameters;
mod policy;
mod runnable;
mod template;
mod value;
mod yaml;

pub use ir::*;
pub use manifest::{Manifest, Parameter};
pub use package::Package;
pub use parameters::check_parameters;
pub use policy::{Allowance, Policy, Touches, check_domain};
pub use runnable::runnable;
pub use template::Template;
pub use value::{integral, kind, same, text};
