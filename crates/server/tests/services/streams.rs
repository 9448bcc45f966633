//! Runs as they proceed: what `WatchRun` and `FollowLogs` tell over streams that break off at any message.
use crate::world::{World, encoded, text};
use access::Grant;
use axum::body::Body;
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD as BASE64},
};
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

/// What a follower has read, by task and attempt.
type Text = BTreeMap<(String, u64), String>;

fn read(text: &mut Text, message: &Value) -> String {
    let data = STANDARD.decode(message["data"].as_str().unwrap()).unwrap();
    let key = (message["path"].as_str().unwrap().to_owned(), message["attempt"].as_u64().unwrap_or_default());
    *text.entry(key).or_default() += std::str::from_utf8(&data).unwrap();
    message["cursor"].as_str().unwrap().to_owned()
}

impl House {
    fn print(&self, at: usize, attempt: u32, words: &str) {
        self.world.files.write(&self.tasks[at], attempt, words.as_bytes());
    }

    /// One message over a connection of its own.
    async fn hear(&self, cursor: &mut String, text: &mut Text) {
        *cursor = read(text, &self.open("followLogs", "", cursor).await.next().await.unwrap());
    }

    /// Everything that there is, over connections that break after some messages; gives the longest cursor.
    async fn hear_all(&self, patience: usize, cursor: &mut String, text: &mut Text) -> usize {
        let mut longest = 0;
        loop {
            let mut stream = self.open("followLogs", "no_follow=true", cursor).await;
            for _ in 0..patience {
                let Some(message) = stream.next().await else { return longest };
                *cursor = read(text, &message);
                longest = longest.max(cursor.len());
            }
        }
    }
}

fn texts(expect: &[(&str, u64, &str)]) -> Text {
    expect.iter().map(|(path, attempt, text)| (((*path).to_owned(), *attempt), (*text).to_owned())).collect()
}

#[tokio::test]
async fn nothing_is_told_again_after_a_retry() {
    for hang_up in [false, true] {
        let mut house = House::new(3).await;
        house.step(&[0, 1, 2], PENDING, 0, RUNNING).await;
        house.step(&[0, 1], RUNNING, 0, RUNNING).await;
        house.print(0, 0, "good");
        house.print(1, 0, "bad");
        let (mut cursor, mut text) = (String::new(), Text::new());
        if hang_up {
            // In the middle of a round: one task is told, and the other is not.
            house.hear(&mut cursor, &mut text).await;
            assert_eq!(text.len(), 1);
        }
        house.step(&[0], SUCCEEDED, 0, RUNNING).await;
        house.step(&[1], FAILED, 0, RUNNING).await;
        house.step(&[2], RuntimeState::Skipped, 0, FAILED).await;
        house.hear_all(1, &mut cursor, &mut text).await;
        assert_eq!(text, texts(&[("task-0", 0, "good"), ("task-1", 0, "bad")]));

        house.retry().await;
        house.step(&[1], PENDING, 1, RUNNING).await;
        house.step(&[2], PENDING, 0, RUNNING).await;
        house.hear_all(1, &mut cursor, &mut text).await;
        house.step(&[1], RUNNING, 1, RUNNING).await;
        house.print(1, 1, "better");
        house.hear(&mut cursor, &mut text).await;
        // The machine fails, and the task is tried once more.
        house.print(1, 1, ", but");
        house.step(&[1], PENDING, 1, RUNNING).await;
        house.hear_all(1, &mut cursor, &mut text).await;
        house.step(&[1], RUNNING, 2, RUNNING).await;
        house.print(1, 2, "best");
        house.step(&[1], SUCCEEDED, 2, RUNNING).await;
        house.step(&[2], RUNNING, 0, RUNNING).await;
        house.print(2, 0, "first");
        house.step(&[2], SUCCEEDED, 0, SUCCEEDED).await;
        house.hear_all(1, &mut cursor, &mut text).await;
        let mut expect = texts(&[("task-0", 0, "good"), ("task-1", 0, "bad"), ("task-1", 1, "better, but")]);
        expect.extend(texts(&[("task-1", 2, "best"), ("task-2", 0, "first")]));
        assert_eq!(text, expect);
        // And whoever comes late hears the same.
        let (mut cursor, mut late) = (String::new(), Text::new());
        house.hear_all(1, &mut cursor, &mut late).await;
        assert_eq!(late, expect);
    }
}

#[tokio::test]
async fn a_slow_reader_hears_everything_once() {
    let mut house = House::new(4).await;
    house.step(&[0, 1, 2, 3], RUNNING, 0, RUNNING).await;
    let mut stream = house.open("followLogs", "", "").await;
    let (mut text, mut expect) = (Text::new(), Text::new());
    let mut say = |house: &House, at: usize, words: String| {
        house.print(at, 0, &words);
        *expect.entry((format!("task-{at}"), 0)).or_default() += &words;
    };
    // Between any two messages something is printed, and at last printed just before the task ends.
    for round in 0..40 {
        let at = round % 4;
        say(&house, at, format!("{round} {}\n", "x".repeat(if round % 3 == 0 { 100_000 } else { 10 })));
        read(&mut text, &stream.next().await.unwrap());
    }
    for at in 0..4 {
        say(&house, at, "the end\n".into());
        house.step(&[at], SUCCEEDED, 0, if at == 3 { SUCCEEDED } else { RUNNING }).await;
    }
    while let Some(message) = stream.next().await {
        read(&mut text, &message);
    }
    assert!(text == expect, "{:?}", text.iter().map(|(key, text)| (key, text.len())).collect::<Vec<_>>());
}

#[tokio::test]
async fn cursors_of_logs_are_short() {
    let mut house = House::new(1_200).await;
    let all: Vec<usize> = (0..1_200).collect();
    house.step(&all, PENDING, 0, RUNNING).await;
    for at in &all {
        house.print(*at, 0, "once\n");
    }
    house.step(&all, RUNNING, 0, RUNNING).await;
    house.step(&all[..600], FAILED, 0, RUNNING).await;
    // The others wait for another attempt, but for two.
    house.step(&all[602..], PENDING, 0, RUNNING).await;
    let (mut cursor, mut text) = (String::new(), Text::new());
    let longest = house.hear_all(70, &mut cursor, &mut text).await;
    assert!(longest < 600, "{longest}");
    assert_eq!(text.len(), all.len());
    assert!(text.values().all(|text| text == "once\n"));
    house.print(601, 0, "more\n");
    house.hear_all(1, &mut cursor, &mut text).await;
    assert_eq!(text[&("task-601".to_owned(), 0)], "once\nmore\n");
    assert!(text.values().filter(|text| *text == "once\n").count() == all.len() - 1);
}

#[tokio::test]
async fn one_task_is_followed_to_its_end() {
    let mut house = House::new(2).await;
    house.step(&[0, 1], RUNNING, 0, RUNNING).await;
    house.print(0, 0, "mine");
    house.print(1, 0, "another's");
    let mut stream = house.open("followLogs", "task_id=task-0", "").await;
    let mut text = Text::new();
    let cursor = read(&mut text, &stream.next().await.unwrap());
    house.print(0, 0, ", and more");
    house.step(&[0], PENDING, 0, RUNNING).await;
    house.step(&[0], RUNNING, 1, RUNNING).await;
    house.print(0, 1, "again");
    house.step(&[0], SUCCEEDED, 1, RUNNING).await;
    let mut again = house.open("followLogs", "task_id=task-0", &cursor).await;
    let mut texts_of = [text.clone(), text];
    for (stream, text) in [&mut stream, &mut again].into_iter().zip(&mut texts_of) {
        while let Some(message) = stream.next().await {
            read(text, &message);
        }
        assert_eq!(*text, texts(&[("task-0", 0, "mine, and more"), ("task-0", 1, "again")]));
    }
}

#[tokio::test]
async fn who_prints_without_end_leaves_room_for_others() {
    let mut house = House::new(2).await;
    house.tasks.sort_by(|one, other| one.id.cmp(&other.id));
    house.step(&[0, 1], RUNNING, 0, RUNNING).await;
    house.print(1, 0, "here I am");
    house.print(0, 0, &"x".repeat(1 << 20));
    let mut stream = house.open("followLogs", "", "").await;
    for _ in 0..40 {
        house.print(0, 0, &"x".repeat(128 << 10));
        if stream.next().await.unwrap()["path"] == house.tasks[1].path.as_str() {
            return;
        }
    }
    panic!("the second task is never told");
}
