//! Runs that schedules make: what they are, by whose right, and what is told of it.
use crate::world::{NOW, World, inline, text};
use access::Grant;
use domain::{Code, Due, Fence, Fired, Firing, Home, Namespace, RecurringRunId, Timestamp};
use serde_json::{Value, json};
use server::Schedules;
use std::time::Duration;

const V1: &str = "/apis/v1beta1/jobs";
const V2: &str = "/apis/v2beta1/recurringruns";
const SCHEDULES: &str = "/apis/bulkhead/v1/schedules";
const INVALID: (u16, i32) = (400, 3);

/// A request for the inline pipeline by a trigger.
fn every(experiment: &str, trigger: Value) -> Value {
    let mut new = inline(experiment, "My Job!");
    new["max_concurrency"] = "1".into();
    new["mode"] = "ENABLE".into();
    new["trigger"] = trigger;
    new
}

fn minutely() -> Value {
    json!({"periodic_schedule": {"interval_second": "60"}})
}

fn cron(cron: &str) -> Value {
    json!({"cron_schedule": {"cron": cron}})
}

/// Has the run of a moment made, as the scheduler does.
async fn fire(world: &World, id: &str, at: Timestamp) -> domain::Result<Fired> {
    let due = Due { id: RecurringRunId::from_text(id), namespace: Namespace::parse("team").unwrap(), next_at: at };
    let all = Grant::forge("system", Home::Cluster);
    let (schedule, owner) = world.store.schedules_due(&all, std::slice::from_ref(&due)).await.unwrap().remove(0);
    let (id, revision) = (due.id, schedule.revision);
    let firing = Firing {
        id,
        revision,
        fence: Fence::Alone,
        at,
        passed: None,
        next_at: Some(at.after(Duration::from_secs(60))),
    };
    server::fire(&world.context, owner.as_ref(), &schedule, firing).await
}

fn now(world: &World) -> Timestamp {
    world.store.now()
}

#[tokio::test]
async fn a_moment_makes_a_run_of_its_owner() {
    let world = World::new().await;
    let experiment = world.experiment("team", "exp").await;
    let mut new = every(&experiment, minutely());
    new["runtime_config"] = json!({"parameters": {"n": 3, "t": "[[ScheduledTime]] [[Index]] [[RunUUID]]"}});
    let mut spec = new["pipeline_spec"].clone();
    spec["root"]["inputDefinitions"]["parameters"]["t"] = json!({"parameterType": "STRING", "isOptional": true});
    new["pipeline_spec"] = spec;
    let id = text(&world.post(V2, new).await, "recurring_run_id");
    let Fired::Made(run) = fire(&world, &id, Timestamp::from_seconds(1_700_000_060)).await.unwrap() else { panic!() };
    let made = world.get(&format!("/apis/v2beta1/runs/{run}")).await;
    let name = text(&made, "display_name");
    let (head, hash) = name.rsplit_once('-').unwrap();
    assert!(head.starts_with("myjob") && head.ends_with("-1") && head.len() == "myjob12345-1".len(), "{name}");
    assert!(hash.parse::<u32>().is_ok(), "{name}");
    assert_eq!(made["recurring_run_id"], id.as_str());
    assert_eq!((&made["created_by"], &made["scheduled_at"]), (&json!("jane"), &json!("2023-11-14T22:14:20Z")));
    assert_eq!(made["runtime_config"]["parameters"]["t"], format!("20231114221420 1 {run}"));
    assert_eq!(world.executor.take(), [("team".to_owned(), run.to_string())]);

    let ticks = world.get(&format!("{SCHEDULES}/{id}/ticks")).await;
    let expect = json!([{
        "fire_time": "2023-11-14T22:14:20Z",
        "until_time": "2023-11-14T22:14:20Z",
        "moments": "1",
        "outcome": "FIRED",
        "run_id": run.to_string(),
        "decided_at": NOW,
    }]);
    assert_eq!(ticks["ticks"], expect, "{ticks:#}");
    let schedule = world.get(&format!("{SCHEDULES}/{id}")).await;
    assert_eq!(schedule["last_time"], "2023-11-14T22:14:20Z");
    assert_eq!(schedule["next_times"][0], "2023-11-14T22:15:20Z");
    assert_eq!(
        (&schedule["fired"], &schedule["active"], &schedule["owner"]),
        (&json!("1"), &json!("1"), &json!("jane"))
    );
    let all = world.get(&format!("{SCHEDULES}?namespace=team")).await;
    assert_eq!(all["schedules"], json!([schedule]));
    assert_eq!(world.get(&format!("{SCHEDULES}?namespace=other")).await["schedules"], Value::Null);
}

#[tokio::test]
async fn a_withdrawn_right_is_withdrawn() {
    let world = World::new().await;
    let experiment = world.experiment("team", "exp").await;
    let id = text(&world.post(V2, every(&experiment, minutely())).await, "recurring_run_id");
    assert!(matches!(fire(&world, &id, now(&world)).await, Ok(Fired::Made(_))));
    world.withdraw();
    let refusal = fire(&world, &id, now(&world)).await.unwrap_err();
    assert_eq!(refusal.code(), Code::PermissionDenied);
    assert_eq!(refusal.message(), "jane may not get jobs in namespace team any more");
}

#[tokio::test]
async fn recorded_groups_are_not_relied_on_for_ever() {
    let hour = Duration::from_secs(3600);
    let world = World::scheduling(Schedules { owner_max_age: Some(hour), ..Schedules::default() }).await;
    let experiment = world.experiment("team", "exp").await;
    let mut new = every(&experiment, minutely());
    new["max_concurrency"] = "5".into();
    let id = text(&world.post(V2, new).await, "recurring_run_id");
    world.pass_seconds(3600);
    assert!(matches!(fire(&world, &id, now(&world)).await, Ok(Fired::Made(_))));
    world.pass_seconds(1);
    let refusal = fire(&world, &id, now(&world)).await.unwrap_err();
    assert_eq!(refusal.code(), Code::PermissionDenied);
    let expect = "the groups of jane were recorded at 2023-11-14T22:13:20Z, and may not be relied on for as long \
                  (schedules.owner_max_age of the server's configuration): enable it again";
    assert_eq!(refusal.message(), expect);
    world.post(&format!("{V2}/{id}:enable"), Value::Null).await;
    assert!(matches!(fire(&world, &id, now(&world)).await, Ok(Fired::Made(_))));
}

#[tokio::test]
async fn a_namespace_says_how_often_is_too_often() {
    let least = Duration::from_secs;
    let other = Namespace::parse("other").unwrap();
    let schedules =
        Schedules { min_interval: least(60), namespaces: [(other, least(1))].into(), ..Schedules::default() };
    let world = World::scheduling(schedules).await;
    let (experiment, free) = (world.experiment("team", "exp").await, world.experiment("other", "exp").await);
    let often = [cron("*/30 * * * * *"), cron("@every 59s"), json!({"periodic_schedule": {"interval_second": "59"}})];
    for trigger in often {
        world.refused("POST", V2, every(&experiment, trigger.clone()), INVALID, "at least 60 s are between two").await;
        world.post(V2, every(&free, trigger)).await;
    }
    for trigger in [minutely(), cron("0 * * * * *"), cron("@every 1m"), json!({})] {
        world.post(V2, every(&experiment, trigger)).await;
    }
}

#[tokio::test]
async fn what_they_execute_is_found_each_time() {
    let world = World::new().await;
    let experiment = world.experiment("team", "exp").await;
    let (pipeline_id, version_id) = world.pipeline("team", "my-pipe").await;
    let of = |reference: Value| {
        let mut new = every(&experiment, minutely());
        new.as_object_mut().unwrap().remove("pipeline_spec");
        new["pipeline_version_reference"] = reference;
        new["max_concurrency"] = "5".into();
        new
    };
    let pinned = of(json!({"pipeline_id": pipeline_id, "pipeline_version_id": version_id}));
    let pinned = text(&world.post(V2, pinned).await, "recurring_run_id");
    let latest = text(&world.post(V2, of(json!({"pipeline_id": pipeline_id}))).await, "recurring_run_id");
    let version = async |id: &str, at: i64| {
        let made = fire(&world, id, now(&world).after(Duration::from_secs(at.unsigned_abs()))).await;
        let Fired::Made(run) = made.unwrap() else { panic!() };
        let run = world.get(&format!("/apis/v2beta1/runs/{run}")).await;
        run["pipeline_version_reference"]["pipeline_version_id"].as_str().unwrap_or_default().to_owned()
    };
    assert_eq!(version(&latest, 1).await, version_id);
    world.tick();
    let second = world.version(&pipeline_id, "second").await;
    assert_eq!(version(&latest, 2).await, second);
    assert_eq!(version(&pinned, 1).await, version_id);
    world.delete(&format!("/apis/v2beta1/pipelines/{pipeline_id}/versions/{version_id}")).await;
    assert_eq!(version(&pinned, 2).await, version_id, "its text was kept");
    world.delete(&format!("/apis/v2beta1/pipelines/{pipeline_id}/versions/{second}")).await;
    let refusal = fire(&world, &latest, now(&world).after(Duration::from_secs(9))).await.unwrap_err();
    assert_eq!(refusal.code(), Code::NotFound, "{refusal}");
}

#[tokio::test]
async fn time_zones_are_read_and_shown() {
    let world = World::scheduling(Schedules { time_zone: "Asia/Tokyo".into(), ..Schedules::default() }).await;
    let experiment = world.experiment("team", "exp").await;
    let zoned = |cron: &str, zone: &str| json!({"cron_schedule": {"cron": cron, "time_zone": zone}});
    // The expression, the zone beside it, what is shown of both, and when it is nine o'clock there.
    let table = [
        ("0 0 9 * * *", "", "Asia/Tokyo", "2023-11-15T00:00:00Z"),
        ("0 0 9 * * *", "europe/berlin", "Europe/Berlin", "2023-11-15T08:00:00Z"),
        ("CRON_TZ=America/New_York 0 0 9 * * *", "", "America/New_York", "2023-11-15T14:00:00Z"),
        ("TZ=UTC 0 0 9 * * *", "", "UTC", "2023-11-15T09:00:00Z"),
        ("TZ=europe/berlin 0 0 9 * * *", "Europe/Berlin", "Europe/Berlin", "2023-11-15T08:00:00Z"),
    ];
    for (text_of_it, zone, expect, next) in table {
        let made = world.post(V2, every(&experiment, zoned(text_of_it, zone))).await;
        let schedule = &made["trigger"]["cron_schedule"];
        assert_eq!(schedule["cron"], text_of_it);
        assert_eq!(schedule["time_zone"].as_str().unwrap_or_default(), expect);
        let id = text(&made, "recurring_run_id");
        assert_eq!(world.get(&format!("{SCHEDULES}/{id}")).await["next_times"][0], next, "{text_of_it} {zone}");
        let job = world.get(&format!("{V1}/{id}")).await;
        assert_eq!(&job["trigger"]["cron_schedule"], schedule);
    }
    for (cron, zone, words) in [
        ("0 0 9 * * *", "Mars/Olympus", "time zone \"Mars/Olympus\" is not known"),
        ("TZ=Asia/Tokyo 0 0 9 * * *", "UTC", "give one of them"),
        ("TZ=Asia/Tokyo", "", "cron"),
    ] {
        world.refused("POST", V2, every(&experiment, zoned(cron, zone)), INVALID, words).await;
    }
}

#[tokio::test]
async fn somebody_can_have_one_fired() {
    let world = World::new().await;
    let experiment = world.experiment("team", "exp").await;
    let mut new = every(&experiment, cron("0 0 0 1 1 *"));
    new["mode"] = "DISABLE".into();
    let id = text(&world.post(V2, new).await, "recurring_run_id");
    let path = format!("{SCHEDULES}/{id}:fire");
    let run = text(&world.post(&path, Value::Null).await, "run_id");
    let made = world.get(&format!("/apis/v2beta1/runs/{run}")).await;
    assert_eq!((&made["recurring_run_id"], &made["scheduled_at"]), (&json!(id), &json!(NOW)));
    assert_eq!(world.executor.take(), [("team".to_owned(), run)]);
    world.refused("POST", &path, Value::Null, (400, 9), "may have 1 runs at one time, and 1 go on").await;
    let ticks = world.get(&format!("{SCHEDULES}/{id}/ticks")).await;
    assert_eq!(ticks["ticks"][0]["reason"], "asked for by jane");
    let schedule = world.get(&format!("{SCHEDULES}/{id}")).await;
    assert_eq!((&schedule["fired"], &schedule["next_times"]), (&json!("1"), &Value::Null));
}

/// Zero as some clients write it, moments that no message has a place for, and one before all of them.
#[tokio::test]
async fn extreme_times_do_no_harm() {
    let world = World::new().await;
    let experiment = world.experiment("team", "exp").await;
    let periodic = |seconds: i64, start: &str| json!({"periodic_schedule": {"interval_second": seconds.to_string(), "start_time": start}});
    for start in ["0001-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "1970-01-01T00:00:00Z"] {
        let made = world.post(V2, every(&experiment, periodic(60, start))).await;
        assert_eq!(
            made["trigger"]["periodic_schedule"]["start_time"].as_str().unwrap_or("1970-01-01T00:00:00Z"),
            "1970-01-01T00:00:00Z"
        );
        let schedule = world.get(&format!("{SCHEDULES}/{}", text(&made, "recurring_run_id"))).await;
        assert_eq!(schedule["next_times"][0], "2023-11-14T22:14:20Z", "{start}");
    }
    for seconds in [1_000_000_000_000, i64::MAX] {
        let made = world.post(V2, every(&experiment, periodic(seconds, "2024-01-01T00:00:00Z"))).await;
        let schedule = world.get(&format!("{SCHEDULES}/{}", text(&made, "recurring_run_id"))).await;
        assert_eq!(schedule["next_times"], json!(["2024-01-01T00:00:00Z"]));
    }
    world.get(&format!("{SCHEDULES}?namespace=team")).await;
}

/// A run that no schedule makes has its macros too, but for the index.
#[tokio::test]
async fn macros_of_a_run_alone() {
    let world = World::new().await;
    let experiment = world.experiment("team", "exp").await;
    let mut new = inline(&experiment, "one");
    new["pipeline_spec"]["root"]["inputDefinitions"]["parameters"]["t"] = json!({"parameterType": "STRING"});
    new["runtime_config"] =
        json!({"parameters": {"n": 3, "t": "[[CurrentTime]] [[Index]] {{$.scheduledTime.strftime('%Y')}}"}});
    let made = world.post("/apis/v2beta1/runs", new).await;
    assert_eq!(made["runtime_config"]["parameters"]["t"], "20231114221320 [[Index]] 2023");
}
