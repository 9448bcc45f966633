//! Ids: UUIDv7 when we make them, any string when we look them up.
use serde::{Deserialize, Serialize};
use std::fmt;
use uuid::{NoContext, Timestamp, Uuid};

/// A UUIDv7 of the present moment with fresh randomness. `Uuid::now_v7` shares a counter between callers, which
/// would tell one tenant how busy another is.
fn fresh() -> String {
    Uuid::new_v7(Timestamp::now(NoContext)).to_string()
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// A new id.
            pub fn fresh() -> Self {
                Self(fresh())
            }

            /// The id that a client or a row gave. Nothing is checked: an unknown id is simply not found.
            pub fn from_text(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

ids! {
    /// The id of an experiment.
    ExperimentId,
    /// The id of a pipeline.
    PipelineId,
    /// The id of one version of a pipeline.
    PipelineVersionId,
    /// The id of a recurring run.
    RecurringRunId,
    /// The id of a run.
    RunId,
    /// The id of a task of a run.
    TaskId,
    /// The id of an artifact.
    ArtifactId,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_made_together_share_no_counter() {
        let ids: Vec<Uuid> = (0..1000).map(|_| fresh().parse().unwrap()).collect();
        assert!(ids.iter().all(|id| id.get_version_num() == 7));
        // A shared counter would make neighbours of one millisecond differ by little in their random part.
        let tail = |id: &Uuid| u64::from_be_bytes(id.as_bytes()[8..].try_into().unwrap()) & (u64::MAX >> 2);
        let close = ids.windows(2).filter(|pair| tail(&pair[0]).abs_diff(tail(&pair[1])) < 1 << 32).count();
        assert_eq!(close, 0);
    }
}
