//! `bulkhead serve`: chooses the parts, joins them, and serves until it is told to stop.
use crate::{
    admin::{self, Admin},
    audit::AuditLog,
    config::{self, Config},
    http::{self, Authenticate, Healthz},
    metrics::Metrics,
    telemetry,
    tenants::Tenants,
    wiring::{Runner, StoredTokens},
};
use access::{Founded, Gate, Settings, System};
use anyhow::{Context, bail};
use authz::{Authn, HeaderSettings};
use domain::{Clock, Namespace, SystemClock};
use executor::{
    local,
    python::{BuildSettings, Environments},
    sandbox,
};
use std::{
    fs::{self, DirBuilder, File},
    net::SocketAddr,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use store::Store;
use tokio::{net::TcpListener, sync::watch, task::JoinSet};

/// How long requests that are under way may take once the server is to stop.
const PATIENCE: Duration = Duration::from_secs(10);

/// The database file, in a data folder that is made if it is not there, for its owner's eyes only.
///
/// # Errors
/// If the folder cannot be made.
pub(crate) fn database(data_dir: &Path) -> anyhow::Result<PathBuf> {
    let make = DirBuilder::new().recursive(true).mode(0o700).create(data_dir);
    make.with_context(|| format!("cannot make the data folder {}", data_dir.display()))?;
    Ok(data_dir.join("bulkhead.db"))
}

/// Serves until SIGTERM or SIGINT.
///
/// # Errors
/// Whatever keeps the server from starting, with what to do about it.
pub(crate) async fn serve(config: Config) -> anyhow::Result<()> {
    telemetry::start(&config.log)?;
    let path = database(&config.data_dir)?;
    let data_dir = config.data_dir.canonicalize().context("the data folder")?;
    let _lock = lock(&data_dir)?;
    let store = Store::open(&path).await.with_context(|| format!("cannot open {}", path.display()))?;
    let metrics = Arc::new(Metrics::new()?);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let access = found(&config, &store, &metrics, &clock).await?;
    let (runner, executor) = run_tasks(&config, &data_dir, &store, access.system, clock).await?;
    let context = server::Context {
        gate: access.gate,
        store: store.clone(),
        executor: Arc::new(runner),
        settings: Arc::new(server::Settings {
            multi_user: config.multi_user,
            default_service_account: config.default_service_account.clone(),
        }),
    };
    let health = Healthz {
        commit_sha: config.commit_sha.clone(),
        tag_name: config.tag_name.clone(),
        multi_user: config.multi_user,
        pipeline_store: None,
    };
    let app = http::app(&context, access.authenticate, health, metrics.clone())?;
    let admin = admin::routes(Admin { metrics, store, tenants: access.tenants });
    let stop = stop_signal()?;
    listen(&config, app, admin, stop).await?;
    if let Some((handle, service)) = executor {
        handle.stop();
        service.await.context("the executor")?;
    }
    tracing::info!("stopped");
    Ok(())
}

/// Who may what, and who is who.
struct Access {
    gate: Gate,
    system: System,
    authenticate: Authenticate,
    tenants: Arc<Tenants>,
}

async fn found(
    config: &Config,
    store: &Store,
    metrics: &Arc<Metrics>,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<Access> {
    let settings = Settings {
        server_namespace: Namespace::parse(&config.server_namespace)?,
        default_service_account: config.default_service_account.clone(),
    };
    let (locate, audit) = (Arc::new(store.clone()), Arc::new(AuditLog(metrics.clone())));
    let Some(profiles) = config.profiles.as_ref().filter(|_| config.multi_user) else {
        let (gate, system) = access::found_single_user(settings, locate, audit);
        tracing::warn!("single-user mode: whoever reaches this server may do everything, without a login");
        // Clients expect it to be there from the start (KFP API, "Default experiment").
        let grant = system.grant("make the default experiment", &Namespace::single_user());
        store.default_experiment(&grant).await?;
        return Ok(Access { gate, system, authenticate: Authenticate::SingleUser, tenants: Arc::new(Tenants(None)) });
    };
    let mut options = authz::Options::new(profiles);
    options.stale_after = config.profiles_stale_after.0;
    let loaded = authz::load(options).await.context("the tenants' manifests")?;
    let Founded { gate, authenticators, system, policy } = access::found(settings, loaded.rbac, locate, audit);
    let handle = loaded.folder.watch(policy);
    let header = header_settings(config)?;
    let authn = Authn::new(authenticators, Arc::new(StoredTokens(store.clone())), header, clock.clone());
    let authenticate = Authenticate::MultiUser(Arc::new(authn));
    Ok(Access { gate, system, authenticate, tenants: Arc::new(Tenants(Some(handle))) })
}

fn header_settings(config: &Config) -> anyhow::Result<HeaderSettings> {
    let auth = &config.auth;
    // A task that shares this host's network could send any header from any of this host's addresses.
    let distrust_this_host = config.executor.enabled && config.executor.network;
    if distrust_this_host {
        tracing::info!("identity headers from this host itself are not trusted while tasks with a network run on it");
    }
    Ok(HeaderSettings {
        user_header: auth.user_header.to_ascii_lowercase().parse().context("auth.user_header")?,
        user_prefix: auth.user_prefix.clone(),
        groups_header: auth
            .groups_header
            .as_ref()
            .map(|name| name.to_ascii_lowercase().parse())
            .transpose()
            .context("auth.groups_header")?,
        trusted: auth.trusted_proxies.clone(),
        distrust_this_host,
    })
}

type Executor = (local::Handle, tokio::task::JoinHandle<()>);

/// The executor of runs, if there can be one. Without a sandbox multi-user mode serves everything but runs.
async fn run_tasks(
    config: &Config,
    data_dir: &Path,
    store: &Store,
    system: System,
    clock: Arc<dyn Clock>,
) -> anyhow::Result<(Runner, Option<Executor>)> {
    if !config.executor.enabled {
        return Ok((Runner::Absent("executor.enabled is false".to_owned()), None));
    }
    let choice = match config.executor.sandbox {
        config::Sandbox::Auto => sandbox::Choice::Auto,
        config::Sandbox::Bwrap => sandbox::Choice::Bwrap,
        config::Sandbox::Landlock => sandbox::Choice::Landlock,
        config::Sandbox::None => sandbox::Choice::None,
    };
    let this = std::env::current_exe().context("the path of this program, which tasks are supervised by")?;
    let sandbox = match sandbox::detect(choice, config.multi_user, &this).await {
        Ok(sandbox) => sandbox,
        Err(unavailable) => {
            tracing::error!("{unavailable}");
            return Ok((Runner::Absent(unavailable.to_string()), None));
        }
    };
    let mut build = BuildSettings::inherited();
    for (name, value) in config.executor.package_env.clone() {
        build.set(name, value);
    }
    let environments = Environments::new(sandbox.clone(), build).await;
    let folder = data_dir.join("ns");
    database(&folder).context("the folder of tenants' files")?;
    let options = local::Options {
        folder,
        max_tasks: config.executor.max_tasks,
        network: config.executor.network,
        offline: config.executor.offline_namespaces.iter().cloned().collect(),
        task_timeout: config.executor.task_timeout.map(|seconds| seconds.0),
        max_log: config.executor.max_log_bytes,
    };
    let parts = local::Parts { store: store.clone(), system, sandbox, environments };
    let (handle, service) = local::start(options, parts, clock).await.context("the executor")?;
    Ok((Runner::Local(handle.clone()), Some((handle, service))))
}

/// One server a data folder: two would drive the same runs.
fn lock(data_dir: &Path) -> anyhow::Result<File> {
    let path = data_dir.join("lock");
    let file = File::options().create(true).truncate(false).write(true).open(&path);
    let file = file.with_context(|| format!("cannot open {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => {
            bail!("another server uses the data folder {}; give this one its own with --data-dir", data_dir.display())
        }
        Err(fs::TryLockError::Error(error)) => Err(error).context("the data folder's lock"),
    }
}

/// Becomes true when the server is to stop.
fn stop_signal() -> anyhow::Result<watch::Receiver<bool>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let (sender, stop) = watch::channel(false);
    tokio::spawn(async move {
        tokio::select! {
            _ = term.recv() => {}
            _ = int.recv() => {}
        }
        tracing::info!("told to stop; requests that are under way are finished first");
        let _ = sender.send(true);
    });
    Ok(stop)
}

/// Binds all listeners before any of them serves, says that the server is ready, and serves.
async fn listen(
    config: &Config,
    app: axum::Router,
    admin: axum::Router,
    stop: watch::Receiver<bool>,
) -> anyhow::Result<()> {
    let mut bound = Vec::new();
    for address in &config.listen {
        bound.push(TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))?);
    }
    let address = config.admin_listen;
    let admin_listener = TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))?;
    let addresses = bound.iter().map(TcpListener::local_addr).collect::<Result<Vec<_>, _>>()?;
    let ready = serde_json::json!({"event": "ready", "listen": addresses, "admin": admin_listener.local_addr()?});
    let mut servers = JoinSet::new();
    for (listener, app) in bound.into_iter().map(|listener| (listener, app.clone())).chain([(admin_listener, admin)]) {
        let mut stop = stop.clone();
        let until = async move {
            let _ = stop.wait_for(|stop| *stop).await;
        };
        let service = app.into_make_service_with_connect_info::<SocketAddr>();
        servers.spawn(async move { axum::serve(listener, service).with_graceful_shutdown(until).await });
    }
    println!("{ready}");
    tracing::info!(listen = ?addresses, "ready");
    let mut stop = stop;
    let late = async {
        let _ = stop.wait_for(|stop| *stop).await;
        tokio::time::sleep(PATIENCE).await;
    };
    tokio::pin!(late);
    loop {
        tokio::select! {
            ended = servers.join_next() => match ended {
                Some(ended) => ended.context("a listener")??,
                None => return Ok(()),
            },
            () = &mut late => {
                tracing::warn!("requests were still under way after {PATIENCE:?}; they are cut off");
                return Ok(());
            }
        }
    }
}
