//! Stored definitions that were read and judged lately, so that a schedule does not have its own read anew at each moment.
use crate::{Context, package, policy};
use domain::{Home, Result};
use moka::sync::Cache;
use spec::Package;
use std::sync::Arc;

/// How many bytes of texts are remembered, with what was read of them, which is some times as much.
const MOST: u64 = 8 << 20;

/// Packages by the home that they are executed in, whose policy has passed them, and by their text. No home has anything
/// of another one's. Cheap to clone.
#[derive(Clone)]
pub struct Packages(Cache<(Home, Arc<str>), Arc<Package>>);

impl Default for Packages {
    fn default() -> Self {
        let weight = |(_, text): &(Home, Arc<str>), _: &Arc<Package>| u32::try_from(text.len()).unwrap_or(u32::MAX);
        Self(Cache::builder().max_capacity(MOST).weigher(weight).build())
    }
}

impl Packages {
    /// The package of a stored text that is to be executed in that home.
    ///
    /// # Errors
    /// `InvalidArgument`, with the path of what is not allowed; `Unimplemented` for a v1 manifest that is allowed.
    pub(crate) async fn read(&self, context: &Context, home: &Home, text: &str) -> Result<Arc<Package>> {
        let key = (home.clone(), Arc::from(text));
        if let Some(package) = self.0.get(&key) {
            return Ok(package);
        }
        let template = package::read_text(text.to_owned()).await?;
        let package = Arc::new(policy::package(context, home, template).await?);
        self.0.insert(key, package.clone());
        Ok(package)
    }
}

impl std::fmt::Debug for Packages {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Packages").field(&self.0.entry_count()).finish()
    }
}
