//! One tenant that sends as fast as it can, and another one that works as people do.
use crate::{
    load::{Seen, Sender, drive},
    report::{Figures, Finding},
    wire::{Answer, Call, Client, JSON, Target},
};
use anyhow::bail;
use api::v2::{CreateExperimentRequest, Experiment, ListExperimentsRequest};
use bytes::Bytes;
use http::Method;
use prost::Message;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{task::JoinSet, time::Instant};

/// Clients of the tenant that floods.
const FLOODERS: usize = 32;
/// Clients of the other one, and how often each of them asks.
pub(super) const QUIET: usize = 4;
const EVERY: Duration = Duration::from_millis(40);
/// How long either of the two is watched at a time, for a 99th percentile that is more than one request.
const LEAST: Duration = Duration::from_secs(5);
/// How long a flood lasts before the other one is looked at, and how long nothing is asked after it.
const SETTLES: Duration = Duration::from_secs(1);

/// A client that waits between its requests.
struct Quiet {
    client: Client,
    calls: Arc<[Call]>,
    next: Instant,
}

impl Sender for Quiet {
    async fn send(&mut self, number: u64) -> anyhow::Result<()> {
        self.client.ok(&self.calls[number as usize % self.calls.len()]).await.map(drop)
    }

    async fn pause(&mut self) {
        tokio::time::sleep_until(self.next).await;
        self.next = Instant::now() + EVERY;
    }
}

/// Looks at the quiet tenant beside the flood, and alone, in turns. How many requests of the flood were answered and how
/// many refused comes with the finding.
///
/// # Errors
/// A request that did not succeed, or that was not refused for there being too many.
pub(super) async fn beside(
    mut finding: Finding,
    turn: Duration,
    quiet: &Target,
    calls: Vec<Call>,
    flooding: (&Target, &str),
) -> anyhow::Result<(Finding, u64, u64)> {
    let calls: Arc<[Call]> = calls.into();
    let mut clients = Vec::new();
    for _ in 0..QUIET {
        let client = Client::connect(quiet, finding.protocol).await?;
        clients.push(Quiet { client, calls: calls.clone(), next: Instant::now() });
    }
    let (mut beside, mut alone) = (Seen::nothing()?, Seen::nothing()?);
    let (mut answered, mut refused) = (0, 0);
    for _ in 0..super::pairs::TURNS {
        alone.add(&drive(&mut clients, turn.max(LEAST)).await?)?;
        let over = Arc::new(AtomicBool::new(false));
        let mut flood = JoinSet::new();
        for _ in 0..FLOODERS {
            let client = Client::connect(flooding.0, finding.protocol).await?;
            flood.spawn(sends(client, flooding.1.to_owned(), over.clone()));
        }
        tokio::time::sleep(SETTLES).await;
        let seen = drive(&mut clients, turn.max(LEAST)).await;
        over.store(true, Ordering::Relaxed);
        while let Some(client) = flood.join_next().await {
            let counts = client??;
            (answered, refused) = (answered + counts.0, refused + counts.1);
        }
        beside.add(&seen?)?;
        tokio::time::sleep(SETTLES).await;
    }
    finding.here = Figures::from(&beside);
    finding.reference = Some(Figures::from(&alone));
    println!("{}", finding.line());
    Ok((finding, answered, refused))
}

/// Makes experiments and lists them, without minding that there are too many requests.
async fn sends(mut client: Client, namespace: String, over: Arc<AtomicBool>) -> anyhow::Result<(u64, u64)> {
    let (mut answered, mut refused) = (0, 0);
    while !over.load(Ordering::Relaxed) {
        let call = if answered % 4 == 0 { create(&namespace) } else { list(&namespace) };
        match client.call(&call).await? {
            Answer::Ok(_) => answered += 1,
            Answer::Limited => refused += 1,
            Answer::Other(text) => bail!(text),
        }
    }
    Ok((answered, refused))
}

fn create(namespace: &str) -> Call {
    let name = uuid::Uuid::new_v4().to_string();
    let body = serde_json::json!({"display_name": name, "namespace": namespace}).to_string();
    let experiment = Experiment { display_name: name, namespace: namespace.to_owned(), ..Default::default() };
    Call {
        rpc: "/kubeflow.pipelines.backend.api.v2beta1.ExperimentService/CreateExperiment",
        message: CreateExperimentRequest { experiment: Some(experiment) }.encode_to_vec().into(),
        method: Method::POST,
        path: "/apis/v2beta1/experiments".to_owned(),
        content_type: JSON,
        body: body.into(),
    }
}

fn list(namespace: &str) -> Call {
    let message = ListExperimentsRequest { namespace: namespace.to_owned(), page_size: 20, ..Default::default() };
    Call {
        rpc: "/kubeflow.pipelines.backend.api.v2beta1.ExperimentService/ListExperiments",
        message: message.encode_to_vec().into(),
        method: Method::GET,
        path: format!("/apis/v2beta1/experiments?namespace={namespace}&page_size=20"),
        content_type: JSON,
        body: Bytes::new(),
    }
}
