//! What of its namespace a definition can reach.
use std::collections::BTreeSet;

/// The objects that a definition names. All are of the run's own namespace, since nothing that names another one is
/// allowed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Touches {
    /// Service accounts other than the run's own.
    pub service_accounts: BTreeSet<String>,
    pub secrets: BTreeSet<String>,
    pub config_maps: BTreeSet<String>,
    pub volume_claims: BTreeSet<String>,
    /// The paths of names that are only known when the run goes on, since parameters stand in them.
    pub undecided: BTreeSet<String>,
}

/// A kind of object that can be touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Touched {
    ServiceAccount,
    Secret,
    ConfigMap,
    VolumeClaim,
}

impl Touches {
    pub(super) fn add(&mut self, kind: Touched, name: &str) {
        let names = match kind {
            Touched::ServiceAccount => &mut self.service_accounts,
            Touched::Secret => &mut self.secrets,
            Touched::ConfigMap => &mut self.config_maps,
            Touched::VolumeClaim => &mut self.volume_claims,
        };
        names.insert(name.to_owned());
    }

    pub(super) fn extend(&mut self, other: Touches) {
        let Touches { service_accounts, secrets, config_maps, volume_claims, undecided } = other;
        self.service_accounts.extend(service_accounts);
        self.secrets.extend(secrets);
        self.config_maps.extend(config_maps);
        self.volume_claims.extend(volume_claims);
        self.undecided.extend(undecided);
    }
}
