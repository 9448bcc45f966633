//! Lists under random filters, orders, page sizes and changes, beside an evaluator that is too simple to be wrong.
use crate::backend::{Db, of};
use domain::{
    NewExperiment, Run, RuntimeState, StorageState, Timestamp,
    list::{Operation, Predicate, Query, Value},
};
use proptest::{
    prelude::*,
    sample::select,
    strategy::ValueTree,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use std::collections::BTreeSet;
use store::ListScope;

const RUNS: usize = 40;
const QUERIES: usize = 400;
const WALKS: usize = 40;

/// Always the same numbers, so that a failure comes back.
pub(crate) fn random() -> TestRunner {
    TestRunner::new_with_rng(Config::default(), TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}

pub(crate) fn draw<T: std::fmt::Debug>(runner: &mut TestRunner, strategy: &impl Strategy<Value = T>) -> T {
    strategy.new_tree(runner).unwrap().current()
}

/// Few letters, so that names collide, and those that a pattern could take for its own.
fn name() -> impl Strategy<Value = String> {
    prop::collection::vec(select(vec!["a", "A", "b", "%", "_", "\\", "'", "é", " "]), 1..4)
        .prop_map(|parts| parts.concat())
}

fn text_operation() -> impl Strategy<Value = Operation> {
    use Operation::*;
    select(vec![Equals, NotEquals, GreaterThan, GreaterThanEquals, LessThan, LessThanEquals, IsSubstring])
}

fn time_operation() -> impl Strategy<Value = Operation> {
    use Operation::*;
    select(vec![Equals, NotEquals, GreaterThan, GreaterThanEquals, LessThan, LessThanEquals])
}

fn predicate() -> impl Strategy<Value = Predicate> {
    let seconds = || (1_700_000_000_i64..1_700_000_006).boxed();
    let texts = (select(vec!["name", "description"]), text_operation(), name())
        .prop_map(|(key, operation, text)| Predicate { key: key.into(), operation, value: Value::Text(text) });
    let lists = prop::collection::vec(name(), 0..4).prop_map(|names| Predicate {
        key: "name".into(),
        operation: Operation::In,
        value: Value::Texts(names),
    });
    let times = (select(vec!["created_at", "finished_at"]), time_operation(), seconds(), any::<bool>()).prop_map(
        |(key, operation, second, stamp)| {
            let value = if stamp { Value::Time(Timestamp::from_seconds(second)) } else { Value::Int(second) };
            Predicate { key: key.into(), operation, value }
        },
    );
    let moments = prop::collection::vec(seconds(), 0..4).prop_map(|list| Predicate {
        key: "created_at".into(),
        operation: Operation::In,
        value: Value::Ints(list),
    });
    let states = (select(vec!["PENDING", "RUNNING", "SUCCEEDED", "FAILED"]), any::<bool>()).prop_map(|(state, is)| {
        let operation = if is { Operation::Equals } else { Operation::NotEquals };
        Predicate { key: "state".into(), operation, value: Value::Text(state.into()) }
    });
    let storage = select(vec!["AVAILABLE", "STORAGESTATE_ARCHIVED"]).prop_map(|state| Predicate {
        key: "storage_state".into(),
        operation: Operation::Equals,
        value: Value::Text(state.into()),
    });
    prop_oneof![3 => texts, 1 => lists, 2 => times, 1 => moments, 1 => states, 1 => storage]
}

/// The column of a run as the evaluator compares it.
#[derive(Clone, Debug, PartialEq, PartialOrd)]
enum Field {
    Text(String),
    Micros(i64),
}

fn field(run: &Run, key: &str) -> Field {
    match key {
        "name" => Field::Text(run.name.clone()),
        "description" => Field::Text(run.description.clone()),
        "state" => Field::Text(run.state.as_str().into()),
        "storage_state" => Field::Text(run.storage_state.as_str().into()),
        "created_at" => Field::Micros(run.created_at.0),
        "finished_at" => Field::Micros(run.finished_at.unwrap_or_default().0),
        other => panic!("no field {other}"),
    }
}

fn holds(run: &Run, predicate: &Predicate) -> bool {
    let compare = |ordering: std::cmp::Ordering| match predicate.operation {
        Operation::Equals => ordering.is_eq(),
        Operation::NotEquals => ordering.is_ne(),
        Operation::GreaterThan => ordering.is_gt(),
        Operation::GreaterThanEquals => ordering.is_ge(),
        Operation::LessThan => ordering.is_lt(),
        Operation::LessThanEquals => ordering.is_le(),
        Operation::In | Operation::IsSubstring => unreachable!("no order"),
    };
    match (field(run, &predicate.key), &predicate.value) {
        (Field::Text(text), Value::Text(part)) if predicate.operation == Operation::IsSubstring => {
            text.to_ascii_lowercase().contains(&part.to_ascii_lowercase())
        }
        (Field::Text(text), Value::Text(other)) => {
            let state = StorageState::parse(other).filter(|_| predicate.key == "storage_state");
            compare(text.as_str().cmp(state.map_or(other.as_str(), |state| state.as_str())))
        }
        (Field::Text(text), Value::Texts(all)) => all.contains(&text),
        (Field::Micros(micros), Value::Time(time)) => compare(micros.div_euclid(1_000_000).cmp(&time.seconds())),
        (Field::Micros(micros), Value::Int(second)) => compare(micros.div_euclid(1_000_000).cmp(second)),
        (Field::Micros(micros), Value::Ints(all)) => all.contains(&micros.div_euclid(1_000_000)),
        (field, value) => panic!("{field:?} is not compared with {value:?}"),
    }
}

/// Some runs of all kinds; as many of another tenant, which no list may show.
async fn populate(db: &Db, runner: &mut TestRunner) -> Vec<Run> {
    let mut all = Vec::new();
    let foreign = db.experiment("b", "theirs").await;
    let new = NewExperiment { name: "ours".into(), description: String::new() };
    let ours = db.store.create_experiment(&of("a"), new).await.unwrap();
    for _ in 0..RUNS {
        db.clock.advance(draw(runner, &select(vec![0, 1, 130_000, 999_999])));
        let run = db.run("a", &ours, &draw(runner, &name())).await;
        db.run("b", &foreign, &run.name).await;
        let state = draw(runner, &select(vec![RuntimeState::Pending, RuntimeState::Running, RuntimeState::Succeeded]));
        if state != RuntimeState::Pending {
            db.reach(&run, state).await;
        }
        if draw(runner, &prop::bool::weighted(0.3)) {
            db.store.archive_run(&of("a"), run.id.as_str()).await.unwrap();
        }
        all.push(db.read("a", run.id.as_str()).await);
    }
    all
}

pub(crate) async fn agree_with_a_naive_evaluator(db: Db) {
    let mut runner = random();
    let all = populate(&db, &mut runner).await;
    let sorts = select(vec!["name", "description", "created_at", "finished_at", "state", "storage_state"]);
    let (mut matched, mut pages) = (0, 0);
    for _ in 0..QUERIES {
        let predicates = draw(&mut runner, &prop::collection::vec(predicate(), 0..4));
        let (key, descending) = (draw(&mut runner, &sorts), draw(&mut runner, &any::<bool>()));
        let mut expect: Vec<&Run> = all.iter().filter(|run| predicates.iter().all(|one| holds(run, one))).collect();
        expect.sort_by(|a, b| {
            let order = field(a, key).partial_cmp(&field(b, key)).unwrap().then(a.id.cmp(&b.id));
            if descending { order.reverse() } else { order }
        });
        let (mut found, mut token) = (Vec::new(), String::new());
        let sort_by = if descending { format!("{key} desc") } else { key.to_owned() };
        loop {
            let size = draw(&mut runner, &(1..30));
            let query = Query { size, token, sort_by: sort_by.clone(), predicates: predicates.clone() };
            let page = db.store.runs(&of("a"), ListScope::Everything, query).await.unwrap();
            assert_eq!(page.total, i64::try_from(expect.len()).unwrap(), "{predicates:?}");
            found.extend(page.items.into_iter().map(|run| run.id));
            (token, pages) = (page.next, pages + 1);
            if token.is_empty() {
                break;
            }
        }
        let expect: Vec<_> = expect.into_iter().map(|run| run.id.clone()).collect();
        assert_eq!(found, expect, "{predicates:?} by {sort_by}");
        matched += found.len();
    }
    assert!(matched > QUERIES && pages > QUERIES, "the queries find something: {matched} rows on {pages} pages");
}

pub(crate) async fn give_each_row_once_while_others_come_and_go(db: Db) {
    let mut runner = random();
    populate(&db, &mut runner).await;
    let experiment = db.experiment("a", "coming and going").await;
    let sorts = select(vec!["created_at", "created_at desc", "name", "name desc", "finished_at desc"]);
    for _ in 0..WALKS {
        let everything = Query { size: 200, ..Query::default() };
        let before = db.store.runs(&of("a"), ListScope::Everything, everything).await.unwrap().items;
        let mut stay: BTreeSet<_> = before.iter().map(|run| run.id.clone()).collect();
        let (sort_by, mut token) = (draw(&mut runner, &sorts), String::new());
        let mut seen = BTreeSet::new();
        loop {
            let query = Query { size: draw(&mut runner, &(1..8)), token, sort_by: sort_by.into(), predicates: vec![] };
            let page = db.store.runs(&of("a"), ListScope::Everything, query).await.unwrap();
            for run in page.items {
                assert!(seen.insert(run.id.clone()), "{} came twice by {sort_by}", run.id);
            }
            token = page.next;
            if token.is_empty() {
                break;
            }
            if draw(&mut runner, &any::<bool>()) {
                db.run("a", &experiment, &draw(&mut runner, &name())).await;
            }
            let gone = draw(&mut runner, &prop::sample::select(before.clone()));
            if stay.len() > RUNS / 2 && stay.remove(&gone.id) {
                db.store.delete_run(&of("a"), gone.id.as_str()).await.unwrap();
            }
        }
        let lost: Vec<_> = stay.difference(&seen).collect();
        assert!(lost.is_empty(), "{lost:?} never came by {sort_by}");
    }
}
