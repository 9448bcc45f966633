//! How a server sees to many schedules: what they cost when none is due, how late it is at a steady pace, and what comes
//! of a great many that are due at one moment.
//!
//! What is measured is making runs, not executing them. On PostgreSQL and MariaDB the server that makes them shares its
//! database with the one that executes them, which does not run meanwhile. A SQLite file has one server, which does both:
//! there the only task of each run is left out, so that it ends at once.
mod burst;
mod metrics;
mod pace;
mod stage;

use crate::{
    databases::Kind,
    report::{Fact, HEAD, Report},
};
use anyhow::ensure;
use std::{
    path::PathBuf,
    process::ExitCode,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Options {
    /// The program to measure: a release.
    #[arg(long, default_value = "target/release/bulkhead")]
    bulkhead: PathBuf,
    #[arg(long, value_enum, value_delimiter = ',', default_value = "sqlite,postgres,mysql")]
    databases: Vec<Kind>,
    /// How many schedules there are.
    #[arg(long, default_value_t = 100_000)]
    schedules: u64,
    /// How many of them are due each second, at a steady pace.
    #[arg(long, default_value_t = 1000)]
    rate: u64,
    /// For how many seconds that is measured.
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// How many of them are due at one moment.
    #[arg(long, default_value_t = 10_000)]
    burst: u64,
    /// Where the findings go, as JSON.
    #[arg(long)]
    output: Option<PathBuf>,
    /// Only measures whose name has this in it: idle and burst, pace.
    #[arg(long)]
    only: Option<String>,
}

impl Options {
    /// What could not be measured.
    fn check(&self) -> anyhow::Result<()> {
        ensure!(self.schedules > 0 && self.seconds > 0, "--schedules and --seconds are at least 1");
        ensure!((1..=1_000_000).contains(&self.rate), "--rate is from 1 to 1000000");
        ensure!((1..=self.schedules).contains(&self.burst), "--burst is from 1 to --schedules");
        let least = self.rate * (self.seconds + pace::WARM_UP.as_secs() + pace::GRACE.as_secs());
        // Each is due once then, so that runs that nobody executes keep none from being made.
        ensure!(self.schedules > least, "--schedules is more than {least} for that --rate and these --seconds");
        Ok(())
    }

    fn wants(&self, name: &str) -> bool {
        self.only.as_ref().is_none_or(|only| name.contains(only.as_str()))
    }
}

/// Measures all of it. The exit code says whether the targets were met.
///
/// # Errors
/// Anything that is not as expected: a server that does not start, a moment without a run.
pub(crate) async fn run(options: &Options) -> anyhow::Result<ExitCode> {
    options.check()?;
    let mut report = Report::default();
    println!("{HEAD}");
    for kind in &options.databases {
        if options.wants("idle and burst") {
            burst::measure(*kind, options, &mut report).await?;
        }
        if options.wants("pace") {
            pace::measure(*kind, options, &mut report).await?;
        }
    }
    report.conclude(options.output.as_deref())
}

fn fact(report: &mut Report, database: Kind, name: impl Into<String>, (value, unit): (f64, &str), under: Option<f64>) {
    let fact = Fact { database, name: name.into(), value, unit: unit.to_owned(), under };
    println!("{}", fact.line());
    report.facts.push(fact);
}

/// Microseconds since the epoch.
fn now() -> anyhow::Result<i64> {
    Ok(i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_micros())?)
}

fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}

/// Waits for a moment, which must not be over.
async fn until(moment: i64) -> anyhow::Result<()> {
    let left = u64::try_from(moment - now()?);
    ensure!(left.is_ok(), "the machine was too slow: a moment that was to be measured is over already");
    tokio::time::sleep(Duration::from_micros(left?)).await;
    Ok(())
}
