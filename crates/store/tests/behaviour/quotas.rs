//! How much a namespace may hold.
use crate::{
    backend::{Db, new_pipeline, new_recurring_run, new_run, of, refused},
    reports::scheduled,
};
use domain::{Experiment, Namespace, NewRun, RunId, RuntimeState};
use futures::future::join_all;
use store::{Cascade, Limits, OfRecurring, Quota, Quotas, Standing, Store};

/// So many ask at once, of two servers.
const AT_ONCE: usize = 24;

fn limit(quota: Quota, limit: u32) -> Limits {
    let (limit, none) = (Some(limit), Limits::default());
    match quota {
        Quota::ActiveRuns => Limits { active_runs: limit, ..none },
        Quota::StoredRuns => Limits { stored_runs: limit, ..none },
        Quota::Pipelines => Limits { pipelines: limit, ..none },
        Quota::RecurringRuns => Limits { recurring_runs: limit, ..none },
    }
}

fn everywhere(everywhere: Limits) -> Quotas {
    Quotas { everywhere, ..Quotas::default() }
}

/// Makes one more of what a quota is about, and gives its id.
async fn make(store: &Store, quota: Quota, experiment: &Experiment, name: &str) -> domain::Result<String> {
    let home = experiment.home.as_column();
    Ok(match quota {
        Quota::ActiveRuns | Quota::StoredRuns => {
            store.create_run(&of(home), new_run(&experiment.id, name)).await?.id.to_string()
        }
        Quota::Pipelines => store.create_pipeline(&of(home), new_pipeline(name), None).await?.0.id.to_string(),
        Quota::RecurringRuns => {
            store.create_recurring_run(&of(home), new_recurring_run(&experiment.id, name)).await?.id.to_string()
        }
    })
}

async fn delete(store: &Store, quota: Quota, home: &str, id: &str) {
    match quota {
        Quota::ActiveRuns | Quota::StoredRuns => store.delete_run(&of(home), id).await,
        Quota::Pipelines => store.delete_pipeline(&of(home), id, Cascade::Versions).await,
        Quota::RecurringRuns => store.delete_recurring_run(&of(home), id).await,
    }
    .unwrap();
}

async fn used(store: &Store, home: &str, quota: Quota) -> i64 {
    store.usage(&of(home)).await.unwrap().of(quota)
}

pub(crate) async fn refuse_one_too_many_until_one_is_deleted(db: Db) {
    let experiment = db.experiment("a", "train").await;
    let table = [
        (Quota::ActiveRuns, "wait until runs have ended, terminate or delete some"),
        (Quota::StoredRuns, "delete runs (archived ones count too)"),
        (Quota::Pipelines, "delete pipelines"),
        (Quota::RecurringRuns, "delete recurring runs (disabled ones count too)"),
    ];
    for (quota, way) in table {
        let store = db.store.clone().with_quotas(everywhere(limit(quota, 2)));
        let first = make(&store, quota, &experiment, "one").await.unwrap();
        let second = make(&store, quota, &experiment, "two").await.unwrap();
        let expect = format!(
            "ResourceExhausted: quota {quota} of namespace a is used up, 2 of 2: {way}, or ask who runs this server for a \
             larger quota"
        );
        assert_eq!(refused(make(&store, quota, &experiment, "three").await), expect);
        assert_eq!(used(&store, "a", quota).await, 2, "{quota}: nothing is left of what was refused");
        delete(&store, quota, "a", &first).await;
        let third = make(&store, quota, &experiment, "three").await.unwrap();
        assert_eq!(refused(make(&store, quota, &experiment, "four").await), expect);
        for id in [second, third] {
            delete(&store, quota, "a", &id).await;
        }
    }
}

/// Whether they are of one experiment or of several, whose numbers are kept apart.
pub(crate) async fn hold_when_many_ask_at_once(db: Db) {
    let mut experiments = Vec::new();
    for name in ["one", "two", "three"] {
        experiments.push(db.experiment("a", name).await);
    }
    let other = db.again().await;
    for quota in Quota::ALL {
        let before = u32::try_from(used(&db.store, "a", quota).await).unwrap();
        let servers = [&db.store, &other].map(|store| store.clone().with_quotas(everywhere(limit(quota, before + 5))));
        let ask = async |number: usize| {
            let (store, experiment) = (&servers[number % 2], &experiments[number / 2 % 3]);
            make(store, quota, experiment, &format!("{quota} {number}")).await
        };
        let (made, not): (Vec<_>, Vec<_>) = join_all((0..AT_ONCE).map(ask)).await.into_iter().partition(Result::is_ok);
        assert_eq!((made.len(), used(&db.store, "a", quota).await), (5, i64::from(before) + 5), "{quota}");
        for answer in not {
            assert!(
                refused(answer).starts_with(&format!("ResourceExhausted: quota {quota} of namespace a is used up"))
            );
        }
    }
}

async fn failed(db: &Db, experiment: &Experiment, count: usize) -> Vec<RunId> {
    let mut ids = Vec::new();
    for number in 0..count {
        let run = db.run(experiment.home.as_column(), experiment, &format!("failed {number}")).await;
        db.reach(&run, RuntimeState::Failed).await;
        ids.push(run.id);
    }
    ids
}

pub(crate) async fn count_a_run_that_goes_on(db: Db) {
    let experiment = db.experiment("a", "train").await;
    let store = db.store.clone().with_quotas(everywhere(Limits { active_runs: Some(2), ..Limits::default() }));
    let runs = failed(&db, &experiment, 2).await;
    let [busy, also] = [db.run("a", &experiment, "busy").await, db.run("a", &experiment, "also").await];
    let text = refused(store.retry_run(&of("a"), runs[0].as_str()).await);
    assert!(text.starts_with("ResourceExhausted: quota active_runs of namespace a is used up, 2 of 2: "));
    let still = store.run(&of("a"), runs[0].as_str()).await.unwrap();
    assert_eq!((still.state, still.finished_at.is_some()), (RuntimeState::Failed, true));
    // That it cannot be retried at all is told first.
    let text = refused(store.retry_run(&of("a"), busy.id.as_str()).await);
    assert!(text.starts_with("Aborted"), "{text}");
    // To archive a run, to bring it back, and to ask for its end leave it active.
    store.archive_run(&of("a"), busy.id.as_str()).await.unwrap();
    store.unarchive_run(&of("a"), busy.id.as_str()).await.unwrap();
    store.terminate_run(&of("a"), busy.id.as_str()).await.unwrap();
    refused(store.retry_run(&of("a"), runs[0].as_str()).await);
    db.reach(&busy, RuntimeState::Failed).await;
    store.retry_run(&of("a"), runs[0].as_str()).await.unwrap();
    refused(store.retry_run(&of("a"), runs[1].as_str()).await);
    refused(store.create_run(&of("a"), new_run(&experiment.id, "new")).await);
    store.delete_run(&of("a"), also.id.as_str()).await.unwrap();
    store.retry_run(&of("a"), runs[1].as_str()).await.unwrap();
    assert_eq!(used(&store, "a", Quota::ActiveRuns).await, 2);
}

pub(crate) async fn hold_when_many_retry_at_once(db: Db) {
    let experiment = db.experiment("a", "train").await;
    let runs = failed(&db, &experiment, 12).await;
    let limits = Limits { active_runs: Some(4), ..Limits::default() };
    let servers = [db.store.clone(), db.again().await].map(|store| store.with_quotas(everywhere(limits)));
    let grant = of("a");
    // Half of them want to go on, and as many new ones to begin.
    let ask = async |number: usize| {
        let store = &servers[number / 2 % 2];
        match number % 2 {
            0 => store.retry_run(&grant, runs[number / 2].as_str()).await,
            _ => make(store, Quota::ActiveRuns, &experiment, "new").await.map(|_| ()),
        }
    };
    let answers = join_all((0..AT_ONCE).map(ask)).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 4);
    for answer in answers.into_iter().filter(Result::is_err) {
        assert!(refused(answer).starts_with("ResourceExhausted"));
    }
    assert_eq!(used(&db.store, "a", Quota::ActiveRuns).await, 4);
}

pub(crate) async fn are_of_each_namespace(db: Db) {
    let [a, b, c] = [db.experiment("a", "x").await, db.experiment("b", "x").await, db.experiment("c", "x").await];
    let named = |name, limits| (Namespace::parse(name).unwrap(), limits);
    let quotas = Quotas {
        everywhere: Limits { pipelines: Some(1), stored_runs: Some(1), ..Limits::default() },
        namespaces: [
            named("b", Limits { pipelines: Some(3), active_runs: Some(0), ..Limits::default() }),
            named("c", Limits::default()),
        ]
        .into(),
    };
    let store = db.store.clone().with_quotas(quotas);
    let made = async |quota: Quota, experiment: &Experiment| {
        let mut made = 0;
        while made < 5 && make(&store, quota, experiment, &format!("number {made}")).await.is_ok() {
            made += 1;
        }
        made
    };
    for (experiment, pipelines, runs) in [(&a, 1, 1), (&b, 3, 0), (&c, 5, 5)] {
        let home = experiment.home.as_column();
        assert_eq!(made(Quota::Pipelines, experiment).await, pipelines, "{home}");
        assert_eq!(made(Quota::StoredRuns, experiment).await, runs, "{home}");
        assert_eq!(made(Quota::RecurringRuns, experiment).await, 5, "{home}");
    }
    let standing = |quota, limit, used| Standing { quota, limit, used };
    let expect = [
        standing(Quota::ActiveRuns, Some(0), 0),
        standing(Quota::StoredRuns, None, 0),
        standing(Quota::Pipelines, Some(3), 3),
        standing(Quota::RecurringRuns, None, 5),
    ];
    assert_eq!(store.standing(&of("b")).await.unwrap(), expect);
    refused(store.standing(&of("*")).await);
    refused(store.standing(&of("")).await);
    // What everybody shares is of no namespace.
    for number in 0..3 {
        store.create_pipeline(&of("*"), new_pipeline(&format!("number {number}")), None).await.unwrap();
    }
}

pub(crate) async fn stand_back_behind_what_is_there(db: Db) {
    let experiment = db.experiment("a", "train").await;
    let pipelines = [db.pipeline("a", "one").await, db.pipeline("a", "two").await];
    db.recurring_run("a", &experiment, "hourly").await;
    let chosen = NewRun { id: Some(RunId::from_text("chosen")), ..new_run(&experiment.id, "run") };
    db.store.create_run(&of("a"), chosen).await.unwrap();
    let one = Some(1);
    let store = db.store.clone().with_quotas(everywhere(Limits {
        active_runs: one,
        stored_runs: one,
        pipelines: one,
        recurring_runs: one,
    }));
    // A quota that came later takes nothing away.
    let text = refused(make(&store, Quota::Pipelines, &experiment, "three").await);
    assert!(text.starts_with("ResourceExhausted: quota pipelines of namespace a is used up, 2 of 1: "), "{text}");
    store.delete_pipeline(&of("a"), pipelines[0].id.as_str(), Cascade::Nothing).await.unwrap();
    // Who makes what is there already hears that it is, and may add a version to it.
    let text = refused(make(&store, Quota::Pipelines, &experiment, "two").await);
    assert!(text.starts_with("AlreadyExists"), "{text}");
    db.version("a", &pipelines[1], "first").await;
    assert_eq!(used(&store, "a", Quota::Pipelines).await, 1);
    // What belongs to a run that is there goes on.
    let run = store.run(&of("a"), "chosen").await.unwrap();
    db.reach(&run, RuntimeState::Running).await;
    db.reach(&run, RuntimeState::Succeeded).await;
    let text = refused(store.create_run(&of("a"), new_run(&experiment.id, "another")).await);
    assert!(text.contains("quota stored_runs of namespace a is used up, 1 of 1"), "{text}");
}

/// It runs already, whether it is known here or not, and takes its place.
pub(crate) async fn take_up_what_another_engine_reports(db: Db) {
    let experiment = db.experiment("a", "train").await;
    let recurring = db.recurring_run("a", &experiment, "nightly").await;
    let one = Some(1);
    let limits = Limits { active_runs: one, stored_runs: one, ..Limits::default() };
    let store = db.store.clone().with_quotas(everywhere(limits));
    for run in ["first", "second"] {
        let report = scheduled(run, recurring.id.as_str(), RuntimeState::Running);
        store.report_workflow(&of(""), report).await.unwrap();
    }
    assert_eq!(used(&store, "a", Quota::ActiveRuns).await, 2);
    let runs = of("a");
    let again = OfRecurring { id: recurring.id.as_str(), recurring_run: &of("a"), runs: Some(&runs) };
    let there = store.create_run_of(&of("a"), again, new_run(&experiment.id, "nightly-1")).await.unwrap();
    assert!(["first", "second"].contains(&there.id.as_str()), "it is there already, and takes no more room");
    let text = refused(store.create_run_of(&of("a"), again, new_run(&experiment.id, "nightly-2")).await);
    assert!(text.starts_with("ResourceExhausted: quota stored_runs of namespace a is used up, 2 of 1"), "{text}");
}
