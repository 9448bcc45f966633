//! What becomes of runs when their server ends.
use crate::{
    eventually,
    runs::{ends, marker, pipeline, processes, start},
    server::{JANE, Place, Server},
};
use serde_json::Value;
use std::{fs, sync::Arc};

/// Starts a run that sleeps, and ends its server in the middle. The next one has the run to finish.
#[track_caller]
fn interrupted(end: impl FnOnce(Server)) {
    let place = Arc::new(Place::new());
    let server = || Server::start(place.clone(), place.serving(""));
    let (first, marker) = (server(), marker());
    let id = start(&first, &pipeline(&format!("sleep {marker}; true")));
    eventually("the task runs", || (processes(&marker) > 0).then_some(()));
    end(first);
    eventually("no task outlives its server", || (processes(&marker) == 0).then_some(()));

    let next = server();
    let run = ends(&next, &id);
    assert_eq!(run["state"], "FAILED", "{run:#}");
    let error = run["run_details"]["task_details"][0]["error"]["message"].as_str().unwrap();
    assert_eq!(error, "interrupted: the server restarted while the task was running");
    assert_eq!(processes(&marker), 0);
    next.call(JANE, "DELETE", &format!("/apis/v2beta1/runs/{id}"), &Value::Null).ok();
}

#[test]
fn a_server_that_is_stopped_takes_its_tasks_along() {
    interrupted(drop);
}

#[test]
fn a_server_that_is_killed_takes_its_tasks_along() {
    interrupted(Server::kill);
}

#[test]
fn what_was_acknowledged_survives_a_kill() {
    let place = Arc::new(Place::new());
    let server = || Server::start(place.clone(), place.serving(crate::server::NO_TASKS));
    let first = server();
    let made: Vec<String> = (0..5).map(|_| crate::runs::experiment(&first, JANE, "jane-doe")).collect();
    first.kill();
    let next = server();
    for id in made {
        next.call(JANE, "GET", &format!("/apis/v2beta1/experiments/{id}"), &Value::Null).ok();
    }
}

#[test]
fn files_of_runs_that_are_gone_are_removed_at_the_start() {
    let place = Arc::new(Place::new());
    let server = || Server::start(place.clone(), place.serving(""));
    let first = server();
    let id = start(&first, &pipeline("true"));
    ends(&first, &id);
    drop(first);
    let runs = place.path("data/ns/jane-doe/runs");
    let gone = runs.join("01890000-0000-7000-8000-000000000000");
    fs::create_dir_all(gone.join("task/0")).unwrap();
    let _next = server();
    eventually("the folder of no run is gone", || (!gone.exists()).then_some(()));
    assert!(runs.join(id).is_dir(), "and the others are there");
}
