//! The binary as an operator and a client meet it: processes, sockets, signals and exit codes.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop at once")]

mod browsers;
mod examples;
mod grpc;
mod headers;
mod http;
mod issuers;
mod limits;
mod observing;
mod quotas;
mod restarts;
mod runs;
mod server;
mod starting;
mod surface;
mod tenants;
mod tls;
mod tokens;
mod urls;
mod waiting;

use waiting::{PATIENCE, eventually};
