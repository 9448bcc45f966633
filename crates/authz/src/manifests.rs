//! Profile and RBAC manifests: from the text of a file to tenants and bindings.
//!
//! `read` checks one file and keeps of it what grants anything; `expand` puts the files together as the profile
//! controller and the aggregation of ClusterRoles would in a cluster.
mod builtin;
mod expand;
mod objects;
mod read;
mod roles;
mod selector;
mod subject;
mod tree;

pub(crate) use expand::expand;
pub(crate) use objects::{Key, Objects};
pub(crate) use read::read;

#[cfg(test)]
mod tests;
