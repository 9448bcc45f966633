//! JobService of v1beta1: recurring runs.
use super::{messages::reference, runs::definition};
use crate::{
    Context, filter, json,
    recurring_runs::{Request, WithoutVersion, create, enable},
    time, triggers,
    work::Work,
};
use access::{Gate, Scope};
use api::{
    access::refs,
    v1::{job_service_rpc as rpc, *},
};
use domain::{Executes, RecurringRun, Result, Source};
use store::ListScope;

pub(crate) struct Jobs(pub(crate) Context);

impl JobServiceHandlers<Gate> for Jobs {
    async fn create_job(&self, scope: Scope<rpc::CreateJob>, req: CreateJobRequest) -> Result<Job> {
        let job = req.job.unwrap_or_default();
        let enabled = job.enabled || job.mode() == job::Mode::Enabled;
        let of = |kind| refs::id(&job.resource_references, kind).unwrap_or_default().to_owned();
        let spec = job.pipeline_spec.unwrap_or_default();
        let config = spec.runtime_config.clone().unwrap_or_default();
        let pipeline_id = [of(ResourceType::Pipeline), spec.pipeline_id.clone()];
        let pipeline_id = pipeline_id.into_iter().find(|id| !id.is_empty()).unwrap_or_default();
        let work = Work {
            experiment_id: of(ResourceType::Experiment),
            namespace: of(ResourceType::Namespace),
            definition: definition(pipeline_id, of(ResourceType::PipelineVersion), &spec).await?,
            name: job.name,
            description: job.description,
            service_account: job.service_account,
            has_arguments: !spec.parameters.is_empty(),
            parameters: json::from_values(config.parameters).map_err(|error| error.at("runtime_config.parameters"))?,
            pipeline_root: config.pipeline_root,
        };
        let request = Request {
            work,
            without_version: WithoutVersion::Pins,
            trigger: triggers::v1::read(job.trigger, &self.0.settings.schedules.time_zone)?,
            max_concurrency: job.max_concurrency,
            catchup: !job.no_catchup,
            enabled,
        };
        Ok(job_message(&create(&self.0, &scope.grant(), scope.grant_opt().as_ref(), request).await?))
    }

    async fn get_job(&self, scope: Scope<rpc::GetJob>, req: GetJobRequest) -> Result<Job> {
        Ok(job_message(&self.0.store.recurring_run(&scope.grant(), &req.id).await?))
    }

    async fn list_jobs(&self, scope: Scope<rpc::ListJobs>, req: ListJobsRequest) -> Result<ListJobsResponse> {
        let query = filter::query(req.page_size, req.page_token, req.sort_by, &req.filter)?;
        let of = match req.resource_reference_key {
            Some(key) if key.r#type() == ResourceType::Experiment => ListScope::Experiment(key.id),
            _ => ListScope::Everything,
        };
        let page = self.0.store.recurring_runs(&scope.grant(), of, query).await?;
        Ok(ListJobsResponse {
            jobs: page.items.iter().map(job_message).collect(),
            total_size: page.total_size(),
            next_page_token: page.next,
        })
    }

    async fn enable_job(&self, scope: Scope<rpc::EnableJob>, req: EnableJobRequest) -> Result<()> {
        enable(&self.0, &scope.grant(), scope.grant_opt().as_ref(), &req.id).await
    }

    async fn disable_job(&self, scope: Scope<rpc::DisableJob>, req: DisableJobRequest) -> Result<()> {
        self.0.store.disable_recurring_run(&scope.grant(), &req.id).await
    }

    async fn delete_job(&self, scope: Scope<rpc::DeleteJob>, req: DeleteJobRequest) -> Result<()> {
        self.0.store.delete_recurring_run(&scope.grant(), &req.id).await
    }
}

fn job_message(it: &RecurringRun) -> Job {
    let parameters = it.parameters.clone().into_iter().map(|(key, value)| (key, json::to_wire(value))).collect();
    let config = pipeline_spec::RuntimeConfig { parameters, pipeline_root: it.pipeline_root.clone() };
    let mut resource_references = vec![
        reference(ResourceType::Namespace, &it.namespace, Relationship::Owner),
        reference(ResourceType::Experiment, &it.experiment_id, Relationship::Owner),
    ];
    resource_references.retain(|reference| reference.key.as_ref().is_some_and(|key| !key.id.is_empty()));
    let mut pipeline_spec =
        PipelineSpec { runtime_config: (config != Default::default()).then_some(config), ..Default::default() };
    let mut of_pipeline = |id: &domain::PipelineId| {
        pipeline_spec.pipeline_id = id.to_string();
        resource_references.push(reference(ResourceType::Pipeline, id, Relationship::Creator));
    };
    match &it.executes {
        Executes::Latest(id) => of_pipeline(id),
        Executes::Pinned { source, spec } => {
            if let Source::Version { pipeline_id, version_id, version_name } = source {
                of_pipeline(pipeline_id);
                resource_references.push(reference(ResourceType::PipelineVersion, version_id, Relationship::Creator));
                pipeline_spec.pipeline_name = version_name.clone();
            }
            pipeline_spec.pipeline_manifest = spec.clone();
        }
    }
    Job {
        id: it.id.to_string(),
        name: it.name.clone(),
        description: it.description.clone(),
        pipeline_spec: Some(pipeline_spec),
        resource_references,
        service_account: it.service_account.clone(),
        max_concurrency: it.max_concurrency,
        trigger: triggers::v1::message(&it.trigger),
        // Clients read `enabled` and `status`; upstream never fills this.
        mode: job::Mode::UnknownMode.into(),
        created_at: time::wire(it.created_at),
        updated_at: time::wire(it.updated_at),
        status: if it.enabled { "ENABLED" } else { "DISABLED" }.to_owned(),
        error: it.fault.as_ref().map(|fault| fault.message.clone()).unwrap_or_default(),
        enabled: it.enabled,
        no_catchup: !it.catchup,
        created_by: it.created_by.clone(),
    }
}
