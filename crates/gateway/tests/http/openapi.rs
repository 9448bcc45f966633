//! The OpenAPI documents: one of a small service in full, and what must hold for those of KFP.
use std::{collections::BTreeSet, path::Path, sync::LazyLock};

use gateway::openapi;
use http::Request;
use prost_reflect::{DescriptorPool, DynamicMessage};
use serde_json::Value;
use tower::ServiceExt as _;

use crate::{run, text};

const METHODS: [&str; 5] = ["delete", "get", "patch", "post", "put"];

/// The descriptors of some protos with options and comments.
fn descriptors(includes: &[&str], files: &[String]) -> Vec<u8> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut compiler = protox::Compiler::new(includes.iter().map(|include| root.join(include))).unwrap();
    compiler.include_imports(true).include_source_info(true).open_files(files).unwrap();
    compiler.encode_file_descriptor_set()
}

/// Those of everything that the server has.
fn all() -> &'static [u8] {
    static ALL: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proto");
        let mut files = Vec::new();
        for folder in ["backend/api/v1beta1", "backend/api/v2beta1", "bulkhead/v1"] {
            let entries = std::fs::read_dir(root.join(folder)).unwrap();
            let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
            files.extend(names.map(|name| format!("{folder}/{name}")));
        }
        descriptors(&["../../proto"], &files)
    });
    &ALL
}

fn documents() -> [(&'static str, Value); 3] {
    [("api", "v1beta1"), ("kubeflow.pipelines.backend.api.v2beta1", "v2beta1"), ("bulkhead.v1", "bulkhead/v1")]
        .map(|(package, version)| (package, openapi::document(all(), package, version).unwrap()))
}

/// `get /path` of every operation, with the operation.
fn operations(document: &Value) -> impl Iterator<Item = (String, &Value)> {
    document["paths"].as_object().unwrap().iter().flat_map(|(path, operations)| {
        let operations = operations.as_object().unwrap().iter();
        operations.map(move |(method, operation)| (format!("{method} {path}"), operation))
    })
}

#[test]
fn a_document() {
    let descriptors = descriptors(&["tests/protos", "../../proto"], &["shelf.proto".to_owned()]);
    let document = openapi::document(&descriptors, "shelf.v1", "v1").unwrap();
    insta::with_settings!({ sort_maps => true }, { insta::assert_json_snapshot!(document) });
}

#[test]
fn every_rule_of_a_version_is_described() {
    for (package, document) in documents() {
        let described: BTreeSet<_> = operations(&document).map(|(route, _)| route).collect();
        let pool = DescriptorPool::decode(all()).unwrap();
        let http = pool.get_extension_by_name("google.api.http").unwrap();
        let mut found = 0;
        for rpc in pool.services().filter(|service| service.package_name() == package) {
            for rpc in rpc.methods().filter(|rpc| rpc.options().has_extension(&http)) {
                let rule = rpc.options().get_extension(&http).into_owned();
                for route in routes(rule.as_message().unwrap()) {
                    found += 1;
                    assert!(described.contains(&route), "{route}, of {}", rpc.full_name());
                }
            }
        }
        assert!(found >= 5, "{package}: {found} rules");
    }
}

/// `get /path` of a rule and of its additional bindings.
fn routes(rule: &DynamicMessage) -> Vec<String> {
    let more = rule.get_field_by_name("additional_bindings").unwrap();
    let more = more.as_list().unwrap().iter().flat_map(|rule| routes(rule.as_message().unwrap()));
    let own = METHODS.iter().map(|method| (method, rule.get_field_by_name(method).unwrap()));
    let own = own.filter_map(|(method, path)| path.as_str().map(|path| format!("{method} {path}")));
    own.filter(|route| !route.ends_with(' ')).chain(more).collect()
}

#[test]
fn operations_have_ids_of_their_own() {
    for (_, document) in documents() {
        let mut seen = BTreeSet::new();
        for (route, operation) in operations(&document) {
            assert!(seen.insert(operation["operationId"].as_str().unwrap()), "{route}");
            assert!(!operation["summary"].as_str().unwrap().is_empty(), "{route} has no comment");
        }
    }
}

#[test]
fn every_definition_is_there_and_used() {
    for (package, document) in documents() {
        let definitions: BTreeSet<_> = document["definitions"].as_object().unwrap().keys().cloned().collect();
        let mut used = BTreeSet::new();
        references(&document, &mut used);
        assert_eq!(used, definitions, "{package}");
    }
}

fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            let reference = object.get("$ref").and_then(Value::as_str);
            found.extend(reference.map(|name| name.strip_prefix("#/definitions/").unwrap().to_owned()));
            object.values().for_each(|value| references(value, found));
        }
        Value::Array(values) => values.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

/// What clients that were generated from KFP's own documents call these.
#[test]
fn names_are_those_of_generated_clients() {
    let [(_, v1), (_, v2), _] = documents();
    for (document, names) in [
        (&v1, ["apiRun", "apiExperimentStorageState", "apiRunStorageState", "apiResourceType", "JobMode"]),
        (&v2, ["v2beta1Run", "googleRpcStatus", "RecurringRunMode", "v2beta1PredicateOperation", "protobufAny"]),
    ] {
        for name in names {
            assert!(document["definitions"][name].is_object(), "{name} is not there");
        }
    }
    for (document, route, id) in [
        (&v1, "post /apis/v1beta1/experiments", "ExperimentService_CreateExperimentV1"),
        (&v1, "get /apis/v1alpha1/tasks", "TaskService_ListTasksV1"),
        (&v1, "post /apis/v1beta1/pipelines/upload", "UploadPipeline"),
        (&v2, "post /apis/v2beta1/pipelines/upload_version", "UploadPipelineVersion"),
        (&v2, "post /apis/v2beta1/runs/{run_id}:terminate", "RunService_TerminateRun"),
    ] {
        let operation = operations(document).find(|(found, _)| found == route).unwrap().1;
        assert_eq!(operation["operationId"], id, "{route}");
    }
}

#[test]
fn only_public_operations_need_no_token() {
    for (package, document) in documents() {
        let public: Vec<_> = operations(&document).filter(|(_, operation)| operation["security"].is_array()).collect();
        let expect = if package == "bulkhead.v1" { 0 } else { 1 };
        assert_eq!(public.len(), expect, "{package}: {public:?}");
        for (route, operation) in public {
            assert!(route.ends_with("/healthz"), "{route}");
            assert_eq!(operation["security"], serde_json::json!([]));
        }
    }
}

#[test]
fn documents_are_served_with_a_tag() {
    let router = openapi::router(all()).unwrap();
    let send = |method: &str, tags: &str| {
        let request = Request::builder().method(method).uri("/apis/v2beta1/swagger.json").header("if-none-match", tags);
        run(router.clone().oneshot(request.body(axum::body::Body::empty()).unwrap())).unwrap()
    };
    let full = send("GET", "");
    assert_eq!(full.status(), 200);
    assert_eq!(full.headers()["content-type"], "application/json");
    let tag = full.headers()["etag"].to_str().unwrap().to_owned();
    let document: Value = serde_json::from_str(&run(text(full))).unwrap();
    assert_eq!(document["info"]["version"], "v2beta1");
    for (tags, status) in
        [(tag.clone(), 304), (format!("\"other\", W/{tag}"), 304), ("*".into(), 304), ("\"x\"".into(), 200)]
    {
        let response = send("GET", &tags);
        assert_eq!(response.status(), status, "{tags}");
        assert_eq!(response.headers()["etag"], tag.as_str());
    }
    assert_eq!(send("HEAD", "").status(), 200);
    let refused = send("POST", "");
    assert_eq!(run(text(refused)), r#"{"code":12,"message":"Method Not Allowed"}"#);
}
