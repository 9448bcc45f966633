//! RecurringRunService of v2beta1.
use super::{
    messages::{fault, namespace, spec_struct},
    runs::definition,
};
use crate::{
    Context, filter, json,
    recurring_runs::{Request, WithoutVersion, create, enable},
    time, triggers,
    work::Work,
};
use access::{Gate, Scope};
use api::v2::{recurring_run::PipelineSource, recurring_run_service_rpc as rpc, *};
use domain::{Error, Executes, Home, Result, Source};
use store::ListScope;

pub(crate) struct RecurringRuns(pub(crate) Context);

impl RecurringRunServiceHandlers<Gate> for RecurringRuns {
    async fn create_recurring_run(
        &self,
        scope: Scope<rpc::CreateRecurringRun>,
        req: CreateRecurringRunRequest,
    ) -> Result<RecurringRun> {
        let new = req.recurring_run.unwrap_or_default();
        if !new.plugins_input.is_empty() {
            return Err(Error::invalid("plugins_input: there are no run plugins here"));
        }
        let enabled = new.mode() == recurring_run::Mode::Enable;
        let config = new.runtime_config.unwrap_or_default();
        let work = Work {
            name: new.display_name,
            description: new.description,
            experiment_id: new.experiment_id,
            namespace: new.namespace,
            service_account: new.service_account,
            definition: definition(new.pipeline_source.map(of_a_run))?,
            has_arguments: false,
            parameters: json::from_values(config.parameters).map_err(|error| error.at("runtime_config.parameters"))?,
            pipeline_root: config.pipeline_root,
        };
        let request = Request {
            work,
            without_version: WithoutVersion::Follows,
            trigger: triggers::v2::read(new.trigger, &self.0.settings.schedules.time_zone)?,
            max_concurrency: new.max_concurrency,
            catchup: !new.no_catchup,
            enabled,
        };
        recurring_run_message(&create(&self.0, &scope.grant(), scope.grant_opt().as_ref(), request).await?)
    }

    async fn get_recurring_run(
        &self,
        scope: Scope<rpc::GetRecurringRun>,
        req: GetRecurringRunRequest,
    ) -> Result<RecurringRun> {
        recurring_run_message(&self.0.store.recurring_run(&scope.grant(), &req.recurring_run_id).await?)
    }

    async fn list_recurring_runs(
        &self,
        scope: Scope<rpc::ListRecurringRuns>,
        req: ListRecurringRunsRequest,
    ) -> Result<ListRecurringRunsResponse> {
        let query = filter::query(req.page_size, req.page_token, req.sort_by, &req.filter)?;
        let of = match req.experiment_id.is_empty() {
            true => ListScope::Everything,
            false => ListScope::Experiment(req.experiment_id),
        };
        let page = self.0.store.recurring_runs_in_short(&scope.grant(), of, query).await?;
        Ok(ListRecurringRunsResponse {
            recurring_runs: page.items.iter().map(recurring_run_message).collect::<Result<_>>()?,
            total_size: page.total_size(),
            next_page_token: page.next,
        })
    }

    async fn enable_recurring_run(
        &self,
        scope: Scope<rpc::EnableRecurringRun>,
        req: EnableRecurringRunRequest,
    ) -> Result<()> {
        enable(&self.0, &scope.grant(), scope.grant_opt().as_ref(), &req.recurring_run_id).await
    }

    async fn disable_recurring_run(
        &self,
        scope: Scope<rpc::DisableRecurringRun>,
        req: DisableRecurringRunRequest,
    ) -> Result<()> {
        self.0.store.disable_recurring_run(&scope.grant(), &req.recurring_run_id).await
    }

    async fn delete_recurring_run(
        &self,
        scope: Scope<rpc::DeleteRecurringRun>,
        req: DeleteRecurringRunRequest,
    ) -> Result<()> {
        self.0.store.delete_recurring_run(&scope.grant(), &req.recurring_run_id).await
    }
}

/// The source of a recurring run says the same as that of a run.
#[expect(deprecated, reason = "old clients still fill the field that the version's reference has replaced")]
fn of_a_run(source: PipelineSource) -> run::PipelineSource {
    match source {
        PipelineSource::PipelineVersionId(id) => run::PipelineSource::PipelineVersionId(id),
        PipelineSource::PipelineSpec(document) => run::PipelineSource::PipelineSpec(document),
        PipelineSource::PipelineVersionReference(version) => run::PipelineSource::PipelineVersionReference(version),
    }
}

fn recurring_run_message(it: &domain::RecurringRun) -> Result<RecurringRun> {
    use recurring_run::{Mode, Status};
    let reference = |pipeline_id: &domain::PipelineId, version: Option<&domain::PipelineVersionId>| {
        let pipeline_version_id = version.map(ToString::to_string).unwrap_or_default();
        let pipeline_id = pipeline_id.to_string();
        Some(PipelineSource::PipelineVersionReference(PipelineVersionReference { pipeline_id, pipeline_version_id }))
    };
    let source = match &it.executes {
        Executes::Latest(pipeline_id) => reference(pipeline_id, None),
        Executes::Pinned { source: Source::Version { pipeline_id, version_id, .. }, .. } => {
            reference(pipeline_id, Some(version_id))
        }
        Executes::Pinned { source: Source::Inline, spec } => spec_struct(spec)?.map(PipelineSource::PipelineSpec),
    };
    let parameters = it.parameters.clone().into_iter().map(|(key, value)| (key, json::to_wire(value))).collect();
    let config = RuntimeConfig { parameters, pipeline_root: it.pipeline_root.clone() };
    Ok(RecurringRun {
        recurring_run_id: it.id.to_string(),
        display_name: it.name.clone(),
        description: it.description.clone(),
        runtime_config: (config != RuntimeConfig::default()).then_some(config),
        service_account: it.service_account.clone(),
        max_concurrency: it.max_concurrency,
        trigger: triggers::v2::message(&it.trigger),
        mode: if it.enabled { Mode::Enable } else { Mode::Disable }.into(),
        created_at: time::wire(it.created_at),
        updated_at: time::wire(it.updated_at),
        status: if it.enabled { Status::Enabled } else { Status::Disabled }.into(),
        error: it.fault.as_ref().map(fault),
        no_catchup: !it.catchup,
        namespace: namespace(&Home::Namespace(it.namespace.clone())),
        experiment_id: it.experiment_id.to_string(),
        plugins_input: Default::default(),
        created_by: it.created_by.clone(),
        pipeline_source: source,
    })
}
