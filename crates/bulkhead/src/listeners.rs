//! The listeners: bound together, ready together, stopped together.
use crate::config::Config;
use anyhow::Context;
use authz::Peer;
use axum::{Extension, extract::ConnectInfo};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto, graceful::GracefulShutdown},
    service::TowerToHyperService,
};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use std::{io::Write, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    net::TcpListener,
    sync::{Semaphore, watch},
    task::JoinSet,
};

/// How long requests that are under way may take once the server is to stop.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a client may take to send the head of a request, also of the next one on a connection that it keeps.
const HEAD: Duration = Duration::from_secs(30);
/// How often an HTTP/2 client is asked whether it is there, and how long it may take to say so.
const ALIVE: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(20));
/// Connections of the admin listener.
const ADMIN: usize = 64;
/// How long to wait when no connection can be taken, such as for want of file descriptors.
const BREATH: Duration = Duration::from_millis(100);

/// Becomes true when the server is to stop.
///
/// # Errors
/// If signals cannot be listened to.
pub(crate) fn stop_signal() -> anyhow::Result<watch::Receiver<bool>> {
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

/// Binds all listeners before any of them serves, says that the server is ready, and serves until it is to stop.
///
/// # Errors
/// Naming the address that cannot be listened on.
pub(crate) async fn listen(
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
    let connections = Arc::new(Semaphore::new(max_connections()));
    let mut servers = JoinSet::new();
    for listener in bound {
        servers.spawn(accept(listener, app.clone(), connections.clone(), stop.clone()));
    }
    // Probes must get through however busy the API is.
    servers.spawn(accept(admin_listener, admin, Arc::new(Semaphore::new(ADMIN)), stop.clone()));
    // Whoever started the server may have closed its output; then nobody is waiting for the line.
    let _ = writeln!(std::io::stdout(), "{ready}");
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
                Some(ended) => ended.context("a listener")?,
                None => return Ok(()),
            },
            () = &mut late => {
                tracing::warn!("requests were still under way after {PATIENCE:?}; they are cut off");
                return Ok(());
            }
        }
    }
}

/// Connections of the API: half of the files that this process may have open. Tasks and the database need the rest.
fn max_connections() -> usize {
    (max_files() / 2).clamp(16, 1 << 16)
}

/// Logs and artifacts that may be read at one time, each of which holds a file: an eighth of them.
pub(crate) fn max_streams() -> usize {
    (max_files() / 8).clamp(8, 1024)
}

/// The files that this process may have open, after that number was raised to what the system allows.
fn max_files() -> usize {
    let Ok((_, most)) = getrlimit(Resource::RLIMIT_NOFILE) else { return 1024 };
    let raised = setrlimit(Resource::RLIMIT_NOFILE, most, most);
    let files = getrlimit(Resource::RLIMIT_NOFILE).map_or(1024, |(now, _)| now);
    if let Err(error) = raised {
        tracing::warn!(%error, files, "the number of open files could not be raised");
    }
    usize::try_from(files).unwrap_or(usize::MAX)
}

/// Takes connections until the server is to stop, and then waits for the requests that are under way.
async fn accept(listener: TcpListener, app: axum::Router, slots: Arc<Semaphore>, mut stop: watch::Receiver<bool>) {
    let mut http = auto::Builder::new(TokioExecutor::new());
    http.http1().timer(TokioTimer::new()).header_read_timeout(HEAD);
    http.http2().timer(TokioTimer::new()).keep_alive_interval(ALIVE.0).keep_alive_timeout(ALIVE.1);
    let graceful = GracefulShutdown::new();
    loop {
        let Ok(slot) = slots.clone().acquire_owned().await else { break };
        let accepted = tokio::select! {
            _ = stop.wait_for(|stop| *stop) => break,
            accepted = listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be taken");
                tokio::time::sleep(BREATH).await;
                continue;
            }
        };
        // Answers are small and whole; to hold them back for more only delays them.
        let _ = stream.set_nodelay(true);
        let (http, watcher) = (http.clone(), graceful.watcher());
        let service =
            app.clone().layer(Extension(ConnectInfo::<SocketAddr>(peer))).layer(Extension(Peer::at(peer.ip())));
        let service = TowerToHyperService::new(service);
        tokio::spawn(async move {
            // Somebody who says nothing at all is not even a client yet.
            if tokio::time::timeout(HEAD, stream.readable()).await.is_ok() {
                let connection = http.serve_connection(TokioIo::new(stream), service).into_owned();
                // What goes wrong on a connection is the client's to see, and they have gone.
                let _ = watcher.watch(connection).await;
            }
            drop(slot);
        });
    }
    graceful.shutdown().await;
}
