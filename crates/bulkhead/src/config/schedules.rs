//! `schedules`: what holds for the schedules of recurring runs.
use super::Seconds;
use anyhow::bail;
use domain::Namespace;
use scheduler::Zone;
use serde::Deserialize;
use std::{collections::BTreeMap, time::Duration};

/// 0 stands for no bound.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Schedules {
    pub(crate) enabled: bool,
    pub(crate) time_zone: String,
    pub(crate) min_interval: Seconds,
    pub(crate) namespace_min_interval: BTreeMap<String, Seconds>,
    pub(crate) owner_max_age: Seconds,
    pub(crate) keep_ticks: Seconds,
}

impl Default for Schedules {
    fn default() -> Self {
        Self {
            enabled: true,
            time_zone: "UTC".to_owned(),
            min_interval: Seconds(Duration::ZERO),
            namespace_min_interval: BTreeMap::new(),
            owner_max_age: Seconds(Duration::ZERO),
            keep_ticks: Seconds(Duration::from_secs(30 * 24 * 3600)),
        }
    }
}

impl Schedules {
    /// What the services have to know of them.
    ///
    /// # Errors
    /// For what is no time zone or no namespace, and for ticks that would be forgotten before anybody could see them.
    pub(crate) fn read(&self) -> anyhow::Result<server::Schedules> {
        Zone::parse(&self.time_zone).map_err(|error| error.at("schedules.time_zone"))?;
        if self.keep_ticks.0 < Duration::from_secs(60) {
            bail!("schedules.keep_ticks: 60 seconds are the least");
        }
        let named = |(name, least): (&String, &Seconds)| {
            let namespace = Namespace::parse(name).map_err(|error| error.at("schedules.namespace_min_interval"))?;
            Ok((namespace, least.0))
        };
        Ok(server::Schedules {
            time_zone: self.time_zone.clone(),
            min_interval: self.min_interval.0,
            namespaces: self.namespace_min_interval.iter().map(named).collect::<anyhow::Result<_>>()?,
            owner_max_age: Some(self.owner_max_age.0).filter(|age| !age.is_zero()),
        })
    }
}
