//! How tasks run: the sandbox or the container around each, the supervisor that leaves nothing of it behind, and the
//! Python environments that they share.

pub mod local;
pub mod podman;
pub mod process;
pub mod python;
pub mod sandbox;
