//! What nodes are here: the rows behind them.
use super::{ARTIFACT, Head, PIPELINE, ROOT, RUN, TASK, events::numbers, types};
use crate::{
    Error, artifacts as artifact, columns,
    connect::Connection,
    schema::{artifacts, runs, tasks},
    tasks::{self as task, BATCH},
};
use diesel::{dsl::count_star, prelude::*};
use diesel_async::RunQueryDsl;
use domain::{
    Artifact, Home, RuntimeState, Task, TaskIo, Timestamp,
    metadata::{Node, NodeContent, NodeKind, NodeType},
};
use std::collections::{BTreeMap, HashMap};

/// What is there of a namespace's nodes; what has gone meanwhile is left out.
pub(super) async fn load(
    conn: &mut Connection,
    home: &str,
    own: &BTreeMap<i64, NodeType>,
    heads: Vec<Head>,
) -> Result<Vec<Node>, Error> {
    let objects = |source: &str| -> Vec<String> {
        heads.iter().filter(|head| head.source == source).map(|head| head.object.clone()).collect()
    };
    let mut contents: HashMap<(String, String), NodeContent> = HashMap::new();
    of_tasks(conn, home, &objects(TASK), &mut contents).await?;
    of_artifacts(conn, home, &objects(ARTIFACT), &mut contents).await?;
    of_runs(conn, home, &objects(ROOT), &objects(RUN), &mut contents).await?;
    let namespace = Home::from_column(home).namespace().cloned();
    let namespace = namespace.ok_or_else(|| domain::Error::internal("a node outside of namespaces"))?;
    let mut nodes = Vec::with_capacity(heads.len());
    for head in heads {
        let content = match head.source.as_str() {
            PIPELINE => Some(NodeContent::Pipeline),
            _ => contents.remove(&(head.source, head.object)),
        };
        let Some(content) = content else { continue };
        nodes.push(Node {
            id: head.id,
            kind: columns::word("metadata_nodes.kind", &head.kind, NodeKind::parse)?,
            namespace: namespace.clone(),
            node_type: types::by_id(own, head.type_id)?,
            name: head.name,
            created_at: Timestamp(head.created_at),
            updated_at: Timestamp(head.updated_at),
            content,
        });
    }
    Ok(nodes)
}

async fn of_tasks(
    conn: &mut Connection,
    home: &str,
    ids: &[String],
    contents: &mut HashMap<(String, String), NodeContent>,
) -> Result<(), Error> {
    for batch in ids.chunks(BATCH) {
        let of_them = tasks::table.filter(tasks::namespace.eq(home)).filter(tasks::id.eq_any(batch));
        let columns = (task::Row::as_select(), tasks::input_parameters, tasks::output_parameters);
        let rows: Vec<(task::Row, String, String)> = of_them.select(columns).load(conn).await?;
        let named = |of: fn(&task::Row) -> &String| -> Vec<String> {
            rows.iter().map(|(row, ..)| of(row)).filter(|id| !id.is_empty()).cloned().collect()
        };
        let others = [named(|row| &row.parent_id), named(|row| &row.cached_from)].concat();
        let others = numbers(conn, home, TASK, &others).await?;
        let runs: Vec<String> = rows.iter().map(|(row, ..)| row.run_id.clone()).collect();
        let roots = numbers(conn, home, ROOT, &runs).await?;
        let inside = children(conn, home, &runs, batch).await?;
        for (row, inputs, outputs) in rows {
            let parent = if row.parent_id.is_empty() { roots.get(&row.run_id) } else { others.get(&row.parent_id) };
            let (parent, cached_from) = (parent.copied(), others.get(&row.cached_from).copied());
            let children = inside.get(&row.id).copied().unwrap_or_default();
            let parameters = |column, text: &str| -> Result<TaskIo, Error> {
                Ok(TaskIo { parameters: columns::value(column, text)?, artifacts: BTreeMap::new() })
            };
            let task = Box::new(Task {
                inputs: parameters("tasks.input_parameters", &inputs)?,
                outputs: parameters("tasks.output_parameters", &outputs)?,
                ..row.try_into()?
            });
            let key = (TASK.to_owned(), task.id.to_string());
            let (parent, cached_from) = (parent.unwrap_or_default(), cached_from.unwrap_or_default());
            contents.insert(key, NodeContent::Task { task, parent, cached_from, children });
        }
    }
    Ok(())
}

/// How many tasks are inside of each of some tasks of some runs; of a run by an empty id.
async fn children(
    conn: &mut Connection,
    home: &str,
    runs: &[String],
    parents: &[String],
) -> Result<HashMap<String, i64>, Error> {
    let inside = tasks::table
        .filter(tasks::namespace.eq(home))
        .filter(tasks::run_id.eq_any(runs))
        .filter(tasks::parent_id.eq_any(parents));
    let counts = inside.group_by(tasks::parent_id).select((tasks::parent_id, count_star()));
    Ok(counts.load::<(String, i64)>(conn).await?.into_iter().collect())
}

async fn of_artifacts(
    conn: &mut Connection,
    home: &str,
    ids: &[String],
    contents: &mut HashMap<(String, String), NodeContent>,
) -> Result<(), Error> {
    for batch in ids.chunks(BATCH) {
        let of_them = artifacts::table.filter(artifacts::namespace.eq(home)).filter(artifacts::id.eq_any(batch));
        for row in of_them.select(artifact::Row::as_select()).load::<artifact::Row>(conn).await? {
            let artifact = Artifact::try_from(row)?;
            contents.insert((ARTIFACT.to_owned(), artifact.id.to_string()), NodeContent::Artifact(artifact));
        }
    }
    Ok(())
}

async fn of_runs(
    conn: &mut Connection,
    home: &str,
    roots: &[String],
    contexts: &[String],
    contents: &mut HashMap<(String, String), NodeContent>,
) -> Result<(), Error> {
    for batch in contexts.chunks(BATCH) {
        let of_them = runs::table.filter(runs::namespace.eq(home)).filter(runs::id.eq_any(batch));
        let rows: Vec<(String, String)> = of_them.select((runs::id, runs::pipeline_root)).load(conn).await?;
        for (id, pipeline_root) in rows {
            contents.insert((RUN.to_owned(), id), NodeContent::Run { pipeline_root });
        }
    }
    for batch in roots.chunks(BATCH) {
        let of_them = runs::table.filter(runs::namespace.eq(home)).filter(runs::id.eq_any(batch));
        let columns = (runs::id, runs::state, runs::parameters, runs::outputs);
        let rows: Vec<(String, String, String, String)> = of_them.select(columns).load(conn).await?;
        let inside = tasks::table
            .filter(tasks::namespace.eq(home))
            .filter(tasks::run_id.eq_any(batch))
            .filter(tasks::parent_id.eq(""));
        let counts = inside.group_by(tasks::run_id).select((tasks::run_id, count_star()));
        let counts: HashMap<String, i64> = counts.load::<(String, i64)>(conn).await?.into_iter().collect();
        for (id, state, parameters, outputs) in rows {
            let outputs: TaskIo = match outputs.as_str() {
                "" => TaskIo::default(),
                text => columns::value("runs.outputs", text)?,
            };
            let root = NodeContent::Root {
                state: columns::word("runs.state", &state, RuntimeState::parse)?,
                inputs: columns::value("runs.parameters", &parameters)?,
                outputs: outputs.parameters,
                children: counts.get(&id).copied().unwrap_or_default(),
            };
            contents.insert((ROOT.to_owned(), id), root);
        }
    }
    Ok(())
}
