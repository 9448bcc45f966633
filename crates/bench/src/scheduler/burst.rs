//! Many schedules of which none is due, and then a great many at one moment.
use super::{
    Options, fact, micros, now,
    pace::at,
    stage::{Stage, When},
    until,
};
use crate::{
    calls,
    databases::Kind,
    hold,
    load::{Seen, drive},
    report::{Figures, Finding, Report},
    served::Setup,
    wire::{Client, Protocol, Target},
};
use anyhow::ensure;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::task::JoinSet;

/// How far away every moment is while the server is idle, and how long it is watched.
const FAR: Duration = Duration::from_secs(3600);
const IDLE: Duration = Duration::from_secs(10);
/// How long a server has been up that has settled.
const SETTLES: Duration = Duration::from_secs(3);
/// How many read a run meanwhile, and for how long they do when nothing is due.
const CLIENTS: usize = 8;
const ALONE: Duration = Duration::from_secs(5);
/// How many write bare rows at one time: as many as the scheduler sees to.
const WRITERS: usize = 16;
const WRITE: Duration = Duration::from_secs(3);
/// From the statement that says so to the moment at which they are due.
const SOON: Duration = Duration::from_secs(10);
/// How long it may take until all of them have a run.
const PATIENCE: Duration = Duration::from_secs(900);
const FIRED: &str = "bulkhead_schedule_moments_total{outcome=\"fired\"}";
const MIB: f64 = (1 << 20) as f64;

/// Measures the idle server, and the burst.
///
/// # Errors
/// Anything that is not as expected.
pub(super) async fn measure(kind: Kind, options: &Options, report: &mut Report) -> anyhow::Result<()> {
    let stage = Stage::set(kind, options, When::After(FAR)).await?;
    idle(&stage, report).await?;
    at_once(&stage, options.burst, report).await?;
    stage.served.stop()
}

async fn idle(stage: &Stage, report: &mut Report) -> anyhow::Result<()> {
    let kind = stage.kind;
    tokio::time::sleep(SETTLES).await;
    let processor = stage.processor_for(IDLE).await?;
    fact(report, kind, "none due: processor", (processor, "%"), None);
    fact(report, kind, "none due: memory", (stage.served.memory()?.0 as f64 / MIB, "MiB"), None);
    let bare = bare(stage).await?;
    fact(report, kind, "bare inserts of a run", (bare, "a second"), None);
    Ok(())
}

async fn at_once(stage: &Stage, burst: u64, report: &mut Report) -> anyhow::Result<()> {
    let kind = stage.kind;
    let name = format!("get a run, beside {burst} due at once");
    let mut finding = Finding::of(kind, name, Protocol::Grpc, CLIENTS, None);
    let (target, run) = (stage.target.clone(), stage.run.clone());
    let (alone, ()) = beside(&target, &run, async {
        tokio::time::sleep(ALONE).await;
        Ok(())
    })
    .await?;
    let moment = now()? + micros(SOON);
    kind.execute(&stage.setup, &stage.schedules.at_once(burst, moment)).await?;
    until(moment).await?;
    let (before, began) = (stage.served.processor()?, Instant::now());
    let (meanwhile, ()) =
        beside(&target, &run, stage.wait(PATIENCE, |metrics| metrics.value(FIRED) >= burst as f64)).await?;
    let processor = (stage.served.processor()? - before).as_secs_f64() / began.elapsed().as_secs_f64() * 100.0;
    let late = stage.late(&format!("fire_at = {moment}")).await?;
    ensure!(late.len() as u64 == burst, "{} of {burst} moments have a run", late.len());
    let last = at(&late, 1.0).unwrap_or_default() as f64 / 1_000_000.0;
    let mut found = |name: &str, value, unit| {
        fact(report, kind, format!("{burst} due at once: {name}"), (value, unit), None);
    };
    found("the last run", last, "s late");
    found("runs", burst as f64 / last, "a second");
    found("processor", processor, "%");
    found("memory at most", stage.served.memory()?.1 as f64 / MIB, "MiB");
    finding.here = Figures::from(&meanwhile);
    finding.reference = Some(Figures::from(&alone));
    println!("{}", finding.line());
    report.findings.push(finding);
    Ok(())
}

/// How many rows of runs a second the database takes, if nothing else is done.
async fn bare(stage: &Stage) -> anyhow::Result<f64> {
    let database = stage.kind.fresh(&stage.databases, "held").await?;
    let other = Setup { folder: stage.setup.folder.join("held"), database, ..stage.setup.clone() };
    other.migrate()?;
    let row = stage.kind.row(&stage.setup, &stage.run).await?;
    let mut writers = hold::inserts(&other, row, WRITERS).await?;
    Ok(Figures::from(&drive(&mut writers, WRITE).await?).rate)
}

/// What clients see who read a run while something else is done.
async fn beside<T>(
    target: &Target,
    run: &str,
    work: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<(Seen, T)> {
    let over = Arc::new(AtomicBool::new(false));
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        let client = Client::connect(target, Protocol::Grpc).await?;
        clients.spawn(reads(client, run.to_owned(), over.clone()));
    }
    let done = work.await;
    over.store(true, Ordering::Relaxed);
    let mut seen = Seen::nothing()?;
    let mut rate = 0.0;
    while let Some(client) = clients.join_next().await {
        let of_client = client??;
        rate += of_client.rates.iter().sum::<f64>();
        seen.latencies.add(of_client.latencies)?;
    }
    seen.rates.push(rate);
    Ok((seen, done?))
}

async fn reads(mut client: Client, run: String, over: Arc<AtomicBool>) -> anyhow::Result<Seen> {
    let mut seen = Seen::nothing()?;
    let (call, began) = (calls::get(&run), Instant::now());
    while !over.load(Ordering::Relaxed) {
        let sent = Instant::now();
        client.ok(&call).await?;
        seen.latencies.saturating_record(u64::try_from(sent.elapsed().as_micros())?.max(1));
    }
    seen.rates.push(seen.latencies.len() as f64 / began.elapsed().as_secs_f64());
    Ok(seen)
}
