//! The listeners: bound together, ready together, stopped together.
use crate::config::Config;
use anyhow::Context;
use std::{io::Write, net::SocketAddr, time::Duration};
use tokio::{net::TcpListener, sync::watch, task::JoinSet};

/// How long requests that are under way may take once the server is to stop.
const PATIENCE: Duration = Duration::from_secs(10);

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
    let mut servers = JoinSet::new();
    for (listener, app) in bound.into_iter().map(|listener| (listener, app.clone())).chain([(admin_listener, admin)]) {
        let mut stop = stop.clone();
        let until = async move {
            let _ = stop.wait_for(|stop| *stop).await;
        };
        let service = app.into_make_service_with_connect_info::<SocketAddr>();
        servers.spawn(async move { axum::serve(listener, service).with_graceful_shutdown(until).await });
    }
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
