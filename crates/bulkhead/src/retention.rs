//! Deletes runs that have been kept for as long as they are to be, a few at a time, so that nobody waits for it.
use crate::{config, metrics::Metrics};
use access::System;
use domain::{Namespace, Result};
use executor::local::Handle;
use std::{sync::Arc, time::Duration};
use store::Store;

/// How many runs go in one transaction.
const BATCH: u32 = 50;
/// The pause between two.
const PAUSE: Duration = Duration::from_millis(200);
/// When the first look is taken, if not sooner: a server has other things to do at its start.
const FIRST: Duration = Duration::from_secs(60);

/// What it takes to delete runs.
pub(crate) struct Retaining {
    pub(crate) config: config::Retention,
    pub(crate) store: Store,
    pub(crate) system: Arc<System>,
    /// Who removes the files of runs that are gone.
    pub(crate) executor: Handle,
    pub(crate) metrics: Arc<Metrics>,
}

impl Retaining {
    /// Looks again and again, until it is dropped.
    pub(crate) async fn run(self) {
        tokio::time::sleep(FIRST.min(self.config.interval.0)).await;
        loop {
            if let Err(error) = self.round().await {
                tracing::warn!(%error, "retention could not go on; it is tried again");
            }
            tokio::time::sleep(self.config.interval.0).await;
        }
    }

    async fn round(&self) -> Result<()> {
        let all = self.system.everywhere("see which namespaces have runs to keep");
        for namespace in self.store.namespaces_with_runs(&all).await? {
            let retention = self.config.of(&namespace);
            if retention.max_age.is_none() && retention.max_count.is_none() {
                continue;
            }
            if self.config.dry_run {
                self.tell(&namespace, retention).await?;
            } else {
                self.delete(&namespace, retention).await?;
            }
        }
        Ok(())
    }

    /// Says what would go.
    async fn tell(&self, namespace: &Namespace, retention: store::Retention) -> Result<()> {
        let grant = self.system.grant("see which runs are not kept any longer", namespace);
        let expired = self.store.expired_runs(&grant, retention, u32::MAX).await?;
        let oldest = expired.first().map(|run| run.created_at.to_string()).unwrap_or_default();
        tracing::info!(%namespace, runs = expired.len(), oldest, "dry run: these would be deleted by retention");
        Ok(())
    }

    async fn delete(&self, namespace: &Namespace, retention: store::Retention) -> Result<()> {
        let mut deleted = 0;
        loop {
            let grant = self.system.grant("delete runs that are not kept any longer", namespace);
            let expired = self.store.expired_runs(&grant, retention, BATCH).await?;
            let ids = expired.into_iter().map(|run| run.id).collect();
            let gone = self.store.delete_ended_runs(&grant, ids).await?;
            if gone.is_empty() {
                break;
            }
            deleted += gone.len();
            self.metrics.retained_no_longer.inc_by(gone.len() as u64);
            // The files go with them; if the server ends before that, the next one finds them without their run.
            gone.iter().for_each(|id| self.executor.wake(namespace, id));
            tokio::time::sleep(PAUSE).await;
        }
        if deleted > 0 {
            tracing::info!(%namespace, runs = deleted, "retention has deleted runs");
        }
        Ok(())
    }
}
