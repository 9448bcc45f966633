//! Metrics of runs and tasks.
use super::{counters, registered};
use executor::local::{Happened, Observe};
use prometheus::{IntCounterVec, IntGauge, Registry};

pub(super) struct EngineMetrics {
    runs: IntCounterVec,
    tasks: IntCounterVec,
    running: IntGauge,
    waiting: IntGauge,
}

impl EngineMetrics {
    pub(super) fn new(registry: &Registry) -> prometheus::Result<Self> {
        let running = IntGauge::new("bulkhead_tasks_running", "Tasks that run.")?;
        let waiting = IntGauge::new("bulkhead_tasks_waiting", "Tasks that wait for their turn to run.")?;
        Ok(Self {
            runs: counters(
                registry,
                "bulkhead_runs_total",
                "Runs that were taken up, have ended in a state, or could not be carried on for now.",
                &["change"],
            )?,
            tasks: counters(
                registry,
                "bulkhead_tasks_total",
                "Attempts of tasks that were started and that have ended, by how; cached ones were not started.",
                &["change"],
            )?,
            running: registered(registry, running)?,
            waiting: registered(registry, waiting)?,
        })
    }

    fn run(&self, change: &str) {
        self.runs.with_label_values(&[change]).inc();
    }
}

impl Observe for EngineMetrics {
    fn happened(&self, what: Happened) {
        match what {
            Happened::RunTakenUp => self.run("taken_up"),
            Happened::RunEnded(state) => self.run(&state.as_str().to_ascii_lowercase()),
            Happened::RunGivenUp => self.run("given_up"),
            Happened::TaskWaits => self.waiting.inc(),
            Happened::TaskWaitsNoMore => self.waiting.dec(),
            Happened::TaskRuns => {
                self.running.inc();
                self.tasks.with_label_values(&["started"]).inc();
            }
            Happened::TaskRunsNoMore => self.running.dec(),
            Happened::TaskEnded(end) => self.tasks.with_label_values(&[end.as_str()]).inc(),
        }
    }
}
