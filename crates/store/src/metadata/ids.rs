//! Numbers for nodes: a namespace's own in the upper half, one after another in the lower. A run takes several at a time,
//! so that runs of a namespace rarely wait for each other.
use super::{Head, OfOne, PIPELINE, ROOT, RUN, insert};
use crate::{
    Error,
    connect::Connection,
    schema::{metadata_nodes, metadata_runs, metadata_slots, runs},
    tasks::OfRun,
};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::{
    Code,
    metadata::{NodeKind, SystemType},
};
use rand::Rng as _;

/// Bits of the lower half.
const LOWER: u32 = 32;
/// Namespaces have numbers below this, so that clients which take numbers for floating point ones keep all of their
/// digits: 2^53 in all.
const SLOTS: i64 = 1 << 21;
/// How many a run takes at a time, at least.
const BLOCK: i64 = 64;

/// The number of a namespace in an id.
pub(super) fn slot(id: i64) -> i64 {
    id >> LOWER
}

/// The first of so many numbers in a row, for a run, which is made known if it is not yet.
pub(super) async fn take(conn: &mut Connection, run: &OfRun<'_>, count: usize) -> Result<i64, Error> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let it = metadata_runs::table.find(run.run_id).filter(metadata_runs::namespace.eq(run.home));
    let row = match it.select(OfOne::as_select()).first::<OfOne>(conn).await.optional()? {
        Some(row) => row,
        None => begin(conn, run).await?,
    };
    if count == 0 {
        return Ok(row.next_id);
    }
    let (first, end) = match row.end_id - row.next_id >= count {
        true => (row.next_id, row.end_id),
        false => {
            let many = count.max(BLOCK);
            let first = draw(conn, run.home, many).await?;
            (first, first + many)
        }
    };
    let changes = (metadata_runs::next_id.eq(first + count), metadata_runs::end_id.eq(end));
    diesel::update(metadata_runs::table.find(run.run_id)).set(changes).execute(conn).await?;
    Ok(first)
}

/// The first of so many numbers that nothing in the namespace has had.
pub(super) async fn draw(conn: &mut Connection, home: &str, count: i64) -> Result<i64, Error> {
    let it = metadata_slots::table.find(home);
    // Written before it is read: whoever comes second waits, and does not have to begin anew.
    let taken = metadata_slots::next_id.eq(metadata_slots::next_id + count);
    if diesel::update(it).set(taken).execute(conn).await? == 0 {
        let columns = (
            metadata_slots::namespace.eq(home),
            metadata_slots::slot.eq(free_slot(conn).await?),
            metadata_slots::next_id.eq(1 + count),
        );
        let insert = diesel::insert_into(metadata_slots::table).values(columns);
        insert.execute(conn).await.map_err(|error| Error::from(error).after_looking())?;
    }
    let (slot, next): (i64, i64) = it.select((metadata_slots::slot, metadata_slots::next_id)).first(conn).await?;
    if next > 1 << LOWER {
        let text = "the namespace has had as many executions and artifacts as it may";
        return Err(domain::Error::new(Code::ResourceExhausted, text).into());
    }
    Ok((slot << LOWER) + next - count)
}

/// By chance, so that it does not tell how many namespaces there were before. Those of types that all have are below 1.
async fn free_slot(conn: &mut Connection) -> Result<i64, Error> {
    loop {
        let slot = rand::rng().random_range(1..SLOTS);
        let there = metadata_slots::table.filter(metadata_slots::slot.eq(slot)).select(metadata_slots::slot);
        if there.first::<i64>(conn).await.optional()?.is_none() {
            return Ok(slot);
        }
    }
}

/// Makes a run known, as a context and as an execution, and its pipeline.
async fn begin(conn: &mut Connection, run: &OfRun<'_>) -> Result<OfOne, Error> {
    let created_at: i64 = runs::table.find(run.run_id).select(runs::created_at).first(conn).await?;
    let context_id = draw(conn, run.home, BLOCK).await?;
    let mut next_id = context_id + 2;
    let whole = |kind| Head { object: run.run_id.to_owned(), created_at, ..Head::of(run, kind) };
    let mut heads = vec![
        Head {
            id: context_id,
            source: RUN.to_owned(),
            type_id: SystemType::RUN.id,
            name: run.run_id.to_owned(),
            ..whole(NodeKind::Context)
        },
        Head {
            id: context_id + 1,
            source: ROOT.to_owned(),
            type_id: SystemType::DAG.id,
            name: format!("run/{}", run.run_id),
            ..whole(NodeKind::Execution)
        },
    ];
    let pipeline_id = match pipeline(conn, run).await? {
        Some(id) => id,
        None => {
            next_id += 1;
            heads.push(Head {
                id: context_id + 2,
                source: PIPELINE.to_owned(),
                object: run.pipeline_name.to_owned(),
                run_id: String::new(),
                type_id: SystemType::PIPELINE.id,
                name: run.pipeline_name.to_owned(),
                ..whole(NodeKind::Context)
            });
            context_id + 2
        }
    };
    insert(conn, heads).await?;
    let row = OfOne {
        run_id: run.run_id.to_owned(),
        namespace: run.home.to_owned(),
        context_id,
        pipeline_id,
        next_id,
        end_id: context_id + BLOCK,
    };
    diesel::insert_into(metadata_runs::table).values(row.clone()).execute(conn).await?;
    Ok(row)
}

/// The number of what the run's pipeline is as a context: 0 if it has no name, nothing if it is new.
async fn pipeline(conn: &mut Connection, run: &OfRun<'_>) -> Result<Option<i64>, Error> {
    if run.pipeline_name.is_empty() {
        return Ok(Some(0));
    }
    let it = metadata_nodes::table
        .filter(metadata_nodes::namespace.eq(run.home))
        .filter(metadata_nodes::object.eq(run.pipeline_name))
        .filter(metadata_nodes::source.eq(PIPELINE));
    Ok(it.select(metadata_nodes::id).first(conn).await.optional()?)
}
