//! Where access gets its facts: tenants and rights from a folder of manifests or from a Kubernetes cluster, and callers
//! from request headers.
//!
//! [`load`] reads a folder of Profile and RBAC manifests once and [`Folder::watch`] keeps the gate's rights current
//! with it; [`watch_cluster`] does so with those of a Kubernetes cluster. [`Authn`] turns the headers of a request into
//! an [`access::Caller`]. Nothing here decides whether a caller may do something; that is the gate's, unless it has
//! Kubernetes decide, which [`Reviews`] asks.
mod authn;
mod cluster;
mod folder;
mod health;
mod manifests;
mod peer;
mod problem;
mod profile;
#[cfg(test)]
mod tests;
mod this_host;

pub use authn::{
    Authn, HeaderSettings, KnownToken, Oidc, OidcClaims, OidcError, OidcSettings, TokenReview, TokenReviewSettings,
    Tokens, Trust,
};
pub use cluster::{ClusterOptions, Reviews, Watched, watch_cluster};
pub use folder::{Folder, Loaded, Options, load};
pub use health::Handle;
pub use peer::Peer;
pub use problem::{Error, Place, Problem};
pub use profile::{Condition, Plugin, Profile, ProfileSpec, ProfileStatus};
pub use this_host::{contains_loopback, is_this_host};
