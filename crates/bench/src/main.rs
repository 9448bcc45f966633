//! `bench`: how fast a release of Bulkhead answers, beside references that are measured in the same run.
mod bare;
mod calls;
mod compare;
mod databases;
mod hold;
mod lineage;
mod load;
mod measures;
mod originals;
mod report;
mod scheduler;
mod served;
mod wire;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

#[derive(Parser, Debug)]
#[command(about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Measure a server beside its references.
    Run(measures::Options),
    /// Measure how a server sees to schedules.
    Scheduler(scheduler::Options),
    /// Measure how the graph of a tenant's executions is read beside another tenant's.
    Lineage(lineage::Options),
    /// Show what has changed between the findings of two runs.
    Compare(compare::Options),
    /// Be the bare server that reading a run is compared with.
    #[command(hide = true)]
    Bare(bare::Options),
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    match Arguments::parse().command {
        Command::Run(options) => measures::run(&options).await,
        Command::Scheduler(options) => scheduler::run(&options).await,
        Command::Lineage(options) => lineage::run(&options).await,
        Command::Compare(options) => compare::compare(&options).map(|()| ExitCode::SUCCESS),
        Command::Bare(options) => bare::serve(options).await.map(|()| ExitCode::SUCCESS),
    }
}
