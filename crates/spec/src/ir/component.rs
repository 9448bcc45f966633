//! Components: what goes in and out of them, and the DAGs that some of them are.
use super::{TaskSpec, message, present};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::{collections::BTreeMap, fmt};

message! {
    deny_unknown_fields;

    /// One step's interface, and either the DAG or the executor behind it.
    pub struct ComponentSpec {
        #[serde(alias = "input_definitions")]
        pub input_definitions: InputDefinitions,
        #[serde(alias = "output_definitions")]
        pub output_definitions: OutputDefinitions,
        pub dag: Option<DagSpec>,
        #[serde(alias = "executor_label")]
        pub executor_label: Option<String>,
        /// Kept as it was written.
        #[serde(alias = "single_platform_specs")]
        pub single_platform_specs: Vec<Value>,
        #[serde(alias = "task_config_passthroughs")]
        pub task_config_passthroughs: Vec<TaskConfigPassthrough>,
    }

    /// A setting of the pod that a component wants to see for itself.
    pub struct TaskConfigPassthrough {
        pub field: String,
        #[serde(alias = "apply_to_task")]
        pub apply_to_task: bool,
    }

    /// The inputs of a component.
    pub struct InputDefinitions {
        pub parameters: BTreeMap<String, InputParameterDef>,
        pub artifacts: BTreeMap<String, InputArtifactDef>,
    }

    /// One input parameter.
    pub struct InputParameterDef {
        /// Deprecated: `INT`, `DOUBLE` or `STRING`.
        pub r#type: String,
        #[serde(alias = "parameter_type")]
        pub parameter_type: ParameterType,
        #[serde(alias = "default_value", deserialize_with = "present")]
        pub default_value: Option<Value>,
        #[serde(alias = "is_optional")]
        pub is_optional: bool,
        pub description: String,
        /// The only values that are allowed, if there are any.
        pub literals: Vec<Value>,
    }

    /// One input artifact.
    pub struct InputArtifactDef {
        #[serde(alias = "artifact_type")]
        pub artifact_type: ArtifactTypeSchema,
        #[serde(alias = "is_artifact_list")]
        pub is_artifact_list: bool,
        #[serde(alias = "is_optional")]
        pub is_optional: bool,
        pub description: String,
    }

    /// The outputs of a component.
    pub struct OutputDefinitions {
        pub parameters: BTreeMap<String, OutputParameterDef>,
        pub artifacts: BTreeMap<String, OutputArtifactDef>,
    }

    /// One output parameter.
    pub struct OutputParameterDef {
        /// Deprecated: `INT`, `DOUBLE` or `STRING`.
        pub r#type: String,
        #[serde(alias = "parameter_type")]
        pub parameter_type: ParameterType,
        pub description: String,
    }

    /// One output artifact.
    pub struct OutputArtifactDef {
        #[serde(alias = "artifact_type")]
        pub artifact_type: ArtifactTypeSchema,
        /// Deprecated.
        pub properties: Map<String, Value>,
        /// Deprecated.
        #[serde(alias = "custom_properties")]
        pub custom_properties: Map<String, Value>,
        pub metadata: Map<String, Value>,
        #[serde(alias = "is_artifact_list")]
        pub is_artifact_list: bool,
        pub description: String,
    }

    /// What kind of artifact it is: a title such as `system.Model`, or a schema of its own.
    pub struct ArtifactTypeSchema {
        #[serde(alias = "schema_title")]
        pub schema_title: String,
        /// Deprecated.
        #[serde(alias = "schema_uri")]
        pub schema_uri: String,
        #[serde(alias = "instance_schema")]
        pub instance_schema: String,
        #[serde(alias = "schema_version")]
        pub schema_version: String,
    }

    /// Tasks that depend on each other, and what of their outputs is handed on.
    pub struct DagSpec {
        pub tasks: BTreeMap<String, TaskSpec>,
        pub outputs: DagOutputs,
    }

    /// Where the outputs of a DAG come from.
    pub struct DagOutputs {
        pub artifacts: BTreeMap<String, DagOutputArtifact>,
        pub parameters: BTreeMap<String, DagOutputParameter>,
    }

    /// One artifact of a DAG. With several selectors, the first whose task ran.
    pub struct DagOutputArtifact {
        #[serde(alias = "artifact_selectors")]
        pub artifact_selectors: Vec<ArtifactSelector>,
    }

    /// An output artifact of a task.
    pub struct ArtifactSelector {
        #[serde(alias = "producer_subtask")]
        pub producer_subtask: String,
        #[serde(alias = "output_artifact_key")]
        pub output_artifact_key: String,
    }

    /// One parameter of a DAG: one of the two.
    pub struct DagOutputParameter {
        #[serde(alias = "value_from_parameter")]
        pub value_from_parameter: Option<ParameterSelector>,
        #[serde(alias = "value_from_oneof")]
        pub value_from_oneof: Option<ParameterSelectors>,
    }

    /// Several output parameters, of which the first whose task ran counts.
    pub struct ParameterSelectors {
        #[serde(alias = "parameter_selectors")]
        pub parameter_selectors: Vec<ParameterSelector>,
    }

    /// An output parameter of a task.
    pub struct ParameterSelector {
        #[serde(alias = "producer_subtask")]
        pub producer_subtask: String,
        #[serde(alias = "output_parameter_key")]
        pub output_parameter_key: String,
    }
}

impl ComponentSpec {
    /// Whether a setting of the pod holds for the task: unless the component takes it for itself alone
    /// (`taskConfigPassthroughs`, `applyToTask`).
    pub fn applies(&self, field: &str) -> bool {
        self.task_config_passthroughs.iter().all(|passed| passed.field != field || passed.apply_to_task)
    }
}

/// The types of parameters (`ParameterType.ParameterTypeEnum`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ParameterType {
    #[default]
    #[serde(rename = "PARAMETER_TYPE_ENUM_UNSPECIFIED")]
    Unspecified,
    NumberDouble,
    NumberInteger,
    String,
    Boolean,
    List,
    Struct,
    TaskFinalStatus,
    TaskConfig,
}

impl ParameterType {
    /// Whether a value is of the JSON kind that this type wants. Integers are numbers: whether they are whole is not
    /// looked at, as in the reference implementation.
    pub fn fits(self, value: &Value) -> bool {
        match self {
            Self::Unspecified => false,
            Self::NumberDouble | Self::NumberInteger => value.is_number(),
            Self::String => value.is_string(),
            Self::Boolean => value.is_boolean(),
            Self::List => value.is_array(),
            Self::Struct | Self::TaskFinalStatus | Self::TaskConfig => value.is_object(),
        }
    }
}

impl fmt::Display for ParameterType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unspecified => "PARAMETER_TYPE_ENUM_UNSPECIFIED",
            Self::NumberDouble => "NUMBER_DOUBLE",
            Self::NumberInteger => "NUMBER_INTEGER",
            Self::String => "STRING",
            Self::Boolean => "BOOLEAN",
            Self::List => "LIST",
            Self::Struct => "STRUCT",
            Self::TaskFinalStatus => "TASK_FINAL_STATUS",
            Self::TaskConfig => "TASK_CONFIG",
        })
    }
}
