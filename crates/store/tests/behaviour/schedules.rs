//! How far recurring runs have come: decisions, moments, and who may decide.
use crate::backend::{Db, START, new_recurring_run, new_run, of, refused};
use domain::{
    Code, Due, Experiment, ExperimentId, Fault, Fence, Fired, Firing, Namespace, Outcome, Passed, RecurringRun,
    RuntimeState, Schedule, Settled, Timestamp, list::Query,
};
use futures::future::join_all;
use std::collections::BTreeMap;
use store::{Limits, Quotas, Store};

const MINUTE: i64 = 60_000_000;
const FAR: Timestamp = Timestamp(i64::MAX);

fn after(minutes: i64) -> Timestamp {
    Timestamp(START.0 + minutes * MINUTE)
}

async fn due(store: &Store, by: Timestamp) -> Vec<Due> {
    store.due_schedules(&of(""), by, &[], 100).await.unwrap()
}

async fn schedule(store: &Store, it: &RecurringRun) -> Schedule {
    let due = Due { id: it.id.clone(), namespace: it.namespace.clone(), next_at: START };
    store.schedules_due(&of(""), &[due]).await.unwrap().remove(0).0
}

fn firing(schedule: &Schedule, at: Timestamp) -> Firing {
    Firing {
        id: schedule.recurring_run.id.clone(),
        revision: schedule.revision,
        fence: Fence::Alone,
        at,
        passed: None,
        next_at: Some(Timestamp(at.0 + MINUTE)),
    }
}

fn settled(schedule: &Schedule) -> Settled {
    Settled {
        id: schedule.recurring_run.id.clone(),
        revision: schedule.revision,
        fence: Fence::Alone,
        passed: None,
        next_at: Some(after(9)),
        waiting: false,
        fault: None,
    }
}

async fn fire(store: &Store, firing: Firing, of_experiment: &Experiment) -> domain::Result<Fired> {
    let home = of_experiment.home.as_column();
    let name = format!("run of {}", firing.at);
    store.fire(&of(home), &of(home), firing, new_run(&of_experiment.id, &name)).await
}

fn passed(from: i64, until: i64) -> Passed {
    let (from, until) = (after(from), after(until));
    Passed { from, until, moments: 1 + (until.0 - from.0) / MINUTE, outcome: Outcome::Missed, reason: "late".into() }
}

/// Moments, outcomes and whether there is a run, the latest first.
async fn ticks(store: &Store, it: &RecurringRun) -> Vec<(Timestamp, Outcome, bool)> {
    let page = store.ticks(&of(it.namespace.as_str()), it.id.as_str(), Query::default()).await.unwrap();
    page.0.iter().map(|tick| (tick.fire_at, tick.outcome, tick.run_id.is_some())).collect()
}

pub(crate) async fn are_looked_at_when_they_are_due(db: Db) {
    let experiment = db.experiment("a", "train").await;
    let it = db.recurring_run("a", &experiment, "nightly").await;
    let mut off = new_recurring_run(&experiment.id, "off");
    off.enabled = false;
    let off = db.store.create_recurring_run(&of("a"), off).await.unwrap();
    let expect = Due { id: it.id.clone(), namespace: Namespace::parse("a").unwrap(), next_at: Timestamp(1) };
    assert_eq!(due(&db.store, FAR).await, std::slice::from_ref(&expect));
    // Those of some namespaces can be left out.
    let all = async |but: &[&str]| {
        let but: Vec<_> = but.iter().map(|name| Namespace::parse(name).unwrap()).collect();
        db.store.due_schedules(&of(""), FAR, &but, 9).await.unwrap().len()
    };
    assert_eq!((all(&["b"]).await, all(&["a", "b"]).await), (1, 0));

    assert!(db.store.settle_schedule(&of(""), settled(&schedule(&db.store, &it).await)).await.unwrap());
    assert_eq!(due(&db.store, after(8)).await, []);
    assert_eq!(due(&db.store, after(9)).await.len(), 1);
    // What is enabled is looked at, whenever it was before.
    db.store.enable_recurring_run(&of("a"), it.id.as_str()).await.unwrap();
    db.store.enable_recurring_run(&of("a"), off.id.as_str()).await.unwrap();
    assert_eq!(due(&db.store, START).await.len(), 2);
    assert_eq!(db.store.due_schedules(&of(""), START, &[], 1).await.unwrap().len(), 1);
    db.store.disable_recurring_run(&of("a"), it.id.as_str()).await.unwrap();
    assert_eq!(due(&db.store, FAR).await.len(), 1);
    db.store.delete_recurring_run(&of("a"), off.id.as_str()).await.unwrap();
    assert_eq!(due(&db.store, FAR).await, []);

    db.store.enable_recurring_run(&of("a"), it.id.as_str()).await.unwrap();
    db.store.archive_experiment(&of("a"), experiment.id.as_str()).await.unwrap();
    assert_eq!(due(&db.store, FAR).await, []);
    let one_tenant = refused(db.store.due_schedules(&of("a"), FAR, &[], 1).await);
    assert!(one_tenant.starts_with("Internal"), "{one_tenant}");
}

pub(crate) async fn make_one_run_of_a_moment(db: Db) {
    let experiment = db.experiment("a", "train").await;
    let it = db.recurring_run("a", &experiment, "nightly").await;
    let before = schedule(&db.store, &it).await;
    assert_eq!((before.last_at, before.fired, before.active, before.waiting), (None, 0, 0, false));

    // Several servers decide on the same schedule at once.
    let servers = [db.store.clone(), db.again().await];
    let all = (0..8).map(|number| fire(&servers[number % 2], firing(&before, after(1)), &experiment));
    let made: Vec<Fired> = join_all(all).await.into_iter().map(Result::unwrap).collect();
    let ids: Vec<_> =
        made.iter().filter_map(|fired| if let Fired::Made(id) = fired { Some(id) } else { None }).collect();
    assert_eq!((ids.len(), made.iter().filter(|fired| **fired == Fired::Overtaken).count()), (1, 7), "{made:?}");
    let run = db.read("a", ids[0].as_str()).await;
    assert_eq!((run.scheduled_at, run.recurring_run_id.as_str()), (after(1), it.id.as_str()));
    assert_eq!((run.created_at, run.state, run.created_by.as_str()), (START, RuntimeState::Pending, "jane"));

    let now = schedule(&db.store, &it).await;
    assert_eq!((now.last_at, now.next_at, now.fired, now.active), (Some(after(1)), Some(after(2)), 1, 1));
    assert_eq!(ticks(&db.store, &it).await, [(after(1), Outcome::Fired, true)]);
    // Whatever is decided: the same moment does not get another one.
    assert!(fire(&db.store, firing(&now, after(1)), &experiment).await.is_err());
    assert_eq!(schedule(&db.store, &it).await, now);
    let runs = db.store.runs(&of("a"), store::ListScope::Everything, Query::default()).await.unwrap();
    assert_eq!(runs.total, 1, "nothing of it is left");
}

/// Whoever spoils what is written together does so for himself alone.
pub(crate) async fn are_written_together(db: Db) {
    let limits = Limits { stored_runs: Some(5), ..Limits::default() };
    let quotas =
        Quotas { everywhere: limits, namespaces: [(Namespace::parse("a").unwrap(), Limits::default())].into() };
    let store = db.store.clone().with_quotas(quotas);
    let mut all = Vec::new();
    for home in ["a", "b"] {
        let experiment = db.experiment(home, "train").await;
        for number in 0..20 {
            let it = db.recurring_run(home, &experiment, &format!("{home} {number}")).await;
            all.push((schedule(&store, &it).await, it, experiment.clone()));
        }
    }
    let decide = async |(before, it, experiment): &(Schedule, RecurringRun, Experiment)| {
        match it.name.as_str() {
            "a 3" => {
                let settled = Settled { passed: Some(passed(1, 3)), ..settled(before) };
                return store.settle_schedule(&of(""), settled).await.map(|written| format!("settled {written}"));
            }
            "a 7" => {
                let absent = Experiment { id: ExperimentId::from_text("absent"), ..experiment.clone() };
                return fire(&store, firing(before, after(1)), &absent).await.map(|_| "absent".to_owned());
            }
            "a 9" => {
                let other = Firing { revision: before.revision + 1, ..firing(before, after(1)) };
                return fire(&store, other, experiment).await.map(|fired| format!("{fired:?}"));
            }
            _ => {}
        }
        let fired = fire(&store, firing(before, after(1)), experiment).await;
        fired.map(|fired| if let Fired::Made(_) = fired { "made".to_owned() } else { format!("{fired:?}") })
    };
    let decided = join_all(all.iter().map(decide)).await;
    let mut found: BTreeMap<String, usize> = BTreeMap::new();
    for ((_, it, _), decided) in all.iter().zip(decided) {
        let text = decided.unwrap_or_else(|error| format!("{:?}", error.code()));
        *found.entry(format!("{} {text}", it.namespace)).or_default() += 1;
    }
    let found: Vec<(&str, usize)> = found.iter().map(|(text, many)| (text.as_str(), *many)).collect();
    let in_a = [("a NotFound", 1), ("a Overtaken", 1), ("a made", 17), ("a settled true", 1)];
    assert_eq!(found, [&in_a[..], &[("b ResourceExhausted", 15), ("b made", 5)]].concat());
    for (home, runs) in [("a", 17), ("b", 5)] {
        let page = store.runs(&of(home), store::ListScope::Everything, Query::default()).await.unwrap();
        assert_eq!((page.total, page.items.len()), (runs, usize::try_from(runs).unwrap()));
    }
    for (before, it, _) in &all {
        let (now, ticks) = (schedule(&store, it).await, ticks(&store, it).await);
        let fired = i64::from(ticks.iter().any(|(.., has_run)| *has_run));
        assert_eq!((now.fired, now.active), (fired, fired), "{}", it.name);
        assert_eq!(now.revision, before.revision + i64::from(!ticks.is_empty()), "{}", it.name);
    }
}

pub(crate) async fn wait_until_a_run_has_ended(db: Db) {
    let experiment = db.experiment("a", "train").await;
    let mut new = new_recurring_run(&experiment.id, "nightly");
    new.max_concurrency = 1;
    let it = db.store.create_recurring_run(&of("a"), new).await.unwrap();
    let waiting = |schedule: &Schedule| Settled { waiting: true, ..settled(schedule) };
    let idle = schedule(&db.store, &it).await;
    assert!(!db.store.settle_schedule(&of(""), waiting(&idle)).await.unwrap(), "there is nothing to wait for");
    let Fired::Made(id) = fire(&db.store, firing(&idle, after(1)), &experiment).await.unwrap() else { panic!() };

    let busy = schedule(&db.store, &it).await;
    assert_eq!(fire(&db.store, firing(&busy, after(2)), &experiment).await.unwrap(), Fired::Full);
    assert!(db.store.settle_schedule(&of(""), waiting(&busy)).await.unwrap());
    assert!(schedule(&db.store, &it).await.waiting);
    assert_eq!(due(&db.store, after(8)).await, []);
    let run = db.read("a", id.as_str()).await;
    db.reach(&run, RuntimeState::Running).await;
    assert_eq!(due(&db.store, after(8)).await, []);
    db.reach(&run, RuntimeState::Succeeded).await;
    assert_eq!(due(&db.store, START).await.len(), 1);
    let idle = schedule(&db.store, &it).await;
    assert_eq!((idle.waiting, idle.active), (true, 0), "until it is decided");
    assert!(matches!(fire(&db.store, firing(&idle, after(2)), &experiment).await.unwrap(), Fired::Made(_)));
}

pub(crate) async fn are_decided_by_the_one_that_leads(db: Db) {
    let experiment = db.experiment("a", "train").await;
    let it = db.recurring_run("a", &experiment, "nightly").await;
    assert_eq!(db.store.lease().await.unwrap(), None);
    let others = [db.again().await, db.again().await, db.store.clone()];
    let taken = join_all(others.iter().map(|store| store.take_lease(None, "one"))).await;
    let taken: Vec<_> = taken.into_iter().filter_map(Result::unwrap).collect();
    assert_eq!(taken, [1], "one of several gets it");

    let first = db.store.lease().await.unwrap().unwrap();
    assert_eq!((first.holder.as_str(), first.fencing_token, first.beat), ("one", 1, 0));
    assert!(db.store.beat_lease(1).await.unwrap());
    assert_eq!(db.store.take_lease(Some(first), "two").await.unwrap(), None, "it has beaten since");
    let beaten = db.store.lease().await.unwrap();
    assert_eq!(beaten.as_ref().unwrap().beat, 1);

    let old = |schedule: &Schedule| Firing { fence: Fence::Token(1), ..firing(schedule, after(1)) };
    let before = schedule(&db.store, &it).await;
    assert_eq!(db.store.take_lease(beaten, "two").await.unwrap(), Some(2));
    assert!(!db.store.beat_lease(1).await.unwrap());
    let refusal = refused(fire(&db.store, old(&before), &experiment).await);
    assert_eq!(refusal, "Aborted: another server fires the schedules by now");
    let refusal = Settled { fence: Fence::Token(1), ..settled(&before) };
    assert!(refused(db.store.settle_schedule(&of(""), refusal).await).starts_with("Aborted"));
    assert_eq!(schedule(&db.store, &it).await, before);

    let new = Firing { fence: Fence::Token(2), ..firing(&before, after(1)) };
    assert!(matches!(fire(&db.store, new, &experiment).await.unwrap(), Fired::Made(_)));
    let tick = db.store.ticks(&of("a"), it.id.as_str(), Query::default()).await.unwrap().0.remove(0);
    assert_eq!(tick.fencing_token, 2);
    db.store.give_up_lease(1).await.unwrap();
    assert_eq!(db.store.lease().await.unwrap().unwrap().holder, "two", "one gives up nothing but its own");
    db.store.give_up_lease(2).await.unwrap();
    assert_eq!(db.store.lease().await.unwrap().unwrap().holder, "");
}

pub(crate) async fn tell_what_has_come_of_moments(db: Db) {
    let experiment = db.experiment("a", "train").await;
    let it = db.recurring_run("a", &experiment, "nightly").await;
    for number in 0..5 {
        let now = schedule(&db.store, &it).await;
        let at = number * 4 + 4;
        let missed = Firing { passed: Some(passed(at - 3, at - 1)), ..firing(&now, after(at)) };
        let Fired::Made(id) = fire(&db.store, missed, &experiment).await.unwrap() else { panic!() };
        db.reach(&db.read("a", id.as_str()).await, RuntimeState::Succeeded).await;
        db.clock.advance(MINUTE);
    }
    let mut all = Vec::new();
    let mut query = Query { size: 3, ..Query::default() };
    loop {
        let page = db.store.ticks(&of("a"), it.id.as_str(), query.clone()).await.unwrap();
        all.extend(page.0);
        if page.1.is_empty() {
            break;
        }
        query.token = page.1;
    }
    assert_eq!(all.len(), 10);
    assert!(all.is_sorted_by(|one, next| one.fire_at > next.fire_at));
    assert_eq!((all[0].outcome, all[0].fire_at, all[0].moments), (Outcome::Fired, after(20), 1));
    let missed = &all[1];
    assert_eq!((missed.fire_at, missed.until, missed.moments), (after(17), after(19), 3));
    assert_eq!((missed.outcome, missed.reason.as_str(), &missed.run_id), (Outcome::Missed, "late", &None));

    let foreign = refused(db.store.ticks(&of("b"), it.id.as_str(), Query::default()).await);
    assert_eq!(foreign, format!("NotFound: RecurringRun {} not found", it.id));
    let ordered = Query { sort_by: "outcome".into(), ..Query::default() };
    assert!(refused(db.store.ticks(&of("a"), it.id.as_str(), ordered).await).starts_with("InvalidArgument"));
    // Two minutes' worth of them, then the rest.
    assert_eq!(db.store.forget_ticks(&of(""), after(2), 3).await.unwrap(), 3);
    assert_eq!(db.store.forget_ticks(&of(""), after(2), 3).await.unwrap(), 1);
    assert_eq!(db.store.forget_ticks(&of(""), after(2), 3).await.unwrap(), 0);
    assert_eq!(ticks(&db.store, &it).await.len(), 6);
    db.store.delete_recurring_run(&of("a"), it.id.as_str()).await.unwrap();
    assert_eq!(db.store.forget_ticks(&of(""), FAR, 100).await.unwrap(), 0, "they have gone with it");
}

pub(crate) async fn show_what_keeps_them_from_firing(db: Db) {
    let experiment = db.experiment("a", "train").await;
    let it = db.recurring_run("a", &experiment, "nightly").await;
    let fault = Fault { code: Code::PermissionDenied, message: "jane may not".into(), since: START };
    let faulty = |schedule: &Schedule| Settled {
        passed: Some(Passed { outcome: Outcome::Refused, ..passed(1, 1) }),
        fault: Some(fault.clone()),
        ..settled(schedule)
    };
    let shown = async || db.store.recurring_run(&of("a"), it.id.as_str()).await.unwrap().fault;
    assert!(db.store.settle_schedule(&of(""), faulty(&schedule(&db.store, &it).await)).await.unwrap());
    assert_eq!(shown().await, Some(fault.clone()));
    assert_eq!(ticks(&db.store, &it).await, [(after(1), Outcome::Refused, false)]);
    let now = schedule(&db.store, &it).await;
    assert_eq!((now.last_at, now.fired), (Some(after(1)), 0));
    assert!(matches!(fire(&db.store, firing(&now, after(2)), &experiment).await.unwrap(), Fired::Made(_)));
    assert_eq!(shown().await, None);

    let again = Settled { passed: None, ..faulty(&schedule(&db.store, &it).await) };
    assert!(db.store.settle_schedule(&of(""), again).await.unwrap());
    assert_eq!(shown().await, Some(fault));
    db.store.enable_recurring_run(&of("a"), it.id.as_str()).await.unwrap();
    assert_eq!(shown().await, None);
}

pub(crate) async fn leave_nothing_behind_without_room(db: Db) {
    let experiment = db.experiment("a", "train").await;
    let it = db.recurring_run("a", &experiment, "nightly").await;
    let everywhere = Limits { active_runs: Some(1), ..Limits::default() };
    let small = db.store.clone().with_quotas(Quotas { everywhere, ..Quotas::default() });
    db.run("a", &experiment, "other").await;
    let before = schedule(&db.store, &it).await;
    let refusal = refused(fire(&small, firing(&before, after(1)), &experiment).await);
    assert!(refusal.starts_with("ResourceExhausted"), "{refusal}");
    assert_eq!(schedule(&db.store, &it).await, before);
    assert_eq!(ticks(&db.store, &it).await, []);
}

pub(crate) async fn are_fired_for_somebody_besides(db: Db) {
    let experiment = db.experiment("a", "train").await;
    let mut new = new_recurring_run(&experiment.id, "nightly");
    (new.max_concurrency, new.enabled) = (1, false);
    let it = db.store.create_recurring_run(&of("a"), new).await.unwrap();
    let new = || new_run(&experiment.id, "asked for");
    let stale = schedule(&db.store, &it).await;
    let id = db.store.fire_now(&of("a"), &of("a"), &stale, new()).await.unwrap();
    let run = db.read("a", id.as_str()).await;
    assert_eq!((run.recurring_run_id.as_str(), run.scheduled_at), (it.id.as_str(), START));
    let now = schedule(&db.store, &it).await;
    assert_eq!((now.fired, now.last_at, now.next_at), (1, None, None), "the schedule stays as it is");
    let tick = db.store.ticks(&of("a"), it.id.as_str(), Query::default()).await.unwrap().0.remove(0);
    assert_eq!((tick.fire_at, tick.reason.as_str(), tick.run_id), (START, "asked for by jane", Some(id)));

    assert!(refused(db.store.fire_now(&of("a"), &of("a"), &stale, new()).await).starts_with("Aborted"));
    assert!(refused(db.store.fire_now(&of("a"), &of("a"), &now, new()).await).starts_with("FailedPrecondition"));
    assert_eq!(schedule(&db.store, &it).await, now);
    let foreign = refused(db.store.fire_now(&of("b"), &of("b"), &now, new()).await);
    assert!(foreign.starts_with("Aborted"), "{foreign}");
}

pub(crate) async fn stay_in_their_namespace(db: Db) {
    let experiment = db.experiment("a", "train").await;
    let other = db.experiment("b", "train").await;
    let it = db.recurring_run("a", &experiment, "nightly").await;
    let before = schedule(&db.store, &it).await;
    let run = || new_run(&other.id, "theirs");
    let fired = db.store.fire(&of("b"), &of("b"), firing(&before, after(1)), run()).await.unwrap();
    assert_eq!(fired, Fired::Overtaken);
    let mixed = db.store.fire(&of("b"), &of("a"), firing(&before, after(1)), run()).await;
    assert!(refused(mixed).starts_with("NotFound"));
    // An experiment of another namespace is none of its own.
    let foreign = db.store.fire(&of("a"), &of("a"), firing(&before, after(1)), run()).await;
    assert_eq!(refused(foreign), format!("NotFound: Experiment {} not found", other.id));
    assert_eq!(schedule(&db.store, &it).await, before);
    for (home, expect) in [("a", 1), ("b", 0)] {
        let page = db.store.schedules(&of(home), Query::default()).await.unwrap();
        assert_eq!((page.items.len(), page.total), (expect, i64::try_from(expect).unwrap()));
    }
    let (shown, owner) = db.store.schedule_of(&of("a"), it.id.as_str()).await.unwrap();
    assert_eq!((shown, owner.unwrap().user()), (before, "jane"));
    assert!(refused(db.store.schedule_of(&of("b"), it.id.as_str()).await).starts_with("NotFound"));
}
