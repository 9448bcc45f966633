//! What is made through the API before there are copies of it.
use crate::{calls::Made, wire::Client};
use anyhow::{Context, bail};
use http::Method;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// How long a run may take to end.
const PATIENCE: Duration = Duration::from_secs(120);

/// Uploads the pipeline to a namespace. The experiment is to come.
///
/// # Errors
/// A request that did not succeed.
pub(crate) async fn stored(client: &mut Client, namespace: &str) -> anyhow::Result<Made> {
    let path = format!("/apis/v2beta1/pipelines/upload?name=bench&namespace={namespace}");
    let pipeline = id(&client.upload(&path, &pipeline()).await?, "pipeline_id")?;
    let versions =
        client.json(Method::GET, format!("/apis/v2beta1/pipelines/{pipeline}/versions"), &Value::Null).await?;
    let version = id(&versions["pipeline_versions"][0], "pipeline_version_id")?;
    Ok(Made { experiment: String::new(), pipeline, version })
}

/// Makes an experiment, and returns its id.
///
/// # Errors
/// The request did not succeed.
pub(crate) async fn experiment(client: &mut Client, namespace: &str, name: &str) -> anyhow::Result<String> {
    let body = json!({"display_name": name, "namespace": namespace});
    id(&client.json(Method::POST, "/apis/v2beta1/experiments", &body).await?, "experiment_id")
}

/// An id in an answer.
///
/// # Errors
/// There is none.
pub(crate) fn id(value: &Value, key: &str) -> anyhow::Result<String> {
    value[key].as_str().map(ToOwned::to_owned).with_context(|| format!("{key} is missing in {value}"))
}

/// Waits until a run has ended well.
///
/// # Errors
/// It has not, or not in time.
pub(crate) async fn ended(client: &mut Client, run: &str) -> anyhow::Result<()> {
    let began = Instant::now();
    loop {
        let found = client.json(Method::GET, format!("/apis/v2beta1/runs/{run}"), &Value::Null).await?;
        match found["state"].as_str() {
            Some("SUCCEEDED" | "SKIPPED") => return Ok(()),
            Some("PENDING" | "RUNNING") if began.elapsed() < PATIENCE => {}
            _ => bail!("a run does not succeed: {found}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A pipeline of the size that the SDK makes, whose only task is left out: its runs end at once.
fn pipeline() -> String {
    let program = "import sys; print(sys.argv)\n".repeat(60);
    let spec = json!({
        "pipelineInfo": {"name": "bench"}, "schemaVersion": "2.1.0", "sdkVersion": "kfp-2.13.0",
        "deploymentSpec": {"executors": {"exec": {"container": {
            "image": "python:3.11", "command": ["python3", "-c", program],
        }}}},
        "components": {"comp-noop": {"executorLabel": "exec"}},
        "root": {"dag": {"tasks": {"noop": {
            "componentRef": {"name": "comp-noop"}, "taskInfo": {"name": "noop"},
            "triggerPolicy": {"condition": "1 == 2"},
        }}}},
    });
    spec.to_string()
}
