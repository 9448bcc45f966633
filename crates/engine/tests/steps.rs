//! Runs told event by event.
#![expect(clippy::unwrap_used, reason = "tests may panic")]
mod support;

use engine::{Command, Event, Failure, FailureKind, Outputs, Plan, State, Status, step};
use serde_json::json;
use std::time::Duration;

fn plan(tasks: &[(&str, &[&str], u32)]) -> Plan {
    let tasks: Vec<_> = tasks
        .iter()
        .map(|(name, on, retries)| ((*name).to_owned(), on.iter().map(|on| (*on).to_owned()).collect(), *retries))
        .collect();
    support::plan(&support::document(&tasks), &json!({})).unwrap()
}

fn good(task: &str, attempt: u32) -> Event {
    let parameters = [("Output".to_owned(), json!(task))].into_iter().collect();
    Event::Finished { task: task.into(), attempt, result: Ok(Outputs { parameters, ..Outputs::default() }) }
}

fn bad(task: &str, attempt: u32) -> Event {
    let failure = Failure { message: "exit code 1".into(), kind: FailureKind::Error };
    Event::Finished { task: task.into(), attempt, result: Err(failure) }
}

/// Sends events and writes down the commands, one short line for each event.
#[track_caller]
fn check(plan: &Plan, script: &[(Event, &str)]) -> State {
    let mut state = State::default();
    for (event, expect) in script {
        let (next, commands) = step(plan, state, event.clone());
        state = next;
        let told: Vec<_> = commands.iter().map(tell).collect();
        assert_eq!(told.join("; "), *expect, "after {event:?}");
    }
    state
}

fn tell(command: &Command) -> String {
    match command {
        Command::Launch { task, attempt, .. } => format!("launch {task} {attempt}"),
        Command::RetryAfter { task, delay } => format!("retry {task} after {delay:?}"),
        Command::Kill { task } => format!("kill {task}"),
        Command::Finish { result: Ok(_) } => "done".into(),
        Command::Finish { result: Err(message) } => message.clone(),
    }
}

#[test]
fn a_diamond_runs_in_order() {
    let plan = plan(&[("a", &[], 0), ("b", &["a"], 0), ("c", &["a"], 0), ("d", &["b", "c"], 0)]);
    check(
        &plan,
        &[
            (Event::Started, "launch a 0"),
            (Event::Started, ""),
            (good("a", 0), "launch b 0; launch c 0"),
            (good("a", 0), ""),
            (good("c", 0), ""),
            (good("b", 0), "launch d 0"),
            (good("d", 0), "done"),
            (Event::Restarted, ""),
            (Event::Cancel { by: "x".into() }, ""),
        ],
    );
}

#[test]
fn nothing_starts_after_a_failure() {
    let plan = plan(&[("a", &[], 0), ("b", &[], 0), ("c", &["b"], 0), ("d", &["a"], 0), ("e", &["d"], 0)]);
    let state = check(
        &plan,
        &[
            (Event::Started, "launch a 0; launch b 0"),
            (bad("a", 0), ""),
            (good("b", 0), "task \"a\" failed: exit code 1"),
        ],
    );
    let error = |task: &str| state.tasks[task].error.clone().unwrap();
    assert_eq!(error("d"), "it depends on \"a\", which failed");
    assert_eq!(error("e"), "it depends on \"d\", which was skipped");
    assert_eq!(error("c"), "task \"a\" failed before it could start");
    assert_eq!(state.status("b"), Status::Succeeded);
}

#[test]
fn all_failures_are_named() {
    let plan = plan(&[("a", &[], 0), ("b", &[], 0)]);
    let end = "task \"b\" failed: exit code 1 (also failed: \"a\")";
    check(&plan, &[(Event::Started, "launch a 0; launch b 0"), (bad("b", 0), ""), (bad("a", 0), end)]);
}

#[test]
fn retries_back_off_and_run_out() {
    let plan = plan(&[("a", &[], 2)]);
    let due = || Event::RetryDue { task: "a".into() };
    check(
        &plan,
        &[
            (Event::Started, "launch a 0"),
            (due(), ""),
            (bad("a", 0), "retry a after 10s"),
            (bad("a", 0), ""),
            (Event::Restarted, "retry a after 10s"),
            (due(), "launch a 1"),
            (good("a", 0), ""),
            (bad("a", 1), "retry a after 20s"),
            (due(), "launch a 2"),
            (bad("a", 2), "task \"a\" failed: exit code 1"),
        ],
    );
    assert_eq!(plan.task("a").unwrap().retry.delay(30), Duration::from_secs(3600));
}

#[test]
fn what_can_never_work_is_not_retried() {
    let plan = plan(&[("a", &[], 2)]);
    let failure = Failure { message: "bad name".into(), kind: FailureKind::Invalid };
    let event = Event::Finished { task: "a".into(), attempt: 0, result: Err(failure) };
    check(&plan, &[(Event::Started, "launch a 0"), (event, "task \"a\" failed: bad name")]);
}

#[test]
fn a_restart_interrupts_what_runs() {
    let plan = plan(&[("a", &[], 1), ("b", &[], 0), ("c", &["a"], 0)]);
    let state = check(
        &plan,
        &[
            (Event::Restarted, "launch a 0; launch b 0"),
            (Event::Restarted, "retry a after 10s"),
            (Event::RetryDue { task: "a".into() }, "launch a 1"),
            (good("a", 1), "task \"b\" failed: interrupted: the server restarted while the task was running"),
        ],
    );
    assert_eq!(state.status("c"), Status::Skipped);
}

#[test]
fn a_cancelled_run_fails_when_its_tasks_have_ended() {
    let plan = plan(&[("a", &[], 3), ("b", &[], 0), ("c", &["a"], 0), ("w", &[], 1)]);
    let cancel = |by: &str| Event::Cancel { by: by.into() };
    let state = check(
        &plan,
        &[
            (Event::Started, "launch a 0; launch b 0; launch w 0"),
            (bad("w", 0), "retry w after 10s"),
            (cancel("jane"), "kill a; kill b"),
            (cancel("joe"), ""),
            (Event::RetryDue { task: "w".into() }, ""),
            (good("b", 0), ""),
            (bad("a", 0), "terminated by jane"),
        ],
    );
    let statuses = ["a", "b", "c", "w"].map(|task| state.status(task));
    assert_eq!(statuses, [Status::Failed, Status::Succeeded, Status::Skipped, Status::Failed]);
    assert_eq!(state.tasks["a"].error.as_deref(), Some("terminated by jane"));
}

#[test]
fn a_run_may_be_cancelled_before_it_starts_or_be_empty() {
    let cancel = Event::Cancel { by: "jane".into() };
    check(&plan(&[("a", &[], 0)]), &[(cancel, "terminated by jane"), (Event::Started, "")]);
    check(&plan(&[]), &[(Event::Started, "done")]);
}

#[test]
fn a_run_cancelled_and_restarted_ends() {
    let plan = plan(&[("a", &[], 3)]);
    let cancel = Event::Cancel { by: "jane".into() };
    check(&plan, &[(Event::Started, "launch a 0"), (cancel, "kill a"), (Event::Restarted, "terminated by jane")]);
}

#[test]
fn a_failed_run_goes_on_from_where_it_failed() {
    let plan = plan(&[("a", &[], 0), ("b", &["a"], 1), ("c", &["b"], 0)]);
    let failed = r#"task "b" failed: exit code 1"#;
    let state = check(
        &plan,
        &[
            (Event::Started, "launch a 0"),
            (Event::Retried, ""),
            (good("a", 0), "launch b 0"),
            (bad("b", 0), "retry b after 10s"),
            (Event::RetryDue { task: "b".into() }, "launch b 1"),
            (bad("b", 1), failed),
            // What has succeeded stays; attempts are counted on, and retries from the beginning.
            (Event::Retried, "launch b 2"),
            (bad("b", 1), ""),
            (bad("b", 2), "retry b after 10s"),
            (Event::Restarted, "retry b after 10s"),
            (Event::RetryDue { task: "b".into() }, "launch b 3"),
            (bad("b", 3), failed),
            (Event::Retried, "launch b 4"),
            (good("b", 4), "launch c 0"),
            (good("c", 0), "done"),
            (Event::Retried, ""),
        ],
    );
    assert!(plan.tasks().all(|task| state.status(&task.name) == Status::Succeeded));
}

#[test]
fn a_terminated_run_can_be_retried() {
    let plan = plan(&[("a", &[], 0), ("b", &["a"], 0)]);
    check(
        &plan,
        &[
            (Event::Started, "launch a 0"),
            (Event::Cancel { by: "jane".into() }, "kill a"),
            (bad("a", 0), "terminated by jane"),
            (Event::Retried, "launch a 1"),
            (Event::Cancel { by: "ed".into() }, "kill a"),
            (bad("a", 1), "terminated by ed"),
            (Event::Retried, "launch a 2"),
            (good("a", 2), "launch b 0"),
            (good("b", 0), "done"),
        ],
    );
}
