//! Metrics of schedules.
use super::{counters, registered};
use prometheus::{Histogram, HistogramOpts, IntCounterVec, IntGauge, Registry};
use scheduler::{Happened, Observe};

/// Bounds of the seconds that a run is made too late.
const LATE: &[f64] = &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0];

pub(super) struct ScheduleMetrics {
    moments: IntCounterVec,
    late: Histogram,
    leads: IntGauge,
}

impl ScheduleMetrics {
    pub(super) fn new(registry: &Registry) -> prometheus::Result<Self> {
        let moments = counters(
            registry,
            "bulkhead_schedule_moments_total",
            "Moments of schedules by what has come of them: a run; missed, since nobody saw to them or too many runs went \
             on; refused; and how often one waited for a run to end.",
            &["outcome"],
        )?;
        for outcome in ["fired", "missed", "skipped_for_concurrency", "refused", "waited"] {
            moments.with_label_values(&[outcome]);
        }
        let late = Histogram::with_opts(
            HistogramOpts::new(
                "bulkhead_schedule_late_seconds",
                "Time from a moment of a schedule to its run, where it did not wait for another run to end.",
            )
            .buckets(LATE.to_vec()),
        )?;
        let leads = IntGauge::new("bulkhead_schedule_leads", "1 while this server is the one that fires schedules.")?;
        Ok(Self { moments, late: registered(registry, late)?, leads: registered(registry, leads)? })
    }

    fn count(&self, outcome: &str, moments: i64) {
        self.moments.with_label_values(&[outcome]).inc_by(moments.unsigned_abs());
    }
}

impl Observe for ScheduleMetrics {
    fn happened(&self, what: Happened) {
        match what {
            Happened::Fired { late, waited } => {
                self.count("fired", 1);
                if !waited {
                    self.late.observe(late.as_secs_f64());
                }
            }
            Happened::Missed { moments, waited: true } => self.count("skipped_for_concurrency", moments),
            Happened::Missed { moments, waited: false } => self.count("missed", moments),
            Happened::Refused { moments } => self.count("refused", moments),
            Happened::Waits => self.count("waited", 1),
            Happened::Leads(leads) => self.leads.set(leads.into()),
        }
    }
}
