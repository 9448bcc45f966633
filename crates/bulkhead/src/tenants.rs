//! Whether what is known of the tenants is up to date.

/// The health of the tenants' manifests; there are none in single-user mode.
#[derive(Debug)]
pub(crate) struct Tenants(pub(crate) Option<authz::Handle>);

impl Tenants {
    /// # Errors
    /// What is wrong with which files.
    pub(crate) fn health(&self) -> Result<(), String> {
        self.0.as_ref().map_or(Ok(()), authz::Handle::health)
    }
}
