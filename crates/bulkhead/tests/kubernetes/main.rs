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

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

/// How long something may take that happens in the background.
const PATIENCE: Duration = Duration::from_secs(30);

/// Asks again and again until there is an answer.
#[track_caller]
fn eventually<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "after {PATIENCE:?} it is still not so: {what}");
        sleep(Duration::from_millis(25));
    }
}
