//! Runs in the order of a metric that they have (KFP API, `sort_by=metric:NAME`).
use super::{Boxed, Row, filter, total};
use crate::{
    Error,
    connect::Connection,
    counts::Counted,
    page::{Cursor, Edge, Plan, Weigh},
    schema::runs,
};
use diesel::{
    dsl::sql,
    prelude::*,
    sql_types::{Double, Text},
};
use diesel_async::RunQueryDsl;
use domain::list::Page;
use std::collections::HashMap;

/// What stands before the name of the metric in an order.
pub(super) const PREFIX: &str = "metric:";

/// One page of what `all` yields by the metric: the largest where several nodes have reported it. Runs that have none
/// stand below all that have one.
pub(super) async fn page<'a>(
    conn: &mut Connection,
    plan: Plan,
    key: &[u8],
    counted: Option<Counted>,
    all: impl Fn() -> Boxed<'a>,
) -> Result<Page<Row>, Error> {
    let name = plan.sort.field.strip_prefix(PREFIX).unwrap_or_default().to_owned();
    let value = || {
        let before = "COALESCE((SELECT MAX(m.value) FROM run_metrics m WHERE m.run_id = runs.id AND m.name = ";
        let after = format!("), {:e})", f64::MIN);
        sql::<Double>(before).bind::<Text, _>(name.clone()).sql(&after)
    };
    let total = total(conn, &plan, counted, &all).await?;
    let mut query = plan.predicates.iter().try_fold(all(), filter)?;
    if let Some(Cursor { edge, id }) = plan.after.clone() {
        let Edge::Number(bits) = edge else { return Err(domain::Error::internal("an edge that is no metric").into()) };
        let edge = f64::from_bits(bits.cast_unsigned());
        query = match plan.sort.descending {
            true => query.filter(value().lt(edge).or(value().eq(edge).and(runs::id.lt(id)))),
            false => query.filter(value().gt(edge).or(value().eq(edge).and(runs::id.gt(id)))),
        };
    }
    let query = match plan.sort.descending {
        true => query.order((value().desc(), runs::id.desc())),
        false => query.order((value().asc(), runs::id.asc())),
    };
    let found: Vec<(Row, f64)> = query.limit(plan.size + 1).select((Row::as_select(), value())).load(conn).await?;
    let values: HashMap<String, f64> = found.iter().map(|(row, value)| (row.id.clone(), *value)).collect();
    let mut items: Vec<Row> = found.into_iter().map(|(row, _)| row).collect();
    let besides = Row::besides(conn, &items, plan.wanted).await?;
    let weight = |row: &Row| row.bytes() + besides.get(&row.id).copied().unwrap_or_default();
    let next = plan.cut(&mut items, key, weight, |row, _| Cursor {
        edge: Edge::Number(values.get(&row.id).copied().unwrap_or(f64::MIN).to_bits().cast_signed()),
        id: row.id.clone(),
    });
    Ok(Page { items, total, next })
}
