//! How runs proceed and tasks run.
use super::{Seconds, sandbox};
use ::executor::{
    local::Rules,
    podman::{Network, Pull},
    sandbox::{Choice, Limits},
};
use serde::Deserialize;
use std::{collections::BTreeMap, time::Duration};

/// How runs proceed and tasks run.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Executor {
    pub(crate) enabled: bool,
    /// A flag of the command line alone: it is for one start.
    #[serde(skip)]
    pub(crate) take_over: bool,
    pub(crate) runner: TaskRunner,
    pub(crate) podman_pull: Pull,
    pub(crate) podman_network: Network,
    pub(crate) podman_runtime: Option<String>,
    pub(crate) podman_env: BTreeMap<String, String>,
    #[serde(deserialize_with = "sandbox")]
    pub(crate) sandbox: Choice,
    pub(crate) network: bool,
    pub(crate) offline_namespaces: Vec<String>,
    pub(crate) max_tasks: usize,
    pub(crate) max_namespace_tasks: Option<usize>,
    pub(crate) max_run_tasks: usize,
    pub(crate) task_timeout: Option<Seconds>,
    pub(crate) max_log_bytes: u64,
    pub(crate) task_memory: Option<u64>,
    pub(crate) task_cpu: Option<f64>,
    pub(crate) task_disk: Option<u64>,
    pub(crate) task_processes: u64,
    pub(crate) package_env: BTreeMap<String, String>,
    pub(crate) cache: bool,
    pub(crate) cache_max_age: Option<Seconds>,
    pub(crate) environment_max_age: Option<Seconds>,
    pub(crate) infrastructure_retries: u32,
    pub(crate) on_restart: OnRestart,
    pub(crate) strict_kfp: bool,
}

/// What tasks run as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TaskRunner {
    /// Processes of this host, in the sandbox.
    #[default]
    Process,
    /// Containers, each of the image that its component names.
    Podman,
}

/// What becomes of tasks that were running when the server restarts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OnRestart {
    /// They fail, unless the pipeline allows them retries.
    #[default]
    Fail,
    /// They are tried again as if the machine had failed them.
    Retry,
}

impl Executor {
    /// Whether tasks share this host's network: then they could send any identity header from any of its addresses.
    pub(crate) fn shares_network(&self) -> bool {
        self.enabled && self.network
    }

    /// What a task may use at most.
    pub(crate) fn limits(&self) -> Limits {
        let (memory, cpu, disk) = (self.task_memory, self.task_cpu, self.task_disk);
        Limits { memory, cpu, disk, processes: self.task_processes, ..Limits::default() }
    }

    /// What the engine goes by.
    pub(crate) fn rules(&self) -> Rules {
        Rules {
            cache: self.cache,
            strict_kfp: self.strict_kfp,
            max_tasks: self.max_run_tasks,
            infrastructure_retries: self.infrastructure_retries,
            retry_after_restart: self.on_restart == OnRestart::Retry,
        }
    }

    /// How old an earlier result may be that will do for a task.
    pub(crate) fn cache_max_age(&self) -> Option<Duration> {
        self.cache_max_age.map(|seconds| seconds.0)
    }
}

impl Default for Executor {
    fn default() -> Self {
        let rules = Rules::default();
        Self {
            enabled: true,
            take_over: false,
            runner: TaskRunner::Process,
            podman_pull: Pull::Missing,
            podman_network: Network::Private,
            podman_runtime: None,
            podman_env: BTreeMap::new(),
            sandbox: Choice::Auto,
            network: true,
            offline_namespaces: Vec::new(),
            max_tasks: std::thread::available_parallelism().map_or(2, |n| n.get() * 2),
            max_namespace_tasks: None,
            max_run_tasks: rules.max_tasks,
            task_timeout: None,
            max_log_bytes: 16 << 20,
            task_memory: None,
            task_cpu: None,
            task_disk: Some(10 << 30),
            task_processes: 8192,
            package_env: BTreeMap::new(),
            cache: rules.cache,
            cache_max_age: None,
            environment_max_age: Some(Seconds(Duration::from_secs(30 * 24 * 3600))),
            infrastructure_retries: rules.infrastructure_retries,
            on_restart: OnRestart::Fail,
            strict_kfp: rules.strict_kfp,
        }
    }
}
