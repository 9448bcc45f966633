//! Metrics that tasks of v1 runs report.
use crate::{
    Error, Store, columns,
    connect::{Connection, write},
    runs::find,
    schema::run_metrics,
};
use access::Grant;
use api::access::{resource::Runs, verb::ReportMetrics};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::{Kind, Metric, MetricFormat, Result};
use std::collections::HashMap;

/// The most metrics that a run may have.
const MAX_METRICS: i64 = 1000;

/// What became of one metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricOutcome {
    Stored,
    /// The run has one of that name and node already, which stays.
    Duplicate,
    /// The run has as many as it may.
    TooMany,
}

#[derive(Queryable, Selectable, Insertable, Clone)]
#[diesel(table_name = run_metrics, check_for_backend(crate::any::AnyBackend))]
struct Row {
    run_id: String,
    namespace: String,
    node_id: String,
    name: String,
    value: f64,
    format: String,
}

impl TryFrom<Row> for Metric {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        Ok(Metric {
            node_id: row.node_id,
            name: row.name,
            value: row.value,
            format: columns::word("run_metrics.format", &row.format, MetricFormat::parse)?,
        })
    }
}

/// The metrics of a run of a home.
pub(crate) async fn of_run(conn: &mut Connection, home: &str, run_id: &str) -> Result<Vec<Metric>, Error> {
    let of_it = run_metrics::table.filter(run_metrics::namespace.eq(home)).filter(run_metrics::run_id.eq(run_id));
    let in_order = of_it.order((run_metrics::node_id, run_metrics::name));
    let rows: Vec<Row> = in_order.select(Row::as_select()).load(conn).await?;
    rows.into_iter().map(TryInto::try_into).collect()
}

/// The metrics of some runs of a home, by run.
pub(crate) async fn of_runs(
    conn: &mut Connection,
    home: &str,
    run_ids: &[String],
) -> Result<HashMap<String, Vec<Metric>>, Error> {
    let of_them =
        run_metrics::table.filter(run_metrics::namespace.eq(home)).filter(run_metrics::run_id.eq_any(run_ids));
    let in_order = of_them.order((run_metrics::node_id, run_metrics::name));
    let rows: Vec<Row> = in_order.select(Row::as_select()).load(conn).await?;
    let mut by_run: HashMap<String, Vec<Metric>> = HashMap::new();
    for row in rows {
        by_run.entry(row.run_id.clone()).or_default().push(row.try_into()?);
    }
    Ok(by_run)
}

impl Store {
    /// Adds metrics to a run that the grant reaches. What became of each comes back in their order.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn report_metrics(
        &self,
        grant: &Grant<ReportMetrics, Runs>,
        run_id: &str,
        metrics: Vec<Metric>,
    ) -> Result<Vec<MetricOutcome>> {
        grant.covers(Kind::Run, run_id)?;
        let (home, key) = (grant.home().as_column().to_owned(), run_id.to_owned());
        Ok(write!(self, |conn| {
            find(conn, &home, &key).await?;
            let of_it = || run_metrics::table.filter(run_metrics::run_id.eq(&key));
            let mut count: i64 = of_it().count().get_result(conn).await?;
            let mut outcomes = Vec::with_capacity(metrics.len());
            for metric in metrics {
                let same = of_it().filter(run_metrics::node_id.eq(&metric.node_id));
                let there: i64 = same.filter(run_metrics::name.eq(&metric.name)).count().get_result(conn).await?;
                outcomes.push(match () {
                    () if there > 0 => MetricOutcome::Duplicate,
                    () if count >= MAX_METRICS => MetricOutcome::TooMany,
                    () => {
                        let row = Row {
                            run_id: key.clone(),
                            namespace: home.clone(),
                            node_id: metric.node_id,
                            name: metric.name,
                            value: metric.value,
                            format: metric.format.as_str().to_owned(),
                        };
                        diesel::insert_into(run_metrics::table).values(row).execute(conn).await?;
                        count += 1;
                        MetricOutcome::Stored
                    }
                });
            }
            Ok(outcomes)
        })?)
    }
}
