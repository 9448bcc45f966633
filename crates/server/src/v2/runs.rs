//! RunService of v2beta1.
use super::{lineage::task_message, messages::run_message, recorded};
use crate::{
    Context, filter, json,
    runs::{Grants, Request, create, retry},
    work::{Definition, Work},
};
use access::{Gate, Scope};
use api::v2::{list_tasks_request::ParentFilter, run::PipelineSource, run_service_rpc as rpc, *};
use domain::{Error, Result, RunId};
use spec::Template;
use store::{ListScope, TasksOf};

pub(crate) struct Runs(pub(crate) Context);

impl RunServiceHandlers<Gate> for Runs {
    async fn create_run(&self, scope: Scope<rpc::CreateRun>, req: CreateRunRequest) -> Result<Run> {
        let run = req.run.unwrap_or_default();
        if !run.plugins_input.is_empty() || !run.plugins_output.is_empty() {
            return Err(Error::invalid("plugins_input and plugins_output: there are no run plugins here"));
        }
        let config = run.runtime_config.unwrap_or_default();
        let work = Work {
            name: run.display_name,
            description: run.description,
            experiment_id: run.experiment_id,
            namespace: String::new(),
            service_account: run.service_account,
            definition: definition(run.pipeline_source)?,
            has_arguments: false,
            parameters: json::from_values(config.parameters).map_err(|error| error.at("runtime_config.parameters"))?,
            pipeline_root: config.pipeline_root,
        };
        let request = Request { id: run.run_id, work, recurring_run_id: run.recurring_run_id };
        let grants = Grants {
            create: scope.grant(),
            pipelines: scope.grant_opt(),
            recurring_run: scope.grant_opt(),
            runs: scope.grant_opt(),
            report: scope.grant_opt(),
        };
        run_message(&create(&self.0, grants, request).await?)
    }

    async fn get_run(&self, scope: Scope<rpc::GetRun>, req: GetRunRequest) -> Result<Run> {
        let run = self.0.store.run(&scope.grant(), &req.run_id).await?;
        run_message(&run)
    }

    async fn list_runs(&self, scope: Scope<rpc::ListRuns>, req: ListRunsRequest) -> Result<ListRunsResponse> {
        let query = filter::query(req.page_size, req.page_token, req.sort_by, &req.filter)?;
        let of = match req.experiment_id.is_empty() {
            true => ListScope::Everything,
            false => ListScope::Experiment(req.experiment_id),
        };
        let page = self.0.store.runs_in_short(&scope.grant(), of, query).await?;
        Ok(ListRunsResponse {
            runs: page.items.iter().map(run_message).collect::<Result<_>>()?,
            total_size: page.total_size(),
            next_page_token: page.next,
        })
    }

    async fn archive_run(&self, scope: Scope<rpc::ArchiveRun>, req: ArchiveRunRequest) -> Result<()> {
        self.0.store.archive_run(&scope.grant(), &req.run_id).await
    }

    async fn unarchive_run(&self, scope: Scope<rpc::UnarchiveRun>, req: UnarchiveRunRequest) -> Result<()> {
        self.0.store.unarchive_run(&scope.grant(), &req.run_id).await
    }

    async fn delete_run(&self, scope: Scope<rpc::DeleteRun>, req: DeleteRunRequest) -> Result<()> {
        let grant = scope.grant();
        let done = self.0.store.delete_run(&grant, &req.run_id).await;
        self.0.wake_after(&done, grant.namespace()?, &RunId::from_text(req.run_id));
        done
    }

    async fn terminate_run(&self, scope: Scope<rpc::TerminateRun>, req: TerminateRunRequest) -> Result<()> {
        let grant = scope.grant();
        let done = self.0.store.terminate_run(&grant, &req.run_id).await;
        self.0.wake_after(&done, grant.namespace()?, &RunId::from_text(req.run_id));
        done
    }

    async fn retry_run(&self, scope: Scope<rpc::RetryRun>, req: RetryRunRequest) -> Result<()> {
        retry(&self.0, &scope.grant(), req.run_id).await
    }

    async fn create_task(&self, scope: Scope<rpc::CreateTask>, req: CreateTaskRequest) -> Result<Task> {
        let new = recorded::task(req.task.unwrap_or_default())?;
        Ok(task_message(&self.0.store.record_task(&scope.grant(), new).await?))
    }

    async fn update_task(&self, scope: Scope<rpc::UpdateTask>, req: UpdateTaskRequest) -> Result<Task> {
        let (same, change) = recorded::update(&req.task_id, req.task.unwrap_or_default())?;
        let store = &self.0.store;
        Ok(task_message(&store.change_recorded_task(&scope.grant(), &req.task_id, same, change).await?))
    }

    async fn get_task(&self, scope: Scope<rpc::GetTask>, req: GetTaskRequest) -> Result<Task> {
        Ok(task_message(&self.0.store.kept_task(&scope.grant(), &req.task_id).await?))
    }

    async fn list_tasks(&self, scope: Scope<rpc::ListTasks>, req: ListTasksRequest) -> Result<ListTasksResponse> {
        let query = filter::query(req.page_size, req.page_token, req.order_by, &req.filter)?;
        let of = match req.parent_filter {
            Some(ParentFilter::ParentId(id)) => TasksOf::Parent(id),
            Some(ParentFilter::RunId(id)) => TasksOf::Run(id),
            // The gate has let nobody pass who names neither.
            None => return Err(Error::invalid("the request names neither a run nor a task")),
        };
        let page = self.0.store.kept_tasks(&scope.grant(), of, query).await?;
        Ok(ListTasksResponse {
            tasks: page.items.iter().map(task_message).collect(),
            total_size: page.total_size(),
            next_page_token: page.next,
        })
    }
}

#[expect(deprecated, reason = "old clients still fill the field that the version's reference has replaced")]
pub(super) fn definition(source: Option<PipelineSource>) -> Result<Definition> {
    Ok(match source {
        None => Definition::Nothing,
        Some(PipelineSource::PipelineVersionId(version_id)) => {
            Definition::Stored { pipeline_id: String::new(), version_id }
        }
        Some(PipelineSource::PipelineVersionReference(PipelineVersionReference {
            pipeline_id,
            pipeline_version_id,
        })) => Definition::Stored { pipeline_id, version_id: pipeline_version_id },
        Some(PipelineSource::PipelineSpec(document)) => {
            let document = json::from_struct(document).map_err(|error| error.at("pipeline_spec"))?;
            Definition::Inline(Box::new(Template::from_json(&document.into())?))
        }
    })
}
