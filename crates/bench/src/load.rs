//! Clients that each send one request after the other, and what they saw.
use anyhow::Context;
use hdrhistogram::Histogram;
use std::{
    future::Future,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{sync::Barrier, task::JoinSet};

/// The part of a measure that is not counted, before it.
const WARM_UP: u32 = 5;
/// The longest latency that is told apart, in microseconds.
const LONGEST: u64 = 120_000_000;

/// What sends requests, one at a time. `number` says which one of this client it is.
pub(crate) trait Sender: Send + 'static {
    fn send(&mut self, number: u64) -> impl Future<Output = anyhow::Result<()>> + Send;

    /// Waits before the next one. It is not measured.
    fn pause(&mut self) -> impl Future<Output = ()> + Send {
        std::future::ready(())
    }
}

/// What clients saw together.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// Requests a second, of each time that was measured.
    pub(crate) rates: Vec<f64>,
    /// In microseconds.
    pub(crate) latencies: Histogram<u64>,
}

impl Seen {
    pub(crate) fn nothing() -> anyhow::Result<Self> {
        Ok(Self { rates: Vec::new(), latencies: Histogram::new_with_bounds(1, LONGEST, 3)? })
    }

    pub(crate) fn add(&mut self, more: &Self) -> anyhow::Result<()> {
        self.rates.extend(&more.rates);
        Ok(self.latencies.add(&more.latencies)?)
    }
}

/// Has all of them send as fast as they can for as long, after a warm-up.
///
/// # Errors
/// Of the first request that did not succeed.
pub(crate) async fn drive<S: Sender>(senders: &mut Vec<S>, time: Duration) -> anyhow::Result<Seen> {
    let mut clients = JoinSet::new();
    let begin = Arc::new(Barrier::new(senders.len()));
    for mut sender in senders.drain(..) {
        let begin = begin.clone();
        clients.spawn(async move {
            let mut number = 0;
            let warm = Instant::now();
            let mut failed = None;
            while warm.elapsed() < time / WARM_UP && failed.is_none() {
                sender.pause().await;
                failed = sender.send(number).await.err();
                number += 1;
            }
            // Whoever failed must not leave the others waiting.
            begin.wait().await;
            if let Some(error) = failed {
                return Err(error);
            }
            let mut latencies = Histogram::<u64>::new_with_bounds(1, LONGEST, 3)?;
            let began = Instant::now();
            while began.elapsed() < time {
                sender.pause().await;
                let sent = Instant::now();
                sender.send(number).await?;
                number += 1;
                latencies.saturating_record(u64::try_from(sent.elapsed().as_micros())?.max(1));
            }
            anyhow::Ok((sender, latencies, began.elapsed()))
        });
    }
    let mut seen = Seen::nothing()?;
    let mut rate = 0.0;
    while let Some(client) = clients.join_next().await {
        let (sender, latencies, took) = client.context("a client was cut off")??;
        rate += latencies.len() as f64 / took.as_secs_f64();
        seen.latencies.add(latencies)?;
        senders.push(sender);
    }
    seen.rates.push(rate);
    Ok(seen)
}
