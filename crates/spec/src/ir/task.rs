//! Tasks: a component, what goes into it, and when and how it runs.
use super::{message, present};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

message! {
    deny_unknown_fields;

    /// One node of a DAG.
    pub struct TaskSpec {
        #[serde(alias = "task_info")]
        pub task_info: TaskInfo,
        pub inputs: TaskInputs,
        #[serde(alias = "dependent_tasks")]
        pub dependent_tasks: Vec<String>,
        #[serde(alias = "caching_options")]
        pub caching_options: Option<CachingOptions>,
        #[serde(alias = "component_ref")]
        pub component_ref: ComponentRef,
        #[serde(alias = "trigger_policy")]
        pub trigger_policy: Option<TriggerPolicy>,
        #[serde(alias = "artifact_iterator")]
        pub artifact_iterator: Option<ArtifactIterator>,
        #[serde(alias = "parameter_iterator")]
        pub parameter_iterator: Option<ParameterIterator>,
        #[serde(alias = "retry_policy")]
        pub retry_policy: Option<RetryPolicy>,
        #[serde(alias = "iterator_policy")]
        pub iterator_policy: Option<IteratorPolicy>,
    }

    /// What a task is called on screen.
    pub struct TaskInfo {
        pub name: String,
    }

    /// Which component a task runs.
    pub struct ComponentRef {
        pub name: String,
    }

    /// Where the inputs of a task come from.
    pub struct TaskInputs {
        pub parameters: BTreeMap<String, InputParameter>,
        pub artifacts: BTreeMap<String, InputArtifact>,
    }

    /// Where a parameter comes from: one of the first four.
    pub struct InputParameter {
        #[serde(alias = "task_output_parameter")]
        pub task_output_parameter: Option<TaskOutputParameter>,
        #[serde(alias = "runtime_value")]
        pub runtime_value: Option<RuntimeValue>,
        /// The name of an input of the DAG that the task is in.
        #[serde(alias = "component_input_parameter")]
        pub component_input_parameter: Option<String>,
        #[serde(alias = "task_final_status")]
        pub task_final_status: Option<TaskFinalStatus>,
        /// CEL that takes a part out of the value.
        #[serde(alias = "parameter_expression_selector")]
        pub parameter_expression_selector: String,
    }

    /// An output parameter of another task.
    pub struct TaskOutputParameter {
        #[serde(alias = "producer_task")]
        pub producer_task: String,
        #[serde(alias = "output_parameter_key")]
        pub output_parameter_key: String,
    }

    /// How another task ended.
    pub struct TaskFinalStatus {
        #[serde(alias = "producer_task")]
        pub producer_task: String,
    }

    /// A value, or the name of one that the submitter gives.
    pub struct RuntimeValue {
        #[serde(deserialize_with = "present")]
        pub constant: Option<Value>,
        #[serde(alias = "runtime_parameter")]
        pub runtime_parameter: Option<String>,
        /// Deprecated.
        #[serde(alias = "constant_value")]
        pub constant_value: Option<Value>,
    }

    /// Where an artifact comes from: one of the two.
    pub struct InputArtifact {
        #[serde(alias = "task_output_artifact")]
        pub task_output_artifact: Option<TaskOutputArtifact>,
        /// The name of an input of the DAG that the task is in.
        #[serde(alias = "component_input_artifact")]
        pub component_input_artifact: Option<String>,
    }

    /// An output artifact of another task.
    pub struct TaskOutputArtifact {
        #[serde(alias = "producer_task")]
        pub producer_task: String,
        #[serde(alias = "output_artifact_key")]
        pub output_artifact_key: String,
    }

    /// Whether a result of an earlier run will do.
    pub struct CachingOptions {
        #[serde(alias = "enable_cache")]
        pub enable_cache: bool,
        #[serde(alias = "cache_key")]
        pub cache_key: String,
    }

    /// When a task runs.
    pub struct TriggerPolicy {
        /// CEL over the task's inputs.
        pub condition: String,
        pub strategy: TriggerStrategy,
    }

    /// How often and how soon a failed task is tried again.
    pub struct RetryPolicy {
        #[serde(alias = "max_retry_count")]
        pub max_retry_count: i32,
        #[serde(alias = "backoff_duration")]
        pub backoff_duration: Seconds,
        #[serde(alias = "backoff_factor")]
        pub backoff_factor: f64,
        #[serde(alias = "backoff_max_duration")]
        pub backoff_max_duration: Seconds,
    }

    /// How many iterations run at a time.
    pub struct IteratorPolicy {
        #[serde(alias = "parallelism_limit")]
        pub parallelism_limit: i32,
    }

    /// Runs the task once for each artifact of a list.
    pub struct ArtifactIterator {
        pub items: ArtifactItems,
        #[serde(alias = "item_input")]
        pub item_input: String,
    }

    /// The input that holds the list.
    pub struct ArtifactItems {
        #[serde(alias = "input_artifact")]
        pub input_artifact: String,
    }

    /// Runs the task once for each value of a list.
    pub struct ParameterIterator {
        pub items: ParameterItems,
        #[serde(alias = "item_input")]
        pub item_input: String,
    }

    /// The list as JSON text, or the input that holds it.
    pub struct ParameterItems {
        pub raw: Option<String>,
        #[serde(alias = "input_parameter")]
        pub input_parameter: Option<String>,
    }
}

impl TaskSpec {
    /// The input that an item goes to, if the task runs once for each item of something.
    pub fn item(&self) -> Option<&str> {
        let parameter = self.parameter_iterator.iter().map(|iterator| &iterator.item_input);
        let mut items = parameter.chain(self.artifact_iterator.iter().map(|iterator| &iterator.item_input));
        items.next().map(String::as_str)
    }

    /// The names of the tasks that this one waits for: those it says, and those whose outputs it takes.
    pub fn dependencies(&self) -> BTreeSet<String> {
        let parameters = self.inputs.parameters.values().flat_map(|input| {
            let output = input.task_output_parameter.as_ref().map(|from| &from.producer_task);
            let status = input.task_final_status.as_ref().map(|from| &from.producer_task);
            output.into_iter().chain(status)
        });
        let artifacts = self.inputs.artifacts.values().filter_map(|input| input.task_output_artifact.as_ref());
        let artifacts = artifacts.map(|from| &from.producer_task);
        self.dependent_tasks
            .iter()
            .chain(parameters)
            .chain(artifacts)
            .filter(|name| !name.is_empty())
            .cloned()
            .collect()
    }
}

/// Which endings of its dependencies let a task run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TriggerStrategy {
    #[default]
    #[serde(rename = "TRIGGER_STRATEGY_UNSPECIFIED")]
    Unspecified,
    AllUpstreamTasksSucceeded,
    AllUpstreamTasksCompleted,
}

/// A length of time, written as proto3 JSON does: decimal seconds with an `s`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Seconds(pub Duration);

impl Serialize for Seconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{}s", self.0.as_secs_f64()))
    }
}

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let seconds = text.strip_suffix('s').and_then(|seconds| seconds.parse().ok());
        seconds
            .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
            .map(Seconds)
            .ok_or_else(|| de::Error::custom(format!("{text:?} is no duration such as \"30s\" or \"1.5s\"")))
    }
}
