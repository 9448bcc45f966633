//! `bulkhead serve`: chooses the parts, joins them, and serves until it is told to stop.
use crate::{
    admin::{self, Admin},
    audit::AuditTrail,
    cluster,
    config::{Config, PipelineUrls, TaskRunner},
    data_dir, database,
    http::{self, Authenticate, Healthz, Names},
    identity,
    limits::Limits,
    listeners,
    metrics::Metrics,
    retention::Retaining,
    rights::{self, Source, Tenants},
    scheduling, telemetry,
    tls::Tls,
    wiring::{Runner, StoredTokens, TaskFiles, Urls},
};
use access::{Founded, Gate, Ports, Settings, System};
use anyhow::Context;
use api::access::resource::Runs;
use authz::Authn;
use domain::{Clock, Namespace, SystemClock};
use executor::{
    local,
    podman::{self, Podman},
    python::{BuildSettings, Environments},
    sandbox::{self, Choice, Sandbox},
};
use std::{path::Path, sync::Arc};
use store::Store;

/// Serves until SIGTERM or SIGINT.
///
/// # Errors
/// Whatever keeps the server from starting, with what to do about it.
pub(crate) async fn serve(config: Config) -> anyhow::Result<()> {
    let metrics = Arc::new(Metrics::new()?);
    metrics.built(&config.commit_sha)?;
    let traces = telemetry::start(&config.log, &config.telemetry, &metrics)?;
    let tls = Tls::new(&config.tls, &metrics).await?;
    let path = data_dir::make(&config.data_dir)?;
    let data_dir = config.data_dir.canonicalize().context("the data folder")?;
    let _lock = data_dir::lock(&data_dir)?;
    let store = database::open(config.database.url.as_ref(), &path).await?.with_quotas(config.quotas.read()?);
    // A file elsewhere is not behind the lock.
    let store = if config.database.url.is_none() { store.alone() } else { store };
    metrics.watch(&store);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let trail = Arc::new(AuditTrail::new(&config.audit, &store, metrics.clone(), clock.clone())?);
    let limits = Arc::new(Limits::new(&config, &metrics));
    let access = found(&config, &store, &trail, &limits, &clock).await?;
    let (runner, executor) = {
        let watched = Watched { system: access.system.clone(), observer: metrics.engine() };
        run_tasks(&config, &data_dir, &store, watched, clock).await?
    };
    let retention = match &executor {
        Some((handle, _)) if config.retention.is_on() => Some(Retaining {
            config: config.retention.clone(),
            store: store.clone(),
            system: access.system.clone(),
            executor: handle.clone(),
            metrics: metrics.clone(),
        }),
        _ => None,
    };
    let retention = retention.map(|it| tokio::spawn(it.run()));
    let stop = listeners::stop_signal()?;
    let context = server::Context {
        gate: access.gate,
        store: store.clone(),
        executor: Arc::new(runner),
        files: Arc::new(TaskFiles(local::Files::new(data_dir::tenants(&data_dir)))),
        fetch: Arc::new(urls(&config.pipelines.url)?),
        settings: Arc::new(server::Settings {
            multi_user: config.multi_user,
            default_service_account: config.default_service_account.clone(),
            policies: config.policies()?,
            schedules: config.schedules.read()?,
            max_message: config.limits.max_message,
            max_streams: listeners::max_streams(),
            max_token_lifetime: config.tokens.max_lifetime.0,
        }),
        packages: server::Packages::default(),
        stopping: stop.clone(),
    };
    let scheduler = fires(&config, &context).then(|| {
        let alone = config.database.url.is_none();
        let options = scheduling::Options { alone, keep_ticks: config.schedules.keep_ticks.0 };
        scheduling::start(options, context.clone(), &access.system, &metrics, stop.clone())
    });
    let health = Healthz {
        commit_sha: config.commit_sha.clone(),
        tag_name: config.tag_name.clone(),
        multi_user: config.multi_user,
        pipeline_store: None,
    };
    let around = http::Around { authenticate: access.authenticate, trail, limits, health, metrics: metrics.clone() };
    let app = http::app(&context, around, &config.cors)?;
    let admin = admin::routes(Admin { metrics, store, tenants: access.tenants });
    listeners::listen(&config, app, admin, tls, stop).await?;
    if let Some(retention) = retention {
        // Between two transactions, or in one that is made all the same.
        retention.abort();
    }
    if let Some(scheduler) = scheduler {
        scheduler.await.context("the scheduler")?;
    }
    if let Some((handle, service)) = executor {
        handle.stop();
        service.await.context("the executor")?;
    }
    if let Some(traces) = traces {
        traces.stop().await;
    }
    tracing::info!("stopped");
    Ok(())
}

/// Whether this server may be the one that fires schedules. One that takes no runs must not: their moments wait for one
/// that does.
fn fires(config: &Config, context: &server::Context) -> bool {
    match context.executor.ready() {
        Err(why) if config.schedules.enabled => {
            tracing::warn!("schedules are not fired by this server, since it takes no runs: {why}");
            false
        }
        _ => config.schedules.enabled,
    }
}

/// Packages by URL, from where the configuration allows it.
fn urls(config: &PipelineUrls) -> anyhow::Result<Urls> {
    if !config.enabled {
        return Ok(Urls::Off);
    }
    let fetcher = fetch::Fetcher::new(config.rules()?, config.timeout.0);
    Ok(Urls::On(fetcher.context("pipelines.url needs certificates of authorities, and this host has none that work")?))
}

/// Who may what, and who is who.
struct Access {
    gate: Gate,
    system: Arc<System>,
    authenticate: Authenticate,
    tenants: Option<Tenants>,
}

async fn found(
    config: &Config,
    store: &Store,
    trail: &Arc<AuditTrail>,
    limits: &Arc<Limits>,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<Access> {
    let settings = Settings {
        server_namespace: Namespace::parse(&config.server_namespace)?,
        default_service_account: config.default_service_account.clone(),
    };
    let it = Arc::new(store.clone());
    let (audit, throttle) = (trail.clone(), limits.clone());
    let mut ports = Ports { locate: it.clone(), credentials: it, audit, clock: clock.clone(), throttle, review: None };
    if !config.multi_user {
        let (gate, system) = access::found_single_user(settings, ports);
        tracing::warn!("single-user mode: whoever reaches this server may do everything, without a login");
        let names = if config.insecure_listen { Names::All } else { Names::Loopback };
        // Clients expect it to be there from the start (KFP API, "Default experiment").
        let grant = system.grant("make the default experiment", &Namespace::single_user());
        store.default_experiment::<Runs>(&grant).await?;
        return Ok(Access {
            gate,
            system: Arc::new(system),
            authenticate: Authenticate::SingleUser(names),
            tenants: None,
        });
    }
    let cluster = cluster::clients(&config.kubernetes).await?;
    ports.review = rights::review(config, cluster.as_ref());
    let (rbac, source) = rights::source(config, cluster.as_ref()).await?;
    let Founded { gate, authenticators, system, policy } = access::found(settings, rbac, ports);
    let tenants = match source {
        Source::Folder(folder) => Tenants::of_folder(folder.watch(policy)),
        Source::Cluster(client, options) => Tenants::of_cluster(authz::watch_cluster(&client, options, policy)),
    };
    let tokens = Arc::new(StoredTokens(store.clone()));
    let authn = Authn::new(authenticators, tokens, identity::headers(config)?, clock.clone())
        .with_token_cache(config.tokens.cache.0);
    let authn = identity::with_issuers(authn, config, cluster.as_ref(), clock)?;
    let authenticate = Authenticate::MultiUser(Arc::new(authn));
    Ok(Access { gate, system: Arc::new(system), authenticate, tenants: Some(tenants) })
}

/// By what right tasks are run, and who hears of them.
pub(crate) struct Watched {
    pub(crate) system: Arc<System>,
    pub(crate) observer: Arc<dyn local::Observe>,
}

pub(crate) type Executor = (local::Handle, tokio::task::JoinHandle<()>);

/// The executor of runs, if there can be one. Without a sandbox multi-user mode serves everything but runs.
pub(crate) async fn run_tasks(
    config: &Config,
    data_dir: &Path,
    store: &Store,
    watched: Watched,
    clock: Arc<dyn Clock>,
) -> anyhow::Result<(Runner, Option<Executor>)> {
    if !config.executor.enabled {
        return Ok((Runner::Absent("executor.enabled is false".to_owned()), None));
    }
    let this = std::env::current_exe().context("the path of this program, which tasks are supervised by")?;
    let (sandbox, podman) = match walls(config, data_dir, &this).await {
        Ok(walls) => walls,
        Err(unavailable) => {
            tracing::error!("{unavailable}");
            return Ok((Runner::Absent(unavailable), None));
        }
    };
    if let Some(other) = other_that_runs_tasks(config, data_dir, store).await? {
        tracing::warn!("{other}");
        return Ok((Runner::Elsewhere(other), None));
    }
    let mut build = BuildSettings::inherited();
    for (name, value) in config.executor.package_env.clone() {
        build.set(name, value);
    }
    let environments = Environments::new(sandbox.clone(), build).await;
    let options = local::Options {
        folder: data_dir::tenants(data_dir),
        max_tasks: config.executor.max_tasks,
        network: config.executor.network,
        offline: config.executor.offline_namespaces.iter().cloned().collect(),
        task_timeout: config.executor.task_timeout.map(|seconds| seconds.0),
        max_log: config.executor.max_log_bytes,
        max_namespace_tasks: config.executor.max_namespace_tasks,
        rules: config.executor.rules(),
        cache_max_age: config.executor.cache_max_age(),
        environment_max_age: config.executor.environment_max_age.map(|seconds| seconds.0),
        limits: config.executor.limits(),
        container_env: config.executor.podman_env.clone(),
        others_make_runs: config.database.url.is_some(),
    };
    let parts = local::Parts {
        store: store.clone(),
        system: watched.system,
        sandbox,
        podman,
        environments,
        observer: watched.observer,
    };
    let (handle, service) = local::start(options, parts, clock).await.context("the executor")?;
    Ok((Runner::Local(handle.clone()), Some((handle, service))))
}

/// Who else runs the tasks of this database, if somebody does: two would run each of them twice, and what a task has put
/// out is in the folder of the one that ran it. A database in the data folder is kept from others by the folder's lock.
async fn other_that_runs_tasks(config: &Config, data_dir: &Path, store: &Store) -> anyhow::Result<Option<String>> {
    if config.database.url.is_none() {
        return Ok(None);
    }
    let host = nix::unistd::gethostname().context("the name of this host")?;
    let place = format!("{}:{}", host.to_string_lossy(), data_dir.display());
    let id = data_dir::id(data_dir)?;
    let claimed = store.claim_tasks(format!("{id} {place}"), config.executor.take_over).await?;
    let (of, other) = claimed.split_once(' ').unwrap_or((&claimed, "another place"));
    Ok((of != id).then(|| {
        format!(
            "the tasks of this database are run by the server at {other}; if that has ended for good, start this one \
             once with --take-over, else set executor.enabled to false here"
        )
    }))
}

/// What stands around tasks, or why there is nothing that could.
async fn walls(config: &Config, data_dir: &Path, supervisor: &Path) -> Result<(Sandbox, Option<Podman>), String> {
    let it = &config.executor;
    let detected = sandbox::detect(it.sandbox, config.multi_user, supervisor).await.map_err(|error| error.to_string());
    if it.runner == TaskRunner::Process {
        return Ok((detected?, None));
    }
    let settings = podman::Settings {
        pull: it.podman_pull,
        program: None,
        runtime: it.podman_runtime.clone(),
        network: it.podman_network,
        folder: data_dir.to_owned(),
    };
    let podman = Podman::detect(settings, supervisor).await.map_err(|error| error.to_string())?;
    let sandbox = match detected {
        Ok(sandbox) => sandbox,
        // It only removes files then, with nobody's code in it.
        Err(_) => sandbox::detect(Choice::None, false, supervisor).await.map_err(|error| error.to_string())?,
    };
    Ok((sandbox, Some(podman)))
}
