//! The states of runs, tasks and stored objects.
use crate::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Where a run or a task stands (KFP API v2beta1, `RuntimeState`). A terminated run ends `Failed`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RuntimeState {
    Pending,
    Running,
    Succeeded,
    Skipped,
    Failed,
    Canceling,
}

impl RuntimeState {
    pub const ALL: [RuntimeState; 6] =
        [Self::Pending, Self::Running, Self::Succeeded, Self::Skipped, Self::Failed, Self::Canceling];

    /// Nothing follows this state, unless somebody retries.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Skipped | Self::Failed)
    }

    /// The name in v2beta1, which is also what rows hold.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Running => "RUNNING",
            Self::Succeeded => "SUCCEEDED",
            Self::Skipped => "SKIPPED",
            Self::Failed => "FAILED",
            Self::Canceling => "CANCELING",
        }
    }

    /// The name in v1beta1.
    pub fn v1(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Running => "Running",
            Self::Succeeded => "Succeeded",
            Self::Skipped => "Skipped",
            Self::Failed => "Failed",
            Self::Canceling => "Terminating",
        }
    }

    /// Reads the v2beta1 name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }

    /// Reads the v1beta1 name.
    pub fn parse_v1(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.v1() == name)
    }
}

impl fmt::Display for RuntimeState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One entry of a state history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateChange {
    pub at: Timestamp,
    pub state: RuntimeState,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The attempt of the task that it is about, from 0.
    #[serde(default)]
    pub attempt: u32,
    /// The step of the run in which it happened, from 1; 0 until that is stored.
    #[serde(default)]
    pub revision: u64,
}

/// The most entries of a history.
const MAX_HISTORY: usize = 100;

impl StateChange {
    /// A change that is not stored yet.
    pub fn new(at: Timestamp, state: RuntimeState, error: Option<String>) -> Self {
        Self { at, state, error, attempt: 0, revision: 0 }
    }

    /// Says which step of the run it happened in, unless that is known.
    pub fn stamp(&mut self, revision: u64) {
        if self.revision == 0 {
            self.revision = revision;
        }
    }

    /// Adds this to a history, of which the beginning and the end are kept when it grows long.
    pub fn append_to(self, history: &mut Vec<Self>) {
        if history.len() >= MAX_HISTORY {
            history.remove(1);
        }
        history.push(self);
    }
}

/// Whether an object is put away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StorageState {
    Available,
    Archived,
}

impl StorageState {
    /// The name in v2beta1, which is also what rows hold.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Available => "AVAILABLE",
            Self::Archived => "ARCHIVED",
        }
    }

    /// Reads the v2beta1 name, or the v1beta1 one with its `STORAGESTATE_` in front.
    pub fn parse(name: &str) -> Option<Self> {
        match name.strip_prefix("STORAGESTATE_").unwrap_or(name) {
            "AVAILABLE" => Some(Self::Available),
            "ARCHIVED" => Some(Self::Archived),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_history_keeps_its_ends() {
        let mut history = Vec::new();
        for second in 0..1000 {
            StateChange::new(Timestamp::from_seconds(second), RuntimeState::Pending, None).append_to(&mut history);
        }
        let seconds: Vec<_> = history.iter().map(|change| change.at.seconds()).collect();
        assert_eq!((seconds.len(), seconds[0], seconds[1], seconds[99]), (MAX_HISTORY, 0, 901, 999));
    }
}
