//! What is measured, in which order: each measure and its reference in turns, so that a machine that slows down slows
//! down both.
mod flood;
mod house;
mod pairs;

pub(crate) use pairs::{calls, in_turns};

use crate::{
    databases::Kind,
    report::{HEAD, Report},
};
use std::{path::PathBuf, process::ExitCode, time::Duration};

#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Options {
    /// The program to measure: a release.
    #[arg(long, default_value = "target/release/bulkhead")]
    pub(crate) bulkhead: PathBuf,
    /// How many runs there are, in a namespace each; lists of the others are compared with the first.
    #[arg(long, value_delimiter = ',', default_value = "10000,1000000")]
    pub(crate) rows: Vec<u64>,
    /// Clients at one time, each with a connection of its own.
    #[arg(long, value_delimiter = ',', default_value = "1,32,100")]
    pub(crate) clients: Vec<usize>,
    #[arg(long, value_enum, value_delimiter = ',', default_value = "sqlite,postgres,mysql")]
    pub(crate) databases: Vec<Kind>,
    /// Seconds for each measure, and as many for its reference.
    #[arg(long, default_value_t = 2.0)]
    pub(crate) seconds: f64,
    /// Where the findings go, as JSON.
    #[arg(long)]
    pub(crate) output: Option<PathBuf>,
    /// Only measures whose name has this in it: get a run, authorize, list, create a run, flood.
    #[arg(long)]
    pub(crate) only: Option<String>,
}

impl Options {
    /// How long one of the turns of a measure takes.
    pub(crate) fn turn(&self) -> Duration {
        Duration::from_secs_f64(self.seconds / f64::from(pairs::TURNS))
    }

    pub(crate) fn wants(&self, name: &str) -> bool {
        self.only.as_ref().is_none_or(|only| name.contains(only.as_str()))
    }
}

/// Measures all of it. The exit code says whether the targets were met.
///
/// # Errors
/// Anything that is not as expected: a server that does not start, an answer that is no success.
pub(crate) async fn run(options: &Options) -> anyhow::Result<ExitCode> {
    let mut report = Report::default();
    println!("{HEAD}");
    for kind in &options.databases {
        house::measure(*kind, options, &mut report).await?;
    }
    println!();
    for fact in &report.facts {
        println!("{}", fact.line());
    }
    report.conclude(options.output.as_deref())
}
