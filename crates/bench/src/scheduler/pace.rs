//! Schedules that are due one after the other, at a steady pace.
use super::{
    Options, fact, micros,
    stage::{Stage, When},
    until,
};
use crate::{databases::Kind, report::Report};
use std::time::Duration;

/// The part before the window that is measured.
pub(super) const WARM_UP: Duration = Duration::from_secs(5);
/// How long after the window a moment without a run counts as one that the server is behind with: its longest pause.
pub(super) const GRACE: Duration = Duration::from_secs(1);
const LATE: &str = "bulkhead_schedule_late_seconds";
const MIB: f64 = (1 << 20) as f64;

/// Measures how late runs are made.
///
/// # Errors
/// Anything that is not as expected.
pub(super) async fn measure(kind: Kind, options: &Options, report: &mut Report) -> anyhow::Result<()> {
    let stage = Stage::set(kind, options, When::Soon).await?;
    let from = stage.schedules.first + micros(WARM_UP);
    let to = from + micros(Duration::from_secs(options.seconds));
    until(from).await?;
    let before = stage.metrics().await?;
    let processor = stage.processor_for(Duration::from_secs(options.seconds)).await?;
    let after = stage.metrics().await?;
    let grace = to + micros(GRACE);
    until(grace).await?;

    let of_window = format!("fire_at >= {from} AND fire_at < {to} AND decided_at < {grace}");
    let late = stage.late(&of_window).await?;
    let made = stage.late(&format!("decided_at >= {from} AND decided_at < {to}")).await?.len();
    let missing = stage.schedules.between(from, to).saturating_sub(late.len() as u64);
    let rate = options.rate;
    let mut found = |name: &str, value, unit, under| {
        fact(report, kind, format!("{rate} due a second: {name}"), (value, unit), under);
    };
    found("runs", made as f64 / options.seconds as f64, "a second", None);
    found("without a run", missing as f64, "moments", Some(1.0));
    for (name, part) in [("p50", 0.5), ("p99", 0.99), ("max", 1.0)] {
        if let Some(late) = at(&late, part) {
            found(&format!("decided, {name}"), late as f64 / 1000.0, "ms late", None);
        }
    }
    for (name, part) in [("p50", 0.5), ("p99", 0.99)] {
        if let Some(late) = after.quantile(LATE, &before, part) {
            found(&format!("committed, {name}"), late * 1000.0, "ms late", None);
        }
    }
    found("processor", processor, "%", None);
    found("memory at most", stage.served.memory()?.1 as f64 / MIB, "MiB", None);
    stage.served.stop()
}

/// The one of sorted numbers that this part of them is not above.
pub(super) fn at(sorted: &[i64], part: f64) -> Option<i64> {
    let rank = (sorted.len() as f64 * part).ceil() as usize;
    sorted.get(rank.max(1) - 1).copied()
}

#[cfg(test)]
mod tests {
    use super::at;

    #[test]
    fn parts_of_sorted_numbers() {
        let hundred: Vec<i64> = (1..=100).collect();
        for (sorted, part, found) in [
            (&hundred[..], 0.5, Some(50)),
            (&hundred, 0.99, Some(99)),
            (&hundred, 1.0, Some(100)),
            (&hundred, 0.0, Some(1)),
            (&[7], 0.5, Some(7)),
            (&[], 0.5, None),
        ] {
            assert_eq!(at(sorted, part), found, "{part}");
        }
    }
}
