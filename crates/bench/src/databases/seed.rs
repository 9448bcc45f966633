//! How many rows are made of a few: in one statement, which says what differs between the copies.

/// Runs to be made of those that a namespace has.
#[derive(Clone, Debug)]
pub(crate) struct Rows {
    pub(crate) namespace: String,
    /// How many there are to be, with those that are there.
    pub(crate) count: u64,
    /// How many there are.
    pub(crate) originals: u64,
    /// When the newest copy was made, in microseconds since the epoch.
    pub(crate) newest: i64,
}

/// What is written differently for each kind of database.
pub(super) struct Dialect {
    /// A table `n` with a column `i` from 0 to one less than this number.
    pub(super) series: fn(u64) -> String,
    /// An id of the form of a UUID of version 7, of a moment in microseconds since the epoch.
    pub(super) id: fn(&str) -> String,
    /// `run ` and the number `n.i`, as text.
    pub(super) name: &'static str,
    /// What is done after many rows were written, so that they are read as rows are that came one by one.
    pub(super) settle: &'static str,
}

/// Makes the counters of runs what they have to be. Versions without counters have no such table.
pub(super) const COUNT_AGAIN: &str = "DELETE FROM counts WHERE kind = 'runs';
    INSERT INTO counts (namespace, kind, parent, storage_state, part, total)
        SELECT namespace, 'runs', experiment_id, storage_state, 0, COUNT(*) FROM runs
        GROUP BY namespace, experiment_id, storage_state;
    INSERT INTO counts (namespace, kind, parent, storage_state, part, total)
        SELECT namespace, 'runs', '', storage_state, 0, COUNT(*) FROM runs GROUP BY namespace, storage_state";

/// Between a run and the next, in microseconds.
const STEP: i64 = 1_000_000;
/// How long each run took.
const TOOK: i64 = 60_000_000;

impl Rows {
    /// The statement that copies the originals, in turns. `columns` are those of `runs`.
    pub(super) fn statement(&self, dialect: &Dialect, columns: &[String]) -> String {
        let copies = self.count.saturating_sub(self.originals);
        let oldest = self.newest - STEP * i64::try_from(copies).unwrap_or(i64::MAX / STEP);
        let created = format!("({oldest} + {STEP} * n.i)");
        let value = |column: &String| match column.as_str() {
            "id" => (dialect.id)(&created),
            "name" => dialect.name.to_owned(),
            "created_at" | "scheduled_at" => created.clone(),
            "finished_at" => format!("({created} + {TOOK})"),
            other => format!("t.{other}"),
        };
        let values: Vec<String> = columns.iter().map(value).collect();
        format!(
            "INSERT INTO runs ({}) {} \
             (SELECT runs.*, ROW_NUMBER() OVER (ORDER BY id) - 1 AS turn FROM runs WHERE namespace = '{}') AS t \
             ON t.turn = n.i % {}",
            columns.join(", "),
            format_args!("SELECT {} FROM {} JOIN", values.join(", "), (dialect.series)(copies)),
            self.namespace,
            self.originals,
        )
    }
}
