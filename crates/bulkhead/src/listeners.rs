//! The listeners: bound together, ready together, stopped together.
mod connections;
mod opening;

use crate::{config::Config, tls::Tls};
use anyhow::Context;
use connections::Connections;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use std::{io::Write, sync::Arc, time::Duration};
use tokio::{
    net::TcpListener,
    sync::{Semaphore, watch},
    task::JoinSet,
};

/// How long requests that are under way may take once the server is to stop.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a client may take to send the head of a request, also of the next one on a connection that it keeps. The
/// handshake of TLS is part of the first one.
const HEAD: Duration = Duration::from_secs(30);
/// Connections of the admin listener.
const ADMIN: usize = 64;

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

/// Gives memory back that was needed to start and no longer: descriptors, and documents that were made of them.
fn give_back() {
    // SAFETY: it takes no pointer, and may be called at any time by any thread (malloc_trim(3)).
    #[cfg(target_env = "gnu")]
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Binds all listeners before any of them serves, says that the server is ready, and serves until it is to stop. With
/// `tls` those of the API speak nothing else; the admin listener is plain.
///
/// # Errors
/// Naming the address that cannot be listened on.
pub(crate) async fn listen(
    config: &Config,
    app: axum::Router,
    admin: axum::Router,
    tls: Option<Arc<Tls>>,
    stop: watch::Receiver<bool>,
) -> anyhow::Result<()> {
    let mut bound = Vec::new();
    for address in &config.listen {
        bound.push(TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))?);
    }
    let address = config.admin_listen;
    let admin_listener = TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))?;
    let addresses = bound.iter().map(TcpListener::local_addr).collect::<Result<Vec<_>, _>>()?;
    let mut ready = serde_json::json!({"event": "ready", "listen": addresses, "admin": admin_listener.local_addr()?});
    if tls.is_some() {
        ready["tls"] = true.into();
    }
    let api = Connections { app, tls, slots: Arc::new(Semaphore::new(max_connections())), patience: HEAD };
    // Probes must get through however busy the API is.
    let admin = Connections { app: admin, tls: None, slots: Arc::new(Semaphore::new(ADMIN)), patience: HEAD };
    let mut servers = JoinSet::new();
    if let Some(tls) = &api.tls {
        servers.spawn(tls.clone().watch(stop.clone()));
    }
    for listener in bound {
        servers.spawn(api.clone().accept(listener, stop.clone()));
    }
    servers.spawn(admin.accept(admin_listener, stop.clone()));
    // Whoever started the server may have closed its output; then nobody is waiting for the line.
    let _ = writeln!(std::io::stdout(), "{ready}");
    tracing::info!(listen = ?addresses, tls = api.tls.is_some(), "ready");
    give_back();
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
