//! How ML metadata is found.
use super::{plan, scans, sorts, statements::seen, told};
use crate::{backend::Db, raw::execute};
use access::Reach;
use api::access::{resource::Runs, verb::Get};
use domain::{Namespace, metadata::NodeKind};
use store::{EventsOf, Listing, NodeOrder, Nodes, Store};

/// The number of a namespace's first node.
fn first(home: &str) -> i64 {
    if home == "others" { 7 << 32 } else { 5 << 32 }
}

/// A context, a task and an artifact for each row of the others.
pub(super) async fn fill(db: &Db, home: &str, rows: usize) {
    let base = first(home);
    execute(
        &db.url,
        &format!("INSERT INTO metadata_slots (namespace, slot, next_id) VALUES ('{home}', {}, 1)", base >> 32),
    )
    .await;
    for chunk in (0..rows).collect::<Vec<_>>().chunks(400) {
        let (mut runs, mut nodes) = (Vec::new(), Vec::new());
        for row in chunk {
            let id = base + i64::try_from(*row).unwrap() * 4;
            runs.push(format!(
                "('{home}-r{row}', '{home}', {id}, {}, 0, 0)",
                base + i64::try_from(row % 15 * 4 + 3).unwrap()
            ));
            for (add, kind, source, object, of, name) in [
                (0, "CONTEXT", "RUN", "r", 2, format!("{home}-r{row}")),
                (1, "EXECUTION", "TASK", "t", 11, String::new()),
                (2, "ARTIFACT", "ARTIFACT", "a", 23, String::new()),
            ] {
                nodes.push(format!(
                    "('{home}', {}, '{kind}', '{source}', '{home}-{object}{row}', '{home}-r{row}', {of}, '{name}', {row}, {row})",
                    id + add
                ));
            }
            if *row < 15 {
                nodes.push(format!("('{home}', {}, 'CONTEXT', 'PIPELINE', 'p{row}', '', 1, 'p{row}', 0, 0)", id + 3));
            }
        }
        let columns = "run_id, namespace, context_id, pipeline_id, next_id, end_id";
        execute(&db.url, &format!("INSERT INTO metadata_runs ({columns}) VALUES {}", runs.join(", "))).await;
        let columns = "namespace, id, kind, source, object, run_id, type_id, name, created_at, updated_at";
        execute(&db.url, &format!("INSERT INTO metadata_nodes ({columns}) VALUES {}", nodes.join(", "))).await;
    }
}

/// What is wrong with the statements that something has sent; pages must not be sorted.
async fn look(db: &Db, home: &str, what: &str, pages: bool, asked: impl Future<Output = usize>) -> Vec<String> {
    seen(home);
    assert!(asked.await > 0, "there is nothing of {what}");
    let mut faults = Vec::new();
    for sql in seen(home) {
        let plan = plan(db, &sql).await;
        let is_page = pages && sql.contains("ORDER BY") && sql.contains("LIMIT");
        let sorted = if is_page { sorts(&db.url, &plan) } else { None };
        if let Some(fault) = scans(&db.url, &plan, &["namespace", "id", "run_id", "task_id"]).or(sorted) {
            faults.push(told(what, fault, &sql, &plan));
        }
    }
    faults
}

pub(super) async fn look_at_all(db: &Db, store: &Store, home: &str) -> Vec<String> {
    let reach: Reach<Get, Runs> = Reach::forge("jane", &[Namespace::parse(home).unwrap()]);
    let mut faults = Vec::new();
    let middle = first(home) + 2000;
    for order in [NodeOrder::Id, NodeOrder::Created, NodeOrder::Updated] {
        for descending in [false, true] {
            for after in [None, Some((if order == NodeOrder::Id { middle } else { 500 }, middle))] {
                let listing = Listing { order, descending, after, most: 4 };
                let what = format!("executions by {order:?} after {after:?}, descending: {descending}");
                let page = async { store.nodes(&reach, Nodes::all(NodeKind::Execution), listing).await.unwrap().len() };
                faults.extend(look(db, home, &what, true, page).await);
            }
        }
    }
    // Of the run 8: the one before it has as many tasks as there are runs.
    let (run, pipeline) = (first(home) + 32, first(home) + 35);
    let all = || Nodes::all(NodeKind::Execution);
    for (what, which) in [
        ("executions of a run", Nodes { context: Some(run), ..all() }),
        ("executions of a pipeline", Nodes { context: Some(pipeline), ..all() }),
        ("artifacts of a run", Nodes { context: Some(run), ..Nodes::all(NodeKind::Artifact) }),
        ("artifacts at a place", Nodes { uris: Some(vec!["s3://bucket/7".into()]), ..Nodes::all(NodeKind::Artifact) }),
        (
            "a context by its name",
            Nodes { types: Some(vec![2]), name: Some(format!("{home}-r7")), ..Nodes::all(NodeKind::Context) },
        ),
        ("executions by their ids", Nodes { ids: Some(vec![run + 1, run + 5]), ..all() }),
    ] {
        let found = async { store.nodes(&reach, which, Listing::of_ids(10)).await.unwrap().len() };
        faults.extend(look(db, home, what, false, found).await);
    }
    for (of, id) in [(EventsOf::Executions, run + 1), (EventsOf::Artifacts, run + 2)] {
        let events = async { store.node_events(&reach, of, vec![id]).await.unwrap().len() };
        faults.extend(look(db, home, "events", false, events).await);
    }
    for (kind, id) in [(NodeKind::Execution, run + 1), (NodeKind::Artifact, run + 2)] {
        let contexts = async { store.contexts_of(&reach, kind, vec![id]).await.unwrap().len() };
        faults.extend(look(db, home, "contexts", false, contexts).await);
    }
    for id in [run, pipeline] {
        let parts = async { store.parts_of_contexts(&reach, vec![id]).await.unwrap().len() };
        faults.extend(look(db, home, "parts of contexts", false, parts).await);
    }
    faults
}
