//! Lists: pages, orders and filters, in the spelling of either version.
use crate::world::{World, encoded, text};
use serde_json::{Value, json};

/// Five runs, a second apart, named `run 0` to `run 4`.
async fn runs(world: &World) -> String {
    let experiment = world.experiment("team", "exp").await;
    for number in 0..5 {
        world.run(&experiment, &format!("run {number}")).await;
        world.tick();
    }
    experiment
}

fn names(list: &Value, of: &str, field: &str) -> Vec<String> {
    list[of].as_array().into_iter().flatten().map(|item| text(item, field)).collect()
}

#[tokio::test]
async fn pages_join_into_the_whole() {
    let world = World::new().await;
    let experiment = runs(&world).await;
    let v1 = format!("resource_reference_key.type=EXPERIMENT&resource_reference_key.id={experiment}");
    for (path, field) in [
        (format!("/apis/v2beta1/runs?experiment_id={experiment}"), "display_name"),
        ("/apis/v2beta1/runs?namespace=team".to_owned(), "display_name"),
        (format!("/apis/v1beta1/runs?{v1}"), "name"),
    ] {
        let (mut all, mut token) = (Vec::new(), String::new());
        for size in [2, 2, 1] {
            let page = world.get(&format!("{path}&page_size=2&page_token={token}")).await;
            assert_eq!((&page["total_size"], page["runs"].as_array().unwrap().len()), (&json!(5), size), "{path}");
            all.extend(names(&page, "runs", field));
            token = page["next_page_token"].as_str().unwrap_or_default().to_owned();
        }
        assert_eq!(token, "", "the last page has none");
        assert_eq!(all, ["run 0", "run 1", "run 2", "run 3", "run 4"], "{path}");
        let whole = world.get(&path).await;
        assert!(whole.get("next_page_token").is_none());
        assert_eq!(names(&whole, "runs", field), all);
        let back = world.get(&format!("{path}&sort_by=created_at%20desc")).await;
        assert!(names(&back, "runs", field).iter().rev().eq(&all), "{back:#}");
    }
}

#[tokio::test]
async fn filters_in_both_spellings() {
    let world = World::new().await;
    let experiment = runs(&world).await;
    let of = [
        (format!("/apis/v2beta1/runs?experiment_id={experiment}"), "display_name"),
        (
            format!("/apis/v1beta1/runs?resource_reference_key.type=EXPERIMENT&resource_reference_key.id={experiment}"),
            "name",
        ),
    ];
    for (predicate, expect) in [
        (json!({"operation": "EQUALS", "key": "display_name", "stringValue": "run 1"}), &["run 1"][..]),
        (json!({"op": 1, "key": "name", "string_value": "run 1"}), &["run 1"]),
        (json!({"op": "IS_SUBSTRING", "key": "name", "string_value": "4"}), &["run 4"]),
        (json!({"operation": 8, "key": "name", "string_values": {"values": ["run 0", "run 3"]}}), &["run 0", "run 3"]),
        (json!({"op": 3, "key": "created_at", "timestamp_value": "2023-11-14T22:13:23Z"}), &["run 4"]),
        (json!({"operation": "EQUALS", "key": "state", "string_value": "RUNNING"}), &[]),
        (json!({"op": "NOT_EQUALS", "key": "status", "string_value": "Pending"}), &[]),
        (json!({"op": "LESS_THAN", "key": "created_at", "long_value": "1700000001"}), &["run 0"]),
    ] {
        let filter = json!({"predicates": [predicate]});
        let once = encoded(&filter.to_string());
        let twice = encoded(&once);
        for (path, field) in &of {
            for filter in [&once, &twice] {
                let list = world.get(&format!("{path}&filter={filter}")).await;
                assert_eq!(names(&list, "runs", field), expect, "{path} {predicate}");
                assert_eq!(list["total_size"].as_u64().unwrap_or_default(), expect.len() as u64);
            }
        }
    }
}

#[tokio::test]
async fn filters_of_experiments_and_pipelines() {
    let world = World::new().await;
    for name in ["alpha", "beta"] {
        world.experiment("team", name).await;
        world.pipeline("team", name).await;
        world.tick();
    }
    let filter = |key: &str, value: &str| {
        encoded(&json!({"predicates": [{"operation": "EQUALS", "key": key, "string_value": value}]}).to_string())
    };
    let key = "resource_reference_key.type=NAMESPACE&resource_reference_key.id=team";
    for (path, of, field) in [
        ("/apis/v2beta1/experiments?namespace=team".to_owned(), "experiments", "display_name"),
        (format!("/apis/v1beta1/experiments?{key}"), "experiments", "name"),
        ("/apis/v2beta1/pipelines?namespace=team".to_owned(), "pipelines", "name"),
        (format!("/apis/v1beta1/pipelines?{key}"), "pipelines", "name"),
    ] {
        for by in ["name", "display_name"] {
            let list = world.get(&format!("{path}&filter={}", filter(by, "beta"))).await;
            assert_eq!(names(&list, of, field), ["beta"], "{path}");
        }
    }
    let archived = filter("storage_state", "ARCHIVED");
    assert_eq!(world.get(&format!("/apis/v2beta1/experiments?namespace=team&filter={archived}")).await, json!({}));
}

#[tokio::test]
async fn what_makes_no_sense_is_refused() {
    let world = World::new().await;
    let experiment = runs(&world).await;
    let page = world.get("/apis/v2beta1/runs?namespace=team&page_size=1").await;
    let token = text(&page, "next_page_token");
    let unknown = encoded(&json!({"predicates": [{"op": 1, "key": "colour", "string_value": "red"}]}).to_string());
    for (path, words) in [
        ("/apis/v2beta1/runs".to_owned(), "does not name"),
        ("/apis/v2beta1/experiments".to_owned(), "does not name a namespace"),
        ("/apis/v2beta1/runs?namespace=team&page_size=-1".to_owned(), "page_size"),
        ("/apis/v2beta1/runs?namespace=team&sort_by=colour".to_owned(), "colour"),
        ("/apis/v2beta1/runs?namespace=team&sort_by=name%20up".to_owned(), "up"),
        ("/apis/v2beta1/runs?namespace=team&page_token=x".to_owned(), "token"),
        (format!("/apis/v2beta1/runs?namespace=other&page_token={token}"), "token"),
        (format!("/apis/v2beta1/runs?experiment_id={experiment}&page_token={token}"), "token"),
        (format!("/apis/v2beta1/experiments?namespace=team&page_token={token}"), "token"),
        (format!("/apis/v2beta1/runs?namespace=team&filter={unknown}"), "colour"),
        ("/apis/v2beta1/runs?namespace=team&filter=%7B".to_owned(), "filter is not understood"),
    ] {
        world.refused("GET", &path, Value::Null, (400, 3), words).await;
    }
}

/// A run list that names a namespace and an experiment elsewhere.
#[tokio::test]
async fn a_namespace_and_an_experiment_must_agree() {
    let world = World::new().await;
    let experiment = runs(&world).await;
    let both = |namespace: &str| format!("/apis/v2beta1/runs?namespace={namespace}&experiment_id={experiment}");
    assert_eq!(world.get(&both("team")).await["total_size"], 5);
    world.refused("GET", &both("other"), Value::Null, (400, 3), "two namespaces").await;
}
