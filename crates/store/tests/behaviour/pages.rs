//! Pages and their tokens.
use crate::backend::{Db, START, of, refused, sqlite};
use domain::{
    Result, Run,
    list::{Operation, Page, Predicate, Query, Value},
};
use store::{ListScope, Store};

fn page(size: i32, token: &str) -> Query {
    Query { size, token: token.into(), ..Default::default() }
}

async fn list(store: &Store, query: Query) -> Result<Page<Run>> {
    store.runs(&of("a"), ListScope::Everything, query).await
}

async fn runs(db: &Db, count: usize) -> Vec<String> {
    let experiment = db.experiment("a", "train").await;
    let mut ids = Vec::new();
    for number in 0..count {
        ids.push(db.run("a", &experiment, &format!("run {number}")).await.id.to_string());
    }
    ids.sort();
    ids
}

fn ids(page: &Page<Run>) -> Vec<String> {
    page.items.iter().map(|run| run.id.to_string()).collect()
}

pub(crate) async fn cross_ties(db: Db) {
    // Six rows of one moment: only the ids tell them apart.
    let all = runs(&db, 6).await;
    for size in [1, 2, 3, 4, 5, 6, 7] {
        let (mut seen, mut token, mut pages) = (Vec::new(), String::new(), 0);
        loop {
            let next = list(&db.store, page(size, &token)).await.unwrap();
            seen.extend(ids(&next));
            (token, pages) = (next.next, pages + 1);
            if token.is_empty() {
                break;
            }
            assert_eq!(next.items.len(), size as usize);
        }
        assert_eq!(seen, all, "in pages of {size}");
        assert_eq!(pages, 6_usize.div_ceil(size as usize), "there is no empty last page");
    }
}

pub(crate) async fn count_all_rows(db: Db) {
    runs(&db, 5).await;
    let first = list(&db.store, page(2, "")).await.unwrap();
    let second = list(&db.store, page(2, &first.next)).await.unwrap();
    assert_eq!((first.total, second.total), (5, 5));
    let named = Predicate {
        key: "name".into(),
        operation: Operation::In,
        value: Value::Texts(vec!["run 1".into(), "run 2".into(), "run 3".into()]),
    };
    let first = list(&db.store, Query { predicates: vec![named], ..page(2, "") }).await.unwrap();
    let second = list(&db.store, page(2, &first.next)).await.unwrap();
    assert_eq!((first.total, second.total, second.items.len()), (3, 3, 1), "the token brings the filter");
}

pub(crate) async fn have_bounds(db: Db) {
    runs(&db, 201).await;
    for (size, rows) in [(0, 20), (1, 1), (200, 200), (201, 200), (i32::MAX, 200)] {
        let found = list(&db.store, page(size, "")).await.unwrap();
        assert_eq!((found.items.len(), found.total, found.next.is_empty()), (rows, 201, false), "page_size {size}");
    }
    for size in [-1, i32::MIN] {
        let expect = format!("InvalidArgument: page_size {size} is negative");
        assert_eq!(refused(list(&db.store, page(size, "")).await), expect);
        assert_eq!(refused(db.store.experiments(&of("a"), page(size, "")).await), expect);
        assert_eq!(refused(db.store.pipelines(&of("a"), page(size, "")).await), expect);
        assert_eq!(refused(db.store.versions(&of("a"), "p", page(size, "")).await), expect);
    }
}

pub(crate) async fn stay_put_while_rows_come_and_go(db: Db) {
    let all = runs(&db, 4).await;
    let first = list(&db.store, page(2, "")).await.unwrap();
    assert_eq!(ids(&first), all[..2]);
    // Rows before the page's end come and go: what follows does not move, even without its cursor's row.
    db.clock.advance(-10);
    let experiment = db.experiment("a", "other").await;
    db.run("a", &experiment, "older").await;
    db.store.delete_run(&of("a"), &all[1]).await.unwrap();
    db.store.delete_run(&of("a"), &all[3]).await.unwrap();
    db.clock.advance(20);
    let newer = db.run("a", &experiment, "newer").await;
    let second = list(&db.store, page(2, &first.next)).await.unwrap();
    assert_eq!(ids(&second), [all[2].clone(), newer.id.to_string()]);
    assert_eq!((second.total, second.next.as_str()), (4, ""));
}

pub(crate) async fn tokens_cannot_be_made_up(db: Db) {
    runs(&db, 3).await;
    let token = list(&db.store, page(1, "")).await.unwrap().next;
    let expect = "InvalidArgument: page_token is not valid: it was not made for this list; start again without one";
    for position in 0..token.len() {
        let mut bytes = token.clone().into_bytes();
        bytes[position] = if bytes[position] == b'A' { b'B' } else { b'A' };
        let forged = String::from_utf8(bytes).unwrap();
        assert_eq!(refused(list(&db.store, page(1, &forged)).await), expect, "changed at {position}");
        assert_eq!(refused(list(&db.store, page(1, &token[..position.max(1)])).await), expect, "cut at {position}");
    }
    let longest = "A".repeat(1 << 20);
    for garbage in [" ", "A", "null", "eyJ9", "ä", "\0", &*format!("{token}="), &format!("{token}A"), &longest] {
        assert_eq!(refused(list(&db.store, page(1, garbage)).await), expect);
    }
    // Each database has its own key.
    let other = sqlite().await.unwrap();
    runs(&other, 3).await;
    assert_eq!(refused(list(&other.store, page(1, &token)).await), expect);
}

pub(crate) async fn tokens_belong_to_their_list(db: Db) {
    runs(&db, 3).await;
    let (one, two) = (db.experiment("a", "one").await, db.experiment("a", "two").await);
    let pipeline = db.pipeline("a", "churn").await;
    let since = |seconds| Predicate {
        key: "created_at".into(),
        operation: Operation::GreaterThanEquals,
        value: Value::Time(domain::Timestamp::from_seconds(seconds)),
    };
    let ordered = |token: &str, sort_by: &str, predicates: Vec<Predicate>| Query {
        sort_by: sort_by.into(),
        predicates,
        ..page(1, token)
    };
    let at = START.seconds();
    let token = list(&db.store, ordered("", "name desc", vec![since(at)])).await.unwrap().next;

    // What the request repeats must be the same; what it leaves out comes from the token.
    for query in [
        ordered(&token, "", vec![]),
        ordered(&token, "name desc", vec![since(at)]),
        ordered(&token, " NAME  DESC", vec![]),
        Query { size: 3, ..ordered(&token, "", vec![since(at)]) },
    ] {
        assert_eq!(list(&db.store, query).await.unwrap().items[0].name, "run 1");
    }
    let bad = |why: &str| format!("InvalidArgument: page_token is not valid: {why}; start again without one");
    let order = bad("sort_by differs from the list that it continues");
    for sort_by in ["name", "name asc", "created_at desc"] {
        assert_eq!(refused(list(&db.store, ordered(&token, sort_by, vec![])).await), order);
    }
    let filter = bad("filter differs from the list that it continues");
    for predicates in [vec![since(at + 1)], vec![since(at), since(at)]] {
        assert_eq!(refused(list(&db.store, ordered(&token, "", predicates)).await), filter);
    }

    let other = bad("it was not made for this list");
    let of_one = ListScope::Experiment(one.id.to_string());
    for name in ["x", "y"] {
        db.run("a", &one, name).await;
    }
    let of_one_token = db.store.runs(&of("a"), of_one.clone(), page(1, "")).await.unwrap().next;
    db.store.runs(&of("a"), of_one.clone(), page(1, &of_one_token)).await.unwrap();
    let of_two = ListScope::Experiment(two.id.to_string());
    for (scope, token) in [(of_one, &token), (of_two, &of_one_token), (ListScope::Everything, &of_one_token)] {
        assert_eq!(refused(db.store.runs(&of("a"), scope, page(1, token)).await), other);
    }
    assert_eq!(refused(db.store.runs(&of("b"), ListScope::Everything, page(1, &token)).await), other);
    assert_eq!(refused(db.store.experiments(&of("a"), page(1, &token)).await), other);
    assert_eq!(refused(db.store.pipelines(&of("a"), page(1, &token)).await), other);
    assert_eq!(refused(db.store.versions(&of("a"), pipeline.id.as_str(), page(1, &token)).await), other);
}

pub(crate) async fn tokens_outlive_the_server(db: Db) {
    let all = runs(&db, 2).await;
    let token = list(&db.store, page(1, "")).await.unwrap().next;
    let replica = db.again().await;
    assert_eq!(ids(&list(&replica, page(1, &token)).await.unwrap()), all[1..]);
}

/// Tasks are part of a run's message, so that runs with many make a short page as large definitions do.
pub(crate) async fn of_runs_with_many_tasks_are_short(db: Db) {
    let experiment = db.experiment("a", "train").await;
    for number in 0..5 {
        let run = db.run("a", &experiment, &number.to_string()).await;
        let tasks = (0..1000).map(|task| crate::backend::new_task(&run, &task.to_string())).collect();
        let progress = store::Progress { tasks, ..crate::backend::step(&run, domain::RuntimeState::Running) };
        db.store.save_progress(&of("a"), progress).await.unwrap();
    }
    let (mut names, mut token) = (Vec::new(), String::new());
    loop {
        let page = db.store.runs(&of("a"), ListScope::Everything, Query { token, ..Query::default() }).await.unwrap();
        names.push(page.items.iter().map(|run| run.name.clone()).collect::<Vec<_>>().join(" "));
        token = page.next;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(names, ["0 1 2 3", "4"]);
}
