//! The command line.
use crate::{ask, audit, backup, config, examples, migrate, package, run, schedules, serve, tokens, watch};
use clap::{Args, Parser, Subcommand};
use std::{ffi::OsString, net::SocketAddr, path::PathBuf, process::ExitCode};

/// A multi-tenant control plane for Kubeflow Pipelines.
#[derive(Debug, Parser)]
#[command(name = "bulkhead", version, about, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve the KFP API (gRPC, gRPC-Web and REST) and run pipelines.
    Serve(ServeArgs),
    /// Run a pipeline in this terminal, without a server.
    Run(run::RunArgs),
    /// Check whether a pipeline can be run.
    Validate(package::ValidateArgs),
    /// Show runs of a server.
    Runs(watch::RunsArgs),
    /// Show when recurring runs of a server are due, and what has come of it.
    Schedules(schedules::SchedulesArgs),
    /// Print what tasks of a run have printed.
    Logs(watch::LogsArgs),
    /// Make, list and revoke API tokens.
    Token(tokens::TokenArgs),
    /// Ask a server as whom it knows you.
    Whoami(ask::WhoAmIArgs),
    /// Ask a server whether you may do something, and why or why not; the exit code is 1 for no.
    CanI(ask::CanIArgs),
    /// List access decisions that are kept in the database (audit.sink: database).
    Audit(audit::AuditArgs),
    /// Load example pipelines, for everybody to run.
    Examples(examples::ExamplesArgs),
    /// Write a data folder to one file, beside a running server.
    Backup(backup::BackupArgs),
    /// Make a data folder of a backup.
    Restore(backup::RestoreArgs),
    /// Bring the tables of the database up to date, as the server does at its start, or see whether they are.
    Migrate(migrate::MigrateArgs),
    /// Watch over one task; the server starts this itself.
    #[command(hide = true)]
    Supervise,
}

/// Flags win over the environment, which wins over the file. Every key is in docs/CONFIG.md.
#[derive(Args, Debug, Default)]
pub(crate) struct ServeArgs {
    /// A YAML file with the configuration.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// An address to serve the API on; repeat it for more. Replaces 127.0.0.1:8888 and 127.0.0.1:8887.
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: Vec<SocketAddr>,
    /// The address of metrics and probes. Replaces 127.0.0.1:8889.
    #[arg(long, value_name = "ADDR")]
    pub(crate) admin_listen: Option<SocketAddr>,
    /// Where the database, logs and artifacts are kept. Replaces ./data.
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// A folder of Profile and RBAC manifests that say who the tenants are.
    #[arg(long, value_name = "DIR")]
    pub(crate) profiles: Option<PathBuf>,
    /// Run the tasks of a database (database.url) whose tasks another server ran that has ended for good.
    #[arg(long)]
    pub(crate) take_over: bool,
    /// In single-user mode, which has no login: listen on addresses that other machines can reach.
    #[arg(long)]
    pub(crate) insecure_listen: bool,
}

/// Runs a command to its end.
pub(crate) fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let runtime = || tokio::runtime::Builder::new_multi_thread().enable_all().build();
    match cli.command {
        Command::Serve(args) => {
            // A variable that is no text is none of ours.
            let text =
                |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value.into_string().ok()?));
            let config = config::load(&args, std::env::vars_os().filter_map(text))?;
            runtime()?.block_on(serve::serve(config))?;
        }
        Command::Run(args) => {
            return Ok(runtime()?.block_on(run::run(args)).unwrap_or_else(|error| {
                eprintln!("bulkhead: {error:#}");
                ExitCode::from(run::NOT_STARTED)
            }));
        }
        Command::Runs(args) => return runtime()?.block_on(watch::runs(args)),
        Command::Schedules(args) => runtime()?.block_on(schedules::run(args))?,
        Command::Logs(args) => runtime()?.block_on(watch::logs(args))?,
        Command::Migrate(args) => return runtime()?.block_on(migrate::run(args)),
        Command::Backup(args) => backup::backup(&args)?,
        Command::Restore(args) => backup::restore(&args)?,
        Command::Validate(args) => return package::validate(&args),
        Command::Token(args) => runtime()?.block_on(tokens::run(args))?,
        Command::Whoami(args) => runtime()?.block_on(ask::who_am_i(args))?,
        Command::CanI(args) => return runtime()?.block_on(ask::can_i(args)),
        Command::Audit(args) => runtime()?.block_on(audit::list(args))?,
        Command::Examples(args) => runtime()?.block_on(examples::run(args))?,
        Command::Supervise => unreachable!("main has taken this one"),
    }
    Ok(ExitCode::SUCCESS)
}
