//! How many recurring runs are made of a few, with their schedules.
use super::seed::Dialect;

/// Recurring runs to be made of disabled ones, which are enabled and due every so often.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Schedules {
    pub(crate) count: u64,
    /// How many there are to copy.
    pub(crate) originals: usize,
    pub(crate) interval_seconds: u64,
    /// The first moment of the first of them, in microseconds since the epoch.
    pub(crate) first: i64,
    /// From the first moment of one to that of the next, in microseconds.
    pub(crate) step: i64,
}

/// Makes the counters of recurring runs what they have to be.
const COUNT_AGAIN: &str = "DELETE FROM counts WHERE kind = 'recurring_runs';
    INSERT INTO counts (namespace, kind, parent, storage_state, part, total)
        SELECT namespace, 'recurring_runs', experiment_id, '', 0, COUNT(*) FROM recurring_runs
        GROUP BY namespace, experiment_id;
    INSERT INTO counts (namespace, kind, parent, storage_state, part, total)
        SELECT namespace, 'recurring_runs', '', '', 0, COUNT(*) FROM recurring_runs GROUP BY namespace";

/// Those that are enabled have come without a schedule.
const SCHEDULES: &str = "INSERT INTO schedules (id, namespace, next_at, last_at, fired, waiting, revision)
    SELECT id, namespace, starts_at, 0, 0, FALSE, 0 FROM recurring_runs WHERE enabled";

impl Schedules {
    /// The statements that copy the originals, in turns. `columns` are those of `recurring_runs`.
    pub(super) fn statements(&self, dialect: &Dialect, columns: &[String]) -> String {
        let Self { count, originals, interval_seconds, first, step } = self;
        let value = |column: &String| match column.as_str() {
            "id" => (dialect.id)("(t.created_at + n.i)"),
            "name" => dialect.name.to_owned(),
            "cron" => "''".to_owned(),
            "interval_seconds" => interval_seconds.to_string(),
            "starts_at" => format!("({first} + {step} * n.i)"),
            "ends_at" => "0".to_owned(),
            "catchup" | "enabled" => "TRUE".to_owned(),
            other => format!("t.{other}"),
        };
        let values: Vec<String> = columns.iter().map(value).collect();
        format!(
            "INSERT INTO recurring_runs ({}) SELECT {} FROM {} JOIN \
             (SELECT recurring_runs.*, ROW_NUMBER() OVER (ORDER BY id) - 1 AS turn FROM recurring_runs) AS t \
             ON t.turn = n.i % {originals};\n{SCHEDULES};\n{COUNT_AGAIN}",
            columns.join(", "),
            values.join(", "),
            (dialect.series)(*count),
        )
    }

    /// How many of their first moments are between two moments, the second not among them.
    pub(crate) fn between(&self, from: i64, until: i64) -> u64 {
        let before = |moment: i64| (moment - self.first + self.step - 1).div_euclid(self.step).max(0).unsigned_abs();
        before(until).min(self.count) - before(from).min(self.count)
    }

    /// The statements by which the first `most` of them are due at one moment instead of their own.
    pub(crate) fn at_once(&self, most: u64, moment: i64) -> String {
        let before = self.first + self.step * i64::try_from(most).unwrap_or(i64::MAX / self.step);
        format!(
            "UPDATE recurring_runs SET starts_at = {moment} WHERE enabled AND starts_at < {before};
             UPDATE schedules SET next_at = {moment} WHERE next_at > 0 AND next_at < {before}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_counted() {
        let schedules = Schedules { count: 100, originals: 1, interval_seconds: 60, first: 1000, step: 10 };
        for (from, until, moments) in [
            (1000, 1000, 0),
            (1000, 1001, 1),
            (1000, 1010, 1),
            (1000, 1011, 2),
            (1005, 1025, 2),
            (0, 1000, 0),
            (0, 5000, 100),
            (1990, 5000, 1),
            (1991, 5000, 0),
        ] {
            assert_eq!(schedules.between(from, until), moments, "{from} {until}");
        }
    }
}
