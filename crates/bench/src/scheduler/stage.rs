//! A database full of schedules, and the server that fires them.
use super::{Options, metrics::Metrics, micros, now};
use crate::{
    calls::{self, Made},
    databases::{Databases, Kind, Schedules},
    originals::{ended, experiment, id, stored},
    served::{Served, Setup},
    wire::{Client, Protocol, Target},
};
use anyhow::bail;
use http::Method;
use serde_json::json;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const USER: &str = "bench@example.com";
const NAMESPACES: usize = 10;
/// Seconds between two moments of a schedule of which only the first is of interest, however long it takes.
const SELDOM: u64 = 86_400;
/// The most runs of one recurring run that may go on at one time.
const MAX_CONCURRENCY: &str = "10";
/// How long a server may take until it fires.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long it may take until a server fires, if that is known before there are schedules, and how much longer for each
/// of them.
const AHEAD: Duration = Duration::from_secs(10);
const AHEAD_EACH: Duration = Duration::from_micros(200);

pub(super) struct Stage {
    pub(super) kind: Kind,
    /// How the server was started that fires.
    pub(super) setup: Setup,
    pub(super) served: Served,
    pub(super) target: Target,
    /// A run that can be read.
    pub(super) run: String,
    pub(super) schedules: Schedules,
    pub(super) databases: Databases,
    /// What all of it is in.
    _folder: TempDir,
}

/// When schedules are due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    /// None before that time has passed.
    After(Duration),
    /// One after the other, soon after the server is there.
    Soon,
}

impl Stage {
    /// Makes the originals with a first server, the copies without one, and starts the server that fires.
    ///
    /// # Errors
    /// Anything that is not as expected.
    pub(super) async fn set(kind: Kind, options: &Options, when: When) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("bulkhead-bench-").tempdir()?;
        let databases = kind.start().await?;
        let database = kind.fresh(&databases, "scheduled").await?;
        let first = Setup { program: options.bulkhead.clone(), folder: folder.path().join("first"), database };
        let profiles: Vec<_> = (0..NAMESPACES).map(|number| (namespace(number), USER)).collect();
        first.prepare(&profiles)?;
        let served = first.start_without_limits()?;
        let target = Target { address: served.address.clone(), token: first.token(USER)? };
        let run = originals(&target).await?;
        served.stop()?;

        let began = Instant::now();
        let (ahead, interval_seconds) = match when {
            When::After(time) => (time, SELDOM),
            When::Soon => {
                let ahead = AHEAD + AHEAD_EACH * u32::try_from(options.schedules)?;
                (ahead, options.schedules.div_ceil(options.rate))
            }
        };
        let step = 1_000_000 / i64::try_from(options.rate)?;
        let (count, first_moment) = (options.schedules, now()? + micros(ahead));
        let schedules = Schedules { count, originals: NAMESPACES, interval_seconds, first: first_moment, step };
        kind.schedule(&first, &schedules).await?;
        eprintln!("{kind}: {count} schedules are there after {:.1} s", began.elapsed().as_secs_f64());

        // Another folder makes it another server, which leaves executing runs to the first.
        let setup = match kind {
            Kind::Sqlite => first,
            Kind::Postgres | Kind::Mysql => {
                let setup = Setup { folder: folder.path().join("second"), ..first };
                setup.prepare(&profiles)?;
                setup
            }
        };
        let served = setup.start_without_limits()?;
        let target = Target { address: served.address.clone(), ..target };
        let stage = Self { kind, setup, served, target, run, schedules, databases, _folder: folder };
        stage.wait(PATIENCE, |metrics| metrics.value("bulkhead_schedule_leads") > 0.0).await?;
        Ok(stage)
    }

    pub(super) async fn metrics(&self) -> anyhow::Result<Metrics> {
        // Anew each time: a connection of the admin listener that rests is closed.
        let admin = Target { address: self.served.admin.clone(), ..self.target.clone() };
        let text = Client::connect(&admin, Protocol::Rest).await?.ok(&calls::metrics()).await?;
        Ok(Metrics::of(&String::from_utf8_lossy(&text)))
    }

    /// Waits until the metrics are so.
    ///
    /// # Errors
    /// They are not for too long.
    pub(super) async fn wait(&self, patience: Duration, are_so: impl Fn(&Metrics) -> bool) -> anyhow::Result<()> {
        let began = Instant::now();
        while !are_so(&self.metrics().await?) {
            if began.elapsed() > patience {
                bail!("the server has not come so far after {} s: see {}", patience.as_secs(), self.log()?);
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Ok(())
    }

    /// Where the log is kept, which else goes with all the rest.
    fn log(&self) -> anyhow::Result<String> {
        let kept = std::env::temp_dir().join("bulkhead-bench.log");
        std::fs::copy(self.setup.folder.join("log"), &kept)?;
        Ok(kept.display().to_string())
    }

    /// How much of one processor the server has in that time, in percent.
    pub(super) async fn processor_for(&self, time: Duration) -> anyhow::Result<f64> {
        let (before, began) = (self.served.processor()?, Instant::now());
        tokio::time::sleep(time).await;
        Ok((self.served.processor()? - before).as_secs_f64() / began.elapsed().as_secs_f64() * 100.0)
    }

    /// How late the runs of moments were decided on, of the ticks for which `condition` holds: microseconds, the least
    /// late first.
    pub(super) async fn late(&self, condition: &str) -> anyhow::Result<Vec<i64>> {
        let query = format!("SELECT decided_at - fire_at FROM ticks WHERE run_id <> '' AND {condition}");
        let mut late = self.kind.numbers(&self.setup, &query).await?;
        late.sort_unstable();
        Ok(late)
    }
}

fn namespace(number: usize) -> String {
    format!("scheduled-{number}")
}

/// Makes a disabled recurring run in each namespace, and a run, whose id is returned.
async fn originals(target: &Target) -> anyhow::Result<String> {
    let mut client = Client::connect(target, Protocol::Rest).await?;
    let mut run = String::new();
    for number in 0..NAMESPACES {
        let namespace = namespace(number);
        let experiment = experiment(&mut client, &namespace, "experiment").await?;
        let made = Made { experiment, ..stored(&mut client, &namespace).await? };
        let body = json!({
            "display_name": "original", "experiment_id": made.experiment, "mode": "DISABLE",
            "max_concurrency": MAX_CONCURRENCY, "trigger": {"periodic_schedule": {"interval_second": "86400"}},
            "pipeline_version_reference": {"pipeline_id": made.pipeline, "pipeline_version_id": made.version},
        });
        client.json(Method::POST, "/apis/v2beta1/recurringruns", &body).await?;
        if run.is_empty() {
            let answer = client.ok(&calls::create(&made, "read".to_owned())).await?;
            run = id(&serde_json::from_slice(&answer)?, "run_id")?;
            ended(&mut client, &run).await?;
        }
    }
    Ok(run)
}
