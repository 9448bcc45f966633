//! What Bulkhead keeps: experiments, pipelines with versions, runs with tasks, recurring runs, API tokens.
//!
//! The database is authoritative for all of it; files on disk (logs, artifacts) belong to rows here. Every function
//! that touches tenants' rows takes a grant of the verb and resource that it needs and binds its home into the query,
//! so the wrong right does not compile and a foreign row is not found. What the gate itself looks up is in `locate`
//! and `tokens`. How hot: `locate` and `runs::get` run for every poll of a client, lists for every page of the UI,
//! `runs::progress` for every step of a run; the rest is rare.
mod any;
mod artifacts;
mod audit;
mod backup;
mod claims;
mod columns;
mod connect;
mod counts;
mod decisions;
mod error;
mod experiments;
mod files;
mod leases;
mod locate;
mod metadata;
mod metrics;
mod observe;
mod page;
mod pipelines;
mod progress;
mod quotas;
mod recent;
mod recorded;
mod recurring_runs;
mod reported_tasks;
mod reports;
mod results;
mod retention;
mod runs;
mod schedules;
mod schema;
mod specs;
mod tasks;
mod ticks;
mod tokens;
mod versions;
mod wakes;
mod watch;

pub use artifacts::LinksOf;
pub use audit::{AuditEvent, AuditQuery};
pub use backup::{damage, snapshot};
pub use connect::{Store, pending};
pub use counts::Usage;
pub use error::Error;
pub use experiments::InExperiments;
pub use files::Node;
pub use metadata::{EventsOf, Listing, NodeOrder, Nodes};
pub use metrics::MetricOutcome;
pub use observe::{Connections, Kind, Observe, Outcome};
pub use pipelines::Cascade;
pub use progress::{Execution, Progress};
pub use quotas::{Limits, Quota, Quotas, Standing};
pub use recorded::Same;
pub use retention::{Expired, Retention};
pub use runs::{ListScope, OfRecurring};
pub use tasks::records::TasksOf;
pub use tokens::{NewToken, Token};
pub use wakes::Writes;
pub use watch::{Head, Part, Seen, Talking, Watched, Which};
