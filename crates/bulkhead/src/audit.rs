//! The audit trail: one log line for each access decision, under the target `audit`.
use crate::metrics::Metrics;
use access::{Audit, Decided};
use std::sync::Arc;

/// Refusals at `info`, the rest at `debug`.
pub(crate) struct AuditLog(pub(crate) Arc<Metrics>);

impl Audit for AuditLog {
    fn decided(&self, decided: &Decided<'_>) {
        let Decided { what, who, verb, resource, home, name, allowed } = decided;
        self.0.decisions.with_label_values(&[*what, if *allowed { "true" } else { "false" }]).inc();
        let place = match home {
            domain::Home::Namespace(namespace) => namespace.as_str(),
            domain::Home::Shared => "(shared)",
            domain::Home::Cluster => "(cluster)",
        };
        let user = who.user();
        if *allowed {
            tracing::debug!(target: "audit", rpc = what, user, %verb, %resource, namespace = place, name, "allowed");
        } else {
            tracing::info!(target: "audit", rpc = what, user, %verb, %resource, namespace = place, name, "denied");
        }
    }
}
