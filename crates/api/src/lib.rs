//! Generated messages, services, access rules and handler traits, and the few hand-written types that they need.
//!
//! Everything below the modules that are named here is made by `codegen` from `proto/`; see `build.rs`.
pub mod access;
pub mod status;

include!(concat!(env!("OUT_DIR"), "/protos.rs"));

/// The v2beta1 API.
pub use kubeflow::pipelines::backend::api::v2beta1 as v2;

/// The v1beta1 API, whose proto package is `api`.
pub use self::api as v1;

/// The descriptor set of all protos with their options, for reflection and for the gateway.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
