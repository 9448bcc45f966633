//! A run before it starts: which tasks there are, what they wait for and where their inputs come from.
mod dag;
mod retry;

pub use dag::{Body, Dag, Items, Iterator, PlannedTask, Strategy};
pub use retry::Retry;

use domain::{Result, Timestamp};
use serde_json::{Map, Value};
use spec::{Package, PipelineSpec};
use std::{sync::Arc, time::Duration};

/// What constants of a pipeline may say about the run that they are in.
#[derive(Clone, Debug, Default)]
pub struct RunContext {
    pub run_id: String,
    pub run_name: String,
    pub created_at: Timestamp,
    /// When a recurring run should have started; else when it was created.
    pub scheduled_at: Timestamp,
    pub pipeline_root: String,
    /// The folder that the tasks of the run share, where the pipeline wants one.
    pub workspace: String,
}

/// What an installation decides about runs.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Whether results of earlier runs will do where the pipeline allows it.
    pub cache: bool,
    /// Upstream's behaviour instead of our own where a pipeline could depend on it (`docs/DEVIATIONS.md`).
    pub strict_kfp: bool,
    /// The most tasks of a run, iterations counted.
    pub max_tasks: usize,
    /// Attempts beyond the first that a failing machine costs, where the pipeline names fewer (Argo's `OnError` in
    /// the configuration that KFP ships).
    pub infrastructure_retries: u32,
    /// Whether a restart of the server counts as a failure of the machine. It does not by default: what a task has
    /// done until then may not be done twice.
    pub retry_after_restart: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            cache: true,
            strict_kfp: false,
            max_tasks: 50_000,
            infrastructure_retries: 2,
            retry_after_restart: false,
        }
    }
}

/// A run that can be stepped through.
#[derive(Clone, Debug)]
pub struct Plan {
    pub(crate) context: RunContext,
    pub(crate) rules: Rules,
    pub(crate) pipeline_name: String,
    /// The inputs of the root: given, or default, or null where they are optional and neither.
    pub(crate) parameters: Map<String, Value>,
    pub(crate) root: Arc<Dag>,
    timeout: Option<Duration>,
}

impl Plan {
    /// Lays out a package for one run.
    ///
    /// # Errors
    /// `Unimplemented` for what cannot be run; `InvalidArgument` if the parameters do not fit.
    pub fn new(package: &Package, parameters: &Map<String, Value>, context: RunContext, rules: Rules) -> Result<Self> {
        let pipeline = &package.pipeline;
        spec::runnable(pipeline)?;
        spec::check_parameters(pipeline, parameters)?;
        let platform = spec::Platform::of(package)?;
        Ok(Self {
            context,
            rules,
            pipeline_name: pipeline.pipeline_info.name.clone(),
            parameters: root_parameters(pipeline, parameters),
            root: dag::lay_out(pipeline, &platform)?,
            timeout: platform.timeout(),
        })
    }

    /// The tasks of the root.
    pub fn root(&self) -> &Arc<Dag> {
        &self.root
    }

    /// How long the run may take.
    pub fn timeout(&self) -> Option<Duration> {
        self.timeout
    }

    /// What stands for the Argo Workflow that a run is elsewhere.
    pub(crate) fn resource_name(&self) -> String {
        format!("{}-{}", self.pipeline_name.rsplit('/').next().unwrap_or_default(), self.context.run_id)
    }

    /// The name that the pipeline gives itself: results are looked for among its runs.
    pub fn pipeline_name(&self) -> &str {
        &self.pipeline_name
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
