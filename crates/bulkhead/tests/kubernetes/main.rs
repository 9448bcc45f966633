//! The server in a cluster: against a real Kubernetes API server, which `make test-kubernetes` provides; without it the
//! tests say so and pass.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop at once")]

mod cluster;
mod deciding;
mod tenants;

#[path = "../serve/http.rs"]
#[expect(dead_code, reason = "the tests of a server without a cluster need more of it")]
mod http;
#[path = "../serve/server.rs"]
#[expect(dead_code, reason = "the tests of a server without a cluster need more of it")]
mod server;
#[path = "../serve/waiting.rs"]
mod waiting;

use waiting::{PATIENCE, eventually};
