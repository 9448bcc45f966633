//! What a server says of itself, in the text format of Prometheus.
use std::collections::HashMap;

/// Samples by their names, with their labels as they are written.
#[derive(Clone, Debug, Default)]
pub(super) struct Metrics(HashMap<String, f64>);

impl Metrics {
    pub(super) fn of(text: &str) -> Self {
        let samples = text.lines().filter(|line| !line.starts_with('#'));
        let samples = samples.filter_map(|line| line.rsplit_once(' '));
        Self(samples.filter_map(|(name, value)| Some((name.to_owned(), value.parse().ok()?))).collect())
    }

    /// 0 if there is no such sample.
    pub(super) fn value(&self, sample: &str) -> f64 {
        self.0.get(sample).copied().unwrap_or_default()
    }

    /// What at least this part of what a histogram has seen since `before` is not above. It is as if all that is in one
    /// of its buckets was spread evenly over it.
    pub(super) fn quantile(&self, histogram: &str, before: &Self, part: f64) -> Option<f64> {
        let name = format!("{histogram}_bucket{{le=\"");
        let bound = |sample: &str| sample.strip_prefix(&name)?.strip_suffix("\"}")?.parse::<f64>().ok();
        let mut buckets: Vec<(f64, f64)> =
            self.0.keys().filter_map(|it| Some((bound(it)?, self.value(it) - before.value(it)))).collect();
        buckets.sort_by(|one, other| one.0.total_cmp(&other.0));
        let all = buckets.last().map(|(_, seen)| *seen).filter(|all| *all > 0.0)?;
        let wanted = all * part;
        let (mut below, mut seen_below) = (0.0, 0.0);
        for (bound, seen) in buckets {
            if seen >= wanted {
                // The last bucket has no end.
                let is_last = bound.is_infinite();
                return Some(if is_last {
                    below
                } else {
                    below + (bound - below) * (wanted - seen_below) / (seen - seen_below)
                });
            }
            (below, seen_below) = (bound, seen);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: &str = "# HELP late_seconds Late.\n# TYPE late_seconds histogram\n\
        late_seconds_bucket{le=\"0.5\"} 10\nlate_seconds_bucket{le=\"1\"} 10\nlate_seconds_bucket{le=\"+Inf\"} 10\n\
        late_seconds_count 10\nmoments_total{outcome=\"fired\"} 10\nleads 1\n";
    const AFTER: &str = "late_seconds_bucket{le=\"0.5\"} 60\nlate_seconds_bucket{le=\"1\"} 100\n\
        late_seconds_bucket{le=\"+Inf\"} 110\nlate_seconds_count 110\nmoments_total{outcome=\"fired\"} 110\n";

    #[test]
    fn samples_are_found_by_name_and_labels() {
        let metrics = Metrics::of(BEFORE);
        for (sample, value) in
            [("leads", 1.0), ("moments_total{outcome=\"fired\"}", 10.0), ("late_seconds_count", 10.0), ("none", 0.0)]
        {
            assert_eq!(metrics.value(sample), value, "{sample}");
        }
    }

    #[test]
    fn quantiles_are_of_what_was_seen_since() {
        let (before, after) = (Metrics::of(BEFORE), Metrics::of(AFTER));
        // Half were within half a second, four in ten within the next, and one in ten after that.
        for (part, late) in [(0.25, 0.25), (0.5, 0.5), (0.7, 0.75), (0.9, 1.0), (0.99, 1.0)] {
            let found = after.quantile("late_seconds", &before, part).unwrap();
            assert!((found - late).abs() < 1e-9, "{part}: {found}");
        }
        assert_eq!(after.quantile("late_seconds", &after, 0.5), None);
        assert_eq!(after.quantile("other_seconds", &before, 0.5), None);
    }
}
