//! How a run that is watched is shown: a tree that is drawn again and again on a terminal, else a line for each change.
//!
//! What a pipeline's author or a task has written is shown without control characters: a terminal obeys them.
mod tree;

use serde::Deserialize;
use serde_json::Value;
use std::{
    collections::BTreeMap,
    io::{self, IsTerminal, Write},
};

/// A task as it is shown (`bulkhead.v1.Task`, as far as that goes).
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Task {
    pub(crate) path: String,
    pub(crate) display_name: String,
    pub(crate) r#type: String,
    pub(crate) state: String,
    pub(crate) attempt: u32,
    pub(crate) error: String,
    pub(crate) cached_task_id: String,
    /// RFC 3339; empty for not yet.
    pub(crate) started_at: String,
    pub(crate) finished_at: String,
    /// Its changes since it was last shown.
    pub(crate) changes: Vec<Change>,
}

/// One change of a task's state.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Change {
    pub(crate) at: String,
    pub(crate) state: String,
    pub(crate) error: String,
}

/// The run as a whole.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Run {
    pub(crate) run_id: String,
    pub(crate) display_name: String,
    pub(crate) state: String,
    pub(crate) error: String,
    pub(crate) outputs: Value,
}

/// A run with the tasks of it that have changed (`bulkhead.v1.WatchRunResponse`).
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Update {
    pub(crate) cursor: String,
    pub(crate) run: Run,
    pub(crate) tasks: Vec<Task>,
    /// Whether this is the last one.
    pub(crate) ended: bool,
}

/// Shows a run on standard error, where it is in nobody's way.
pub(crate) struct Progress {
    tasks: BTreeMap<String, Task>,
    terminal: bool,
    /// How many lines of the last drawing are to be overwritten.
    drawn: usize,
}

impl Progress {
    pub(crate) fn new() -> Self {
        Self { tasks: BTreeMap::new(), terminal: io::stderr().is_terminal(), drawn: 0 }
    }

    /// Takes in what has changed and shows it.
    ///
    /// # Errors
    /// Of standard error.
    pub(crate) fn show(&mut self, run: &Run, changed: Vec<Task>) -> io::Result<()> {
        let mut out = String::new();
        for task in changed {
            if !self.terminal {
                out.extend(task.changes.iter().map(|change| tree::line(&task, change)));
            }
            self.tasks.insert(task.path.clone(), task);
        }
        if self.terminal {
            let lines = tree::draw(run, &self.tasks, tree::size());
            if self.drawn > 0 {
                out += &format!("\x1b[{}A", self.drawn);
            }
            lines.iter().for_each(|line| out += &format!("\x1b[2K{line}\n"));
            // What was longer before is wiped.
            out += "\x1b[0J";
            self.drawn = lines.len();
        }
        io::stderr().lock().write_all(out.as_bytes())
    }
}

/// A text without what a terminal would obey, on one line.
pub(crate) fn visible(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect()
}

/// The same over several lines.
pub(crate) fn visible_lines(text: &str) -> String {
    text.lines().map(visible).collect::<Vec<_>>().join("\n")
}
