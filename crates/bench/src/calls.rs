//! The requests that are measured.
use crate::wire::{Call, JSON};
use api::{
    v1::AuthorizeRequest,
    v2::{CreateRunRequest, GetRunRequest, ListRunsRequest, PipelineVersionReference, Run, run::PipelineSource},
};
use bytes::Bytes;
use http::Method;
use prost::Message;
use serde_json::json;

/// Where runs are made, and of what.
#[derive(Clone, Debug)]
pub(crate) struct Made {
    pub(crate) experiment: String,
    pub(crate) pipeline: String,
    pub(crate) version: String,
}

/// Which page of the runs of a namespace.
#[derive(Clone, Debug, Default)]
pub(crate) struct Page {
    pub(crate) token: String,
    /// The filter as JSON, or nothing.
    pub(crate) filter: String,
}

/// Runs on a page.
pub(crate) const PAGE_SIZE: i32 = 20;

/// The filter of the runs that are not archived, as the web UI sends it.
pub(crate) const AVAILABLE: &str =
    r#"{"predicates":[{"key":"storage_state","operation":"EQUALS","string_value":"AVAILABLE"}]}"#;

pub(crate) const GET_RUN: &str = "/kubeflow.pipelines.backend.api.v2beta1.RunService/GetRun";

pub(crate) fn get(run: &str) -> Call {
    let message = GetRunRequest { run_id: run.to_owned(), ..Default::default() };
    reading(GET_RUN, &message, format!("/apis/v2beta1/runs/{run}"))
}

pub(crate) fn list(namespace: &str, page: &Page) -> Call {
    let message = ListRunsRequest {
        namespace: namespace.to_owned(),
        page_size: PAGE_SIZE,
        page_token: page.token.clone(),
        filter: page.filter.clone(),
        sort_by: "created_at desc".to_owned(),
        ..Default::default()
    };
    let mut path = format!("/apis/v2beta1/runs?namespace={namespace}&page_size={PAGE_SIZE}&sort_by=created_at%20desc");
    for (key, value) in [("page_token", &page.token), ("filter", &page.filter)] {
        if !value.is_empty() {
            path += &format!("&{key}={}", escaped(value));
        }
    }
    reading("/kubeflow.pipelines.backend.api.v2beta1.RunService/ListRuns", &message, path)
}

pub(crate) fn authorize(namespace: &str) -> Call {
    let message = AuthorizeRequest { namespace: namespace.to_owned(), resources: 1, verb: 2 };
    let path = format!("/apis/v1beta1/auth?namespace={namespace}&resources=VIEWERS&verb=GET");
    reading("/api.AuthService/AuthorizeV1", &message, path)
}

pub(crate) fn create(of: &Made, name: String) -> Call {
    let body = json!({
        "display_name": name, "experiment_id": of.experiment,
        "pipeline_version_reference": {"pipeline_id": of.pipeline, "pipeline_version_id": of.version},
    });
    let reference =
        PipelineVersionReference { pipeline_id: of.pipeline.clone(), pipeline_version_id: of.version.clone() };
    let run = Run {
        display_name: name,
        experiment_id: of.experiment.clone(),
        pipeline_source: Some(PipelineSource::PipelineVersionReference(reference)),
        ..Default::default()
    };
    let message = CreateRunRequest { run: Some(run), ..Default::default() };
    Call {
        rpc: "/kubeflow.pipelines.backend.api.v2beta1.RunService/CreateRun",
        message: message.encode_to_vec().into(),
        method: Method::POST,
        path: "/apis/v2beta1/runs".to_owned(),
        content_type: JSON,
        body: body.to_string().into(),
    }
}

/// A request of ML metadata: over gRPC alone.
pub(crate) fn metadata(rpc: &'static str, message: &impl Message) -> Call {
    reading(rpc, message, String::new())
}

/// The metrics of a server, from its admin listener: over HTTP alone.
pub(crate) fn metrics() -> Call {
    reading("", &(), "/metrics".to_owned())
}

fn reading(rpc: &'static str, message: &impl Message, path: String) -> Call {
    Call {
        rpc,
        message: message.encode_to_vec().into(),
        method: Method::GET,
        path,
        content_type: JSON,
        body: Bytes::new(),
    }
}

/// Text in a query.
fn escaped(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}
