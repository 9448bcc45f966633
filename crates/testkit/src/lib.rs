//! What the tests of several crates share. A dev-dependency: nothing that users run has it.
mod kube_apiserver;

pub use kube_apiserver::KubeApiserver;
