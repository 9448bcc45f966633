//! `policy`: what v1 manifests and platform settings may ask for.
use super::Config;
use anyhow::anyhow;
use domain::Namespace;
use serde::{Deserialize, Deserializer};
use server::{Policies, V1};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Policy {
    /// In all namespaces.
    pub(crate) allow: BTreeSet<Allowance>,
    /// In some of them, besides.
    pub(crate) namespaces: BTreeMap<String, BTreeSet<Allowance>>,
    pub(crate) domains: BTreeSet<String>,
    pub(crate) block_v1: bool,
    pub(crate) v1_allowed_namespaces: Vec<String>,
}

/// An allowance by its word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Allowance(spec::Allowance);

impl<'de> Deserialize<'de> for Allowance {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        String::deserialize(input)?.parse().map(Self).map_err(serde::de::Error::custom)
    }
}

impl Config {
    /// # Errors
    /// With the key, for names that are not namespaces, and domains that cannot be allowed.
    pub(crate) fn policies(&self) -> anyhow::Result<Policies> {
        let policy = &self.policy;
        for domain in &policy.domains {
            spec::check_domain(domain).map_err(|text| anyhow!("policy.domains: {text}"))?;
        }
        let words = |allow: &BTreeSet<Allowance>| allow.iter().map(|allowance| allowance.0).collect();
        let everywhere = spec::Policy {
            allow: words(&policy.allow),
            domains: policy.domains.clone(),
            default_service_account: self.default_service_account.clone(),
        };
        let named = |(name, allow): (&String, _)| anyhow::Ok((namespace("policy.namespaces", name)?, words(allow)));
        let namespaces = policy.namespaces.iter().map(named).collect::<anyhow::Result<_>>()?;
        // Upstream compares these names without regard to case.
        let exempt = |name: &String| namespace("policy.v1_allowed_namespaces", &name.to_ascii_lowercase());
        let exempt = policy.v1_allowed_namespaces.iter().map(exempt).collect::<anyhow::Result<_>>()?;
        let server = namespace("server_namespace", &self.server_namespace)?;
        let v1 = if policy.block_v1 { V1::Only { namespaces: exempt, server } } else { V1::Everywhere };
        Ok(Policies { everywhere, namespaces, v1 })
    }
}

fn namespace(key: &str, name: &str) -> anyhow::Result<Namespace> {
    Ok(Namespace::parse(name).map_err(|error| error.at(key))?)
}
