//! `kubernetes`: the API server of the cluster that tenants live in; and `authorization`: who decides.
use super::Seconds;
use anyhow::bail;
use serde::Deserialize;
use std::{path::PathBuf, time::Duration};

/// Requests to the API server need some time, and several of them have to fit in.
const SHORTEST: Duration = Duration::from_secs(3);

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Kubernetes {
    pub(crate) enabled: bool,
    /// `None` for the service account of the pod that this is.
    pub(crate) kubeconfig: Option<PathBuf>,
    /// `None` for the one that the file is set to.
    pub(crate) context: Option<String>,
    /// How old what is known of the cluster may be.
    pub(crate) stale_after: Seconds,
    /// How long a SubjectAccessReview counts.
    pub(crate) review_cache: Seconds,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Authorization {
    pub(crate) decider: Decider,
}

/// Who decides whether a tenant's namespace is open to a caller.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Decider {
    /// Our own evaluation of roles and bindings.
    #[default]
    Rbac,
    /// Kubernetes, by SubjectAccessReviews.
    Review,
}

impl Default for Kubernetes {
    fn default() -> Self {
        Self {
            enabled: false,
            kubeconfig: None,
            context: None,
            stale_after: Seconds(Duration::from_secs(60)),
            review_cache: Seconds(Duration::from_secs(10)),
        }
    }
}

impl Authorization {
    /// # Errors
    /// For a decider that cannot be asked.
    pub(super) fn check(&self, kubernetes: &Kubernetes) -> anyhow::Result<()> {
        if self.decider == Decider::Review && !kubernetes.enabled {
            bail!("authorization.decider is review, which needs an API server to ask: set kubernetes.enabled");
        }
        Ok(())
    }
}

impl Kubernetes {
    /// # Errors
    /// For a setting that nothing would look at, and for spans that do not go together.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        if self.kubeconfig.is_some() && !self.enabled {
            bail!("kubernetes.kubeconfig is set, and kubernetes.enabled is not: set both, or none");
        }
        if self.context.is_some() && self.kubeconfig.is_none() {
            bail!("kubernetes.context names a context of a file; name the file with kubernetes.kubeconfig");
        }
        if self.stale_after.0 < SHORTEST {
            bail!("kubernetes.stale_after: {SHORTEST:?} is the least, since the API server has to be asked in between");
        }
        if self.review_cache.0 > self.stale_after.0 {
            bail!(
                "kubernetes.review_cache is longer than kubernetes.stale_after, which is how long a right may last that \
                 was withdrawn"
            );
        }
        Ok(())
    }
}
