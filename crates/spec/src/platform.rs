//! What a pipeline says of Kubernetes (`platforms.kubernetes`), as far as runs go by it. Which settings there may be at
//! all, `policy/platform.rs` decides.
use crate::{InputParameter, Package, RuntimeValue, ir::message, package};
use domain::Result;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, de::DeserializeOwned};
use serde_json::{Map, Value, json};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// The longest deadline that Kubernetes takes of a pod, in seconds. Later ones would not come either.
const MAX_DEADLINE: u64 = i32::MAX as u64;

/// The settings of a pipeline.
#[derive(Clone, Debug, Default)]
pub struct Platform {
    executors: BTreeMap<String, Arc<KubernetesExecutorConfig>>,
    timeout: Option<Duration>,
}

/// How long something may take, in whole seconds. As an int64 it may be written as a text; 0 stands for no end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Deadline(pub Option<Duration>);

message! {
    default;

    /// The settings of one executor.
    pub struct KubernetesExecutorConfig {
        #[serde(alias = "active_deadline_seconds")]
        pub active_deadline_seconds: Deadline,
        #[serde(alias = "secret_as_env")]
        pub secret_as_env: Vec<FromObject>,
        #[serde(alias = "secret_as_volume")]
        pub secret_as_volume: Vec<FromObject>,
        #[serde(alias = "config_map_as_env")]
        pub config_map_as_env: Vec<FromObject>,
        #[serde(alias = "config_map_as_volume")]
        pub config_map_as_volume: Vec<FromObject>,
        #[serde(alias = "pvc_mount")]
        pub pvc_mount: Vec<PvcMount>,
        #[serde(alias = "node_selector")]
        pub node_selector: NodeSelector,
        pub tolerations: Vec<Toleration>,
        #[serde(alias = "node_affinity")]
        pub node_affinity: Vec<Value>,
        #[serde(alias = "empty_dir_mounts")]
        pub empty_dir_mounts: Vec<EmptyDirMount>,
    }

    /// A Secret or a ConfigMap that becomes variables or files.
    pub struct FromObject {
        #[serde(alias = "secret_name")]
        pub secret_name: String,
        #[serde(alias = "secret_name_parameter")]
        pub secret_name_parameter: Option<InputParameter>,
        #[serde(alias = "config_map_name")]
        pub config_map_name: String,
        #[serde(alias = "config_map_name_parameter")]
        pub config_map_name_parameter: Option<InputParameter>,
        pub optional: bool,
    }

    /// A volume claim that is mounted.
    pub struct PvcMount {
        /// Deprecated.
        pub constant: String,
        #[serde(alias = "pvc_name_parameter")]
        pub pvc_name_parameter: Option<InputParameter>,
        #[serde(alias = "mount_path")]
        pub mount_path: String,
        #[serde(alias = "sub_path")]
        pub sub_path: String,
    }

    /// Labels of the nodes that a task may run on.
    pub struct NodeSelector {
        pub labels: Map<String, Value>,
        #[serde(alias = "node_selector_json")]
        pub node_selector_json: Option<InputParameter>,
    }

    /// Taints that a task puts up with.
    pub struct Toleration {
        pub key: String,
        pub operator: String,
        pub value: String,
        pub effect: String,
        #[serde(alias = "toleration_seconds")]
        pub toleration_seconds: Value,
        #[serde(alias = "toleration_json")]
        pub toleration_json: Option<InputParameter>,
    }

    /// A folder that is empty when the task starts.
    pub struct EmptyDirMount {
        #[serde(alias = "volume_name")]
        pub volume_name: String,
        #[serde(alias = "mount_path")]
        pub mount_path: String,
    }
}

impl Platform {
    /// Reads the settings of a package.
    ///
    /// # Errors
    /// `InvalidArgument` if a setting is not what it has to be, naming its place.
    pub fn of(package: &Package) -> Result<Self> {
        let Some(kubernetes) = package.platform.as_ref().and_then(|platform| platform.pointer("/platforms/kubernetes"))
        else {
            return Ok(Self::default());
        };
        let deployment = ["deploymentSpec", "deployment_spec"].into_iter().find_map(|name| kubernetes.get(name));
        let executors = deployment.and_then(|deployment| deployment.get("executors")).and_then(Value::as_object);
        let executors = executors.into_iter().flatten().map(|(label, config)| {
            let place = format!("platforms.kubernetes.deploymentSpec.executors.{label}");
            Ok((label.clone(), Arc::new(read::<KubernetesExecutorConfig>(config, &place)?)))
        });
        let config = ["pipelineConfig", "pipeline_config"].into_iter().find_map(|name| kubernetes.get(name));
        let timeout = config.and_then(|config| {
            ["activeDeadlineSeconds", "active_deadline_seconds"].into_iter().find_map(|name| config.get(name))
        });
        let timeout = timeout.filter(|timeout| !timeout.is_null());
        let place = "platforms.kubernetes.pipelineConfig.activeDeadlineSeconds";
        let timeout = timeout.map(|timeout| read::<Deadline>(timeout, place)).transpose()?.unwrap_or_default().0;
        Ok(Self { executors: executors.collect::<Result<_>>()?, timeout })
    }

    /// The settings of the executor of this label.
    pub fn executor(&self, label: &str) -> Arc<KubernetesExecutorConfig> {
        self.executors.get(label).cloned().unwrap_or_default()
    }

    /// How long a run may take.
    pub fn timeout(&self) -> Option<Duration> {
        self.timeout
    }
}

impl KubernetesExecutorConfig {
    /// How long an attempt of the task may take.
    pub fn timeout(&self) -> Option<Duration> {
        self.active_deadline_seconds.0
    }

    /// The first thing that only a cluster has and the task cannot do without, in words. `value_of` knows the values of
    /// parameters that are inputs.
    pub fn required(&self, value_of: impl Fn(&InputParameter) -> Option<Value>) -> Option<String> {
        let value_of = |parameter: &InputParameter| constant(parameter).cloned().or_else(|| value_of(parameter));
        let of = |kind: &'static str, list: &[FromObject]| {
            let needed = list.iter().find(|object| !object.optional)?;
            Some(format!("the {kind} {:?}", needed.name(&value_of)))
        };
        let secret = || of("Secret", &self.secret_as_env).or_else(|| of("Secret", &self.secret_as_volume));
        let map = || of("ConfigMap", &self.config_map_as_env).or_else(|| of("ConfigMap", &self.config_map_as_volume));
        let claim = || self.pvc_mount.first().map(|mount| format!("the volume claim {:?}", mount.name(&value_of)));
        secret().or_else(map).or_else(claim)
    }

    /// The names of the volume claims that are mounted.
    pub fn claims(&self) -> impl Iterator<Item = String> {
        self.pvc_mount.iter().map(|mount| mount.name(&|parameter| constant(parameter).cloned()))
    }

    /// The affinity to nodes, as a pod has it, if there is one.
    pub fn affinity(&self) -> Option<Value> {
        let (preferred, required): (Vec<_>, Vec<_>) =
            self.node_affinity.iter().partition(|term| term.get("weight").is_some_and(|weight| !weight.is_null()));
        let selector = |term: &&Value| {
            let part = |name: &str| Some((name.to_owned(), term.get(name)?.clone()));
            Value::Object(["matchExpressions", "matchFields"].into_iter().filter_map(part).collect())
        };
        let mut affinity = Map::new();
        if !required.is_empty() {
            let terms: Vec<_> = required.iter().map(selector).collect();
            let terms = json!({"nodeSelectorTerms": terms});
            affinity.insert("requiredDuringSchedulingIgnoredDuringExecution".to_owned(), terms);
        }
        if !preferred.is_empty() {
            let terms = preferred.iter().map(|term| json!({"weight": term["weight"], "preference": selector(term)}));
            affinity.insert("preferredDuringSchedulingIgnoredDuringExecution".to_owned(), terms.collect());
        }
        (!affinity.is_empty()).then(|| json!({"nodeAffinity": affinity}))
    }

    /// The tolerations, as a pod has them, if there are any.
    pub fn tolerations(&self) -> Option<Value> {
        let tolerations = self.tolerations.iter().flat_map(|toleration| match &toleration.toleration_json {
            Some(parameter) => match constant(parameter) {
                Some(Value::Array(list)) => list.clone(),
                Some(one) => vec![one.clone()],
                None => Vec::new(),
            },
            None => vec![toleration.plain()],
        });
        let tolerations: Vec<_> = tolerations.collect();
        (!tolerations.is_empty()).then_some(Value::Array(tolerations))
    }

    /// The labels of the nodes that the task may run on, if it wants some.
    pub fn node_selector(&self) -> Option<Value> {
        let labels = match &self.node_selector.node_selector_json {
            Some(parameter) => constant(parameter)?.clone(),
            None => Value::Object(self.node_selector.labels.clone()),
        };
        labels.as_object().is_some_and(|labels| !labels.is_empty()).then_some(labels)
    }

    /// The volumes of the task's pod, and where they are mounted.
    pub fn volumes(&self) -> (Value, Value) {
        let claims = self.pvc_mount.iter().map(|mount| {
            let name = mount.name(&|parameter| constant(parameter).cloned());
            let mut mounted = json!({"name": name, "mountPath": mount.mount_path});
            if !mount.sub_path.is_empty() {
                mounted["subPath"] = json!(mount.sub_path);
            }
            (json!({"name": name, "persistentVolumeClaim": {"claimName": name}}), mounted)
        });
        let empty = self.empty_dir_mounts.iter().map(|mount| {
            let mounted = json!({"name": mount.volume_name, "mountPath": mount.mount_path});
            (json!({"name": mount.volume_name, "emptyDir": {}}), mounted)
        });
        let (volumes, mounts): (Vec<_>, Vec<_>) = claims.chain(empty).unzip();
        (volumes.into(), mounts.into())
    }
}

impl Serialize for Deadline {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.map(|deadline| deadline.as_secs()).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Deadline {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = Value::deserialize(deserializer)?;
        let seconds = written.as_i64().or_else(|| written.as_str()?.parse().ok());
        match seconds.and_then(|seconds| u64::try_from(seconds).ok()) {
            Some(seconds) => Ok(Self((seconds > 0).then(|| Duration::from_secs(seconds.min(MAX_DEADLINE))))),
            None => Err(de::Error::custom(format!("{written} is no number of seconds, such as 60"))),
        }
    }
}

impl FromObject {
    fn name(&self, value_of: &impl Fn(&InputParameter) -> Option<Value>) -> String {
        let parameter = self.secret_name_parameter.as_ref().or(self.config_map_name_parameter.as_ref());
        let plain = if self.secret_name.is_empty() { &self.config_map_name } else { &self.secret_name };
        parameter.and_then(value_of).as_ref().map(crate::text).unwrap_or_else(|| plain.clone())
    }
}

impl PvcMount {
    fn name(&self, value_of: &impl Fn(&InputParameter) -> Option<Value>) -> String {
        let parameter = self.pvc_name_parameter.as_ref().and_then(value_of).as_ref().map(crate::text);
        parameter.unwrap_or_else(|| self.constant.clone())
    }
}

impl Toleration {
    fn plain(&self) -> Value {
        let texts =
            [("key", &self.key), ("operator", &self.operator), ("value", &self.value), ("effect", &self.effect)];
        let texts = texts.into_iter().filter(|(_, text)| !text.is_empty());
        let mut fields: Map<_, _> = texts.map(|(name, text)| (name.to_owned(), json!(text))).collect();
        if !self.toleration_seconds.is_null() {
            fields.insert("tolerationSeconds".to_owned(), self.toleration_seconds.clone());
        }
        Value::Object(fields)
    }
}

/// The value of a parameter that is no input.
fn constant(parameter: &InputParameter) -> Option<&Value> {
    match &parameter.runtime_value {
        Some(RuntimeValue { constant, .. }) => constant.as_ref(),
        None => None,
    }
}

fn read<T: DeserializeOwned>(message: &Value, place: &str) -> Result<T> {
    let mut message = message.clone();
    package::drop_nulls(&mut message);
    package::typed(message, place)
}
