//! `bulkhead run`: runs a package in this terminal, without a server, as the server would.
use crate::{
    audit::AuditTrail,
    config::{Config, Log},
    data_dir,
    metrics::Metrics,
    package,
    progress::{self, Progress},
    serve::{self, Watched},
    telemetry,
    wiring::Runner,
};
use access::{Ports, Settings, System, Unlimited};
use anyhow::{Context, bail};
use api::access::resource::Runs;
use clap::{Args, ValueEnum};
use domain::{Clock, Namespace, NewRun, RunId, Source, SystemClock};
use serde_json::{Map, Value, json};
use std::{
    collections::BTreeMap,
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
    time::Duration,
};
use store::{Seen, Store};

/// What a run is told as, by the server too.
const MESSAGE: &str = "bulkhead.v1.WatchRunResponse";
/// The shortest time between two looks at the run: nobody reads faster.
const LEAST: Duration = Duration::from_millis(50);
/// The longest one.
const MOST: Duration = Duration::from_secs(1);

/// The exit code where the pipeline could not be started.
pub(crate) const NOT_STARTED: u8 = 2;

#[derive(Args, Debug)]
pub(crate) struct RunArgs {
    /// The pipeline, as `kfp dsl compile` makes it; `-` for standard input.
    pipeline: PathBuf,
    /// A parameter; repeat it for more. Where the pipeline wants other types than text the value is JSON.
    #[arg(short = 'p', long = "parameter", value_name = "NAME=VALUE")]
    parameters: Vec<String>,
    /// What is written at the end, on standard output.
    #[arg(short, long, value_enum, default_value_t)]
    output: Output,
    /// Where outputs, logs, environments and earlier results are kept. Replaces bulkhead/ in the user's data folder.
    #[arg(long, value_name = "DIR", env = "BULKHEAD_RUN_DIR")]
    data_dir: Option<PathBuf>,
    /// A file with the configuration of the executor, as a server has it.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Run every task, even if an earlier result would do.
    #[arg(long)]
    no_cache: bool,
    /// Tasks that run at one time.
    #[arg(long, value_name = "N")]
    max_tasks: Option<usize>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// The outputs of the run, one a line.
    #[default]
    Plain,
    /// The run with all its tasks, as one JSON document.
    Json,
}

/// Runs the pipeline to its end. The exit code is 0 if it succeeded, 1 if it failed, 2 if it could not be started.
///
/// # Errors
/// If the pipeline cannot be started.
pub(crate) async fn run(args: RunArgs) -> anyhow::Result<ExitCode> {
    let mut config = Config::of_file(args.config.as_deref())?;
    config.multi_user = false;
    config.executor.cache &= !args.no_cache;
    config.executor.max_tasks = args.max_tasks.unwrap_or(config.executor.max_tasks);
    let log = Log { level: "error".to_owned(), ..Log::default() };
    telemetry::start_log(&log)?;
    let package = package::read(&args.pipeline)?;
    let parameters = package::parameters(&package.pipeline, &args.parameters)?;
    spec::check_parameters(&package.pipeline, &parameters)?;

    let data_dir = args.data_dir.map_or_else(default_data_dir, Ok)?;
    let database = data_dir::make(&data_dir)?;
    let data_dir = data_dir.canonicalize().context("the data folder")?;
    let _lock = data_dir::lock(&data_dir)?;
    let store = Store::open(&database.to_string_lossy())
        .await
        .with_context(|| format!("cannot open {}", database.display()))?;
    let terminal = Terminal::new(store)?;
    terminal.end_what_was_left().await?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let watched = Watched { system: Arc::new(terminal.system()?), observer: Arc::new(()) };
    let (runner, executor) = serve::run_tasks(&config, &data_dir, &terminal.store, watched, clock).await?;
    let (Runner::Local(handle), Some((_, service))) = (&runner, executor) else {
        bail!("tasks cannot be run here: {runner}");
    };
    let name = args.pipeline.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let id = terminal.create(name, package.canonical()?, parameters).await?;
    handle.wake(&Namespace::single_user(), &id);
    let ended = terminal.follow(&id, handle).await;
    handle.stop();
    service.await.context("the executor")?;
    let ended = ended?;
    match ended.print(args.output, &mut io::stdout().lock()) {
        // Who closed it wants no more of it, and is told by the exit code.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
        printed => printed.context("standard output")?,
    }
    Ok(if ended.run["state"] == "SUCCEEDED" { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn default_data_dir() -> anyhow::Result<PathBuf> {
    let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = absolute("XDG_DATA_HOME").or_else(|| Some(absolute("HOME")?.join(".local/share")));
    Ok(base.context("there is no home folder: say with --data-dir where outputs are to go")?.join("bulkhead"))
}

/// Whoever sits at the terminal: the data folder is theirs, and they may do everything in it.
struct Terminal {
    store: Store,
    system: System,
}

/// A run that has ended.
struct Ended {
    run: Value,
    tasks: Vec<Value>,
}

impl Terminal {
    fn new(store: Store) -> anyhow::Result<Self> {
        let system = system(&store)?;
        Ok(Self { store, system })
    }

    /// Another one, for the executor.
    fn system(&self) -> anyhow::Result<System> {
        system(&self.store)
    }

    /// Ends runs that an earlier command has left, killed: nobody waits for them any more.
    async fn end_what_was_left(&self) -> anyhow::Result<()> {
        let grant = self.system.everywhere("find runs that an earlier command has left");
        for (run, namespace) in self.store.unfinished_runs(&grant).await? {
            let grant = self.system.grant("end a run that an earlier command has left", &namespace);
            self.store.terminate_run(&grant, run.as_str()).await?;
        }
        Ok(())
    }

    async fn create(&self, name: String, spec: String, parameters: Map<String, Value>) -> anyhow::Result<RunId> {
        let here = Namespace::single_user();
        let grant = self.system.grant("make the default experiment", &here);
        let experiment_id = self.store.default_experiment::<Runs>(&grant).await?;
        let new = NewRun {
            id: None,
            experiment_id,
            name,
            description: String::new(),
            service_account: String::new(),
            source: Source::Inline,
            spec,
            parameters,
            pipeline_root: String::new(),
        };
        let grant = self.system.grant("run a pipeline in this terminal", &here);
        Ok(self.store.create_run(&grant, new).await?.id)
    }

    /// Shows the run until it ends. The first interrupt ends it, a second one this program.
    async fn follow(&self, id: &RunId, handle: &executor::local::Handle) -> anyhow::Result<Ended> {
        let (here, mut seen, mut shown) = (Namespace::single_user(), Seen::default(), Progress::new());
        let mut tasks: BTreeMap<String, Value> = BTreeMap::new();
        let mut interrupted = false;
        let grant = self.system.grant("show a run in this terminal", &here);
        let mut writes = self.store.writes(&grant, id.as_str()).await?;
        loop {
            let grant = self.system.grant("show a run in this terminal", &here);
            let (message, next) = server::watched(self.store.watched(&grant, id.as_str(), seen).await?)?;
            let ended = message.ended;
            let message = gateway::json_of(api::DESCRIPTORS, MESSAGE, &message)?;
            let message: Value = serde_json::from_slice(&message)?;
            for task in message["tasks"].as_array().into_iter().flatten() {
                tasks.insert(task["path"].as_str().unwrap_or_default().to_owned(), task.clone());
            }
            let update: progress::Update = serde_json::from_value(message.clone())?;
            shown.show(&update.run, update.tasks)?;
            seen = next;
            if ended {
                return Ok(Ended { run: message["run"].clone(), tasks: tasks.into_values().collect() });
            }
            // The other parts of what has changed are there already.
            if seen.part.is_some() {
                continue;
            }
            let changed = async {
                tokio::time::sleep(LEAST).await;
                // Either is a reason to look.
                let _ = tokio::time::timeout(MOST, writes.next()).await;
            };
            tokio::select! {
                () = changed => {}
                _ = tokio::signal::ctrl_c() => {
                    if interrupted {
                        bail!("interrupted");
                    }
                    interrupted = true;
                    let grant = self.system.grant("end a run for who sits at the terminal", &here);
                    self.store.terminate_run(&grant, id.as_str()).await?;
                    handle.wake(&here, id);
                }
            }
        }
    }
}

/// Whoever can write the data folder may do everything in it, as they may make a token for anybody; there is no caller
/// to ask, and the gate is not used: nothing is served here.
///
/// # Errors
/// If the defaults of the configuration do not hold, which is a bug.
pub(crate) fn system(store: &Store) -> anyhow::Result<System> {
    let config = Config::default();
    let settings = Settings {
        server_namespace: Namespace::parse(&config.server_namespace)?,
        default_service_account: config.default_service_account,
    };
    let audit = Arc::new(AuditTrail::log(Arc::new(Metrics::new()?)));
    let it = Arc::new(store.clone());
    let (clock, throttle) = (Arc::new(SystemClock), Arc::new(Unlimited));
    let ports = Ports { locate: it.clone(), credentials: it, audit, clock, throttle, review: None };
    Ok(access::found_single_user(settings, ports).1)
}

impl Ended {
    fn print(&self, output: Output, out: &mut impl Write) -> io::Result<()> {
        if output == Output::Json {
            return writeln!(out, "{}", json!({"run": self.run, "tasks": self.tasks}));
        }
        if let Some(error) = self.run["error"].as_str().filter(|error| !error.is_empty()) {
            eprintln!("{}", progress::visible_lines(error));
        }
        for (name, value) in self.run["outputs"]["parameters"].as_object().into_iter().flatten() {
            writeln!(out, "{name} = {value}")?;
        }
        for (name, list) in self.run["outputs"]["artifacts"].as_object().into_iter().flatten() {
            for artifact in list.as_array().into_iter().flatten() {
                writeln!(out, "{name}: {}", progress::visible(artifact["uri"].as_str().unwrap_or_default()))?;
            }
        }
        Ok(())
    }
}
