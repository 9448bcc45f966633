//! `retention`: how long runs are kept.
use super::Seconds;
use anyhow::bail;
use domain::Namespace;
use serde::Deserialize;
use std::{collections::BTreeMap, time::Duration};

/// None of it deletes a run that has not ended; 0 stands for none.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Retention {
    pub(crate) max_age: Seconds,
    pub(crate) max_count: u32,
    pub(crate) archived_only: bool,
    pub(crate) namespace_max_age: BTreeMap<String, Seconds>,
    pub(crate) namespace_max_count: BTreeMap<String, u32>,
    pub(crate) interval: Seconds,
    pub(crate) dry_run: bool,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            max_age: Seconds(Duration::ZERO),
            max_count: 0,
            archived_only: false,
            namespace_max_age: BTreeMap::new(),
            namespace_max_count: BTreeMap::new(),
            interval: Seconds(Duration::from_secs(3600)),
            dry_run: false,
        }
    }
}

impl Retention {
    /// # Errors
    /// For what is no namespace, or an interval that leaves no time for anything else.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        for (key, names) in [
            ("retention.namespace_max_age", self.namespace_max_age.keys().collect::<Vec<_>>()),
            ("retention.namespace_max_count", self.namespace_max_count.keys().collect()),
        ] {
            for name in names {
                Namespace::parse(name).map_err(|error| error.at(key))?;
            }
        }
        if self.interval.0 < Duration::from_secs(1) {
            bail!("retention.interval: a second is the least");
        }
        Ok(())
    }

    /// What holds in a namespace.
    pub(crate) fn of(&self, namespace: &Namespace) -> store::Retention {
        let name = namespace.as_str();
        let age = self.namespace_max_age.get(name).unwrap_or(&self.max_age).0;
        let count = self.namespace_max_count.get(name).copied().unwrap_or(self.max_count);
        store::Retention {
            max_age: (!age.is_zero()).then_some(age),
            max_count: (count > 0).then_some(count),
            archived_only: self.archived_only,
        }
    }

    /// Whether anything may ever be deleted.
    pub(crate) fn is_on(&self) -> bool {
        let ages = self.namespace_max_age.values().map(|age| !age.0.is_zero());
        let counts = self.namespace_max_count.values().map(|count| *count > 0);
        !self.max_age.0.is_zero() || self.max_count > 0 || ages.chain(counts).any(|is_on| is_on)
    }
}
