//! The gate through the rules that the protos declare: who is admitted where, and in what words the others are not.
#![expect(clippy::unwrap_used, reason = "a test may panic, and so may what it calls")]

mod audit;
mod callers;
mod counting;
mod holding;
mod lists_of_ids;
mod names;
mod objects;
mod others;
mod pipelines;
mod placed;
mod references;
mod review;
mod runs;
mod scopes;
mod single_user;
mod v1;
mod wherever;
mod world;
