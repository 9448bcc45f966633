//! `bulkhead migrate`: brings the tables up to date, or says whether they are.
use crate::database::{self, Place};
use clap::Args;
use std::process::ExitCode;

#[derive(Args, Debug)]
pub(crate) struct MigrateArgs {
    /// Change nothing: name the migrations that are pending; the exit code is 1 if there are any.
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    place: Place,
}

/// Does what a server does at its start.
///
/// # Errors
/// The database cannot be reached, or a migration failed.
pub(crate) async fn run(args: MigrateArgs) -> anyhow::Result<ExitCode> {
    if !args.check {
        args.place.made().await?;
        println!("the tables are up to date");
        return Ok(ExitCode::SUCCESS);
    }
    let pending = database::pending(&args.place).await?;
    for name in &pending {
        println!("pending: {name}");
    }
    if pending.is_empty() {
        println!("the tables are up to date");
    }
    Ok(if pending.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
