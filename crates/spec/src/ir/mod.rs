//! The messages of the IR, as `pipeline_spec.proto` has them, with its JSON names.
//!
//! Every field may be absent, as in proto3. Written back, fields with their default are left out and names are
//! camelCase, whichever spelling was read.
mod component;
mod executor;
pub(crate) mod named;
mod task;

pub use component::{
    ArtifactSelector, ArtifactTypeSchema, ComponentSpec, DagOutputArtifact, DagOutputParameter, DagOutputs, DagSpec,
    InputArtifactDef, InputDefinitions, InputParameterDef, OutputArtifactDef, OutputDefinitions, OutputParameterDef,
    ParameterSelector, ParameterSelectors, ParameterType, TaskConfigPassthrough,
};
pub use executor::{Accelerator, ContainerSpec, EnvVar, Exec, ExecutorSpec, ImporterSpec, Lifecycle, ResourceSpec};
pub use task::{
    ArtifactItems, ArtifactIterator, CachingOptions, ComponentRef, InputArtifact, InputParameter, IteratorPolicy,
    ParameterItems, ParameterIterator, RetryPolicy, RuntimeValue, Seconds, TaskFinalStatus, TaskInfo, TaskInputs,
    TaskOutputArtifact, TaskOutputParameter, TaskSpec, TriggerPolicy, TriggerStrategy,
};

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Defines messages: structs that are read and written as proto3 JSON is. In front stands what to do with fields that
/// nobody knows: `deny_unknown_fields`, or `default` to pass over them.
macro_rules! message {
    ($policy:ident; $(
        $(#[$meta:meta])*
        pub struct $name:ident {
            $($(#[$attribute:meta])* pub $field:ident: $type:ty,)*
        }
    )*) => {$(
        $(#[$meta])*
        #[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde($policy, remote = "Self", rename_all = "camelCase")]
        pub struct $name {
            $(
                $(#[$attribute])*
                #[serde(default, skip_serializing_if = "crate::ir::is_default")]
                pub $field: $type,
            )*
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                Self::serialize(self, serializer)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::deserialize(crate::ir::named::Named(deserializer))
            }
        }
    )*};
}
pub(crate) use message;

message! {
    deny_unknown_fields;

    /// A pipeline.
    pub struct PipelineSpec {
        #[serde(alias = "pipeline_info")]
        pub pipeline_info: PipelineInfo,
        /// As it was written: it tolerates fields that nobody knows. `executors` has what is known of it.
        #[serde(alias = "deployment_spec")]
        pub deployment_spec: Map<String, Value>,
        /// By label; read from `deployment_spec`.
        #[serde(skip)]
        pub executors: BTreeMap<String, ExecutorSpec>,
        #[serde(alias = "sdk_version")]
        pub sdk_version: String,
        #[serde(alias = "schema_version")]
        pub schema_version: String,
        pub components: BTreeMap<String, ComponentSpec>,
        pub root: ComponentSpec,
        /// Where a submitter may want artifacts. Servers do not act on it.
        #[serde(alias = "default_pipeline_root")]
        pub default_pipeline_root: String,
    }

    /// What a pipeline is called.
    pub struct PipelineInfo {
        pub name: String,
        #[serde(alias = "display_name")]
        pub display_name: String,
        pub description: String,
    }
}

impl PipelineSpec {
    /// The tasks of the root.
    pub fn root_tasks(&self) -> impl Iterator<Item = (&String, &TaskSpec)> {
        self.root.dag.iter().flat_map(|dag| &dag.tasks)
    }

    /// The component that a task runs. Checked packages have it.
    pub fn component(&self, task: &TaskSpec) -> Option<&ComponentSpec> {
        self.components.get(&task.component_ref.name)
    }
}

pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// For fields of type `google.protobuf.Value`: an explicit null is a value, unlike an absent field.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}
