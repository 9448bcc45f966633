//! `kubernetes`: the API server of the cluster that tenants live in.
use anyhow::bail;
use serde::Deserialize;
use std::path::PathBuf;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Kubernetes {
    pub(crate) enabled: bool,
    /// `None` for the service account of the pod that this is.
    pub(crate) kubeconfig: Option<PathBuf>,
    /// `None` for the one that the file is set to.
    pub(crate) context: Option<String>,
}

impl Kubernetes {
    /// # Errors
    /// For a setting that nothing would look at.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        if self.kubeconfig.is_some() && !self.enabled {
            bail!("kubernetes.kubeconfig is set, and kubernetes.enabled is not: set both, or none");
        }
        if self.context.is_some() && self.kubeconfig.is_none() {
            bail!("kubernetes.context names a context of a file; name the file with kubernetes.kubeconfig");
        }
        Ok(())
    }
}
