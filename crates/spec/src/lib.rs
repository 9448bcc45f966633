//! The pipeline IR (`ml_pipelines.PipelineSpec` 2.1.0): reading, checking and writing packages. v1 manifests (Argo
//! Workflows) are read as far as the API shows them. No IO.
mod bounds;
mod cel;
mod check;
mod ir;
mod manifest;
mod package;
mod parameters;
mod platform;
mod policy;
mod quantity;
mod runnable;
mod template;
mod value;
mod yaml;

pub use cel::{check_expression, condition, select};
pub use ir::*;
pub use manifest::{Manifest, Parameter};
pub use package::Package;
pub use parameters::check_parameters;
pub use platform::{KubernetesExecutorConfig, Platform};
pub use policy::{Allowance, Policy, Touches, check_domain};
pub use quantity::{cpu, memory};
pub use runnable::runnable;
pub use template::Template;
pub use value::{integral, iterator_items, kind, list_of, same, text};
