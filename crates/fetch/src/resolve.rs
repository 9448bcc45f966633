//! Names become addresses, all of which must be allowed.
use crate::Rules;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::{error::Error, fmt, net::SocketAddr, sync::Arc};

/// The system's resolver, followed by a check: the client connects to what this returns and to nothing else.
pub(crate) struct Checked(pub(crate) Arc<Rules>);

/// A name leads where nobody may go, or nowhere.
#[derive(Debug)]
pub(crate) struct NotAllowed;

impl fmt::Display for NotAllowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name leads to an address that is not allowed")
    }
}

impl Error for NotAllowed {}

impl Resolve for Checked {
    fn resolve(&self, name: Name) -> Resolving {
        let rules = self.0.clone();
        Box::pin(async move {
            // A name that does not exist is refused as one that leads inside: the difference tells which names there are.
            let looked_up = tokio::net::lookup_host((name.as_str(), 0)).await;
            let found: Vec<SocketAddr> = looked_up.map_err(|_| NotAllowed)?.collect();
            // One address inside is enough to refuse: nobody's public name leads there by chance.
            if !found.iter().all(|address| rules.allow_address(address.ip())) {
                return Err(NotAllowed.into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}
