//! The binary as an operator and a client meet it: processes, sockets, signals and exit codes.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop at once")]

mod browsers;
mod examples;
mod grpc;
mod headers;
mod http;
mod issuers;
mod restarts;
mod runs;
mod server;
mod starting;
mod surface;
mod tenants;
mod tls;
mod tokens;
mod urls;

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
