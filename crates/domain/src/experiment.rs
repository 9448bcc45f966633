//! Experiments.
use crate::{ExperimentId, Home, StorageState, Timestamp};

/// A group of runs in one namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Experiment {
    pub id: ExperimentId,
    pub home: Home,
    pub name: String,
    pub description: String,
    pub created_at: Timestamp,
    /// When a run was last created in it; the epoch if never.
    pub last_run_at: Timestamp,
    pub storage_state: StorageState,
    pub created_by: String,
}

/// What a caller decides about an experiment. The rest is the server's.
#[derive(Clone, Debug, Default)]
pub struct NewExperiment {
    pub name: String,
    pub description: String,
}
