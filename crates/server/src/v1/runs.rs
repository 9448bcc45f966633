//! RunService of v1beta1.
use super::messages::{run_detail, run_message};
use crate::{
    Context, filter, json, package,
    runs::{Grants, Request, create, retry},
    work::{Definition, Work},
};
use access::{Gate, Scope};
use api::{
    access::refs,
    v1::{run_service_rpc as rpc, *},
};
use domain::{Backend, Result, RunId};
use store::ListScope;

pub(crate) struct Runs(pub(crate) Context);

impl RunServiceHandlers<Gate> for Runs {
    async fn create_run_v1(&self, scope: Scope<rpc::CreateRunV1>, req: CreateRunRequest) -> Result<RunDetail> {
        let run = req.run.unwrap_or_default();
        let grant = scope.grant();
        let of = |kind| refs::id(&run.resource_references, kind).unwrap_or_default().to_owned();
        let spec = run.pipeline_spec.clone().unwrap_or_default();
        let config = spec.runtime_config.clone().unwrap_or_default();
        let pipeline_id = [of(ResourceType::Pipeline), spec.pipeline_id.clone()];
        let work = Work {
            name: if run.name.is_empty() { spec.pipeline_name.clone() } else { run.name },
            description: run.description,
            experiment_id: of(ResourceType::Experiment),
            namespace: of(ResourceType::Namespace),
            service_account: run.service_account,
            definition: definition(
                pipeline_id.into_iter().find(|id| !id.is_empty()).unwrap_or_default(),
                of(ResourceType::PipelineVersion),
                &spec,
            )
            .await?,
            has_arguments: !spec.parameters.is_empty(),
            parameters: json::from_values(config.parameters).map_err(|error| error.at("runtime_config.parameters"))?,
            pipeline_root: config.pipeline_root,
        };
        let request = Request { id: run.id.clone(), work, recurring_run_id: of(ResourceType::Job) };
        let grants = Grants {
            create: grant,
            pipelines: scope.grant_opt(),
            recurring_run: scope.grant_opt(),
            runs: scope.grant_opt(),
            report: scope.grant_opt(),
        };
        Ok(run_detail(&create(&self.0, grants, request).await?, None))
    }

    async fn get_run_v1(&self, scope: Scope<rpc::GetRunV1>, req: GetRunRequest) -> Result<RunDetail> {
        let grant = scope.grant();
        let run = self.0.store.run(&grant, &req.run_id).await?;
        let workflow = match run.backend {
            Backend::Local => None,
            Backend::Reported => self.0.store.reported_workflow(&grant, &req.run_id).await?,
        };
        Ok(run_detail(&run, workflow))
    }

    async fn list_runs_v1(&self, scope: Scope<rpc::ListRunsV1>, req: ListRunsRequest) -> Result<ListRunsResponse> {
        let query = filter::query(req.page_size, req.page_token, req.sort_by, &req.filter)?;
        let of = match req.resource_reference_key {
            Some(key) if key.r#type() == ResourceType::Experiment => ListScope::Experiment(key.id),
            _ => ListScope::Everything,
        };
        let page = self.0.store.runs(&scope.grant(), of, query).await?;
        Ok(ListRunsResponse {
            runs: page.items.iter().map(run_message).collect(),
            total_size: page.total_size(),
            next_page_token: page.next,
        })
    }

    async fn archive_run_v1(&self, scope: Scope<rpc::ArchiveRunV1>, req: ArchiveRunRequest) -> Result<()> {
        self.0.store.archive_run(&scope.grant(), &req.id).await
    }

    async fn unarchive_run_v1(&self, scope: Scope<rpc::UnarchiveRunV1>, req: UnarchiveRunRequest) -> Result<()> {
        self.0.store.unarchive_run(&scope.grant(), &req.id).await
    }

    async fn delete_run_v1(&self, scope: Scope<rpc::DeleteRunV1>, req: DeleteRunRequest) -> Result<()> {
        let grant = scope.grant();
        let done = self.0.store.delete_run(&grant, &req.id).await;
        self.0.wake_after(&done, grant.namespace()?, &RunId::from_text(req.id));
        done
    }

    async fn report_run_metrics_v1(
        &self,
        scope: Scope<rpc::ReportRunMetricsV1>,
        req: ReportRunMetricsRequest,
    ) -> Result<ReportRunMetricsResponse> {
        super::metrics::report(&self.0.store, &scope.grant(), req).await
    }

    async fn terminate_run_v1(&self, scope: Scope<rpc::TerminateRunV1>, req: TerminateRunRequest) -> Result<()> {
        let grant = scope.grant();
        let done = self.0.store.terminate_run(&grant, &req.run_id).await;
        self.0.wake_after(&done, grant.namespace()?, &RunId::from_text(req.run_id));
        done
    }

    async fn retry_run_v1(&self, scope: Scope<rpc::RetryRunV1>, req: RetryRunRequest) -> Result<()> {
        retry(&self.0, &scope.grant(), req.run_id).await
    }
}

pub(super) async fn definition(pipeline_id: String, version_id: String, spec: &PipelineSpec) -> Result<Definition> {
    // Old clients send the manifest along with the id of the pipeline that it came from; the stored one counts.
    if !pipeline_id.is_empty() || !version_id.is_empty() {
        return Ok(Definition::Stored { pipeline_id, version_id });
    }
    let manifest = if spec.pipeline_manifest.is_empty() { &spec.workflow_manifest } else { &spec.pipeline_manifest };
    if manifest.is_empty() {
        return Ok(Definition::Nothing);
    }
    Ok(Definition::Inline(Box::new(package::read_text(manifest.clone()).await?)))
}
