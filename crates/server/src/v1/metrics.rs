//! Metrics of v1 runs (KFP API v1beta1, `ReportRunMetricsV1`): each is judged by itself, and the call succeeds.
use access::Grant;
use api::{
    access::{resource::Runs, verb::ReportMetrics},
    v1::{
        self, ReportRunMetricsRequest, ReportRunMetricsResponse,
        report_run_metrics_response::{ReportRunMetricResult, report_run_metric_result::Status},
        run_metric::{Format, Value},
    },
};
use domain::{Error, Metric, MetricFormat, Result};
use store::{MetricOutcome, Store};

/// The most metrics of one call.
const MAX_METRICS: usize = 500;
/// The longest name, and the longest id of a node (KFP API).
const MAX_NAME: usize = 64;
const MAX_NODE: usize = 128;

pub(super) async fn report(
    store: &Store,
    grant: &Grant<ReportMetrics, Runs>,
    req: ReportRunMetricsRequest,
) -> Result<ReportRunMetricsResponse> {
    if req.metrics.len() > MAX_METRICS {
        let text = format!("{} metrics in one call, and at most {MAX_METRICS} are allowed", req.metrics.len());
        return Err(Error::invalid(text));
    }
    let read: Vec<_> = req.metrics.iter().map(read).collect();
    let good = read.iter().filter_map(|metric| metric.as_ref().ok().cloned()).collect();
    let mut outcomes = store.report_metrics(grant, &req.run_id, good).await?.into_iter();
    let results = req.metrics.into_iter().zip(read).map(|(metric, read)| {
        let (status, message) = match read {
            Err(why) => (Status::InvalidArgument, why),
            Ok(_) => told(outcomes.next()),
        };
        ReportRunMetricResult {
            metric_name: metric.name,
            metric_node_id: metric.node_id,
            status: status.into(),
            message,
        }
    });
    Ok(ReportRunMetricsResponse { results: results.collect() })
}

/// A stored metric as messages have it.
pub(super) fn message(metric: &Metric) -> v1::RunMetric {
    let format = match metric.format {
        MetricFormat::Unspecified => Format::Unspecified,
        MetricFormat::Raw => Format::Raw,
        MetricFormat::Percentage => Format::Percentage,
    };
    v1::RunMetric {
        name: metric.name.clone(),
        node_id: metric.node_id.clone(),
        value: Some(Value::NumberValue(metric.value)),
        format: format.into(),
    }
}

fn told(outcome: Option<MetricOutcome>) -> (Status, String) {
    match outcome {
        Some(MetricOutcome::Stored) => (Status::Ok, String::new()),
        Some(MetricOutcome::Duplicate) => {
            (Status::DuplicateReporting, "the run has a metric of that name and node already".to_owned())
        }
        Some(MetricOutcome::TooMany) => (Status::InvalidArgument, "the run has as many metrics as it may".to_owned()),
        None => (Status::InternalError, "it was not stored".to_owned()),
    }
}

/// A metric that can be stored, or what is wrong with it.
fn read(metric: &v1::RunMetric) -> Result<Metric, String> {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let name = &metric.name;
    let good = name.len() <= MAX_NAME
        && name.bytes().next().is_some_and(|first| first.is_ascii_alphabetic())
        && name.bytes().last().is_some_and(|last| last.is_ascii_alphanumeric())
        && name.bytes().all(inner);
    if !good {
        return Err(format!(
            "metric.name must be 1 to {MAX_NAME} letters, digits, '-' and '_', begin with a letter and end with a \
             letter or digit"
        ));
    }
    if !(1..=MAX_NODE).contains(&metric.node_id.len()) {
        return Err(format!("metric.node_id must be 1 to {MAX_NODE} bytes long"));
    }
    let format = match metric.format() {
        Format::Unspecified => MetricFormat::Unspecified,
        Format::Raw => MetricFormat::Raw,
        Format::Percentage => MetricFormat::Percentage,
    };
    match metric.value {
        Some(Value::NumberValue(value)) if value.is_finite() => {
            Ok(Metric { node_id: metric.node_id.clone(), name: name.clone(), value, format })
        }
        Some(Value::NumberValue(value)) => {
            Err(format!("metric.number_value {value} is not a number that can be stored"))
        }
        None => Err("metric.number_value is missing".to_owned()),
    }
}
