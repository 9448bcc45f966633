//! TaskService of v1beta1: tasks that others have executed.
use crate::{Context, filter, names, time};
use access::{Gate, Scope};
use api::v1::{task_service_rpc as rpc, *};
use domain::{Error, ReportedTask, Result, RunId, TaskId};

pub(crate) struct Tasks(pub(crate) Context);

impl TaskServiceHandlers<Gate> for Tasks {
    async fn create_task_v1(&self, scope: Scope<rpc::CreateTaskV1>, req: CreateTaskRequest) -> Result<Task> {
        let (grant, task) = (scope.grant(), req.task.unwrap_or_default());
        let new = read(task, grant.namespace()?)?;
        Ok(message(&self.0.store.report_task(&grant, new).await?))
    }

    async fn list_tasks_v1(&self, scope: Scope<rpc::ListTasksV1>, req: ListTasksRequest) -> Result<ListTasksResponse> {
        let query = filter::query(req.page_size, req.page_token, req.sort_by, &req.filter)?;
        let run = (!req.run_id.is_empty()).then_some(req.run_id);
        let page = self.0.store.reported_tasks(&scope.grant(), run, query).await?;
        Ok(ListTasksResponse {
            tasks: page.items.iter().map(message).collect(),
            total_size: page.total_size(),
            next_page_token: page.next,
        })
    }
}

/// Checks what a report of a task must have (KFP API v1beta1, `CreateTaskV1`).
fn read(task: Task, namespace: &domain::Namespace) -> Result<ReportedTask> {
    if !task.id.is_empty() {
        return Err(Error::invalid("task.id must be empty: the server makes it"));
    }
    if !task.namespace.is_empty() && task.namespace != namespace.as_str() {
        return Err(Error::invalid(format!("task.namespace {:?} is not that of the task's run", task.namespace)));
    }
    for (field, text) in [
        ("task.pipelineName", &task.pipeline_name),
        ("task.mlmdExecutionID", &task.mlmd_execution_id),
        ("task.fingerprint", &task.fingerprint),
    ] {
        names::name(field, text, names::RUN)?;
    }
    if let Some(rest) = task.pipeline_name.strip_prefix("namespace/")
        && rest.split_once("/pipeline/").is_none_or(|(home, name)| home != namespace.as_str() || name.is_empty())
    {
        let text = format!(
            "task.pipelineName {:?} must be namespace/NAMESPACE/pipeline/NAME, with the namespace of the task's run",
            task.pipeline_name
        );
        return Err(Error::invalid(text));
    }
    let created_at = time::read("task.created_at", task.created_at)?;
    Ok(ReportedTask {
        id: TaskId::fresh(),
        namespace: namespace.clone(),
        run_id: RunId::from_text(task.run_id),
        pipeline_name: task.pipeline_name,
        execution_id: task.mlmd_execution_id,
        fingerprint: task.fingerprint,
        created_at: created_at.ok_or_else(|| Error::invalid("task.created_at is required"))?,
        finished_at: time::read("task.finished_at", task.finished_at)?,
    })
}

fn message(task: &ReportedTask) -> Task {
    Task {
        id: task.id.to_string(),
        namespace: task.namespace.to_string(),
        pipeline_name: task.pipeline_name.clone(),
        run_id: task.run_id.to_string(),
        mlmd_execution_id: task.execution_id.clone(),
        created_at: time::wire(task.created_at),
        finished_at: time::wire(task.finished_at),
        fingerprint: task.fingerprint.clone(),
    }
}
