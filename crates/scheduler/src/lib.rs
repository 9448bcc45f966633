//! When recurring runs make runs. Pure: no clock, no database.
pub mod cron;

pub use cron::Cron;
