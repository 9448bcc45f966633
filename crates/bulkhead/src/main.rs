//! Bulkhead: a multi-tenant control plane for Kubeflow Pipelines, in one binary.
//!
//! This crate is the wiring: it reads the configuration, chooses the parts, and joins those that do not know each
//! other.
mod admin;
mod ask;
mod audit;
mod backup;
mod cli;
mod cluster;
mod config;
mod data_dir;
mod database;
mod examples;
mod http;
mod identity;
mod limits;
mod listeners;
mod metrics;
mod migrate;
mod package;
mod progress;
mod retention;
mod rights;
mod run;
mod schedules;
mod scheduling;
mod serve;
mod telemetry;
mod tls;
mod tokens;
mod watch;
mod wiring;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    // The supervisor of a task is this binary again, single-threaded; no runtime may start in it.
    if let cli::Command::Supervise = cli.command {
        return executor::process::supervise();
    }
    match cli::run(cli) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("bulkhead: {error:#}");
            ExitCode::FAILURE
        }
    }
}
