//! Recurring runs: shapes of messages, what is refused, and both versions as views of the same rows.
use crate::world::{ABSENT, NOW, World, encoded, inline, pipeline, same, text};
use serde_json::{Value, json};

const V1: &str = "/apis/v1beta1/jobs";
const V2: &str = "/apis/v2beta1/recurringruns";

/// The moment after that of `NOW`.
const LATER: &str = "2023-11-14T22:13:21Z";

/// A request of v2beta1 for the inline pipeline, every hour.
fn hourly(experiment: &str, name: &str) -> Value {
    let mut new = inline(experiment, name);
    new["max_concurrency"] = "1".into();
    new["trigger"] = json!({"cron_schedule": {"cron": "0 0 * * * *"}});
    new
}

/// The same of a stored pipeline.
fn stored(experiment: &str, reference: Value) -> Value {
    let mut new = hourly(experiment, "r");
    new.as_object_mut().unwrap().remove("pipeline_spec");
    new["pipeline_version_reference"] = reference;
    new
}

fn reference(kind: &str, id: &str, relationship: &str) -> Value {
    json!({"key": {"type": kind, "id": id}, "relationship": relationship})
}

/// A request of v1beta1.
fn job(references: Vec<Value>) -> Value {
    let config = json!({"runtime_config": {"parameters": {"n": 3}}});
    json!({"name": "r", "max_concurrency": 1, "pipeline_spec": config, "resource_references": references})
}

/// The same message with every whole number as an integer.
fn integral(value: &Value) -> Value {
    let mut value = value.clone();
    spec::integral(&mut value);
    value
}

#[tokio::test]
async fn have_the_shape_that_clients_know() {
    let world = World::new().await;
    let experiment = world.experiment("team", "exp").await;
    let (pipeline_id, version_id) = world.pipeline("team", "my-pipe").await;
    let source = json!({"pipeline_id": pipeline_id, "pipeline_version_id": version_id});
    let mut new = stored(&experiment, source.clone());
    let schedule = json!({"cron": "0 0 * * * *", "start_time": "2024-01-02T03:04:05Z"});
    for (field, value) in [
        ("description", json!("words")),
        ("mode", json!("ENABLE")),
        ("no_catchup", json!(true)),
        ("namespace", json!("team")),
        ("trigger", json!({"cron_schedule": schedule})),
        // What is the server's to say is not heard.
        ("recurring_run_id", json!(ABSENT)),
        ("status", json!("DISABLED")),
        ("created_at", json!("2001-01-01T00:00:00Z")),
        ("created_by", json!("somebody")),
    ] {
        new[field] = value;
    }
    let v2 = world.post(V2, new).await;
    let id = text(&v2, "recurring_run_id");
    let mut expect = json!({
        "recurring_run_id": id,
        "display_name": "r",
        "description": "words",
        "pipeline_version_reference": source,
        "runtime_config": {"parameters": {"n": 3}},
        "service_account": "default-editor",
        "max_concurrency": "1",
        "trigger": {"cron_schedule": schedule},
        "mode": "ENABLE",
        "status": "ENABLED",
        "created_at": NOW,
        "updated_at": NOW,
        "created_by": "jane",
        "no_catchup": true,
        "namespace": "team",
        "experiment_id": experiment,
    });
    same(&integral(&v2), &expect);
    same(&integral(&world.get(&format!("{V2}/{id}")).await), &expect);
    let list = world.get(&format!("{V2}?namespace=team")).await;
    same(&integral(&list), &json!({"recurringRuns": [expect], "total_size": 1}));

    let manifest = text(&world.get(&format!("/apis/v1beta1/pipelines/{pipeline_id}/templates")).await, "template");
    let mut v1 = json!({
        "id": id,
        "name": "r",
        "description": "words",
        "pipeline_spec": {
            "pipeline_id": pipeline_id,
            "pipeline_name": "my-pipe",
            "pipeline_manifest": manifest,
            "runtime_config": {"parameters": {"n": 3}},
        },
        "resource_references": [
            reference("NAMESPACE", "team", "OWNER"),
            reference("EXPERIMENT", &experiment, "OWNER"),
            reference("PIPELINE", &pipeline_id, "CREATOR"),
            reference("PIPELINE_VERSION", &version_id, "CREATOR"),
        ],
        "service_account": "default-editor",
        "max_concurrency": "1",
        "trigger": {"cron_schedule": schedule},
        "created_at": NOW,
        "updated_at": NOW,
        "created_by": "jane",
        "status": "ENABLED",
        "enabled": true,
        "no_catchup": true,
    });
    same(&integral(&world.get(&format!("{V1}/{id}")).await), &v1);

    world.tick();
    world.post(&format!("{V2}/{id}:disable"), Value::Null).await;
    for (field, value) in [("mode", "DISABLE"), ("status", "DISABLED"), ("updated_at", LATER)] {
        expect[field] = value.into();
    }
    same(&integral(&world.get(&format!("{V2}/{id}")).await), &expect);
    v1.as_object_mut().unwrap().remove("enabled");
    v1["status"] = "DISABLED".into();
    v1["updated_at"] = LATER.into();
    same(&integral(&world.get(&format!("{V1}/{id}")).await), &v1);
    assert_eq!(world.executor.take(), [], "nothing runs yet");
}

#[tokio::test]
async fn show_their_triggers_as_they_were_given() {
    let world = World::new().await;
    let experiment = world.experiment("team", "exp").await;
    let (from, to) = ("2024-01-01T00:00:00Z", "2025-01-01T00:00:00Z");
    for (given, shown) in [
        (json!(null), json!({})),
        (json!({}), json!({})),
        (
            json!({"periodic_schedule": {"interval_second": 60}}),
            json!({"periodic_schedule": {"interval_second": "60"}}),
        ),
        (
            json!({"periodic_schedule": {"interval_second": "1", "start_time": from, "end_time": to}}),
            json!({"periodic_schedule": {"interval_second": "1", "start_time": from, "end_time": to}}),
        ),
        (
            json!({"cronSchedule": {"cron": "@every 1h", "endTime": "2024-01-01T01:00:00+01:00"}}),
            json!({"cron_schedule": {"cron": "@every 1h", "end_time": from}}),
        ),
        (json!({"cron_schedule": {"cron": "*/5 * * * *"}}), json!({"cron_schedule": {"cron": "*/5 * * * *"}})),
    ] {
        let mut new = hourly(&experiment, "r");
        new["trigger"] = given.clone();
        let made = world.post(V2, new).await;
        same(&made["trigger"], &shown);
        let job_ = world.get(&format!("{V1}/{}", text(&made, "recurring_run_id"))).await;
        same(&job_["trigger"], &shown);
        let mut old = job(vec![reference("EXPERIMENT", &experiment, "OWNER")]);
        old["pipeline_spec"]["pipeline_manifest"] = pipeline().to_string().into();
        old["trigger"] = given;
        same(&world.post(V1, old).await["trigger"], &shown);
    }
}

#[tokio::test]
async fn are_enabled_only_when_asked() {
    let world = World::new().await;
    let experiment = world.experiment("team", "exp").await;
    for (mode, enabled) in
        [(json!(null), false), ("MODE_UNSPECIFIED".into(), false), ("DISABLE".into(), false), ("ENABLE".into(), true)]
    {
        let mut new = hourly(&experiment, "r");
        new["mode"] = mode.clone();
        let expect = if enabled { ("ENABLE", "ENABLED") } else { ("DISABLE", "DISABLED") };
        let made = world.post(V2, new).await;
        assert_eq!((text(&made, "mode").as_str(), text(&made, "status").as_str()), expect, "{mode}");
    }
    for (asked, enabled) in [
        (json!({}), false),
        (json!({"enabled": false}), false),
        (json!({"mode": "DISABLED"}), false),
        (json!({"enabled": true}), true),
        (json!({"mode": "ENABLED"}), true),
    ] {
        let mut new = job(vec![reference("EXPERIMENT", &experiment, "OWNER")]);
        new["pipeline_spec"]["pipeline_manifest"] = pipeline().to_string().into();
        new.as_object_mut().unwrap().extend(asked.as_object().unwrap().clone());
        let made = world.post(V1, new).await;
        assert_eq!(made["enabled"].as_bool().unwrap_or_default(), enabled, "{asked}");
        assert!(made.get("mode").is_none());
    }
}

#[tokio::test]
async fn pin_a_version_or_follow_the_latest() {
    let world = World::new().await;
    let experiment = world.experiment("team", "exp").await;
    let (pipeline_id, first) = world.pipeline("team", "p").await;
    world.tick();
    let second = world.version(&pipeline_id, "v2").await;
    let pinned = json!({"pipeline_id": pipeline_id, "pipeline_version_id": first});
    for given in [pinned.clone(), json!({"pipeline_version_id": first})] {
        let made = world.post(V2, stored(&experiment, given)).await;
        same(&made["pipeline_version_reference"], &pinned);
    }
    let mut old = stored(&experiment, Value::Null);
    old["pipeline_version_id"] = json!(first);
    same(&world.post(V2, old).await["pipeline_version_reference"], &pinned);

    // v2beta1 follows, and has no text of its own.
    let latest = json!({"pipeline_id": pipeline_id});
    let made = world.post(V2, stored(&experiment, latest.clone())).await;
    same(&made["pipeline_version_reference"], &latest);
    let v1 = world.get(&format!("{V1}/{}", text(&made, "recurring_run_id"))).await;
    assert_eq!(v1["resource_references"].as_array().unwrap().len(), 3, "{v1:#}");
    assert_eq!(v1["resource_references"][2], reference("PIPELINE", &pipeline_id, "CREATOR"));
    assert_eq!(
        (&v1["pipeline_spec"]["pipeline_id"], v1["pipeline_spec"].get("pipeline_manifest")),
        (&json!(pipeline_id), None)
    );

    // v1beta1 pins.
    let owner = || reference("EXPERIMENT", &experiment, "OWNER");
    let of_spec = || {
        let mut new = job(vec![owner()]);
        new["pipeline_spec"]["pipeline_id"] = json!(pipeline_id);
        new
    };
    for (new, version) in [
        (job(vec![owner(), reference("PIPELINE_VERSION", &first, "CREATOR")]), &first),
        (job(vec![owner(), reference("PIPELINE", &pipeline_id, "CREATOR")]), &second),
        (of_spec(), &second),
    ] {
        let made = world.post(V1, new).await;
        let v2 = world.get(&format!("{V2}/{}", text(&made, "id"))).await;
        same(&v2["pipeline_version_reference"], &json!({"pipeline_id": pipeline_id, "pipeline_version_id": version}));
    }

    // What is pinned is a copy.
    let made = world.post(V2, stored(&experiment, pinned.clone())).await;
    world.delete(&format!("/apis/v2beta1/pipelines/{pipeline_id}?cascade=true")).await;
    let id = text(&made, "recurring_run_id");
    same(&world.get(&format!("{V2}/{id}")).await["pipeline_version_reference"], &pinned);
    assert!(world.get(&format!("{V1}/{id}")).await["pipeline_spec"]["pipeline_manifest"].is_string());
}

#[tokio::test]
async fn of_an_inline_pipeline() {
    let world = World::new().await;
    let experiment = world.experiment("team", "exp").await;
    let mut new = hourly(&experiment, "r");
    new["runtime_config"]["pipeline_root"] = "s3://bucket/root".into();
    let made = world.post(V2, new).await;
    same(&integral(&made["pipeline_spec"]), &integral(&pipeline()));
    assert!(made.get("pipeline_version_reference").is_none());
    assert_eq!(made["runtime_config"]["pipeline_root"], "s3://bucket/root");
    let v1 = world.get(&format!("{V1}/{}", text(&made, "recurring_run_id"))).await;
    assert_eq!(v1["resource_references"].as_array().unwrap().len(), 2, "{v1:#}");
    assert!(v1["pipeline_spec"].get("pipeline_id").is_none());
    assert!(v1["pipeline_spec"]["pipeline_manifest"].is_string());
}

#[tokio::test]
async fn what_makes_no_sense_is_refused() {
    let world = World::new().await;
    let experiment = world.experiment("team", "exp").await;
    let (one, version) = world.pipeline("team", "one").await;
    let (two, _) = world.pipeline("team", "two").await;
    let (empty, bare) =
        (world.post("/apis/v2beta1/pipelines", json!({"name": "e", "namespace": "team"})).await, json!({}));
    let empty = text(&empty, "pipeline_id");
    let with = |field: &str, value: Value| {
        let mut new = hourly(&experiment, "r");
        new[field] = value;
        new
    };
    let cron = |cron: &str| with("trigger", json!({"cron_schedule": {"cron": cron}}));
    let every = |seconds: i64| with("trigger", json!({"periodic_schedule": {"interval_second": seconds}}));
    let between = |start: &str, end: &str| {
        let schedule = json!({"cron": "0 0 * * * *", "start_time": start, "end_time": end});
        with("trigger", json!({"cron_schedule": schedule}))
    };
    let parameters = |parameters: Value| with("runtime_config", json!({"parameters": parameters}));
    let mut custom = crate::world::pipeline();
    custom["deploymentSpec"]["executors"] = json!({"exec-say": {"customJob": {}}});
    let not_found = |kind: &str, id: &str| format!("{kind} {id} not found");
    let wrong = (400, 3);
    for (new, status, words) in [
        (with("display_name", json!("")), wrong, "(display_name) is required".to_owned()),
        (with("display_name", json!(" ")), wrong, "(display_name) is required".to_owned()),
        (with("display_name", json!("x".repeat(256))), wrong, "at most 255".to_owned()),
        (with("description", json!("x".repeat(65_537))), wrong, "description is too long".to_owned()),
        (with("experiment_id", json!("")), wrong, "does not name an experiment".to_owned()),
        (with("experiment_id", json!(ABSENT)), (404, 5), not_found("Experiment", ABSENT)),
        (with("namespace", json!("other")), wrong, "is not in namespace other".to_owned()),
        (with("max_concurrency", json!(null)), wrong, "max_concurrency is 0, and must be between 1 and 10".to_owned()),
        (with("max_concurrency", json!(11)), wrong, "max_concurrency is 11".to_owned()),
        (with("max_concurrency", json!(-1)), wrong, "max_concurrency is -1".to_owned()),
        (cron(""), wrong, "it has 0 fields where 5 or 6 are wanted".to_owned()),
        (
            cron("0 0 0 * * 7"),
            wrong,
            "trigger.cron_schedule: cron \"0 0 0 * * 7\" is not understood: day of week".to_owned(),
        ),
        (cron("0 0 0 31 2 *"), wrong, "cron \"0 0 0 31 2 *\" never fires".to_owned()),
        (cron(&format!("{} * * * * *", "1,".repeat(300))), wrong, "at most 512".to_owned()),
        (every(0), wrong, "interval_second is 0, and must be at least 1".to_owned()),
        (every(-60), wrong, "interval_second is -60".to_owned()),
        (
            between("2025-01-01T00:00:00Z", "2024-01-01T00:00:00Z"),
            wrong,
            "is not after start_time 2025-01-01T00:00:00Z".to_owned(),
        ),
        (between("2025-01-01T00:00:00Z", "2025-01-01T00:00:00Z"), wrong, "trigger.cron_schedule: end_time".to_owned()),
        (parameters(json!({})), wrong, "parameter \"n\"".to_owned()),
        (parameters(json!({"n": 3, "x": 1})), wrong, "the pipeline has no parameters x".to_owned()),
        (parameters(json!({"n": 3, "s": "x".repeat(1 << 20)})), wrong, "at most 1048576 are allowed".to_owned()),
        (with("pipeline_spec", json!(null)), wrong, "does not say what to execute".to_owned()),
        (with("pipeline_spec", bare), wrong, "document 1".to_owned()),
        (with("pipeline_spec", custom), (501, 12), "a customJob".to_owned()),
        (with("plugins_input", json!({"p": {}})), wrong, "plugins_input".to_owned()),
        (with("service_account", json!("admin")), (403, 7), "may not use serviceaccounts".to_owned()),
        (
            stored(&experiment, json!({"pipeline_id": one, "pipeline_version_id": ABSENT})),
            (404, 5),
            not_found("PipelineVersion", ABSENT),
        ),
        (stored(&experiment, json!({"pipeline_id": ABSENT})), (404, 5), not_found("Pipeline", ABSENT)),
        (
            stored(&experiment, json!({"pipeline_id": two, "pipeline_version_id": version})),
            (404, 5),
            not_found("PipelineVersion", &version),
        ),
        (stored(&experiment, json!({"pipeline_id": empty})), (404, 5), "has no version".to_owned()),
    ] {
        world.refused("POST", V2, new, status, &words).await;
    }

    let owner = || reference("EXPERIMENT", &experiment, "OWNER");
    let of_version = || reference("PIPELINE_VERSION", &version, "CREATOR");
    let with = |field: &str, value: Value| {
        let mut new = job(vec![owner(), of_version()]);
        new[field] = value;
        new
    };
    let v1_parameters = json!({"parameters": [{"name": "n", "value": "3"}]});
    for (new, words) in [
        (with("name", json!("")), "is required"),
        (with("max_concurrency", json!("0")), "max_concurrency is 0"),
        (with("trigger", json!({"cron_schedule": {"cron": "0 0 0 30 2 *"}})), "never fires"),
        (with("trigger", json!({"periodic_schedule": {"interval_second": "0"}})), "at least 1"),
        (with("pipeline_spec", v1_parameters), "are for v1 templates"),
        (job(vec![owner()]), "does not say what to execute"),
        (job(vec![owner(), of_version(), reference("NAMESPACE", "other", "OWNER")]), "is not in namespace other"),
        (job(vec![reference("NAMESPACE", "team", "OWNER"), of_version()]), "does not name an experiment"),
    ] {
        world.refused("POST", V1, new, wrong, words).await;
    }
    same(&world.get(&format!("{V2}?namespace=team")).await, &json!({}));
    // Where the experiment is, both ways of saying so may.
    world.post(V1, job(vec![owner(), of_version(), reference("NAMESPACE", "team", "OWNER")])).await;
}

#[tokio::test]
async fn are_one_thing_in_both_versions() {
    let world = World::new().await;
    let experiment = world.experiment("team", "exp").await;
    let (mut seen, none) = (NOW.to_owned(), Value::Null);
    for version in [V1, V2] {
        let id = text(&world.post(V2, hourly(&experiment, "r")).await, "recurring_run_id");
        let verb = |verb: &str| if version == V1 { format!("{V1}/{id}/{verb}") } else { format!("{V2}/{id}:{verb}") };
        let state = async || {
            let (v1, v2) = (world.get(&format!("{V1}/{id}")).await, world.get(&format!("{V2}/{id}")).await);
            assert_eq!((&v1["status"], &v1["updated_at"]), (&v2["status"], &v2["updated_at"]));
            (text(&v2, "status"), text(&v2, "updated_at"))
        };
        for (asked, expect, changes) in [
            ("disable", "DISABLED", false),
            ("enable", "ENABLED", true),
            ("enable", "ENABLED", false),
            ("disable", "DISABLED", true),
        ] {
            let before = state().await.1;
            world.tick();
            same(&world.post(&verb(asked), none.clone()).await, &json!({}));
            let (status, updated) = state().await;
            assert_eq!((status.as_str(), updated != before), (expect, changes), "{asked}");
            assert!(updated >= seen, "{updated} after {seen}");
            seen = updated;
        }
        same(&world.delete(&format!("{version}/{id}")).await, &json!({}));
        for (method, path) in [
            ("GET", format!("{V1}/{id}")),
            ("GET", format!("{V2}/{id}")),
            ("POST", verb("enable")),
            ("POST", verb("disable")),
            ("DELETE", format!("{version}/{id}")),
        ] {
            world.refused(method, &path, none.clone(), (404, 5), &format!("RecurringRun {id} not found")).await;
        }
    }
    for policy in ["FOREGROUND", "BACKGROUND", "ORPHAN"] {
        let id = text(&world.post(V2, hourly(&experiment, "r")).await, "recurring_run_id");
        world.delete(&format!("{V2}/{id}?propagation_policy={policy}")).await;
    }
}

#[tokio::test]
async fn stop_when_their_experiment_is_archived() {
    let world = World::new().await;
    let (one, two) = (world.experiment("team", "one").await, world.experiment("team", "two").await);
    let mut ids = Vec::new();
    for experiment in [&one, &two] {
        let mut new = hourly(experiment, "r");
        new["mode"] = "ENABLE".into();
        ids.push(text(&world.post(V2, new).await, "recurring_run_id"));
    }
    let states = async || {
        let state = async |id: &str| text(&world.get(&format!("{V2}/{id}")).await, "status");
        (state(&ids[0]).await, state(&ids[1]).await)
    };
    let expect = ("DISABLED".to_owned(), "ENABLED".to_owned());
    world.post(&format!("/apis/v2beta1/experiments/{one}:archive"), Value::Null).await;
    assert_eq!(states().await, expect);
    world.post(&format!("/apis/v2beta1/experiments/{one}:unarchive"), Value::Null).await;
    assert_eq!(states().await, expect, "somebody has to want them again");
}

#[tokio::test]
async fn are_listed_by_namespace_and_by_experiment() {
    let world = World::new().await;
    let (one, two) = (world.experiment("team", "one").await, world.experiment("team", "two").await);
    let other = world.experiment("other", "one").await;
    for (experiment, name) in [(&one, "a"), (&two, "b"), (&one, "c"), (&other, "d")] {
        world.post(V2, hourly(experiment, name)).await;
        world.tick();
    }
    let by = |kind: &str, id: &str| format!("{V1}?resource_reference_key.type={kind}&resource_reference_key.id={id}");
    let filter = |key: &str, value: &str| {
        encoded(&json!({"predicates": [{"operation": "EQUALS", "key": key, "string_value": value}]}).to_string())
    };
    for (path, expect) in [
        (format!("{V2}?namespace=team"), "abc"),
        (format!("{V2}?namespace=other"), "d"),
        (format!("{V2}?experiment_id={one}"), "ac"),
        (format!("{V2}?namespace=team&experiment_id={two}"), "b"),
        (by("NAMESPACE", "team"), "abc"),
        (by("EXPERIMENT", &one), "ac"),
        (format!("{V2}?namespace=team&sort_by=display_name%20desc"), "cba"),
        (format!("{V2}?namespace=team&sort_by=updated_at%20desc&page_size=2"), "cb"),
        (format!("{}&sort_by=name%20desc", by("NAMESPACE", "team")), "cba"),
        (format!("{V2}?namespace=team&filter={}", filter("display_name", "b")), "b"),
        (format!("{V2}?namespace=team&filter={}", filter("experiment_id", &one)), "ac"),
        (format!("{V2}?namespace=team&filter={}", filter("created_by", "jane")), "abc"),
        (format!("{V2}?namespace=team&filter={}", filter("created_by", "john")), ""),
    ] {
        let list = world.get(&path).await;
        let (rows, name) = if path.starts_with(V1) { ("jobs", "name") } else { ("recurringRuns", "display_name") };
        let names: String = list[rows].as_array().into_iter().flatten().map(|row| text(row, name)).collect();
        assert_eq!(names, expect, "{path}: {list:#}");
    }
    let first = world.get(&format!("{V2}?namespace=team&page_size=2")).await;
    assert_eq!((&first["total_size"], first["recurringRuns"].as_array().unwrap().len()), (&json!(3), 2));
    let token = text(&first, "next_page_token");
    let second = world.get(&format!("{V2}?namespace=team&page_token={token}")).await;
    assert_eq!(
        (text(&second["recurringRuns"][0], "display_name").as_str(), second.get("next_page_token")),
        ("c", None)
    );
    for (path, words) in [
        (V2.to_owned(), "does not name"),
        (V1.to_owned(), "does not name"),
        (format!("{V2}?namespace=team&sort_by=pipeline_id"), "pipeline_id"),
        (format!("{V2}?namespace=team&filter={}", filter("spec", "x")), "spec"),
        (format!("/apis/v2beta1/runs?namespace=team&page_token={token}"), "not made for this list"),
        (format!("{V2}?namespace=other&experiment_id={one}"), "two namespaces"),
    ] {
        world.refused("GET", &path, Value::Null, (400, 3), words).await;
    }
    world.refused("GET", &format!("{V2}?experiment_id={ABSENT}"), Value::Null, (404, 5), "Experiment").await;
}

#[tokio::test]
async fn of_a_single_user_have_no_namespace() {
    let world = World::single_user().await;
    let mut new = hourly("", "r");
    new["namespace"] = "team".into();
    let made = world.post(V2, new).await;
    assert!(made.get("namespace").is_none(), "{made:#}");
    assert_eq!(text(&made, "created_by"), "local");
    let experiment = world.get(&format!("/apis/v2beta1/experiments/{}", text(&made, "experiment_id"))).await;
    assert_eq!(experiment["display_name"], "Default");
    let run = world.run("", "run").await;
    assert_eq!(run["experiment_id"], made["experiment_id"], "runs go to the same one");
    let v1 = world.get(&format!("{V1}/{}", text(&made, "recurring_run_id"))).await;
    let owner = [reference("EXPERIMENT", &text(&made, "experiment_id"), "OWNER")];
    same(&v1["resource_references"], &json!(owner));
    for path in [V2, "/apis/v2beta1/recurringruns?namespace=x", V1] {
        assert_eq!(world.get(path).await["total_size"], 1, "{path}");
    }
    let mut old = job(vec![reference("NAMESPACE", "x", "OWNER")]);
    old["pipeline_spec"]["pipeline_manifest"] = pipeline().to_string().into();
    assert_eq!(world.post(V1, old).await["resource_references"][0]["key"]["id"], experiment["experiment_id"]);
}
