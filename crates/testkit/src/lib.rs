//! What the tests of several crates share. Nothing that users run has it.
pub mod databases;
mod kube_apiserver;

pub use kube_apiserver::KubeApiserver;
