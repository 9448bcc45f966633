//! DAGs with their references looked up. A component that several tasks run is laid out once.
use super::Retry;
use crate::{Artifact, Inputs};
use domain::{Error, Result};
use serde_json::Value;
use spec::{
    CachingOptions, ComponentSpec, ContainerSpec, DagOutputs, ImporterSpec, KubernetesExecutorConfig, PipelineSpec,
    Platform, TaskInputs, TaskSpec, TriggerStrategy,
};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

/// Where upstream mounts the folder that the tasks of a run share.
const KFP_WORKSPACE: &str = "/kfp-workspace";
/// How many iterations of a loop are under way at most. No host has so many slots, and a step that begins them all would
/// keep everybody else from the store.
const MAX_OPEN: usize = 1000;
/// How deep components may contain each other.
const MAX_DEPTH: usize = 100;

/// Tasks that depend on each other.
#[derive(Debug, Default)]
pub struct Dag {
    /// Each after those that it depends on.
    pub tasks: Vec<Arc<PlannedTask>>,
    pub(crate) by_name: HashMap<String, usize>,
    pub(crate) outputs: DagOutputs,
    /// The output parameters that are lists over the iterations of loops, which lists around them are joined with.
    pub(crate) collected: BTreeSet<String>,
}

/// One task of a DAG, with all that is needed to run it.
#[derive(Debug)]
pub struct PlannedTask {
    /// The key in the DAG.
    pub name: String,
    /// What it is called on screen.
    pub display_name: String,
    pub component_name: String,
    pub component: Arc<ComponentSpec>,
    pub body: Body,
    /// Tasks of the same DAG, by their place.
    pub dependencies: Vec<usize>,
    pub dependents: Vec<usize>,
    pub inputs: TaskInputs,
    pub condition: Option<String>,
    pub strategy: Strategy,
    /// Whether it may start although another task of the DAG has failed: it waits for endings of any kind, or only
    /// for tasks that do.
    pub(crate) in_spite: bool,
    pub iterator: Option<Iterator>,
    /// None to do as the task around it does.
    pub retry: Option<Retry>,
    pub caching: CachingOptions,
    pub timeout: Option<Duration>,
    /// What the pipeline says of Kubernetes about the task.
    pub kubernetes: Arc<KubernetesExecutorConfig>,
}

/// What a task is behind its interface.
#[derive(Clone, Debug)]
pub enum Body {
    Dag(Arc<Dag>),
    Container(Arc<ContainerSpec>),
    Importer(Arc<ImporterSpec>),
}

/// What lets a task start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// All that it depends on has succeeded.
    Succeeded,
    /// All that it depends on has ended, however it did.
    Completed,
}

/// A task that runs once for each item of a list.
#[derive(Clone, Debug)]
pub struct Iterator {
    pub items: Items,
    /// The input that the item goes to.
    pub item: String,
    /// How many iterations run at a time.
    pub limit: usize,
}

/// Where the items come from.
#[derive(Clone, Debug)]
pub enum Items {
    Literal(Arc<Vec<Value>>),
    Parameter(String),
    Artifact(String),
}

impl Dag {
    /// The task of this key.
    pub fn task(&self, name: &str) -> Option<&Arc<PlannedTask>> {
        self.by_name.get(name).map(|&at| &self.tasks[at])
    }
}

impl PlannedTask {
    /// The container that it runs, if it runs one.
    pub fn container(&self) -> Option<&ContainerSpec> {
        match &self.body {
            Body::Container(container) => Some(container),
            _ => None,
        }
    }

    /// Whether it is given something of the folder that the tasks of the run share.
    pub(crate) fn wants_workspace(&self, inputs: &Inputs, workspace: &str) -> bool {
        let is_of_it = |text: &str| text.contains(KFP_WORKSPACE) || !workspace.is_empty() && text.contains(workspace);
        let kept = |artifact: &Artifact| !workspace.is_empty() && artifact.uri.starts_with(workspace);
        inputs.parameters.values().filter_map(Value::as_str).any(is_of_it)
            || inputs.artifacts.values().flatten().any(kept)
    }

    /// Whether a parameter that it gives is a list over iterations.
    pub(crate) fn collects(&self, output: &str) -> bool {
        self.iterator.is_some() || matches!(&self.body, Body::Dag(dag) if dag.collected.contains(output))
    }
}

/// Lays out the root of a pipeline, and all below it.
pub(super) fn lay_out(pipeline: &PipelineSpec, platform: &Platform) -> Result<Arc<Dag>> {
    let mut layout = Layout { pipeline, platform, components: HashMap::new() };
    layout.dag(&pipeline.root, 0)
}

struct Layout<'a> {
    pipeline: &'a PipelineSpec,
    platform: &'a Platform,
    components: HashMap<&'a str, (Arc<ComponentSpec>, Body)>,
}

impl<'a> Layout<'a> {
    fn dag(&mut self, component: &'a ComponentSpec, depth: usize) -> Result<Arc<Dag>> {
        if depth > MAX_DEPTH {
            return Err(Error::invalid(format!("components contain each other more than {MAX_DEPTH} levels deep")));
        }
        let Some(spec) = &component.dag else { return Err(Error::invalid("a dag is wanted")) };
        let order = in_order(&spec.tasks);
        let by_name: HashMap<String, usize> =
            order.iter().enumerate().map(|(at, name)| ((*name).to_owned(), at)).collect();
        let mut tasks: Vec<PlannedTask> = Vec::with_capacity(order.len());
        for name in order {
            let mut task = self
                .task(name, &spec.tasks[name], &by_name, depth)
                .map_err(|error| error.at(format_args!("task {name:?}")))?;
            task.in_spite = task.strategy == Strategy::Completed
                || !task.dependencies.is_empty() && task.dependencies.iter().all(|&on| tasks[on].in_spite);
            let at = tasks.len();
            task.dependencies.iter().for_each(|&on| tasks[on].dependents.push(at));
            tasks.push(task);
        }
        let collected = spec.outputs.parameters.iter().filter(|(_, output)| {
            let some = output.value_from_oneof.iter().flat_map(|from| &from.parameter_selectors);
            let mut selectors = output.value_from_parameter.iter().chain(some);
            selectors.any(|from| {
                by_name.get(&from.producer_subtask).is_some_and(|&at| tasks[at].collects(&from.output_parameter_key))
            })
        });
        let collected = collected.map(|(name, _)| name.clone()).collect();
        let tasks = tasks.into_iter().map(Arc::new).collect();
        Ok(Arc::new(Dag { tasks, by_name, outputs: spec.outputs.clone(), collected }))
    }

    fn task(
        &mut self,
        name: &'a str,
        task: &'a TaskSpec,
        by_name: &HashMap<String, usize>,
        depth: usize,
    ) -> Result<PlannedTask> {
        let (component, body) = self.component(&task.component_ref.name, depth)?;
        let kubernetes = component.executor_label.as_ref().map(|label| self.platform.executor(label));
        let kubernetes = kubernetes.unwrap_or_default();
        let policy = task.trigger_policy.clone().unwrap_or_default();
        let mut dependencies: Vec<usize> =
            task.dependencies().iter().filter_map(|name| by_name.get(name).copied()).collect();
        dependencies.sort_unstable();
        Ok(PlannedTask {
            name: name.to_owned(),
            display_name: if task.task_info.name.is_empty() { name.to_owned() } else { task.task_info.name.clone() },
            component_name: task.component_ref.name.clone(),
            component,
            body,
            dependencies,
            dependents: Vec::new(),
            inputs: task.inputs.clone(),
            condition: Some(policy.condition).filter(|condition| !condition.is_empty()),
            strategy: match policy.strategy {
                TriggerStrategy::AllUpstreamTasksCompleted => Strategy::Completed,
                _ => Strategy::Succeeded,
            },
            in_spite: false,
            iterator: iterator(task)?,
            retry: task.retry_policy.as_ref().map(Retry::new),
            caching: task.caching_options.clone().unwrap_or_default(),
            timeout: kubernetes.timeout(),
            kubernetes,
        })
    }

    fn component(&mut self, name: &'a str, depth: usize) -> Result<(Arc<ComponentSpec>, Body)> {
        if let Some(known) = self.components.get(name) {
            return Ok(known.clone());
        }
        let pipeline = self.pipeline;
        let component = pipeline.components.get(name);
        let component = component.ok_or_else(|| Error::invalid(format!("there is no component {name:?}")))?;
        let body = match component.executor_label.as_ref().and_then(|label| pipeline.executors.get(label)) {
            None => Body::Dag(self.dag(component, depth + 1)?),
            Some(executor) => match (&executor.container, &executor.importer) {
                (Some(container), _) => Body::Container(Arc::new(container.clone())),
                (None, Some(importer)) => Body::Importer(Arc::new(importer.clone())),
                (None, None) => return Err(Error::invalid("there is neither a container nor an importer to run")),
            },
        };
        let known = (Arc::new(component.clone()), body);
        self.components.insert(name, known.clone());
        Ok(known)
    }
}

fn iterator(task: &TaskSpec) -> Result<Option<Iterator>> {
    let limit = task.iterator_policy.as_ref().map_or(0, |policy| policy.parallelism_limit);
    let limit = usize::try_from(limit).ok().filter(|limit| *limit > 0).unwrap_or(MAX_OPEN).min(MAX_OPEN);
    let (items, item) = match (&task.parameter_iterator, &task.artifact_iterator) {
        (None, None) => return Ok(None),
        (Some(_), Some(_)) => return Err(Error::invalid("it iterates over parameters and artifacts at once")),
        (None, Some(iterator)) => (Items::Artifact(iterator.items.input_artifact.clone()), &iterator.item_input),
        (Some(iterator), None) => {
            let items = match (&iterator.items.raw, &iterator.items.input_parameter) {
                (Some(raw), _) => Items::Literal(Arc::new(spec::iterator_items(raw).map_err(Error::invalid)?)),
                (None, Some(name)) => Items::Parameter(name.clone()),
                (None, None) => return Err(Error::invalid("its iterator has no items")),
            };
            (items, &iterator.item_input)
        }
    };
    Ok(Some(Iterator { items, item: item.clone(), limit }))
}

/// Dependencies first; among tasks that are ready, by name. A checked package has no circles.
fn in_order(tasks: &BTreeMap<String, TaskSpec>) -> Vec<&str> {
    let mut left: BTreeMap<&str, usize> = BTreeMap::new();
    let mut users: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (name, task) in tasks {
        let dependencies = task.dependencies();
        left.insert(name, dependencies.len());
        dependencies.into_iter().for_each(|on| users.entry(on).or_default().push(name));
    }
    let mut ready: BTreeSet<&str> = left.iter().filter(|(_, count)| **count == 0).map(|(name, _)| *name).collect();
    let mut order = Vec::with_capacity(tasks.len());
    while let Some(name) = ready.pop_first() {
        order.push(name);
        for user in users.remove(name).unwrap_or_default() {
            if let Some(count) = left.get_mut(user) {
                *count -= 1;
                if *count == 0 {
                    ready.insert(user);
                }
            }
        }
    }
    order
}
