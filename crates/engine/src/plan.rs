//! A run before it starts: which tasks there are, what they wait for and where their inputs come from.
use domain::{Error, Result, Timestamp};
use serde_json::{Map, Value};
use spec::{ComponentSpec, ContainerSpec, DagOutputs, Package, PipelineSpec, RetryPolicy, TaskInputs, TaskSpec};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// The most attempts beyond the first, whatever the pipeline says: each leaves files and a line of history.
const MAX_RETRIES: u32 = 100;
/// The longest time between two attempts where the pipeline names none, as the SDK has it.
const MAX_BACKOFF: Duration = Duration::from_secs(3600);

/// What constants of a pipeline may say about the run that they are in.
#[derive(Clone, Debug, Default)]
pub struct RunContext {
    pub run_id: String,
    pub run_name: String,
    pub created_at: Timestamp,
    /// When a recurring run should have started; else when it was created.
    pub scheduled_at: Timestamp,
    pub pipeline_root: String,
}

/// A run that can be stepped through.
#[derive(Clone, Debug)]
pub struct Plan {
    pub(crate) context: RunContext,
    /// The inputs of the root: given, or default, or null where they are optional and neither.
    pub(crate) parameters: Map<String, Value>,
    pub(crate) outputs: DagOutputs,
    /// Each after those that it depends on.
    tasks: Vec<PlannedTask>,
    by_name: BTreeMap<String, usize>,
}

/// One task of the root DAG, with all that is needed to run it.
#[derive(Clone, Debug)]
pub struct PlannedTask {
    /// The key in the DAG.
    pub name: String,
    /// What it is called on screen.
    pub display_name: String,
    pub component_name: String,
    pub component: ComponentSpec,
    pub container: ContainerSpec,
    pub dependencies: BTreeSet<String>,
    pub inputs: TaskInputs,
    pub retry: Retry,
}

/// How often a task is tried again, and after how long.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Retry {
    /// Attempts beyond the first.
    pub max: u32,
    pub backoff: Duration,
    pub factor: f64,
    pub max_backoff: Duration,
}

impl Plan {
    /// Lays out a package for one run.
    ///
    /// # Errors
    /// `Unimplemented` for what cannot be run yet; `InvalidArgument` if the parameters do not fit.
    pub fn new(package: &Package, parameters: &Map<String, Value>, context: RunContext) -> Result<Self> {
        let pipeline = &package.pipeline;
        spec::runnable(pipeline)?;
        spec::check_parameters(pipeline, parameters)?;
        let mut waiting = BTreeMap::new();
        for (name, task) in pipeline.root_tasks() {
            waiting.insert(name.clone(), PlannedTask::new(pipeline, name, task)?);
        }
        let tasks = in_order(waiting);
        Ok(Self {
            context,
            parameters: root_parameters(pipeline, parameters),
            outputs: pipeline.root.dag.as_ref().map(|dag| dag.outputs.clone()).unwrap_or_default(),
            by_name: tasks.iter().enumerate().map(|(index, task)| (task.name.clone(), index)).collect(),
            tasks,
        })
    }

    /// All tasks, each after those that it depends on.
    pub fn tasks(&self) -> impl Iterator<Item = &PlannedTask> {
        self.tasks.iter()
    }

    /// The task of this name (its key in the DAG).
    pub fn task(&self, name: &str) -> Option<&PlannedTask> {
        self.by_name.get(name).map(|&index| &self.tasks[index])
    }
}

impl PlannedTask {
    fn new(pipeline: &PipelineSpec, name: &str, task: &TaskSpec) -> Result<Self> {
        let component = pipeline.component(task);
        let label = component.and_then(|component| component.executor_label.as_ref());
        let container = label.and_then(|label| pipeline.executors.get(label)?.container.as_ref());
        let (Some(component), Some(container)) = (component, container) else {
            return Err(Error::invalid(format!("root.dag.tasks.{name}: there is no container to run")));
        };
        Ok(Self {
            name: name.to_owned(),
            display_name: if task.task_info.name.is_empty() { name.to_owned() } else { task.task_info.name.clone() },
            component_name: task.component_ref.name.clone(),
            component: component.clone(),
            container: container.clone(),
            dependencies: task.dependencies(),
            inputs: task.inputs.clone(),
            retry: task.retry_policy.as_ref().map(Retry::new).unwrap_or_default(),
        })
    }
}

impl Default for Retry {
    fn default() -> Self {
        Self { max: 0, backoff: Duration::ZERO, factor: 1.0, max_backoff: MAX_BACKOFF }
    }
}

impl Retry {
    fn new(policy: &RetryPolicy) -> Self {
        let factor = policy.backoff_factor;
        Self {
            max: policy.max_retry_count.try_into().unwrap_or(0).min(MAX_RETRIES),
            backoff: policy.backoff_duration.0,
            factor: if factor.is_finite() && factor > 0.0 { factor } else { 1.0 },
            max_backoff: Some(policy.backoff_max_duration.0).filter(|max| !max.is_zero()).unwrap_or(MAX_BACKOFF),
        }
    }

    /// How long to wait after an attempt (from 0) failed: `backoff * factor^attempt`, at most `max_backoff`.
    pub fn delay(&self, attempt: u32) -> Duration {
        let seconds = self.backoff.as_secs_f64() * self.factor.powi(attempt.try_into().unwrap_or(i32::MAX));
        // Zero times infinity is not a number; a zero stays a zero.
        let seconds = if self.backoff.is_zero() { 0.0 } else { seconds };
        Duration::try_from_secs_f64(seconds).unwrap_or(self.max_backoff).min(self.max_backoff)
    }
}

/// What the root gets: values that were given, else defaults, else null for what is optional.
fn root_parameters(pipeline: &PipelineSpec, given: &Map<String, Value>) -> Map<String, Value> {
    let declared = &pipeline.root.input_definitions.parameters;
    let mut parameters: Map<_, _> = declared
        .iter()
        .map(|(name, definition)| {
            let value = given.get(name).or(definition.default_value.as_ref()).cloned();
            (name.clone(), value.unwrap_or_default())
        })
        .collect();
    parameters.values_mut().for_each(spec::integral);
    parameters
}

/// Dependencies first; among tasks that are ready, by name. A checked package has no circles.
fn in_order(mut waiting: BTreeMap<String, PlannedTask>) -> Vec<PlannedTask> {
    let mut left: BTreeMap<String, usize> =
        waiting.iter().map(|(name, task)| (name.clone(), task.dependencies.len())).collect();
    let mut users: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, task) in &waiting {
        task.dependencies.iter().for_each(|on| users.entry(on.clone()).or_default().push(name.clone()));
    }
    let mut ready: BTreeSet<String> =
        left.iter().filter(|(_, count)| **count == 0).map(|(name, _)| name.clone()).collect();
    let mut tasks = Vec::with_capacity(waiting.len());
    while let Some(name) = ready.pop_first() {
        tasks.extend(waiting.remove(&name));
        for user in users.remove(&name).unwrap_or_default() {
            let count = left.entry(user.clone()).or_default();
            *count -= 1;
            if *count == 0 {
                ready.insert(user);
            }
        }
    }
    tasks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backoff_grows_to_its_cap() {
        let retry = |backoff, factor, max| Retry {
            max: 5,
            backoff: Duration::from_secs(backoff),
            factor,
            max_backoff: Duration::from_secs(max),
        };
        let delays = |retry: Retry| [0, 1, 2, 3].map(|attempt| retry.delay(attempt).as_secs_f64());
        assert_eq!(delays(retry(10, 3.0, 60)), [10.0, 30.0, 60.0, 60.0]);
        assert_eq!(delays(retry(1, 1.0, 60)), [1.0; 4]);
        assert_eq!(delays(retry(0, 2.0, 60)), [0.0; 4]);
        assert_eq!(retry(1, 1e300, 60).delay(u32::MAX).as_secs(), 60);
        assert_eq!(retry(0, 1e300, 60).delay(u32::MAX).as_secs(), 0);
        let policy = RetryPolicy { max_retry_count: -1, backoff_factor: f64::NAN, ..RetryPolicy::default() };
        assert_eq!(Retry::new(&policy), Retry::default());
    }
}
