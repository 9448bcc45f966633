//! TLS of the API's listeners: handshakes, and certificates that are replaced while the server runs.
mod files;
mod names;

use crate::{
    config,
    metrics::{Metrics, TlsMetrics},
};
use anyhow::Context;
use arc_swap::ArcSwap;
use files::{Content, Digest, Files};
use rustls::ServerConfig;
use std::{io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    io::AsyncWriteExt,
    net::TcpStream,
    sync::watch,
    time::{Instant, sleep, timeout_at},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

/// How long files have to stay as they are before they count. A certificate and its key are two files: between two
/// reads both can have been replaced.
const SETTLED: Duration = Duration::from_millis(100);

/// What somebody gets who speaks HTTP without TLS.
const PLAIN: &str = "HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-type: text/plain\r\n\
                     content-length: 41\r\n\r\nthis address speaks TLS alone: use https\n";

/// What connections are opened with.
pub(crate) struct Tls {
    files: Files,
    config: ArcSwap<ServerConfig>,
    every: Duration,
    /// What the files were when the server started.
    first: Digest,
    metrics: TlsMetrics,
}

/// What a look at the files saw: their content, or why they could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Sight(Result<Digest, String>);

impl Sight {
    fn of(read: &anyhow::Result<Content>) -> Self {
        Self(read.as_ref().map(Content::digest).map_err(|error| format!("{error:#}")))
    }
}

/// A connection after its handshake.
pub(crate) struct Opened {
    pub(crate) stream: TlsStream<TcpStream>,
    /// The names in the client's certificate, which was verified; none without one.
    pub(crate) names: Arc<[String]>,
}

impl Tls {
    /// Reads the files; `None` if the configuration names none.
    ///
    /// # Errors
    /// Naming the file and what is wrong with it.
    pub(crate) async fn new(config: &config::Tls, metrics: &Metrics) -> anyhow::Result<Option<Arc<Self>>> {
        let Some(files) = Files::new(config) else { return Ok(None) };
        let content = files.read().await?;
        let server = files.server_config(&content)?;
        let metrics = metrics.tls().context("the metrics of TLS")?;
        metrics.files_good.set(1);
        Ok(Some(Arc::new(Self {
            files,
            config: ArcSwap::from_pointee(server),
            every: config.reload.0,
            first: content.digest(),
            metrics,
        })))
    }

    /// Looks at the files again and again until the server is to stop. What is good counts for connections that come
    /// after it; what is not leaves everything as it was.
    pub(crate) async fn watch(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        let mut last = Sight(Ok(self.first));
        loop {
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return,
                () = sleep(self.every) => {}
            }
            self.look(&mut last).await;
        }
    }

    async fn look(&self, last: &mut Sight) {
        let sight = Sight::of(&self.files.read().await);
        if sight == *last {
            return;
        }
        sleep(SETTLED).await;
        let read = self.files.read().await;
        if sight != Sight::of(&read) {
            // Somebody is still writing; the next look sees what becomes of it.
            return;
        }
        *last = sight;
        match read.and_then(|content| self.files.server_config(&content)) {
            Ok(config) => {
                self.config.store(Arc::new(config));
                self.metrics.files_good.set(1);
                tracing::info!("the TLS files have changed and count for new connections");
            }
            Err(error) => {
                self.metrics.files_good.set(0);
                let error = format!("{error:#}");
                tracing::error!(
                    error,
                    "the TLS files have changed and are not good; what they were before still counts"
                );
            }
        }
    }

    /// Does the handshake; `None` if there is none by the deadline, or a bad one. That is the client's to see.
    pub(crate) async fn open(&self, stream: TcpStream, peer: SocketAddr, deadline: Instant) -> Option<Opened> {
        let (outcome, opened) = match timeout_at(deadline, self.handshake(stream)).await {
            Ok(Ok(stream)) => ("done", Some(stream)),
            Ok(Err(error)) => {
                tracing::debug!(%peer, %error, "a TLS handshake has failed");
                ("failed", None)
            }
            Err(_) => ("late", None),
        };
        self.metrics.handshakes.with_label_values(&[outcome]).inc();
        let stream = opened?;
        let certificates = stream.get_ref().1.peer_certificates();
        let names = certificates.and_then(<[_]>::first).map(names::of).unwrap_or_default();
        Some(Opened { stream, names })
    }

    async fn handshake(&self, mut stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let mut head = [0; 1024];
        let read = stream.peek(&mut head[..1]).await?;
        // No record of TLS begins with a letter, and every method of HTTP does.
        if read > 0 && head[0].is_ascii_uppercase() {
            // What is left unread when a socket is closed takes the answer along.
            let _ = stream.try_read(&mut head);
            stream.write_all(PLAIN.as_bytes()).await?;
            stream.shutdown().await?;
            return Err(io::Error::new(io::ErrorKind::InvalidData, "HTTP without TLS"));
        }
        TlsAcceptor::from(self.config.load_full()).accept(stream).await
    }
}

#[cfg(test)]
pub(crate) mod tests;
