//! Executors: what really runs. Fields that nobody knows are passed over here, and kept in `deploymentSpec`.
use super::{ArtifactTypeSchema, RuntimeValue, message};
use serde_json::{Map, Value};

message! {
    default;

    /// One executor: exactly one of these.
    pub struct ExecutorSpec {
        pub container: Option<ContainerSpec>,
        pub importer: Option<ImporterSpec>,
        /// Never supported by the open-source backends.
        pub resolver: Option<Value>,
        /// Never supported by the open-source backends.
        #[serde(alias = "custom_job")]
        pub custom_job: Option<Value>,
    }

    /// A process in an image.
    pub struct ContainerSpec {
        pub image: String,
        /// With placeholders.
        pub command: Vec<String>,
        /// With placeholders.
        pub args: Vec<String>,
        pub lifecycle: Option<Lifecycle>,
        pub resources: Option<ResourceSpec>,
        pub env: Vec<EnvVar>,
    }

    /// Hooks around the process.
    pub struct Lifecycle {
        #[serde(alias = "pre_cache_check")]
        pub pre_cache_check: Option<Exec>,
    }

    /// A command of a hook.
    pub struct Exec {
        pub command: Vec<String>,
        pub args: Vec<String>,
    }

    /// A variable of the process's environment.
    pub struct EnvVar {
        pub name: String,
        pub value: String,
    }

    /// What the process may use. The text fields are Kubernetes quantities and win over the deprecated doubles, whose
    /// memory is in gigabytes.
    pub struct ResourceSpec {
        #[serde(alias = "cpu_limit")]
        pub cpu_limit: f64,
        #[serde(alias = "memory_limit")]
        pub memory_limit: f64,
        #[serde(alias = "cpu_request")]
        pub cpu_request: f64,
        #[serde(alias = "memory_request")]
        pub memory_request: f64,
        #[serde(alias = "resource_cpu_limit")]
        pub resource_cpu_limit: String,
        #[serde(alias = "resource_memory_limit")]
        pub resource_memory_limit: String,
        #[serde(alias = "resource_cpu_request")]
        pub resource_cpu_request: String,
        #[serde(alias = "resource_memory_request")]
        pub resource_memory_request: String,
        pub accelerator: Option<Accelerator>,
    }

    /// GPUs and the like. `type` and `count` are deprecated; `count` is a number or the text of one.
    pub struct Accelerator {
        pub r#type: String,
        pub count: Value,
        #[serde(alias = "resource_type")]
        pub resource_type: String,
        #[serde(alias = "resource_count")]
        pub resource_count: String,
    }

    /// Makes an artifact known that exists elsewhere.
    pub struct ImporterSpec {
        #[serde(alias = "artifact_uri")]
        pub artifact_uri: RuntimeValue,
        #[serde(alias = "type_schema")]
        pub type_schema: ArtifactTypeSchema,
        /// Deprecated.
        pub properties: Map<String, Value>,
        /// Deprecated.
        #[serde(alias = "custom_properties")]
        pub custom_properties: Map<String, Value>,
        pub reimport: bool,
        pub metadata: Map<String, Value>,
        #[serde(alias = "download_to_workspace")]
        pub download_to_workspace: bool,
    }
}
