//! The capabilities come with a gate, and only so.
use access::{Authenticators, PolicyWriter, Rbac};
use std::sync::Arc;

fn authenticators() -> Authenticators {
    Authenticators(())
}

fn policy(rbac: Arc<arc_swap::ArcSwap<Rbac>>) -> PolicyWriter {
    PolicyWriter(rbac)
}

fn main() {}
