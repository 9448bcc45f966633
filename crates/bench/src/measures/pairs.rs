//! A measure and its reference, in turns.
use crate::{
    load::{Seen, Sender, drive},
    report::{Figures, Finding},
    wire::{Call, Client, Protocol, Target},
};
use std::{sync::Arc, time::Duration};

/// How often each of the two has its turn.
pub(crate) const TURNS: u32 = 2;

/// A client with what it sends.
pub(crate) struct Calls {
    client: Client,
    what: Arc<dyn Fn(u64) -> Call + Send + Sync>,
}

impl Sender for Calls {
    async fn send(&mut self, number: u64) -> anyhow::Result<()> {
        self.client.ok(&(self.what)(number)).await.map(drop)
    }
}

/// So many clients, connected.
///
/// # Errors
/// One cannot connect.
pub(crate) async fn calls(
    target: &Target,
    protocol: Protocol,
    clients: usize,
    what: impl Fn(u64) -> Call + Send + Sync + 'static,
) -> anyhow::Result<Vec<Calls>> {
    let what: Arc<dyn Fn(u64) -> Call + Send + Sync> = Arc::new(what);
    let mut all = Vec::new();
    for _ in 0..clients {
        all.push(Calls { client: Client::connect(target, protocol).await?, what: what.clone() });
    }
    Ok(all)
}

/// Gives each its turns, and puts what was seen in the finding.
///
/// # Errors
/// A request that did not succeed.
pub(crate) async fn in_turns<A: Sender, B: Sender>(
    mut finding: Finding,
    turn: Duration,
    mut here: Vec<A>,
    mut there: Vec<B>,
    between: impl AsyncFn() -> anyhow::Result<()>,
) -> anyhow::Result<Finding> {
    let (mut seen_here, mut seen_there) = (Seen::nothing()?, Seen::nothing()?);
    for _ in 0..TURNS {
        seen_here.add(&drive(&mut here, turn).await?)?;
        between().await?;
        seen_there.add(&drive(&mut there, turn).await?)?;
    }
    finding.here = Figures::from(&seen_here);
    finding.reference = Some(Figures::from(&seen_there));
    println!("{}", finding.line());
    Ok(finding)
}
