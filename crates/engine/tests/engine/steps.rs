//! Runs told event by event.

use crate::support::{self, Say, bad, check, error, good, status, stop};
use engine::{Event, FailureKind, Plan, Status};
use serde_json::json;
use std::time::Duration;

fn plan(tasks: &[(&str, &[&str], u32)]) -> Plan {
    let tasks: Vec<_> = tasks
        .iter()
        .map(|(name, on, retries)| ((*name).to_owned(), on.iter().map(|on| (*on).to_owned()).collect(), *retries))
        .collect();
    support::plan(&support::document(&tasks), &json!({})).unwrap()
}

#[test]
fn a_diamond_runs_in_order() {
    let plan = plan(&[("a", &[], 0), ("b", &["a"], 0), ("c", &["a"], 0), ("d", &["b", "c"], 0)]);
    check(
        &plan,
        &[
            (Say::Run(Event::Started), "launch a 0"),
            (Say::Run(Event::Started), ""),
            (good("a", 0), "launch b 0; launch c 0"),
            (good("a", 0), ""),
            (good("c", 0), ""),
            (good("b", 0), "launch d 0"),
            (good("d", 0), "done"),
            (Say::Run(Event::Restarted), ""),
            (stop("x"), ""),
        ],
    );
}

#[test]
fn nothing_starts_after_a_failure() {
    let plan = plan(&[("a", &[], 0), ("b", &[], 0), ("c", &["b"], 0), ("d", &["a"], 0), ("e", &["d"], 0)]);
    let state = check(
        &plan,
        &[
            (Say::Run(Event::Started), "launch a 0; launch b 0"),
            (bad("a", 0), ""),
            (good("b", 0), "task \"a\" failed: exit code 1"),
        ],
    );
    let error = |task: &str| error(&plan, &state, task).unwrap();
    assert_eq!(error("d"), "it depends on \"a\", which failed");
    assert_eq!(error("e"), "it depends on \"d\", which was skipped");
    assert_eq!(error("c"), "task \"a\" failed before it could start");
    assert_eq!(status(&plan, &state, "b"), Status::Succeeded);
}

#[test]
fn all_failures_are_named() {
    let plan = plan(&[("a", &[], 0), ("b", &[], 0)]);
    let end = "task \"b\" failed: exit code 1 (also failed: \"a\")";
    check(&plan, &[(Say::Run(Event::Started), "launch a 0; launch b 0"), (bad("b", 0), ""), (bad("a", 0), end)]);
}

#[test]
fn retries_back_off_and_run_out() {
    let plan = plan(&[("a", &[], 2)]);
    let due = || Say::Due("a");
    check(
        &plan,
        &[
            (Say::Run(Event::Started), "launch a 0"),
            (due(), ""),
            (bad("a", 0), "retry a after 10s"),
            (bad("a", 0), ""),
            (Say::Run(Event::Restarted), "retry a after 10s"),
            (due(), "launch a 1"),
            (good("a", 0), ""),
            (bad("a", 1), "retry a after 20s"),
            (due(), "launch a 2"),
            (bad("a", 2), "task \"a\" failed: exit code 1"),
        ],
    );
    assert_eq!(plan.root().task("a").unwrap().retry.unwrap().delay(30), Duration::from_secs(3600));
}

#[test]
fn what_can_never_work_is_not_retried() {
    let plan = plan(&[("a", &[], 2)]);
    let invalid = Say::Ended("a", 0, Err(FailureKind::Invalid));
    check(&plan, &[(Say::Run(Event::Started), "launch a 0"), (invalid, "task \"a\" failed: exit code 1")]);
}

#[test]
fn a_restart_interrupts_what_runs() {
    let plan = plan(&[("a", &[], 1), ("b", &[], 0), ("c", &["a"], 0)]);
    let state = check(
        &plan,
        &[
            (Say::Run(Event::Restarted), "launch a 0; launch b 0"),
            // Neither has begun, so nothing is lost.
            (Say::Run(Event::Restarted), "launch a 0; launch b 0"),
            (Say::Began("a", 0), ""),
            (Say::Began("b", 0), ""),
            (Say::Run(Event::Restarted), "retry a after 10s"),
            (Say::Due("a"), "launch a 1"),
            (good("a", 1), "task \"b\" failed: interrupted: the server restarted while the task was running"),
        ],
    );
    assert_eq!(status(&plan, &state, "c"), Status::Skipped);
}

#[test]
fn a_cancelled_run_fails_when_its_tasks_have_ended() {
    let plan = plan(&[("a", &[], 3), ("b", &[], 0), ("c", &["a"], 0), ("w", &[], 1)]);
    let state = check(
        &plan,
        &[
            (Say::Run(Event::Started), "launch a 0; launch b 0; launch w 0"),
            (bad("w", 0), "retry w after 10s"),
            (stop("jane"), "kill a; kill b"),
            (stop("joe"), ""),
            (Say::Due("w"), ""),
            (good("b", 0), ""),
            (bad("a", 0), "terminated by jane"),
        ],
    );
    let statuses = ["a", "b", "c", "w"].map(|task| status(&plan, &state, task));
    assert_eq!(statuses, [Status::Failed, Status::Succeeded, Status::Skipped, Status::Failed]);
    assert_eq!(error(&plan, &state, "a").as_deref(), Some("terminated by jane"));
}

#[test]
fn a_run_may_be_cancelled_before_it_starts_or_be_empty() {
    let cancel = stop("jane");
    check(&plan(&[("a", &[], 0)]), &[(cancel, "terminated by jane"), (Say::Run(Event::Started), "")]);
    check(&plan(&[]), &[(Say::Run(Event::Started), "done")]);
}

#[test]
fn a_run_cancelled_and_restarted_ends() {
    let plan = plan(&[("a", &[], 3)]);
    let cancel = stop("jane");
    check(
        &plan,
        &[
            (Say::Run(Event::Started), "launch a 0"),
            (cancel, "kill a"),
            (Say::Run(Event::Restarted), "terminated by jane"),
        ],
    );
}

#[test]
fn a_failed_run_goes_on_from_where_it_failed() {
    let plan = plan(&[("a", &[], 0), ("b", &["a"], 1), ("c", &["b"], 0)]);
    let failed = r#"task "b" failed: exit code 1"#;
    let state = check(
        &plan,
        &[
            (Say::Run(Event::Started), "launch a 0"),
            (Say::Run(Event::Retried), ""),
            (good("a", 0), "launch b 0"),
            (bad("b", 0), "retry b after 10s"),
            (Say::Due("b"), "launch b 1"),
            (bad("b", 1), failed),
            // What has succeeded stays; attempts are counted on, and retries from the beginning.
            (Say::Run(Event::Retried), "launch b 2"),
            (bad("b", 1), ""),
            (bad("b", 2), "retry b after 10s"),
            (Say::Run(Event::Restarted), "retry b after 10s"),
            (Say::Due("b"), "launch b 3"),
            (bad("b", 3), failed),
            (Say::Run(Event::Retried), "launch b 4"),
            (good("b", 4), "launch c 0"),
            (good("c", 0), "done"),
            (Say::Run(Event::Retried), ""),
        ],
    );
    assert!(state.nodes().iter().all(|node| node.status == Status::Succeeded));
}

#[test]
fn a_terminated_run_can_be_retried() {
    let plan = plan(&[("a", &[], 0), ("b", &["a"], 0)]);
    check(
        &plan,
        &[
            (Say::Run(Event::Started), "launch a 0"),
            (stop("jane"), "kill a"),
            (bad("a", 0), "terminated by jane"),
            (Say::Run(Event::Retried), "launch a 1"),
            (stop("ed"), "kill a"),
            (bad("a", 1), "terminated by ed"),
            (Say::Run(Event::Retried), "launch a 2"),
            (good("a", 2), "launch b 0"),
            (good("b", 0), "done"),
        ],
    );
}
