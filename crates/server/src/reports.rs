//! ReportService of both versions: what an agent tells of the workflows of another engine.
use crate::{Context, runs, time};
use access::{Gate, Grant, Scope};
use api::{
    access::{
        resource::{Scheduledworkflows, Workflows},
        verb::Report,
    },
    v1, v2,
};
use domain::{Error, Namespace, ReportedNode, Result, RuntimeState, Timestamp, WorkflowReport};
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};

/// The label with a workflow's run (KFP).
const RUN: &str = "pipeline/runid";
/// The label with the second for which a workflow was scheduled (KFP).
const EPOCH: &str = "scheduledworkflows.kubeflow.org/workflowEpoch";
/// The most nodes that are looked at.
const MAX_NODES: usize = 1000;
/// The longest text that is kept of what went wrong, in characters.
const MAX_TEXT: usize = 1000;
/// The longest id of a node, in bytes; Kubernetes has no longer names.
const MAX_NODE: usize = 253;

pub(crate) struct Reports(pub(crate) Context);

impl v1::ReportServiceHandlers<Gate> for Reports {
    async fn report_workflow_v1(
        &self,
        scope: Scope<v1::report_service_rpc::ReportWorkflowV1>,
        req: v1::ReportWorkflowRequest,
    ) -> Result<()> {
        self.workflow(&scope.grant(), req.workflow).await
    }

    async fn report_scheduled_workflow_v1(
        &self,
        scope: Scope<v1::report_service_rpc::ReportScheduledWorkflowV1>,
        req: v1::ReportScheduledWorkflowRequest,
    ) -> Result<()> {
        self.scheduled_workflow(&scope.grant(), &req.scheduled_workflow).await
    }
}

impl v2::ReportServiceHandlers<Gate> for Reports {
    async fn report_workflow(
        &self,
        scope: Scope<v2::report_service_rpc::ReportWorkflow>,
        req: v2::ReportWorkflowRequest,
    ) -> Result<()> {
        self.workflow(&scope.grant(), req.workflow).await
    }

    async fn report_scheduled_workflow(
        &self,
        scope: Scope<v2::report_service_rpc::ReportScheduledWorkflow>,
        req: v2::ReportScheduledWorkflowRequest,
    ) -> Result<()> {
        self.scheduled_workflow(&scope.grant(), &req.scheduled_workflow).await
    }
}

impl Reports {
    async fn workflow(&self, grant: &Grant<Report, Workflows>, text: String) -> Result<()> {
        let report = read(text)?;
        self.0.store.report_workflow(grant, report).await
    }

    /// Schedules are this server's own, so that nothing said of them from outside can be right.
    async fn scheduled_workflow(&self, grant: &Grant<Report, Scheduledworkflows>, text: &str) -> Result<()> {
        let workflow: Workflow = parse("scheduled_workflow", text)?;
        let (_, namespace, uid) = workflow.metadata.identity("scheduled_workflow")?;
        self.0.store.known_recurring_run(grant, &namespace, &uid).await?;
        Err(Error::precondition(format!(
            "recurring run {uid} is scheduled by this server, which alone says how it stands"
        )))
    }
}

/// What of a workflow is looked at.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Workflow {
    metadata: Metadata,
    #[serde(default)]
    spec: Spec,
    #[serde(default)]
    status: Status,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Metadata {
    name: String,
    namespace: String,
    uid: String,
    labels: BTreeMap<String, String>,
    owner_references: Vec<Owner>,
}

#[derive(Deserialize)]
struct Owner {
    #[serde(default)]
    kind: String,
    #[serde(default)]
    uid: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Spec {
    active_deadline_seconds: Option<i64>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    phase: String,
    message: String,
    finished_at: Option<String>,
    nodes: HashMap<String, Node>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Node {
    display_name: String,
    phase: String,
    message: String,
    started_at: Option<String>,
    finished_at: Option<String>,
}

impl Metadata {
    /// Name, namespace and uid, all of which a report must have.
    fn identity(&self, what: &str) -> Result<(String, Namespace, String)> {
        for (field, text) in [("name", &self.name), ("namespace", &self.namespace), ("uid", &self.uid)] {
            if text.is_empty() {
                return Err(Error::invalid(format!("{what}: metadata.{field} is missing")));
            }
        }
        Ok((self.name.clone(), Namespace::parse(&self.namespace)?, self.uid.clone()))
    }
}

fn parse<T: for<'de> Deserialize<'de>>(what: &str, text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| Error::invalid(format!("{what} is not understood: {error}")))
}

fn read(text: String) -> Result<WorkflowReport> {
    let workflow: Workflow = parse("workflow", &text)?;
    let (name, namespace, _) = workflow.metadata.identity("workflow")?;
    let label = |name: &str| workflow.metadata.labels.get(name).filter(|text| !text.is_empty());
    let Some(run_id) = label(RUN).cloned().map(runs::chosen).transpose()?.flatten() else {
        return Err(Error::invalid(format!("workflow: metadata.labels lacks {RUN}, which says whose run it is")));
    };
    let Status { phase, message, finished_at, nodes } = workflow.status;
    if nodes.len() > MAX_NODES {
        return Err(Error::invalid(format!("workflow: {} nodes, and at most {MAX_NODES} are taken", nodes.len())));
    }
    let owner = workflow.metadata.owner_references.iter().find(|owner| owner.kind == "ScheduledWorkflow");
    let ending = workflow.spec.active_deadline_seconds == Some(0);
    let state = match state(&phase) {
        state if ending && !state.is_final() => RuntimeState::Canceling,
        state => state,
    };
    let epoch = label(EPOCH).and_then(|text| text.parse().ok());
    Ok(WorkflowReport {
        run_id,
        namespace,
        name,
        recurring_run_id: owner.map(|owner| owner.uid.clone()),
        state,
        error: failure(state, message),
        scheduled_at: epoch.map(Timestamp::from_seconds).and_then(time::known),
        finished_at: moment(finished_at),
        nodes: nodes.into_iter().filter(|(id, _)| id.len() <= MAX_NODE).map(node).collect(),
        workflow: text,
    })
}

/// What a phase of Argo is here. A workflow without one has not begun.
fn state(phase: &str) -> RuntimeState {
    match phase {
        "Running" => RuntimeState::Running,
        "Succeeded" => RuntimeState::Succeeded,
        "Failed" | "Error" => RuntimeState::Failed,
        "Skipped" | "Omitted" => RuntimeState::Skipped,
        _ => RuntimeState::Pending,
    }
}

fn failure(state: RuntimeState, message: String) -> Option<String> {
    let text = || if message.is_empty() { "the workflow failed".to_owned() } else { clipped(&message) };
    (state == RuntimeState::Failed).then(text)
}

fn clipped(text: &str) -> String {
    text.chars().take(MAX_TEXT).collect()
}

fn moment(text: Option<String>) -> Option<Timestamp> {
    Timestamp::parse(&text?).and_then(time::known)
}

fn node((id, node): (String, Node)) -> ReportedNode {
    let state = state(&node.phase);
    ReportedNode {
        display_name: if node.display_name.is_empty() { clipped(&id) } else { clipped(&node.display_name) },
        id,
        state,
        error: failure(state, node.message),
        started_at: moment(node.started_at),
        finished_at: moment(node.finished_at),
    }
}
