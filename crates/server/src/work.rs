//! What a run and a recurring run have in common, in both API versions: what is to be executed, and where it belongs.
use crate::{Context, names, policy};
use access::Grant;
use api::access::{
    resource::Pipelines,
    verb::{Create, Get},
};
use domain::{Error, ExperimentId, Home, NewRun, Result, RunId, Source};
use serde_json::{Map, Value};
use spec::{Package, Template};
use std::sync::Arc;
use store::InExperiments;

/// The most that all parameters may have, as JSON, in bytes.
const MAX_PARAMETERS: usize = 1 << 20;

/// What a request says of it.
pub(crate) struct Work {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) experiment_id: String,
    /// The namespace that the request names beside the experiment.
    pub(crate) namespace: String,
    pub(crate) service_account: String,
    pub(crate) definition: Definition,
    /// Whether it has the parameters of a v1 template, which a pipeline of v2 has no use for.
    pub(crate) has_arguments: bool,
    pub(crate) parameters: Map<String, Value>,
    pub(crate) pipeline_root: String,
}

/// What is to be executed, as the request says it.
pub(crate) enum Definition {
    /// A stored version; without its id, the latest one of the pipeline.
    Stored {
        pipeline_id: String,
        version_id: String,
    },
    Inline(Box<Template>),
    /// One that was taken before, and is kept as a text.
    Kept {
        source: Source,
        spec: String,
    },
    Nothing,
}

impl Definition {
    /// Whether it is the latest version of a pipeline.
    pub(crate) fn is_latest(&self) -> bool {
        matches!(self, Self::Stored { version_id, .. } if version_id.is_empty())
    }

    /// Finds it: where it comes from, and as what it is kept. The policy of its home has to allow it.
    async fn find(
        self,
        context: &Context,
        home: &Home,
        pipelines: Option<&Grant<Get, Pipelines>>,
        what: &str,
    ) -> Result<(Source, Arc<Package>, String)> {
        let (pipeline_id, version_id) = match self {
            Definition::Inline(template) => {
                let package = policy::package(context, home, *template).await?;
                let spec = package.canonical()?;
                return Ok((Source::Inline, Arc::new(package), spec));
            }
            Definition::Kept { source, spec } => {
                let package = context.packages.read(context, home, &spec).await?;
                return Ok((source, package, spec));
            }
            Definition::Stored { pipeline_id, version_id } => (pipeline_id, version_id),
            Definition::Nothing => {
                return Err(Error::invalid(format!(
                    "the {what} does not say what to execute: give a pipeline version, a pipeline, or a pipeline spec"
                )));
            }
        };
        let Some(grant) = pipelines else {
            return Err(Error::invalid(format!("the {what} names neither a pipeline nor a pipeline version")));
        };
        let version = match version_id.is_empty() {
            true => context.store.latest_version(grant, &pipeline_id).await?,
            false => context.store.version(grant, &pipeline_id, &version_id).await?,
        };
        let package = context.packages.read(context, home, &version.spec).await?;
        let source =
            Source::Version { pipeline_id: version.pipeline_id, version_id: version.id, version_name: version.name };
        Ok((source, package, version.spec.to_string()))
    }
}

/// The same, after everything was checked that can be checked before anything is stored.
pub(crate) struct Checked {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) experiment_id: ExperimentId,
    pub(crate) service_account: String,
    pub(crate) source: Source,
    pub(crate) spec: String,
    pub(crate) parameters: Map<String, Value>,
    pub(crate) pipeline_root: String,
}

impl Checked {
    /// The run that is made of it.
    pub(crate) fn into_run(self, id: RunId) -> NewRun {
        NewRun {
            id: Some(id),
            experiment_id: self.experiment_id,
            name: self.name,
            description: self.description,
            service_account: self.service_account,
            source: self.source,
            spec: self.spec,
            parameters: self.parameters,
            pipeline_root: self.pipeline_root,
        }
    }
}

impl Work {
    /// Checks it. `what` is what the texts call it: `run`, or `recurring run`.
    pub(crate) async fn check<R: InExperiments>(
        self,
        context: &Context,
        grant: &Grant<Create, R>,
        pipelines: Option<&Grant<Get, Pipelines>>,
        what: &str,
    ) -> Result<Checked> {
        names::name(&format!("the {what}'s name (display_name)"), &self.name, names::RUN)?;
        names::description(&self.description)?;
        names::length("service_account", &self.service_account, names::SERVICE_ACCOUNT)?;
        names::length("pipeline_root", &self.pipeline_root, names::URL)?;
        let (named, multi_user) = (&self.namespace, context.settings.multi_user);
        if multi_user && !named.is_empty() && named != grant.namespace()?.as_str() {
            return Err(Error::invalid(format!(
                "the {what}'s experiment is not in namespace {named}, which the {what} names too"
            )));
        }
        check_size(&self.parameters)?;
        let (source, package, spec) = self.definition.find(context, grant.home(), pipelines, what).await?;
        check_runnable(&package, &self.parameters, self.has_arguments)?;
        let experiment_id = match (self.experiment_id.is_empty(), multi_user) {
            (false, _) => ExperimentId::from_text(self.experiment_id),
            (true, false) => context.store.default_experiment(grant).await?,
            (true, true) => {
                return Err(Error::invalid(format!("the {what} does not name an experiment: set experiment_id")));
            }
        };
        let service_account = match self.service_account.is_empty() {
            true => context.settings.default_service_account.clone(),
            false => self.service_account,
        };
        Ok(Checked {
            name: self.name,
            description: self.description,
            experiment_id,
            service_account,
            source,
            spec,
            parameters: self.parameters,
            pipeline_root: self.pipeline_root,
        })
    }
}

/// Passes parameters that are not too large.
pub(crate) fn check_size(parameters: &Map<String, Value>) -> Result<()> {
    let size: usize = parameters.iter().map(|(name, value)| name.len() + value.to_string().len()).sum();
    if size > MAX_PARAMETERS {
        let text = format!(
            "the parameters have {size} bytes, and at most {MAX_PARAMETERS} are allowed: pass large values as artifacts"
        );
        return Err(Error::invalid(text));
    }
    Ok(())
}

/// Passes a pipeline that can be run with these parameters; `has_arguments` as in [`Work`].
fn check_runnable(package: &Package, parameters: &Map<String, Value>, has_arguments: bool) -> Result<()> {
    spec::runnable(&package.pipeline)?;
    if has_arguments {
        return Err(Error::invalid(
            "pipeline_spec.parameters are for v1 templates: give pipeline_spec.runtime_config.parameters",
        ));
    }
    spec::check_parameters(&package.pipeline, parameters)
}
