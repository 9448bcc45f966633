//! `bulkhead runs watch` and `bulkhead logs`: a run of a server, as it proceeds.
//!
//! Both go on with the cursor of the last message when the connection breaks, so that nothing is missed or shown twice.
use crate::{
    ask::{ServerArgs, Unreachable},
    progress::{Progress, Update, visible, visible_lines},
};
use anyhow::{Context, bail};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use clap::{Args, Subcommand, ValueEnum};
use serde::{Deserialize, de::DeserializeOwned};
use std::{
    io::{self, Write},
    process::ExitCode,
    time::{Duration, Instant},
};

/// How long a server may be away before that is an error, and how often it is asked meanwhile.
const PATIENCE: (Duration, Duration) = (Duration::from_secs(60), Duration::from_millis(500));
/// How long a connection holds that counts as one.
const STEADY: Duration = Duration::from_secs(5);
/// The longest message, in bytes: as for gRPC.
const MAX_LINE: usize = 64 << 20;

#[derive(Args, Debug)]
pub(crate) struct RunsArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show a run until it has ended; the exit code is 1 if it failed.
    Watch(WatchArgs),
}

#[derive(Args, Debug)]
struct WatchArgs {
    /// The run.
    run_id: String,
    #[arg(short, long, value_enum, default_value_t)]
    output: Output,
    #[command(flatten)]
    server: ServerArgs,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Output {
    /// A tree on a terminal, else a line for each change.
    #[default]
    Plain,
    /// Each message as the server gives it, one a line, on standard output.
    Json,
}

#[derive(Args, Debug)]
pub(crate) struct LogsArgs {
    /// The run.
    run_id: String,
    /// A task: its id, its path such as `for-loop-1[3]/train`, or its name; without one, all of them.
    task: Option<String>,
    /// Go on until the run, or the task, has ended.
    #[arg(short, long)]
    follow: bool,
    #[command(flatten)]
    server: ServerArgs,
}

/// Shows a run.
///
/// # Errors
/// If the server refuses, or stays away.
pub(crate) async fn runs(args: RunsArgs) -> anyhow::Result<ExitCode> {
    let Command::Watch(args) = args.command;
    let path = format!("/apis/bulkhead/v1/runs/{}:watch", segment(&args.run_id));
    let (mut shown, mut state, mut error) = (Progress::new(), String::new(), String::new());
    let mut lines = Lines::new(&args.server, path, Vec::new());
    while let Some((line, update)) = lines.next::<Update>().await? {
        match args.output {
            Output::Plain => shown.show(&update.run, update.tasks)?,
            Output::Json => writeln!(io::stdout(), "{line}")?,
        }
        (state, error) = (update.run.state, update.run.error);
        lines.ended = update.ended;
        lines.cursor = update.cursor;
    }
    if !error.is_empty() && args.output == Output::Plain {
        eprintln!("{}", visible_lines(&error));
    }
    Ok(if state == "FAILED" { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Chunk {
    cursor: String,
    path: String,
    data: String,
}

/// Prints logs.
///
/// # Errors
/// If the server refuses, or stays away.
pub(crate) async fn logs(args: LogsArgs) -> anyhow::Result<()> {
    let path = format!("/apis/bulkhead/v1/runs/{}:followLogs", segment(&args.run_id));
    let no_follow = if args.follow { "" } else { "true" }.to_owned();
    let query = vec![("task_id", args.task.clone().unwrap_or_default()), ("no_follow", no_follow)];
    let mut lines = Lines::new(&args.server, path, query);
    // A stream of logs that ends without an error has come to its end.
    lines.ended = true;
    let (mut out, mut of, mut at_start) = (io::stdout().lock(), String::new(), true);
    while let Some((_, chunk)) = lines.next::<Chunk>().await? {
        if args.task.is_none() && chunk.path != of {
            let gap = if at_start { "" } else { "\n" };
            writeln!(out, "{gap}==> {} <==", visible(&chunk.path))?;
            of.clone_from(&chunk.path);
        }
        let data = BASE64.decode(&chunk.data).context("the server's answer")?;
        at_start = data.ends_with(b"\n");
        out.write_all(&data)?;
        out.flush()?;
        lines.cursor = chunk.cursor;
    }
    Ok(())
}

fn segment(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// The messages of a stream, over as many connections as it takes.
struct Lines<'a> {
    server: &'a ServerArgs,
    path: String,
    query: Vec<(&'static str, String)>,
    /// That of the last message.
    cursor: String,
    /// Whether an end of the stream is the end.
    ended: bool,
    response: Option<reqwest::Response>,
    buffer: Vec<u8>,
    away_since: Option<Instant>,
    /// When the connection was made.
    opened: Instant,
}

#[derive(Deserialize)]
struct Wrapped<T> {
    result: Option<T>,
    error: Option<Refusal>,
}

#[derive(Deserialize)]
struct Refusal {
    code: i32,
    message: String,
}

/// gRPC's codes for what passes if one begins anew.
const PASSING: [i32; 3] = [10, 13, 14];

impl<'a> Lines<'a> {
    fn new(server: &'a ServerArgs, path: String, query: Vec<(&'static str, String)>) -> Self {
        let (cursor, buffer) = Default::default();
        Self {
            server,
            path,
            query,
            cursor,
            ended: false,
            response: None,
            buffer,
            away_since: None,
            opened: Instant::now(),
        }
    }

    /// The next message, as text and read; none at the end.
    async fn next<T: DeserializeOwned>(&mut self) -> anyhow::Result<Option<(String, T)>> {
        loop {
            if let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.buffer.drain(..=end).collect();
                let wrapped: Wrapped<T> = serde_json::from_slice(&line).context("the server's answer")?;
                match (wrapped.result, wrapped.error) {
                    (Some(message), _) => {
                        self.away_since = None;
                        return Ok(Some((String::from_utf8_lossy(&line).trim_end().to_owned(), message)));
                    }
                    (None, Some(refusal)) if PASSING.contains(&refusal.code) => self.wait(&refusal.message).await?,
                    (None, Some(refusal)) => bail!("{}", refusal.message),
                    (None, None) => bail!("the server does not answer as Bulkhead does"),
                }
                continue;
            }
            let Some(response) = &mut self.response else {
                let query: Vec<_> = self.query.iter().cloned().chain([("cursor", self.cursor.clone())]).collect();
                match self.server.open(&self.path, &query).await {
                    Ok(response) => (self.response, self.opened) = (Some(response), Instant::now()),
                    Err(error) if error.is::<Unreachable>() => self.wait(&format!("{error:#}")).await?,
                    Err(error) => return Err(error),
                }
                continue;
            };
            match response.chunk().await {
                Ok(Some(more)) if self.buffer.len() + more.len() <= MAX_LINE => self.buffer.extend_from_slice(&more),
                Ok(Some(_)) => bail!("the server sends a message of more than {MAX_LINE} bytes"),
                Ok(None) if self.ended => return Ok(None),
                Ok(None) => self.wait("the stream ended early").await?,
                Err(error) => self.wait(&error.to_string()).await?,
            }
        }
    }

    /// Forgets the connection and waits a little, unless the server has been away for too long.
    async fn wait(&mut self, why: &str) -> anyhow::Result<()> {
        // A stream that was open for a while and silent is no sign of a server that is away.
        if self.response.is_some() && self.opened.elapsed() > STEADY {
            self.away_since = None;
        }
        self.response = None;
        self.buffer.clear();
        if self.away_since.get_or_insert_with(Instant::now).elapsed() > PATIENCE.0 {
            bail!("{why}: given up after {} s", PATIENCE.0.as_secs());
        }
        tokio::time::sleep(PATIENCE.1).await;
        Ok(())
    }
}
