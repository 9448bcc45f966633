//! Whether what access decides by is known, for readiness to tell.
use tokio::sync::watch::{Receiver, Sender};

/// All is well, or what is wrong.
pub(crate) type Health = Result<(), String>;

/// What keeps the rights of the gate current. It ends when the last clone is dropped.
#[derive(Clone, Debug)]
pub struct Handle(pub(crate) Receiver<Health>);

impl Handle {
    /// Whether all counts as it is where it comes from: the folder on the disk, or the cluster.
    ///
    /// # Errors
    /// What is wrong, for readiness to tell.
    pub fn health(&self) -> Result<(), String> {
        self.0.borrow().clone()
    }
}

/// Tells, if that is news. Returns whether it is.
pub(crate) fn tell(health: &Sender<Health>, now: Health) -> bool {
    health.send_if_modified(|before| {
        let differs = *before != now;
        *before = now;
        differs
    })
}
