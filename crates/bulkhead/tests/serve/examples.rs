//! The example pipelines: loaded beside a running server, and run as they are.
use crate::{
    runs::{ends, experiment},
    server::{JANE, Place},
};
use serde_json::{Value, json};

#[test]
fn they_are_loaded_once_and_run() {
    let server = Place::new().serve("data_dir: data\n");
    let told = server.place.told(&["examples"]);
    assert_eq!(told.matches(": loaded\n").count(), 3, "{told}");
    let again = server.place.told(&["examples"]);
    assert_eq!(again.matches(": there already").count(), 3, "{again}");

    let list = server.call(JANE, "GET", "/apis/v2beta1/pipelines", &Value::Null).ok();
    let examples: Vec<_> = list["pipelines"].as_array().unwrap().iter().collect();
    assert_eq!(examples.len(), 3, "{list:#}");
    let experiment = experiment(&server, JANE, "jane-doe");
    for example in examples {
        assert_eq!(example["created_by"], "system:bulkhead");
        assert!(example.get("namespace").is_none() && example["description"] != "", "{example:#}");
        let new = json!({
            "display_name": example["name"],
            "experiment_id": experiment,
            "pipeline_version_reference": {"pipeline_id": example["pipeline_id"]},
        });
        let run = server.call(JANE, "POST", "/apis/v2beta1/runs", &new).ok();
        let run = ends(&server, run["run_id"].as_str().unwrap());
        assert_eq!(run["state"], "SUCCEEDED", "{run:#}");
    }
}

#[test]
fn a_single_user_has_them_to_themselves() {
    let place = Place::new();
    place.told(&["examples", "--single-user"]);
    let server = place.serve("multi_user: false\nexecutor: {enabled: false}\n");
    let list = server.get("/apis/v2beta1/pipelines", &[]).ok();
    assert_eq!(list["total_size"], 3, "{list:#}");
}
