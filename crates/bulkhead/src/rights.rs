//! Where tenants and rights come from, as the configuration has it: a folder of manifests, or a cluster.
use crate::{
    cluster::Clients,
    config::{Config, Decider},
};
use access::{Rbac, Review};
use anyhow::Context as _;
use authz::{ClusterOptions, Folder, Handle, Reviews, Watched};
use kube::Client;
use std::sync::Arc;

/// What is watched.
pub(crate) enum Source {
    Folder(Folder),
    Cluster(Client, ClusterOptions),
}

/// Who is asked in place of our own evaluation, if anybody is.
pub(crate) fn review(config: &Config, cluster: Option<&Clients>) -> Option<Arc<dyn Review>> {
    let clients = cluster.filter(|_| config.authorization.decider == Decider::Review)?;
    Some(Arc::new(Reviews::new(clients.ask.clone(), config.kubernetes.review_cache.0)))
}

/// What is known at the start, and what to watch from then on. The folder wins, so that tenants of one's own can have
/// tokens of a cluster.
///
/// # Errors
/// If a manifest of the folder cannot be used. That the cluster is away is no error: it may come.
pub(crate) async fn source(config: &Config, cluster: Option<&Clients>) -> anyhow::Result<(Rbac, Source)> {
    if let Some(profiles) = &config.profiles {
        let mut options = authz::Options::new(profiles);
        options.stale_after = config.profiles_stale_after.0;
        let loaded = authz::load(options).await.context("the tenants' manifests")?;
        return Ok((loaded.rbac, Source::Folder(loaded.folder)));
    }
    let clients = cluster.context("there is neither a folder of Profiles nor a cluster")?;
    let watched = match config.authorization.decider {
        Decider::Rbac => Watched::TenantsAndRights,
        Decider::Review => Watched::Tenants,
    };
    let options = ClusterOptions { stale_after: config.kubernetes.stale_after.0, watched };
    Ok((Rbac::default(), Source::Cluster(clients.watch.clone(), options)))
}

/// Whether who may what is known, for readiness.
#[derive(Clone)]
pub(crate) struct Tenants {
    handle: Handle,
    unknown: &'static str,
}

impl Tenants {
    pub(crate) fn of_folder(handle: Handle) -> Self {
        Self { handle, unknown: "the tenants' manifests cannot be read; see the log\n" }
    }

    pub(crate) fn of_cluster(handle: Handle) -> Self {
        Self { handle, unknown: "Kubernetes is not heard; see the log\n" }
    }

    /// # Errors
    /// What to tell. Why is in the log, since it may name tenants.
    pub(crate) fn ready(&self) -> Result<(), &'static str> {
        self.handle.health().map_err(|error| {
            tracing::warn!(error, "not ready: {}", self.unknown.trim_end());
            self.unknown
        })
    }
}
