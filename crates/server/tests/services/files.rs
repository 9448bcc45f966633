//! Logs and artifacts: whose they are, how a log is followed, and when that ends.
use crate::world::{ABSENT, World, text};
use access::Grant;
use api::access::{
    IsVerb,
    resource::Runs,
    verb::{Get, ReadArtifact},
};
use axum::body::Body;
use domain::{Error, Home, Kind, Namespace, Result, RunId, RuntimeState, Task, Timestamp};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use server::{Contents, Files};
use std::{
    collections::BTreeMap,
    io::{self, Read},
    sync::{Arc, Mutex},
    time::Duration,
};
use store::Progress;

/// How long anything here may take.
const SOON: Duration = Duration::from_secs(10);

type Log = Arc<Mutex<Vec<u8>>>;

/// Files of tasks, in memory, of the namespace `team`. A log can grow.
#[derive(Default)]
pub(crate) struct Shelf {
    logs: Mutex<BTreeMap<(String, u32), Log>>,
    artifacts: Mutex<BTreeMap<String, Vec<u8>>>,
}

struct Growing {
    log: Log,
    at: usize,
}

impl Read for Growing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let log = self.log.lock().unwrap();
        let size = (&log[self.at..]).read(buffer)?;
        self.at += size;
        Ok(size)
    }
}

impl io::Seek for Growing {
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        let io::SeekFrom::Start(at) = to else { return Err(io::ErrorKind::Unsupported.into()) };
        self.at = usize::try_from(at).unwrap();
        Ok(at)
    }
}

impl Shelf {
    pub(crate) fn write(&self, task: &Task, attempt: u32, words: &[u8]) {
        let mut logs = self.logs.lock().unwrap();
        let log = logs.entry((task.id.to_string(), attempt)).or_default();
        log.lock().unwrap().extend_from_slice(words);
    }
}

fn of_team<V: IsVerb>(grant: &Grant<V, Runs>, task: &Task) -> Result<()> {
    assert_eq!(grant.namespace()?.as_str(), "team");
    grant.covers(Kind::Run, task.run_id.as_str())
}

impl Files for Shelf {
    fn log(&self, grant: &Grant<Get, Runs>, task: &Task, attempt: u32) -> Result<Option<Contents>> {
        of_team(grant, task)?;
        let log = self.logs.lock().unwrap().get(&(task.id.to_string(), attempt)).cloned();
        Ok(log.map(|log| Box::new(Growing { log, at: 0 }) as Contents))
    }

    fn artifact(&self, grant: &Grant<ReadArtifact, Runs>, task: &Task, name: &str) -> Result<Contents> {
        of_team(grant, task)?;
        let artifact = self.artifacts.lock().unwrap().get(name).cloned();
        let artifact = artifact.ok_or_else(|| Error::not_found(Kind::Artifact, name))?;
        Ok(Box::new(io::Cursor::new(artifact)))
    }
}

/// A run in `team` with a task that runs.
struct Running {
    world: World,
    run: String,
    task: Task,
}

impl Running {
    async fn new() -> Self {
        let world = World::new().await;
        let experiment = world.experiment("team", "exp").await;
        let run = text(&world.run(&experiment, "r").await, "run_id");
        let task = Task {
            display_name: "Say".into(),
            state: RuntimeState::Running,
            ..Task::pending(RunId::from_text(run.clone()), "say", Timestamp(0))
        };
        let running = Self { world, run, task };
        running.reach(RuntimeState::Running, 0).await;
        running
    }

    /// Brings the task to a state, as the executor does.
    async fn reach(&self, state: RuntimeState, attempt: u32) {
        let progress = Progress {
            run_id: self.task.run_id.clone(),
            pipeline_name: "p".into(),
            engine: "the engine's state".into(),
            state: RuntimeState::Running,
            error: None,
            outputs: None,
            tasks: vec![Task { state, attempt, ..self.task.clone() }],
        };
        let grant = Grant::forge("system", Home::Namespace(Namespace::parse("team").unwrap()));
        self.world.store.save_progress(&grant, progress).await.unwrap();
    }

    fn write(&self, attempt: u32, words: &str) {
        self.world.files.write(&self.task, attempt, words.as_bytes());
    }

    fn path(&self, version: &str, node: &str, rest: &str) -> String {
        format!("/apis/{version}/runs/{}/nodes/{node}/{rest}", self.run)
    }

    async fn log(&self, version: &str, node: &str) -> (u16, String) {
        let response = self.world.open(&self.path(version, node, "log")).await;
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    async fn follow(&self) -> Follower {
        let response = self.world.open(&self.path("v1alpha1", "say", "log?follow=true")).await;
        assert_eq!(response.status(), 200);
        Follower(response.into_body())
    }
}

/// Somebody who follows a log.
struct Follower(Body);

impl Follower {
    /// What comes next; `None` at the end.
    async fn next(&mut self) -> Option<Result<String, axum::Error>> {
        let frame = tokio::time::timeout(SOON, self.0.frame()).await.unwrap();
        Some(frame?.map(|frame| String::from_utf8(frame.into_data().unwrap().to_vec()).unwrap()))
    }

    async fn words(&mut self) -> String {
        self.next().await.unwrap().unwrap()
    }
}

#[tokio::test]
async fn a_log_is_that_of_the_last_attempt() {
    let running = Running::new().await;
    let id = running.task.id.to_string();
    for version in ["v1alpha1", "v1beta1"] {
        assert_eq!(running.log(version, "say").await, (200, String::new()), "there is none yet");
    }
    running.write(0, "first\n");
    running.write(1, "second\n");
    for version in ["v1alpha1", "v1beta1"] {
        for node in ["say", id.as_str()] {
            assert_eq!(running.log(version, node).await, (200, "first\n".to_owned()), "{version} {node}");
        }
    }
    running.reach(RuntimeState::Succeeded, 1).await;
    assert_eq!(running.log("v1beta1", "say").await, (200, "second\n".to_owned()));
    for node in ["Say", ABSENT, "..", "%2e%2e%2fsay"] {
        let (status, body) = running.log("v1beta1", node).await;
        let body: Value = serde_json::from_str(&body).unwrap();
        let name = node.replace("%2e", ".").replace("%2f", "/");
        let expect = format!("Task {name} not found");
        assert_eq!((status, &body["code"], &body["message"]), (404, &json!(5), &json!(expect)));
    }
    let (world, path) = (&running.world, format!("/apis/v1beta1/runs/{ABSENT}/nodes/say/log"));
    world.refused("GET", &path, Value::Null, (404, 5), &format!("Run {ABSENT} not found")).await;
}

#[tokio::test]
async fn a_node_of_a_run_is_named_in_its_message() {
    let running = Running::new().await;
    let run = running.world.get(&format!("/apis/v2beta1/runs/{}", running.run)).await;
    let detail = &run["run_details"]["task_details"][0];
    assert_eq!((&detail["task_id"], &detail["pod_name"]), (&json!(running.task.id.to_string()), &detail["task_id"]));
}

#[tokio::test]
async fn long_logs_come_in_chunks() {
    let running = Running::new().await;
    let whole = "0123456789abcdef".repeat(20_000);
    running.write(0, &whole);
    let response = running.world.open(&running.path("v1beta1", "say", "log")).await;
    let (mut follower, mut read) = (Follower(response.into_body()), String::new());
    while let Some(words) = follower.next().await {
        let words = words.unwrap();
        assert!(words.len() <= 64 << 10, "{}", words.len());
        read += &words;
    }
    assert_eq!(read.len(), whole.len());
    assert_eq!(read, whole);
}

#[tokio::test]
async fn a_log_is_followed_until_its_task_has_ended() {
    let running = Running::new().await;
    let mut follower = running.follow().await;
    running.write(0, "one");
    assert_eq!(follower.words().await, "one");
    running.write(0, "two");
    assert_eq!(follower.words().await, "two");
    // Another attempt has a log of its own, and what the first still said comes before it.
    running.write(0, "three");
    running.reach(RuntimeState::Pending, 0).await;
    running.write(1, "four");
    running.reach(RuntimeState::Running, 1).await;
    assert_eq!(follower.words().await, "three");
    assert_eq!(follower.words().await, "four");
    running.write(1, "five");
    running.reach(RuntimeState::Succeeded, 1).await;
    assert_eq!(follower.words().await, "five");
    assert!(follower.next().await.is_none());
    // Of a task that has ended there is nothing to wait for.
    let mut late = running.follow().await;
    assert_eq!(late.words().await, "fourfive");
    assert!(late.next().await.is_none());
}

#[tokio::test]
async fn who_loses_the_right_reads_no_more() {
    let running = Running::new().await;
    running.write(0, "one");
    let (mut busy, mut quiet) = (running.follow().await, running.follow().await);
    assert_eq!((busy.words().await, quiet.words().await), ("one".into(), "one".into()));
    running.world.withdraw();
    let began = tokio::time::Instant::now();
    let ended = loop {
        assert!(began.elapsed() < SOON);
        running.write(0, "more");
        match busy.next().await {
            Some(Ok(_)) => {}
            ended => break ended,
        }
    };
    assert!(ended.unwrap().is_err(), "it is cut off, and does not look whole");
    let ended = loop {
        match quiet.next().await {
            Some(Ok(words)) => assert!(words.starts_with("more"), "{words}"),
            ended => break ended,
        }
    };
    assert!(ended.unwrap().is_err(), "one that has nothing to read is cut off too");
    running.world.refused("GET", &running.path("v1beta1", "say", "log"), Value::Null, (404, 5), "Run ").await;
}

#[tokio::test]
async fn a_deleted_run_ends_the_log() {
    let running = Running::new().await;
    running.write(0, "one");
    let mut follower = running.follow().await;
    assert_eq!(follower.words().await, "one");
    running.world.delete(&format!("/apis/v2beta1/runs/{}", running.run)).await;
    assert!(follower.next().await.unwrap().is_err());
}

#[tokio::test]
async fn a_server_that_stops_does_not_wait_for_readers() {
    let running = Running::new().await;
    running.write(0, "one");
    let mut follower = running.follow().await;
    assert_eq!(follower.words().await, "one");
    running.world.stop();
    assert!(follower.next().await.unwrap().is_err());
}

#[tokio::test]
async fn artifacts_go_by_the_name_of_the_output() {
    let running = Running::new().await;
    running.world.files.artifacts.lock().unwrap().insert("a model/x".into(), b"weights".to_vec());
    let id = running.task.id.to_string();
    for version in ["v1beta1", "v2beta1"] {
        for node in ["say", &id] {
            let answer = running.world.get(&running.path(version, node, "artifacts/a%20model%2Fx:read")).await;
            assert_eq!(answer, json!({"data": "d2VpZ2h0cw=="}));
        }
        for (node, name, words) in [
            ("say", "other", "Artifact other not found"),
            ("other", "a%20model%2Fx", "Task other not found"),
            (ABSENT, "a%20model%2Fx", "Task "),
        ] {
            let path = running.path(version, node, &format!("artifacts/{name}:read"));
            running.world.refused("GET", &path, Value::Null, (404, 5), words).await;
        }
    }
    running.world.withdraw();
    let path = running.path("v2beta1", "say", "artifacts/a%20model%2Fx:read");
    running.world.refused("GET", &path, Value::Null, (404, 5), "Run ").await;
}
