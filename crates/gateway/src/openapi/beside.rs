//! What REST has beside the RPCs: uploads, logs and artifacts, and health as it is written by hand.
use http::Method;
use prost_reflect::{DescriptorPool, Kind, MethodDescriptor};
use serde_json::{Value, json};

use super::{
    Draft,
    operation::{described_by, in_path, in_query},
};
use crate::{
    files::{self, File},
    upload,
};

/// Adds what belongs to the version of `package`, as far as the descriptors have the RPCs behind it.
pub(super) fn add(draft: &mut Draft, pool: &DescriptorPool, package: &str) {
    for (path, name, reply) in upload::PATHS {
        let Some(rpc) = find(pool, upload::SERVICE, name) else { continue };
        let reply = rpc.output().get_field_by_name(reply).map(|reply| reply.kind());
        let Some(reply) = reply.as_ref().and_then(Kind::as_message).filter(|reply| reply.package_name() == package)
        else {
            continue;
        };
        let answer = draft.schemas.message(reply);
        let operation = upload(draft, &rpc, answer);
        draft.add(&Method::POST, path, operation);
    }
    for file in files::PATHS.iter().filter(|file| file.package == package) {
        let Some(rpc) = find(pool, file.service, file.rpc) else { continue };
        let operation = read(draft, file, &rpc);
        draft.add(&Method::GET, file.path, operation);
    }
    healthz(draft, package);
}

fn find(pool: &DescriptorPool, service: &str, rpc: &str) -> Option<MethodDescriptor> {
    pool.get_service_by_name(service)?.methods().find(|method| method.name() == rpc)
}

fn upload(draft: &mut Draft, rpc: &MethodDescriptor, answer: Value) -> Value {
    draft.tags.insert("PipelineUploadService".to_owned(), "Uploads of pipeline packages, as multipart forms.".into());
    let mut operation = described_by(&mut draft.schemas, rpc, rpc.name(), "PipelineUploadService", answer);
    let mut parameters = vec![json!({
        "name": upload::PART,
        "in": "formData",
        "required": true,
        "type": "file",
        "description": "The package, of 32 MiB at most.",
    })];
    for field in rpc.input().fields() {
        match field.name() {
            "tags" => parameters.push(json!({
                "name": "tags",
                "in": "query",
                "required": false,
                "type": "string",
                "description": "A JSON object of strings.",
            })),
            "pipeline_id" => parameters.push(in_query(&draft.schemas, "pipelineid", &field)),
            name if field.kind() == Kind::String => parameters.push(in_query(&draft.schemas, name, &field)),
            _ => {}
        }
    }
    operation["parameters"] = parameters.into();
    operation["consumes"] = json!(["multipart/form-data"]);
    operation["responses"]["default"]["description"] =
        "It was refused, or it failed. `error_message` and `error_details` repeat the message.".into();
    operation
}

fn read(draft: &mut Draft, file: &File, rpc: &MethodDescriptor) -> Value {
    let is_log = file.service == files::LOGS;
    let answer = if is_log {
        json!({ "type": "string" })
    } else {
        let version = file.package.rsplit('.').next().unwrap_or_default();
        draft.schemas.refer(
            &format!("{version}ReadArtifactResponse"),
            |_| json!({ "type": "object", "properties": { "data": { "type": "string", "format": "byte" } } }),
        )
    };
    let mut operation = described_by(&mut draft.schemas, rpc, file.id, "RunService", answer);
    let input = rpc.input();
    let parameters = input.fields().map(|field| {
        let is_in_path = file.path.contains(&format!("{{{}}}", field.name()));
        let place = if is_in_path { in_path } else { in_query };
        place(&draft.schemas, field.name(), &field)
    });
    operation["parameters"] = parameters.collect();
    if is_log {
        // Refusals are JSON here too.
        operation["produces"] = json!(["text/plain", "application/json"]);
    }
    operation
}

/// The handler says what the message does not have, and always says everything.
fn healthz(draft: &mut Draft, package: &str) {
    let version = package.rsplit('.').next().unwrap_or_default();
    let Some(health) = draft.schemas.definition(&format!("{version}GetHealthzResponse")) else { return };
    for name in ["commit_sha", "tag_name"] {
        health["properties"][name] = json!({ "type": "string" });
    }
}
