//! Runs as they proceed: what `WatchRun` and `FollowLogs` tell over streams that break off at any message.
use crate::world::{World, encoded, text};
use access::Grant;
use axum::body::Body;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use domain::{Home, Namespace, RunId, RuntimeState, StateChange, Task, Timestamp};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use std::{collections::BTreeMap, time::Duration};
use store::Progress;

/// How long anything here may take.
const SOON: Duration = Duration::from_secs(20);

const PENDING: RuntimeState = RuntimeState::Pending;
const RUNNING: RuntimeState = RuntimeState::Running;
const SUCCEEDED: RuntimeState = RuntimeState::Succeeded;
const FAILED: RuntimeState = RuntimeState::Failed;

/// A run in `team`, whose tasks are brought forward by hand, as the executor does.
struct House {
    world: World,
    run: String,
    tasks: Vec<Task>,
}

fn grant<V, T>() -> Grant<V, T> {
    Grant::forge("system", Home::Namespace(Namespace::parse("team").unwrap()))
}

impl House {
    async fn new(count: usize) -> Self {
        let world = World::new().await;
        let experiment = world.experiment("team", "exp").await;
        let run = text(&world.run(&experiment, "r").await, "run_id");
        let task = |at: usize| Task::pending(RunId::from_text(run.clone()), &format!("task-{at}"), Timestamp(0));
        let tasks = (0..count).map(task).collect();
        Self { world, run, tasks }
    }

    /// One step: tasks reach a state in an attempt, and the run one.
    async fn step(&mut self, which: &[usize], state: RuntimeState, attempt: u32, run: RuntimeState) {
        for at in which {
            let task = &mut self.tasks[*at];
            (task.state, task.attempt) = (state, attempt);
            task.history.push(StateChange { attempt, ..StateChange::new(Timestamp(1), state, None) });
            task.started_at = task.started_at.or((state == RUNNING).then_some(Timestamp(1)));
        }
        let progress = Progress {
            run_id: RunId::from_text(self.run.clone()),
            pipeline_name: "p".into(),
            engine: "the engine's state".into(),
            state: run,
            error: None,
            outputs: None,
            tasks: which.iter().map(|at| self.tasks[*at].clone()).collect(),
        };
        let revision = self.world.store.save_progress(&grant(), progress).await.unwrap();
        self.tasks.iter_mut().flat_map(|task| &mut task.history).for_each(|change| change.stamp(revision));
    }

    async fn retry(&self) {
        self.world.store.retry_run(&grant(), &self.run).await.unwrap();
    }

    async fn open(&self, what: &str, query: &str, cursor: &str) -> Messages {
        let path = format!("/apis/bulkhead/v1/runs/{}:{what}?{query}&cursor={}", self.run, encoded(cursor));
        let response = self.world.open(&path).await;
        assert_eq!(response.status(), 200);
        Messages { body: response.into_body(), buffer: Vec::new() }
    }
}

/// The messages of a stream.
struct Messages {
    body: Body,
    buffer: Vec<u8>,
}

impl Messages {
    async fn next(&mut self) -> Option<Value> {
        loop {
            if let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.buffer.drain(..=end).collect();
                let mut message: Value = serde_json::from_slice(&line).unwrap();
                return Some(message["result"].take());
            }
            let frame = tokio::time::timeout(SOON, self.body.frame()).await.unwrap()?;
            self.buffer.extend_from_slice(&frame.unwrap().into_data().unwrap());
        }
    }
}

/// What a watcher has been told.
#[derive(Default)]
struct Told {
    cursor: String,
    tasks: BTreeMap<String, Vec<(String, u64)>>,
    run: Vec<String>,
    ended: bool,
}

impl Told {
    fn take(&mut self, message: &Value) {
        let states = |of: &Value| -> Vec<(String, u64)> {
            let changes = of["changes"].as_array().into_iter().flatten();
            changes.map(|change| (text(change, "state"), change["attempt"].as_u64().unwrap_or_default())).collect()
        };
        self.cursor = text(message, "cursor");
        for task in message["tasks"].as_array().into_iter().flatten() {
            self.tasks.entry(text(task, "path")).or_default().extend(states(task));
        }
        self.run.extend(states(&message["run"]).into_iter().map(|(state, _)| state));
        self.ended = message["ended"] == true;
    }
}

#[tokio::test]
async fn a_run_is_told_in_parts_by_whoever_is_connected() {
    let mut house = House::new(1_100).await;
    let all: Vec<usize> = (0..1_100).collect();
    house.step(&all, PENDING, 0, RUNNING).await;
    house.step(&all, RUNNING, 0, RUNNING).await;
    let mut told = Told::default();
    let mut parts = Vec::new();
    // Each message comes over a connection of its own, and the run goes on in between.
    while !told.ended {
        let message = house.open("watch", "", &told.cursor).await.next().await.unwrap();
        parts.push(message["tasks"].as_array().map_or(0, Vec::len));
        told.take(&message);
        match parts.len() {
            1 => house.step(&all, PENDING, 0, RUNNING).await,
            2 => house.step(&all, RUNNING, 1, RUNNING).await,
            3 => house.step(&all, SUCCEEDED, 1, SUCCEEDED).await,
            _ => {}
        }
        assert!(parts.len() < 20, "{parts:?}");
    }
    assert_eq!(parts, [500, 500, 100, 500, 500, 100]);
    let expect = [("PENDING", 0), ("RUNNING", 0), ("PENDING", 0), ("RUNNING", 1), ("SUCCEEDED", 1)];
    let expect = expect.map(|(state, attempt)| (state.to_owned(), attempt));
    assert_eq!(told.tasks.len(), all.len());
    assert!(told.tasks.values().all(|task| *task == expect), "{:?}", told.tasks.values().next());
    assert_eq!(told.run, ["PENDING", "RUNNING", "SUCCEEDED"]);
    // Who comes back hears that this was the end.
    let mut again = house.open("watch", "", &told.cursor).await;
    let message = again.next().await.unwrap();
    assert_eq!((&message["ended"], message["tasks"].as_array().map_or(0, Vec::len)), (&json!(true), 0));
    assert!(again.next().await.is_none());
    // A retry goes on from there.
    house.step(&[], SUCCEEDED, 1, FAILED).await;
    house.retry().await;
    let mut told = Told { cursor: told.cursor, ..Told::default() };
    told.take(&house.open("watch", "", &told.cursor).await.next().await.unwrap());
    assert_eq!((told.run, told.tasks.len(), told.ended), (vec!["FAILED".to_owned(), "PENDING".to_owned()], 0, false));
}

#[tokio::test]
async fn who_watches_is_woken() {
    let mut house = House::new(1).await;
    let mut stream = house.open("watch", "", "").await;
    stream.next().await.unwrap();
    let (steps, began) = (20, std::time::Instant::now());
    for step in 0..steps {
        house.step(&[0], if step % 2 == 0 { RUNNING } else { PENDING }, 0, RUNNING).await;
        let message = stream.next().await.unwrap();
        assert_eq!(message["tasks"][0]["changes"].as_array().map_or(0, Vec::len), 1);
    }
    assert!(began.elapsed() < Duration::from_secs(steps / 2), "nobody waits for the next poll: {:?}", began.elapsed());
}

#[tokio::test]
async fn a_message_is_a_mebibyte_or_one_task() {
    let mut house = House::new(5).await;
    // Numbers are short as text and long in a message.
    for (task, count) in house.tasks.iter_mut().zip([20_000, 20_000, 20_000, 20_000, 200_000]) {
        task.outputs.parameters.insert("numbers".into(), json!(vec![1; count]));
    }
    house.tasks.sort_by(|one, other| one.id.cmp(&other.id));
    house.step(&[0, 1, 2, 3, 4], SUCCEEDED, 0, SUCCEEDED).await;
    let mut stream = house.open("watch", "", "").await;
    let (mut told, mut most) = (Told::default(), 0);
    while let Some(message) = stream.next().await {
        let lengths = message["tasks"].as_array().into_iter().flatten();
        let numbers: Vec<usize> =
            lengths.map(|task| task["outputs"]["parameters"]["numbers"].as_array().unwrap().len()).collect();
        let sum = numbers.iter().sum();
        assert!(numbers.len() == 1 || sum < 100_000, "{numbers:?}");
        most = most.max(sum);
        told.take(&message);
    }
    assert!(told.ended && most == 200_000);
    assert!(told.tasks.len() == 5 && told.tasks.values().all(|task| task.len() == 1), "{:?}", told.tasks);
}

#[tokio::test]
async fn cursors_are_ones_that_were_given() {
    let mut house = House::new(1).await;
    house.step(&[0], RUNNING, 0, RUNNING).await;
    for (what, rpc) in [("watch", "WatchRun"), ("followLogs", "FollowLogs")] {
        for cursor in ["x", "-1", "bm8", "e30", &"A".repeat(60 << 10)] {
            let path = format!("/apis/bulkhead/v1/runs/{}:{what}?cursor={cursor}", house.run);
            let words = format!("cursor is not one that {rpc} has given");
            house.world.refused("GET", &path, Value::Null, (400, 3), &words).await;
        }
    }
    // What was given before there were parts is still good.
    let message = house.open("watch", "", "1").await.next().await.unwrap();
    assert_eq!(message["tasks"].as_array().map_or(0, Vec::len), 1);
    assert_eq!(message["run"]["changes"].as_array().map_or(0, Vec::len), 1);
    // What nobody was given does no harm.
    let most = u64::MAX;
    for cursor in
        [json!({"r": most}), json!({"r": most, "p": {"r": most, "t": ""}}), json!({"r": 0, "p": {"r": most, "t": "z"}})]
    {
        house.open("watch", "", &BASE64.encode(cursor.to_string())).await;
    }
}
