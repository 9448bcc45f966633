//! Who is at the other end of a connection, as far as the connection itself tells.
use std::{net::IpAddr, sync::Arc};

/// The other end of a connection. A listener leaves it in the extensions of each request; a call that the gateway
/// makes of a request carries that of the request. Without one nobody's headers are believed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Peer {
    /// Where the connection comes from; `None` if nobody knows.
    pub address: Option<IpAddr>,
    /// The URI and DNS names of the client certificate that our own listener has verified; none without one.
    pub names: Arc<[String]>,
}

impl Peer {
    /// A peer without a certificate.
    pub fn at(address: IpAddr) -> Self {
        Self { address: Some(address), names: Arc::default() }
    }
}
