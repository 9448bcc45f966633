//! How the databases find the rows of lists: by an index that begins with the namespace, in the order of the list.
//!
//! What is asked for a plan is the very statement that the store has sent, as diesel tells of it.
mod nodes;
mod rows;
mod statements;

use crate::{
    backend::{Db, of},
    raw::lines,
};
use access::Identity;
use diesel::connection::set_default_instrumentation;
use domain::{
    Due, Namespace, RecurringRunId, Timestamp,
    list::{Operation, Predicate, Query, Value},
};
use rows::fill;
use statements::{MARK, recorder, seen};
use store::{AuditQuery, LinksOf, ListScope, Store, TasksOf};

/// What is wrong with how a plan finds rows, if anything is. In SQLite it has to say that it goes `by` one of some
/// columns.
fn scans(url: &str, plan: &[String], by: &[&str]) -> Option<&'static str> {
    let all = plan.join("\n");
    let has = |words: &str| all.contains(words);
    let (whole, by) = match url {
        url if url.starts_with("postgres") => (has("Seq Scan"), true),
        // What a subquery has found is read whole; how it was found is in lines of its own.
        url if url.starts_with("mysql") => {
            let whole = |line: &&String| line.contains("|ALL|") || line.contains("|index|");
            (plan.iter().filter(whole).any(|line| !line.contains("|<subquery")), true)
        }
        _ => (plan.iter().any(|line| line.starts_with("SCAN")), by.iter().any(|column| has(&format!("({column}=?")))),
    };
    match () {
        () if whole => Some("it reads the whole table"),
        () if !by => Some("it does not go by what is asked for"),
        () => None,
    }
}

/// Whether a plan sorts what it has found.
fn sorts(url: &str, plan: &[String]) -> Option<&'static str> {
    let words: &[&str] = match url {
        url if url.starts_with("postgres") => &["Sort"],
        url if url.starts_with("mysql") => &["filesort", "temporary"],
        _ => &["TEMP B-TREE"],
    };
    let sorts = words.iter().any(|word| plan.iter().any(|line| line.contains(word)));
    sorts.then_some("it sorts")
}

async fn plan(db: &Db, sql: &str) -> Vec<String> {
    let explain = if db.url.starts_with("sqlite") { "EXPLAIN QUERY PLAN" } else { "EXPLAIN" };
    lines(&db.url, &format!("{explain} {sql}")).await
}

fn told(what: &str, fault: &str, sql: &str, plan: &[String]) -> String {
    let after = sql.split_once(" FROM ").map_or("", |(_, after)| after);
    format!("{what}: {fault}\n  {after}\n  {}", plan.join("\n  "))
}

/// Asks for the first page and for the next, and gives what is wrong with the plans for them.
async fn look(db: &Db, home: &str, what: &str, list: impl AsyncFn(Query) -> String, query: Query) -> Vec<String> {
    look_for(db, home, what, list, query, "").await
}

/// The same where they have to go by an index that is named.
async fn look_for(
    db: &Db,
    home: &str,
    what: &str,
    list: impl AsyncFn(Query) -> String,
    query: Query,
    index: &str,
) -> Vec<String> {
    seen(home);
    let token = list(query.clone()).await;
    assert!(!token.is_empty(), "{what} has another page");
    list(Query { token, size: query.size, ..Query::default() }).await;
    let mut faults = Vec::new();
    let statements = seen(home);
    let of_pages: Vec<_> =
        statements.into_iter().filter(|sql| sql.contains("ORDER BY") && sql.contains("LIMIT")).collect();
    assert_eq!(of_pages.len(), 2, "{what}: {of_pages:?}");
    for (number, sql) in of_pages.into_iter().enumerate() {
        let plan = plan(db, &sql).await;
        // MySQL goes on where the page does, in a table of any size, if it need not look at the rows. By other orders, and
        // of one experiment, it decides by what it knows of this small one.
        let is_continued = number == 1 && what.starts_with("runs of Everything by created_at");
        if is_continued && db.url.starts_with("mysql") && !plan.iter().any(|line| line.contains("Using index")) {
            faults.push(told(what, "it looks at the rows", &sql, &plan));
        }
        let other = Some("it goes by another index").filter(|_| !plan.iter().any(|line| line.contains(index)));
        if let Some(fault) = scans(&db.url, &plan, &["namespace"]).or(sorts(&db.url, &plan)).or(other) {
            faults.push(told(what, fault, &sql, &plan));
        }
    }
    faults
}

/// Asks for something that has no pages, and gives what is wrong with how its rows are found: those few may be sorted.
async fn look_at_all(db: &Db, home: &str, what: &str, asked: impl Future<Output = ()>, by: &[&str]) -> Vec<String> {
    seen(home);
    asked.await;
    let statements = seen(home);
    assert!(!statements.is_empty(), "nothing was asked for {what}");
    let mut faults = Vec::new();
    for sql in statements {
        let plan = plan(db, &sql).await;
        if let Some(fault) = scans(&db.url, &plan, by) {
            faults.push(told(what, fault, &sql, &plan));
        }
    }
    faults
}

pub(crate) async fn go_by_indexes(db: Db) {
    set_default_instrumentation(recorder).unwrap();
    let home = format!("{MARK}{}", db.url.split(':').next().unwrap());
    fill(&db, &home).await;
    // Its connections are made from now on, and so are recorded.
    let store: Store = db.again().await;
    let stored = |operation, state: &str| {
        vec![Predicate { key: "storage_state".into(), operation, value: Value::Text(state.into()) }]
    };
    let filters = [vec![], stored(Operation::NotEquals, "ARCHIVED"), stored(Operation::Equals, "ARCHIVED")];
    let of_one = ListScope::Experiment(format!("{home}-e1"));
    let mut faults = Vec::new();
    let page = |sort: &str, predicates: &[Predicate]| Query {
        size: 3,
        sort_by: sort.into(),
        predicates: predicates.to_vec(),
        ..Query::default()
    };
    for sort in ["created_at", "created_at desc", "name", "name desc"] {
        for filter in &filters {
            for scope in [ListScope::Everything, of_one.clone()] {
                // Experiment 1 has no archived runs.
                if matches!(scope, ListScope::Experiment(_))
                    && filter.iter().any(|one| one.operation == Operation::Equals)
                {
                    continue;
                }
                let list = async |query| store.runs(&of(&home), scope.clone(), query).await.unwrap().next;
                let what = format!("runs of {scope:?} by {sort} where {filter:?}");
                faults.extend(look(&db, &home, &what, list, page(sort, filter)).await);
            }
            let list = async |query| store.experiments(&of(&home), query).await.unwrap().next;
            let what = format!("experiments by {sort} where {filter:?}");
            faults.extend(look(&db, &home, &what, list, page(sort, filter)).await);
        }
        let list = async |query| store.pipelines(&of(&home), query).await.unwrap().next;
        faults.extend(look(&db, &home, &format!("pipelines by {sort}"), list, page(sort, &[])).await);
        let pipeline = format!("{home}-p1");
        if sort.starts_with("created_at") {
            let list = async |query| store.versions(&of(&home), &pipeline, query).await.unwrap().next;
            faults.extend(look(&db, &home, &format!("versions by {sort}"), list, page(sort, &[])).await);
        } else {
            // They are found by the index that keeps their names unique, and are few to sort.
            let listed = async {
                let versions = store.versions(&of(&home), &pipeline, page(sort, &[])).await.unwrap();
                assert_eq!(versions.items.len(), 3);
            };
            let what = format!("versions by {sort}");
            faults.extend(look_at_all(&db, &home, &what, listed, &["namespace", "pipeline_id", "id"]).await);
        }
        for scope in [ListScope::Everything, of_one.clone()] {
            let list = async |query| store.recurring_runs(&of(&home), scope.clone(), query).await.unwrap().next;
            let what = format!("recurring runs of {scope:?} by {sort}");
            faults.extend(look(&db, &home, &what, list, page(sort, &[])).await);
        }
    }
    for sort in ["last_run_created_at", "last_run_created_at desc"] {
        let list = async |query| store.experiments(&of(&home), query).await.unwrap().next;
        faults.extend(look(&db, &home, &format!("experiments by {sort}"), list, page(sort, &[])).await);
    }
    let (task, artifact) = (format!("{home}-t7"), format!("{home}-a7"));
    for sort in ["created_at", "created_at desc"] {
        let list = async |query| store.artifacts(&of(&home), query).await.unwrap().next;
        faults.extend(
            look_for(&db, &home, &format!("artifacts by {sort}"), list, page(sort, &[]), "artifacts_list").await,
        );
        // All are of one run, one task and one artifact.
        for (named, index) in [
            (LinksOf { runs: vec![format!("{home}-r7")], ..LinksOf::default() }, "artifact_tasks_of_run"),
            (LinksOf { artifacts: vec![artifact.clone()], ..LinksOf::default() }, "artifact_tasks_of_artifact"),
        ] {
            let list = async |query| store.artifact_links(&of(&home), named.clone(), query).await.unwrap().next;
            faults.extend(
                look_for(&db, &home, &format!("links of {named:?} by {sort}"), list, page(sort, &[]), index).await,
            );
        }
        for (of_what, index) in
            [(TasksOf::Run(format!("{home}-r7")), "tasks_listed"), (TasksOf::Parent(task.clone()), "tasks_inside")]
        {
            let list = async |query| store.kept_tasks(&of(&home), of_what.clone(), query).await.unwrap().next;
            faults.extend(
                look_for(&db, &home, &format!("tasks of {of_what:?} by {sort}"), list, page(sort, &[]), index).await,
            );
        }
    }
    let equals = |key: &str, value: &str| {
        vec![Predicate { key: key.into(), operation: Operation::Equals, value: Value::Text(value.into()) }]
    };
    let of_schedule = format!("{home}-j1");
    for sort in ["created_at", "created_at desc"] {
        for (filter, index) in [
            (equals("state", "FAILED"), "runs_state"),
            (equals("status", "Failed"), "runs_state"),
            (equals("recurring_run_id", &of_schedule), "runs_recurring_created"),
        ] {
            let list = async |query| store.runs(&of(&home), ListScope::Everything, query).await.unwrap().next;
            let what = format!("runs by {sort} where {filter:?}");
            faults.extend(look_for(&db, &home, &what, list, page(sort, &filter), index).await);
        }
        // Those of one experiment are gone through in their order, or are few to sort.
        let of_experiment = async {
            let query = page(sort, &equals("state", "FAILED"));
            assert_eq!(store.runs(&of(&home), of_one.clone(), query).await.unwrap().items.len(), 3);
        };
        faults.extend(
            look_at_all(&db, &home, "failed runs of an experiment", of_experiment, &["namespace", "id", "run_id"])
                .await,
        );
    }
    faults.extend(look_at_what_has_no_pages(&db, &store, &home).await);
    faults.extend(nodes::look_at_all(&db, &store, &home).await);
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), faults.join("\n"));
}

async fn look_at_what_has_no_pages(db: &Db, store: &Store, home: &str) -> Vec<String> {
    let (run, user) = (format!("{home}-r8"), format!("{home}-u1"));
    let with_tasks = async { assert_eq!(store.run(&of(home), &run).await.unwrap().tasks.len(), 1) };
    let mut faults =
        look_at_all(db, home, "a run with its tasks and their artifacts", with_tasks, &["namespace", "id", "run_id"])
            .await;
    let id = format!("{home}-j1");
    let due = ["j1", "j2", "j3"].map(|name| {
        let id = RecurringRunId::from_text(format!("{home}-{name}"));
        Due { id, namespace: Namespace::parse(home).unwrap(), next_at: Timestamp(1) }
    });
    let schedules = async { assert_eq!(store.schedules_due(&of(""), &due).await.unwrap().len(), 3) };
    faults.extend(look_at_all(db, home, "schedules", schedules, &["namespace", "id", "recurring_run_id"]).await);
    let ticks = async {
        let query = Query { size: 3, ..Query::default() };
        assert_eq!(store.ticks(&of(home), &id, query).await.unwrap().0.len(), 3);
    };
    faults.extend(look_at_all(db, home, "ticks", ticks, &["namespace", "id", "recurring_run_id"]).await);
    // It names no namespace, by which statements are known.
    assert_eq!(store.due_schedules(&of(""), Timestamp(9), &[], 3).await.unwrap().len(), 3);
    let sql =
        "SELECT id, namespace, next_at FROM schedules WHERE next_at > 0 AND next_at <= 9 ORDER BY next_at, id LIMIT 3";
    let due = plan(db, sql).await;
    let other = Some("it goes by another index").filter(|_| !due.iter().any(|line| line.contains("schedules_next")));
    faults.extend(sorts(&db.url, &due).or(other).map(|fault| told("what is due", fault, sql, &due)));
    let of_user = async { assert!(store.tokens_of(&Identity::forge(&user, &[])).await.unwrap().len() > 10) };
    faults.extend(look_at_all(db, home, "the tokens of a user", of_user, &["username"]).await);
    for denied in [false, true] {
        for (by, query) in [
            ("namespace", AuditQuery { denied, namespace: Some(home.into()), ..AuditQuery::default() }),
            ("username", AuditQuery { denied, user: Some(user.clone()), ..AuditQuery::default() }),
        ] {
            let what = format!("audit events of {query:?}");
            let latest = async { assert_eq!(store.audit_events(query, 3).await.unwrap().len(), 3) };
            faults.extend(look_at_all(db, home, &what, latest, &[by]).await);
        }
    }
    faults
}
