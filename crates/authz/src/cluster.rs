//! Tenants and rights as a Kubernetes cluster has them.
//!
//! Profiles say which namespaces are tenants and whose; Roles, ClusterRoles and their bindings say who may what. Each
//! kind is listed once and then watched, and each change is one change of what the gate decides by.
//!
//! A watch that is quiet and one that is dead look alike. So no watch lasts longer than a third of the bound, and before
//! the next one the API server has to read from its store. What was heard is as old as the last request of that sort
//! that was answered, and once it is older than the bound the gate refuses everything.
mod apply;
mod failure;
mod kind;
mod object;
mod review;
mod source;
mod timing;
mod version;
mod watch;

pub use review::Reviews;

use crate::health::{Handle, Health, tell};
use access::PolicyWriter;
use apply::Known;
use kind::Kind;
use kube::Client;
use source::Source;
use std::{
    future,
    time::{Duration, Instant},
};
use timing::Timing;
use tokio::{
    sync::{
        mpsc,
        watch::{Receiver, Sender, channel},
    },
    task::JoinSet,
    time::sleep_until,
};
use watch::{Problems, Watch};

/// How many changes wait to be applied before watches wait, too.
const WAITING: usize = 1024;

/// What is watched of a cluster, and how closely.
#[derive(Clone, Copy, Debug)]
pub struct ClusterOptions {
    /// For how long what was heard may be relied on.
    pub stale_after: Duration,
    pub watched: Watched,
}

/// What is watched of a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Watched {
    /// Profiles, for whoever has Kubernetes decide who may what.
    Tenants,
    TenantsAndRights,
}

/// Keeps the rights of the gate current with the cluster, until the last clone of the handle is dropped. Until all of
/// it was heard once, nobody may anything.
pub fn watch_cluster(client: &Client, options: ClusterOptions, policy: PolicyWriter) -> Handle {
    let ClusterOptions { stale_after, watched } = options;
    let kinds = match watched {
        Watched::Tenants => &[Kind::Profile],
        Watched::TenantsAndRights => Kind::ALL,
    };
    let (to, messages) = mpsc::channel(WAITING);
    let (until, fresh_until) = channel(None);
    let (problems, known_problems) = channel(Problems::new());
    let (health, handle) = channel(Err("nothing was heard of Kubernetes yet".to_owned()));

    let known = Known::new(policy, stale_after, kinds, until);
    tokio::task::spawn_blocking(move || known.run(messages));
    let mut watches = JoinSet::new();
    for &kind in kinds {
        let source = Source::new(kind, Timing::new(stale_after), client.clone());
        watches.spawn(Watch::new(source, to.clone(), problems.clone()).run());
    }
    tokio::spawn(supervise(Supervised { watches, fresh_until, problems: known_problems, stale_after }, health));
    Handle(handle)
}

struct Supervised {
    watches: JoinSet<()>,
    fresh_until: Receiver<Option<Instant>>,
    problems: Receiver<Problems>,
    stale_after: Duration,
}

/// Tells whether what is known may be relied on, until nobody asks any more.
async fn supervise(mut of: Supervised, health: Sender<Health>) {
    loop {
        let until = *of.fresh_until.borrow_and_update();
        let fresh = until.filter(|until| Instant::now() <= *until);
        let was_fresh = health.borrow().is_ok();
        tell(&health, of.health(fresh.is_some()));
        match (was_fresh, fresh) {
            (false, Some(_)) => tracing::info!("who may what is known of Kubernetes"),
            (true, None) => tracing::error!(
                "nothing was heard of Kubernetes for {} s: everything is refused until it is heard again",
                of.stale_after.as_secs_f64()
            ),
            _ => {}
        }
        let stale = async {
            match fresh {
                Some(until) => sleep_until(until.into()).await,
                None => future::pending().await,
            }
        };
        tokio::select! {
            () = health.closed() => return,
            // They end by themselves in no case, and what is left of them is of no use.
            _ = of.watches.join_next() => break,
            changed = of.fresh_until.changed() => if changed.is_err() { break },
            changed = of.problems.changed() => if changed.is_err() { break },
            () = stale => {}
        }
    }
    drop(of);
    tracing::error!("watching Kubernetes ended by a mistake of this program");
    tell(&health, Err("watching Kubernetes ended, restart the server".into()));
    health.closed().await;
}

impl Supervised {
    fn health(&mut self, is_fresh: bool) -> Health {
        let problems = self.problems.borrow_and_update();
        if is_fresh {
            return Ok(());
        }
        let why: Vec<String> = problems.iter().map(|(kind, why)| format!("{}: {why}", kind.resource())).collect();
        Err(match &why[..] {
            [] => "nothing was heard of Kubernetes yet".to_owned(),
            why => format!("Kubernetes is not heard\n{}", why.join("\n")),
        })
    }
}

#[cfg(test)]
mod tests;
