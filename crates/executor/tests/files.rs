//! Files of tasks, as honest and as hostile tasks leave them, read by who may and by who may not.
#![expect(clippy::unwrap_used, reason = "tests may panic")]

use access::Grant;
use domain::{Artifact, ArtifactId, Home, Namespace, Result, RunId, RuntimeState, Task, TaskId, Timestamp};
use executor::local::Files;
use nix::{sys::stat::Mode, unistd::mkfifo};
use std::{
    fs::{self, File},
    io::{Read, Write},
    os::unix::{fs::symlink, net::UnixListener},
    path::PathBuf,
    sync::mpsc,
    thread,
    time::Duration,
};
use tempfile::TempDir;

/// The files of one task, of run `r` in namespace `team`.
struct Host {
    root: TempDir,
    files: Files,
}

impl Host {
    fn new() -> Self {
        let root = TempDir::new().unwrap();
        let host = Self { files: Files::new(root.path().canonicalize().unwrap()), root };
        fs::create_dir_all(host.path("team/runs/r/t/0/artifacts")).unwrap();
        host
    }

    fn path(&self, below: &str) -> PathBuf {
        self.root.path().canonicalize().unwrap().join(below)
    }

    fn log(&self, namespace: &str, task: &Task, attempt: u32) -> Result<Option<File>> {
        self.files.log(&grant(namespace), task, attempt)
    }

    /// What is read of an artifact of that task whose recorded place is `uri`.
    fn artifact(&self, namespace: &str, uri: &str, name: &str) -> String {
        let artifact = Artifact {
            id: ArtifactId::from_text("a"),
            name: "model".into(),
            kind: "system.Model".into(),
            schema_version: String::new(),
            instance_schema: String::new(),
            uri: uri.into(),
            metadata: Default::default(),
            materialized: true,
        };
        let mut recorded = task();
        recorded.outputs.artifacts.insert("model".into(), vec![artifact]);
        told(self.files.artifact(&grant(namespace), &recorded, name).map(Some))
    }
}

fn grant<V, T>(namespace: &str) -> Grant<V, T> {
    Grant::forge("jane", Home::Namespace(Namespace::parse(namespace).unwrap()))
}

fn task() -> Task {
    let id = TaskId::from_text("t");
    Task { id, state: RuntimeState::Succeeded, ..Task::pending(RunId::from_text("r"), "say", Timestamp(0)) }
}

/// The content, or the refusal.
fn told(file: Result<Option<File>>) -> String {
    match file {
        Ok(None) => "nothing".into(),
        Ok(Some(mut file)) => {
            let mut text = String::new();
            file.read_to_string(&mut text).unwrap();
            text
        }
        Err(error) => format!("{:?}: {}", error.code(), error.message()),
    }
}

/// Passes if `work` ends at all: what waits for the other end of a pipe does not.
fn soon<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, ended) = mpsc::channel();
    thread::spawn(move || done.send(work()));
    ended.recv_timeout(Duration::from_secs(10)).unwrap()
}

#[test]
fn a_log_is_read_as_it_grows() {
    let host = Host::new();
    assert_eq!(told(host.log("team", &task(), 0)), "nothing");
    let mut writer = File::create(host.path("team/runs/r/t/0.log")).unwrap();
    let mut log = host.log("team", &task(), 0).unwrap().unwrap();
    for words in ["", "one\n", "two\n"] {
        write!(writer, "{words}").unwrap();
        let mut text = String::new();
        log.read_to_string(&mut text).unwrap();
        assert_eq!(text, words);
    }
    fs::write(host.path("team/runs/r/t/1.log"), "again").unwrap();
    assert_eq!(told(host.log("team", &task(), 1)), "again");
    assert_eq!(told(host.log("team", &task(), 2)), "nothing");
    assert_eq!(host.artifact("team", "/nowhere", "main-logs"), "one\ntwo\n");
}

#[test]
fn an_artifact_is_where_its_run_says() {
    let host = Host::new();
    let (place, absent) = (host.path("team/runs/r/t/0/artifacts/model"), "NotFound: Artifact model not found");
    let uri = place.to_str().unwrap();
    assert_eq!(host.artifact("team", uri, "model"), absent, "only its metadata is there");
    fs::write(&place, "weights").unwrap();
    assert_eq!(host.artifact("team", uri, "model"), "weights");
    assert_eq!(host.artifact("team", uri, "Model"), "NotFound: Artifact Model not found");
    assert_eq!(host.artifact("team", uri, uri), format!("NotFound: Artifact {uri} not found"));
    assert_eq!(host.artifact("team", uri, "main-logs"), "NotFound: Artifact main-logs not found");
    let remote = host.artifact("team", "gs://bucket/model", "model");
    assert!(remote.starts_with("FailedPrecondition: artifact model is at gs://bucket/model"), "{remote}");
    assert_eq!(told(host.files.artifact(&grant("team"), &task(), "model").map(Some)), absent);
}

#[test]
fn records_do_not_lead_out_of_the_namespace() {
    let host = Host::new();
    for (place, content) in [("team/runs/other/t/0/artifacts/model", "of another run"), ("jane/runs/r/t/m", "of Jane")]
    {
        fs::create_dir_all(host.path(place).parent().unwrap()).unwrap();
        fs::write(host.path(place), content).unwrap();
    }
    // A result of another run may be this one's too.
    let taken = host.path("team/runs/other/t/0/artifacts/model");
    assert_eq!(host.artifact("team", taken.to_str().unwrap(), "model"), "of another run");
    fs::write(host.path("secret"), "the database").unwrap();
    let run = host.path("team/runs/r").display().to_string();
    for uri in [
        host.path("jane/runs/r/t/m").to_str().unwrap(),
        host.path("secret").to_str().unwrap(),
        "/etc/passwd",
        &format!("{run}/../other/t/0/artifacts/model"),
        &format!("{run}/t/../../other/t/0/artifacts/model"),
        &format!("{run}/../../../jane/runs/r/t/m"),
        &format!("{run}-other"),
    ] {
        let told = host.artifact("team", uri, "model");
        assert!(told.starts_with("NotFound: ") || told.starts_with("FailedPrecondition: "), "{uri}: {told}");
    }
    for (run, id) in [("..", "t"), ("r", ".."), ("../../jane/runs/r", "t"), ("/etc", "t"), ("", "r/t")] {
        let strange = Task { run_id: RunId::from_text(run), id: TaskId::from_text(id), ..task() };
        assert!(!matches!(host.log("team", &strange, 0), Ok(Some(_))), "{run:?} {id:?}");
    }
}

#[test]
fn another_namespace_has_nothing_there() {
    let host = Host::new();
    let place = host.path("team/runs/r/t/0/artifacts/model");
    fs::write(&place, "weights").unwrap();
    fs::write(host.path("team/runs/r/t/0.log"), "secret").unwrap();
    assert_eq!(told(host.log("jane", &task(), 0)), "nothing");
    assert_eq!(host.artifact("jane", place.to_str().unwrap(), "model"), "NotFound: Artifact model not found");
    let shared = Grant::forge("jane", Home::Shared);
    assert!(host.files.log(&shared, &task(), 0).is_err());
}

#[test]
fn what_is_not_a_plain_file_is_not_read() {
    let host = Host::new();
    fs::write(host.path("secret"), "the database").unwrap();
    let (secret, other) = (host.path("secret"), host.path("other"));
    fs::create_dir(&other).unwrap();
    fs::write(other.join("model"), "the database").unwrap();
    type Make = Box<dyn Fn(&PathBuf)>;
    let makes: [(&str, Make); 6] = [
        ("link", Box::new(move |place| symlink(&secret, place).unwrap())),
        ("link to a device", Box::new(|place| symlink("/dev/zero", place).unwrap())),
        ("link to itself", Box::new(|place| symlink(place, place).unwrap())),
        ("pipe", Box::new(|place| mkfifo(place, Mode::S_IRWXU).unwrap())),
        ("socket", Box::new(|place| drop(UnixListener::bind(place).unwrap()))),
        ("folder", Box::new(|place| fs::create_dir(place).unwrap())),
    ];
    let (log, model) = (host.path("team/runs/r/t/0.log"), host.path("team/runs/r/t/0/artifacts/model"));
    for (what, make) in &makes {
        for place in [&log, &model] {
            let _ = fs::remove_file(place);
            let _ = fs::remove_dir(place);
            make(place);
        }
        let (files, uri) = (host.files.clone(), model.to_str().unwrap().to_owned());
        let read = soon(move || told(files.log(&grant("team"), &task(), 0)));
        assert_eq!(read, "FailedPrecondition: the log of task t is not a plain file", "{what}");
        let read = host.artifact("team", &uri, "model");
        let reason = if *what == "folder" { "a folder: only single files can be read" } else { "not a plain file" };
        assert_eq!(read, format!("FailedPrecondition: artifact model is {reason}"), "{what}");
    }
    // A link in place of a folder on the way.
    fs::remove_dir(&model).unwrap();
    let folder = host.path("team/runs/r/t/0/artifacts");
    fs::remove_dir(&folder).unwrap();
    symlink(&other, &folder).unwrap();
    let read = host.artifact("team", model.to_str().unwrap(), "model");
    assert_eq!(read, "FailedPrecondition: artifact model is not a plain file");
}
