//! What others report: runs of another engine, metrics, tasks.
use crate::backend::{Db, START, new_run, of, refused, step};
use domain::{
    Backend, Metric, MetricFormat, Namespace, RecurringRunId, ReportedNode, ReportedTask, RunId, RuntimeState, TaskId,
    Timestamp, WorkflowReport, list::Query,
};
use store::{ListScope, MetricOutcome, OfRecurring};

fn report(run: &str, namespace: &str, state: RuntimeState) -> WorkflowReport {
    WorkflowReport {
        run_id: RunId::from_text(run),
        namespace: Namespace::parse(namespace).unwrap(),
        name: "nightly-1".into(),
        recurring_run_id: None,
        state,
        error: None,
        scheduled_at: None,
        finished_at: None,
        nodes: Vec::new(),
        workflow: "{}".into(),
    }
}

fn metric(name: &str, value: f64) -> Metric {
    Metric { node_id: "node".into(), name: name.into(), value, format: MetricFormat::Raw }
}

pub(crate) async fn never_touch_runs_of_this_server(db: Db) {
    let experiment = db.experiment("a", "train").await;
    let run = db.run("a", &experiment, "one").await;
    let id = run.id.as_str();
    let refusal = refused(db.store.report_workflow(&of(""), report(id, "a", RuntimeState::Succeeded)).await);
    assert_eq!(
        refusal,
        format!("FailedPrecondition: run {id} is executed by this server, which alone says how it stands")
    );
    for (run, namespace) in [(id, "b"), ("absent", "a")] {
        let refusal = refused(db.store.report_workflow(&of(""), report(run, namespace, RuntimeState::Failed)).await);
        assert_eq!(refusal, format!("NotFound: Run {run} not found"));
    }
    assert_eq!(db.read("a", id).await, run);
    assert_eq!(db.store.reported_workflow(&of("a"), id).await.unwrap(), None);
    let narrow = refused(db.store.report_workflow(&of("a"), report(id, "a", RuntimeState::Failed)).await);
    assert!(narrow.starts_with("Internal"), "{narrow}");
}

pub(crate) async fn metrics_are_stored_once(db: Db) {
    let experiment = db.experiment("a", "train").await;
    let (run, other) = (db.run("a", &experiment, "one").await, db.run("a", &experiment, "two").await);
    let id = run.id.as_str();
    let many = vec![metric("loss", 0.5), metric("accuracy", 0.9), metric("loss", 0.4)];
    let outcomes = db.store.report_metrics(&of("a"), id, many).await.unwrap();
    assert_eq!(outcomes, [MetricOutcome::Stored, MetricOutcome::Stored, MetricOutcome::Duplicate]);
    let stored = [metric("accuracy", 0.9), metric("loss", 0.5)];
    assert_eq!(db.read("a", id).await.metrics, stored);
    let page = db.store.runs(&of("a"), ListScope::Everything, Query::default()).await.unwrap();
    let of_each: Vec<_> = page.items.iter().map(|run| (run.name.as_str(), run.metrics.len())).collect();
    assert_eq!(of_each, [("one", 2), ("two", 0)]);
    let foreign = db.store.report_metrics(&of("b"), id, vec![metric("loss", 0.5)]).await;
    assert_eq!(refused(foreign), format!("NotFound: Run {id} not found"));
    db.store.delete_run(&of("a"), id).await.unwrap();
    assert!(db.read("a", other.id.as_str()).await.metrics.is_empty());
}

pub(crate) async fn tasks_belong_to_their_run(db: Db) {
    let experiment = db.experiment("a", "train").await;
    let (run, other) = (db.run("a", &experiment, "one").await, db.run("a", &experiment, "two").await);
    let task = |run: &RunId, fingerprint: &str| ReportedTask {
        id: TaskId::fresh(),
        namespace: Namespace::parse("a").unwrap(),
        run_id: run.clone(),
        pipeline_name: "pipeline/train".into(),
        execution_id: "7".into(),
        fingerprint: fingerprint.into(),
        created_at: START,
        finished_at: None,
    };
    let one = db.store.report_task(&of("a"), task(&run.id, "f")).await.unwrap();
    db.store.report_task(&of("a"), task(&other.id, "g")).await.unwrap();
    let list = async |home: &str, run: Option<&RunId>| {
        let page = db.store.reported_tasks(&of(home), run.map(ToString::to_string), Query::default()).await;
        page.unwrap().items
    };
    assert_eq!(list("a", Some(&run.id)).await, [one]);
    assert_eq!(list("a", None).await.len(), 2);
    assert!(list("b", None).await.is_empty() && list("b", Some(&run.id)).await.is_empty());
    let foreign = refused(db.store.report_task(&of("b"), task(&run.id, "f")).await);
    assert_eq!(foreign, format!("NotFound: Run {} not found", run.id));
    db.store.delete_run(&of("a"), run.id.as_str()).await.unwrap();
    assert_eq!(list("a", None).await.len(), 1);
}

pub(crate) async fn a_chosen_id_is_taken_once(db: Db) {
    let experiment = db.experiment("a", "train").await;
    let mut new = new_run(&experiment.id, "one");
    new.id = Some(RunId::from_text("chosen"));
    let run = db.store.create_run(&of("a"), new.clone()).await.unwrap();
    assert_eq!((run.id.as_str(), run.backend), ("chosen", Backend::Local));
    assert_eq!(refused(db.store.create_run(&of("a"), new).await), "AlreadyExists: there is a run chosen already");
}

pub(crate) async fn only_failed_runs_are_retried(db: Db) {
    let experiment = db.experiment("a", "train").await;
    let run = db.run("a", &experiment, "one").await;
    let id = run.id.as_str();
    for state in [RuntimeState::Pending, RuntimeState::Running, RuntimeState::Succeeded] {
        db.reach(&run, state).await;
        let refusal = refused(db.store.retry_run(&of("a"), id).await);
        assert_eq!(refusal, format!("Aborted: run {id} is {state}, and only a FAILED one can be retried"));
    }
    db.reach(&run, RuntimeState::Failed).await;
    assert_eq!(refused(db.store.retry_run(&of("b"), id).await), format!("NotFound: Run {id} not found"));
    db.store.retry_run(&of("a"), id).await.unwrap();
    let again = db.read("a", id).await;
    assert_eq!((again.state, again.finished_at, again.error), (RuntimeState::Pending, None, None));
    assert_eq!(again.history.last().map(|change| change.state), Some(RuntimeState::Pending));
    assert_eq!(db.store.unfinished_runs(&of("")).await.unwrap().len(), 1);
}

/// A run of a recurring run whose schedule another engine keeps.
pub(crate) fn scheduled(run: &str, recurring_run: &str, state: RuntimeState) -> WorkflowReport {
    let node = ReportedNode {
        id: "nightly-1-7".into(),
        display_name: "say".into(),
        state,
        error: None,
        started_at: Some(START),
        finished_at: state.is_final().then_some(START),
    };
    WorkflowReport {
        recurring_run_id: Some(recurring_run.into()),
        scheduled_at: Some(Timestamp::from_seconds(60)),
        nodes: vec![node],
        workflow: r#"{"kind":"Workflow"}"#.into(),
        ..report(run, "a", state)
    }
}

pub(crate) async fn take_up_runs_of_a_schedule_kept_elsewhere(db: Db) {
    let experiment = db.experiment("a", "train").await;
    let (ours, foreign) = (
        db.recurring_run("a", &experiment, "nightly").await,
        db.recurring_run("b", &db.experiment("b", "train").await, "nightly").await,
    );
    let tell =
        async |run: &str, owner: &str, state| db.store.report_workflow(&of(""), scheduled(run, owner, state)).await;
    assert_eq!(refused(tell("r", foreign.id.as_str(), RuntimeState::Running).await), "NotFound: Run r not found");
    tell("r", ours.id.as_str(), RuntimeState::Running).await.unwrap();
    let run = db.read("a", "r").await;
    assert_eq!((run.backend, run.state, run.name.as_str()), (Backend::Reported, RuntimeState::Running, "nightly-1"));
    assert_eq!((run.recurring_run_id.as_str(), &run.experiment_id), (ours.id.as_str(), &experiment.id));
    assert_eq!((run.scheduled_at, run.tasks.len()), (Timestamp::from_seconds(60), 1));
    assert_eq!((run.tasks[0].display_name.as_str(), run.tasks[0].state), ("say", RuntimeState::Running));
    assert_eq!(db.store.unfinished_runs(&of("")).await.unwrap(), [], "nobody here executes it");
    let revision = async || db.store.revision(&of("a"), "r").await.unwrap();
    assert_eq!(revision().await, (2, false), "it was made, and then reported");
    for _ in ["once", "again"] {
        tell("r", ours.id.as_str(), RuntimeState::Succeeded).await.unwrap();
        assert_eq!(revision().await, (3, true), "what says nothing new is no step");
    }
    let run = db.read("a", "r").await;
    let states: Vec<_> = run.history.iter().map(|change| change.state).collect();
    assert_eq!(states, [RuntimeState::Pending, RuntimeState::Running, RuntimeState::Succeeded]);
    assert_eq!((run.tasks.len(), run.tasks[0].history.len(), run.finished_at), (1, 2, Some(START)));
    for history in [&run.history[1..], &run.tasks[0].history] {
        assert_eq!(history.iter().map(|change| change.revision).collect::<Vec<_>>(), [2, 3]);
    }
    let workflow = db.store.reported_workflow(&of("a"), "r").await.unwrap();
    assert_eq!(workflow.as_deref(), Some(r#"{"kind":"Workflow"}"#));
    let elsewhere = "FailedPrecondition: run r is executed by another engine, which alone can";
    assert_eq!(refused(db.store.terminate_run(&of("a"), "r").await), format!("{elsewhere} end it"));
    assert_eq!(refused(db.store.retry_run(&of("a"), "r").await), format!("{elsewhere} retry it"));
    // Whoever wrote the workflow has not written the engine's state.
    let execution = db.store.execution(&of("a"), &RunId::from_text("r")).await.unwrap();
    assert_eq!((execution.run.backend, execution.engine.as_str()), (Backend::Reported, ""));
    let step = refused(db.store.save_progress(&of("a"), step(&run, RuntimeState::Failed)).await);
    assert_eq!(step, format!("{elsewhere} carry on with it"));
    // The id is taken in another namespace, which is not to be told.
    let mut stolen = scheduled("r", foreign.id.as_str(), RuntimeState::Failed);
    stolen.namespace = Namespace::parse("b").unwrap();
    assert_eq!(refused(db.store.report_workflow(&of(""), stolen).await), "NotFound: Run r not found");
}

pub(crate) async fn a_recurring_run_has_one_run_of_a_name(db: Db) {
    let experiment = db.experiment("a", "train").await;
    let recurring = db.recurring_run("a", &experiment, "nightly").await;
    let foreign = db.recurring_run("b", &db.experiment("b", "train").await, "nightly").await;
    let runs = of("a");
    let make = async |home: &str, id: &RecurringRunId, sees: bool, name: &str| {
        let of_it = OfRecurring { id: id.as_str(), recurring_run: &of(home), runs: sees.then_some(&runs) };
        db.store.create_run_of(&of("a"), of_it, new_run(&experiment.id, name)).await
    };
    let first = make("a", &recurring.id, false, "nightly-1").await.unwrap();
    db.reach(&first, RuntimeState::Running).await;
    let again = make("a", &recurring.id, true, "nightly-1").await.unwrap();
    assert_eq!((again.id, again.state), (first.id, RuntimeState::Running));
    let unseen = refused(make("a", &recurring.id, false, "nightly-1").await);
    assert_eq!(unseen, format!("AlreadyExists: recurring run {} has a run \"nightly-1\" already", recurring.id));
    make("a", &recurring.id, true, "nightly-2").await.unwrap();
    assert_eq!(db.store.runs(&of("a"), ListScope::Everything, Query::default()).await.unwrap().total, 2);
    for home in ["a", "b"] {
        let refusal = refused(make(home, &foreign.id, true, "nightly-1").await);
        assert_eq!(refusal, format!("NotFound: RecurringRun {} not found", foreign.id), "with a grant in {home}");
    }
}

pub(crate) async fn metrics_order_runs(db: Db) {
    let experiment = db.experiment("a", "train").await;
    for (name, values) in [("low", vec![0.1]), ("none", vec![]), ("high", vec![0.2, 0.9]), ("also none", vec![])] {
        let run = db.run("a", &experiment, name).await;
        let node =
            |(number, value): (usize, &f64)| Metric { node_id: number.to_string(), ..metric("Accuracy", *value) };
        let metrics = values.iter().enumerate().map(node).chain([metric("other", 5.0)]).collect();
        db.store.report_metrics(&of("a"), run.id.as_str(), metrics).await.unwrap();
    }
    let walk = async |sort_by: &str| {
        let (mut names, mut token) = (Vec::new(), String::new());
        loop {
            let query = Query { size: 1, token, sort_by: sort_by.into(), ..Query::default() };
            let page = db.store.runs(&of("a"), ListScope::Everything, query).await.unwrap();
            assert_eq!(page.total, 4);
            names.extend(page.items.into_iter().map(|run| run.name));
            token = page.next;
            if token.is_empty() {
                return names;
            }
        }
    };
    assert_eq!(walk("metric:Accuracy desc").await, ["high", "low", "also none", "none"]);
    assert_eq!(walk("metric:Accuracy").await, ["none", "also none", "low", "high"]);
    assert_eq!(walk("metric:absent").await, ["low", "none", "high", "also none"]);
    assert_eq!(walk("metric:x'--").await.len(), 4);
}
