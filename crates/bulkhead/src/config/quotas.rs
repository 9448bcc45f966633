//! `quotas`: how much a namespace may hold.
use domain::Namespace;
use serde::Deserialize;
use std::collections::BTreeMap;

/// 0 stands for no quota.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Quotas {
    pub(crate) active_runs: u32,
    pub(crate) stored_runs: u32,
    pub(crate) pipelines: u32,
    pub(crate) recurring_runs: u32,
    /// Of single namespaces.
    pub(crate) namespaces: BTreeMap<String, Own>,
}

/// What a namespace has of its own. What it leaves out is as for all.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Own {
    active_runs: Option<u32>,
    stored_runs: Option<u32>,
    pipelines: Option<u32>,
    recurring_runs: Option<u32>,
}

impl Quotas {
    /// What the store has to know of them.
    ///
    /// # Errors
    /// For what is no namespace.
    pub(crate) fn read(&self) -> anyhow::Result<store::Quotas> {
        let named = |(name, own): (&String, &Own)| {
            let namespace = Namespace::parse(name).map_err(|error| error.at("quotas.namespaces"))?;
            Ok((namespace, self.limits(*own)))
        };
        let namespaces = self.namespaces.iter().map(named).collect::<anyhow::Result<_>>()?;
        Ok(store::Quotas { everywhere: self.limits(Own::default()), namespaces })
    }

    fn limits(&self, own: Own) -> store::Limits {
        let limit = |own: Option<u32>, of_all| Some(own.unwrap_or(of_all)).filter(|limit| *limit > 0);
        store::Limits {
            active_runs: limit(own.active_runs, self.active_runs),
            stored_runs: limit(own.stored_runs, self.stored_runs),
            pipelines: limit(own.pipelines, self.pipelines),
            recurring_runs: limit(own.recurring_runs, self.recurring_runs),
        }
    }
}
