//! `bulkhead audit`: the events that are kept in the database, as lines of JSON.
use crate::{database::Place, tokens};
use anyhow::Context;
use clap::Args;
use domain::{Clock as _, SystemClock, Timestamp};
use std::io::Write as _;
use store::AuditQuery;

#[derive(Args, Debug)]
pub(crate) struct AuditArgs {
    /// How far to look back: 30d, 12h, 90m, 45s.
    #[arg(long, value_name = "TIME", default_value = "1d")]
    since: String,
    /// Decisions about this user alone.
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// Decisions in this namespace alone; `(shared)` and `(cluster)` are the others.
    #[arg(long, value_name = "NAME")]
    namespace: Option<String>,
    /// Refusals alone.
    #[arg(long)]
    denied: bool,
    /// How many, of the last ones.
    #[arg(long, value_name = "NUMBER", default_value_t = 1000)]
    limit: u32,
    #[command(flatten)]
    place: Place,
}

/// Prints what was asked for.
///
/// # Errors
/// If there is no database, or it cannot be read.
pub(crate) async fn run(args: AuditArgs) -> anyhow::Result<()> {
    let AuditArgs { since, user, namespace, denied, limit, place } = args;
    let back = tokens::span(&since).context("--since")?.saturating_mul(1_000_000);
    let store = place.existing().await?;
    let since = Timestamp(SystemClock.now().0.saturating_sub(back));
    let query = AuditQuery { since, user, namespace, denied };
    let mut out = std::io::stdout().lock();
    for event in store.audit_events(query, limit.into()).await? {
        let mut line = serde_json::to_value(&event)?;
        line["at"] = event.at.precise().into();
        writeln!(out, "{line}")?;
    }
    Ok(())
}
