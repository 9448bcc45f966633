//! The connections of one listener.
use super::opening::Opening;
use crate::tls::{Opened, Tls};
use authz::Peer;
use axum::{Extension, Router, extract::ConnectInfo};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{
        conn::auto,
        graceful::{GracefulShutdown, Watcher},
    },
    service::TowerToHyperService,
};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    time::Instant,
};

/// How often an HTTP/2 client is asked whether it is there, and how long it may take to say so.
const ALIVE: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(20));
/// How long to wait when no connection can be taken, such as for want of file descriptors.
const BREATH: Duration = Duration::from_millis(100);

/// What they have in common.
#[derive(Clone)]
pub(super) struct Connections {
    pub(super) app: Router,
    /// `None` serves them as they come.
    pub(super) tls: Option<Arc<Tls>>,
    /// As many can be open.
    pub(super) slots: Arc<Semaphore>,
    /// How long a client may take to open a connection, with its first words on it, and to send the head of a request.
    pub(super) patience: Duration,
}

impl Connections {
    /// Takes connections until the server is to stop, and then waits for the requests that are under way.
    pub(super) async fn accept(self, listener: TcpListener, mut stop: watch::Receiver<bool>) {
        let graceful = GracefulShutdown::new();
        loop {
            let Ok(slot) = self.slots.clone().acquire_owned().await else { break };
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
            let connection = self.clone().serve(stream, peer, graceful.watcher(), stop.clone());
            tokio::spawn(async move {
                connection.await;
                drop(slot);
            });
        }
        graceful.shutdown().await;
    }

    async fn serve(self, stream: TcpStream, peer: SocketAddr, watcher: Watcher, mut stop: watch::Receiver<bool>) {
        let deadline = Instant::now() + self.patience;
        let Some(tls) = self.tls.clone() else {
            return self.requests(Opening::new(stream, deadline), peer, Peer::at(peer.ip()), watcher).await;
        };
        let opened = tokio::select! {
            _ = stop.wait_for(|stop| *stop) => None,
            opened = tls.open(stream, peer, deadline) => opened,
        };
        if let Some(Opened { stream, names }) = opened {
            let who = Peer { address: Some(peer.ip()), names };
            self.requests(Opening::new(stream, deadline), peer, who, watcher).await;
        }
    }

    async fn requests<S>(self, stream: S, peer: SocketAddr, who: Peer, watcher: Watcher)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let mut http = auto::Builder::new(TokioExecutor::new());
        http.http1().timer(TokioTimer::new()).header_read_timeout(self.patience);
        http.http2().timer(TokioTimer::new()).keep_alive_interval(ALIVE.0).keep_alive_timeout(ALIVE.1);
        let service = self.app.layer(Extension(ConnectInfo::<SocketAddr>(peer))).layer(Extension(who));
        let connection = http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service)).into_owned();
        // What goes wrong on a connection is the client's to see, and they have gone.
        let _ = watcher.watch(connection).await;
    }
}

#[cfg(test)]
mod tests;
