//! When recurring runs make runs, and that they do.
//!
//! `timing` says at which moments one is due, by `cron` and `zone`, and `decide` what is to be done then; `macros` and
//! `name` say what the run is given and called. All of it is pure. `service` does it, through `ports`, on the one server
//! that leads (`lead`).
pub mod cron;
mod decide;
mod lead;
mod macros;
mod name;
mod ports;
mod service;
mod timing;
mod zone;

pub use cron::Cron;
pub use decide::{Decision, decide, refuse};
pub use macros::Macros;
pub use name::{resource_name, run_name};
pub use ports::{Happened, Observe, Ports};
pub use service::Scheduler;
pub use timing::{MOST_COUNTED, Span, Timing};
pub use zone::Zone;
