//! The paths of KFP itself, over services that are not there: a path that is routed answers 501 with code 12 and no
//! text, one that is not answers 404.
use gateway::Options;
use tonic::service::Routes;
use tower::ServiceExt as _;

use crate::{request, run, text};

fn router() -> axum::Router {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proto");
    let mut compiler = protox::Compiler::new([&root]).unwrap();
    compiler.include_imports(true);
    for version in ["v1beta1", "v2beta1"] {
        for resource in ["experiment", "pipeline", "run"] {
            compiler.open_file(format!("backend/api/{version}/{resource}.proto")).unwrap();
        }
    }
    let options = Options { max_message: 1 << 20 };
    gateway::router(Routes::default(), &compiler.encode_file_descriptor_set(), options).unwrap()
}

#[test]
fn every_rule_fits_beside_the_others() {
    let router = router();
    for line in [
        "POST /apis/v2beta1/experiments",
        "POST /apis/v2beta1/experiments/e:archive",
        "POST /apis/v2beta1/experiments/e:unarchive",
        "POST /apis/v2beta1/pipelines",
        "POST /apis/v2beta1/pipelines/create",
        "GET /apis/v2beta1/pipelines/create",
        "GET /apis/v2beta1/pipelines/names/n",
        "GET /apis/v2beta1/pipelines/p/versions",
        "GET /apis/v2beta1/pipelines/names/versions",
        "PATCH /apis/v2beta1/pipelines/p",
        "PATCH /apis/v2beta1/pipelines/p/versions/v",
        "DELETE /apis/v2beta1/pipelines/p/versions/v",
        "POST /apis/v2beta1/runs/r:terminate",
        "POST /apis/v2beta1/runs/r:retry",
        "GET /apis/v2beta1/runs/r:retry",
        "POST /apis/v1beta1/runs/r:archive",
        "POST /apis/v1beta1/runs/r:reportMetrics",
        "POST /apis/v1beta1/runs/r/terminate",
        "POST /apis/v1beta1/runs/r/retry",
        "GET /apis/v1beta1/namespaces/ns/pipelines/n",
        "GET /apis/v1beta1/pipelines/p/templates",
        "POST /apis/v1beta1/pipelines/p/default_version/v",
        "GET /apis/v1beta1/pipeline_versions/v/templates",
    ] {
        let (method, path) = line.split_once(' ').unwrap();
        let response = run(router.clone().oneshot(request(method, path, ""))).unwrap();
        assert_eq!(run(text(response)), r#"{"code":12,"message":""}"#, "{line}");
    }
}
