//! The services over a real store, as clients see them through the gateway: shapes of messages, and what handlers do.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop at once")]

mod errors;
mod experiments;
mod files;
mod lists;
mod messages;
mod metadata;
mod others;
mod packages;
mod pipelines;
mod policy;
mod recurring_runs;
mod runs;
mod schedules;
mod single_user;
mod streams;
mod urls;
mod world;
