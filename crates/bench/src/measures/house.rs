//! One database with its server, from nothing to what was found.
use super::{
    Options, flood,
    pairs::{calls, in_turns},
};
use crate::{
    bare::Bare,
    calls::{self as call, AVAILABLE, Made, Page},
    databases::{Databases, Kind, Rows},
    hold,
    originals::{ended, experiment, id, stored},
    report::{Fact, Finding, Report, Target as Wanted},
    served::{Served, Setup},
    wire::{Call, Client, Protocol, Target},
};
use anyhow::Context;
use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};
use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

const USER: &str = "bench@example.com";
/// The tenant that floods.
const OTHER: (&str, &str) = ("other@example.com", "flood");
/// Runs that the others are copies of, each in an experiment of its own, and how many of them are archived.
const ORIGINALS: usize = 100;
const ARCHIVED: usize = 5;
/// Runs that are read, in turns.
const READ: usize = 20;
/// The page that is deep.
const DEEP: usize = 1000;
const MIB: f64 = (1 << 20) as f64;
/// How long a server has been idle that counts as idle.
const IDLE: Duration = Duration::from_secs(3);

/// What the measures of a database share.
struct House<'a> {
    kind: Kind,
    options: &'a Options,
    report: &'a mut Report,
    databases: Databases,
    setup: Setup,
    served: Served,
    target: Target,
    /// Where runs are made: in the namespace with the most.
    made: Made,
}

/// Starts everything, and measures everything.
///
/// # Errors
/// Anything that is not as expected.
pub(super) async fn measure(kind: Kind, options: &Options, report: &mut Report) -> anyhow::Result<()> {
    let folder = tempfile::Builder::new().prefix("bulkhead-bench-").tempdir()?;
    let databases = kind.start().await?;
    let database = kind.fresh(&databases, "served").await?;
    let setup = Setup { program: options.bulkhead.clone(), folder: folder.path().join("served"), database };
    let mut profiles: Vec<_> = options.rows.iter().map(|rows| (namespace(*rows), USER)).collect();
    profiles.push((OTHER.1.to_owned(), OTHER.0));
    setup.prepare(&profiles)?;
    let served = setup.start_without_limits()?;
    let target = Target { address: served.address.clone(), token: setup.token(USER)? };
    let mut made = None;
    for rows in &options.rows {
        made = Some(originals(&target, &namespace(*rows)).await?);
    }
    let made = made.context("--rows names nothing")?;
    served.stop()?;
    let began = Instant::now();
    for rows in &options.rows {
        let newest = SystemTime::now().duration_since(UNIX_EPOCH)?.as_micros();
        let newest = i64::try_from(newest)? - 3_600_000_000;
        let rows = Rows { namespace: namespace(*rows), count: *rows, originals: ORIGINALS as u64, newest };
        kind.seed(&setup, &rows).await?;
    }
    eprintln!("{kind}: the rows are there after {:.0} s", began.elapsed().as_secs_f64());
    let served = setup.start_without_limits()?;
    let target = Target { address: served.address.clone(), ..target };
    let mut house = House { kind, options, report, databases, setup, served, target, made };
    house.fact("ready on an existing database", house.served.took.as_secs_f64() * 1000.0, "ms", Some(200.0));
    tokio::time::sleep(IDLE).await;
    house.fact("memory when idle", house.served.memory()?.0 as f64 / MIB, "MiB", Some(40.0));
    house.reads().await?;
    house.authorizes().await?;
    house.lists().await?;
    house.creates().await?;
    house.fact("memory at most", house.served.memory()?.1 as f64 / MIB, "MiB", Some(300.0));
    house.served.stop()?;
    house.served = house.setup.start(&[])?;
    house.target.address.clone_from(&house.served.address);
    house.flood().await?;
    house.served.stop()
}

fn namespace(rows: u64) -> String {
    format!("rows-{rows}")
}

/// Makes the runs that others are copies of.
async fn originals(target: &Target, namespace: &str) -> anyhow::Result<Made> {
    let mut client = Client::connect(target, Protocol::Rest).await?;
    let mut made = stored(&mut client, namespace).await?;
    let mut runs = Vec::new();
    for number in 0..ORIGINALS {
        made.experiment = experiment(&mut client, namespace, &format!("experiment {number}")).await?;
        let run = client.ok(&call::create(&made, format!("original {number}"))).await?;
        runs.push(id(&serde_json::from_slice(&run)?, "run_id")?);
    }
    for (number, run) in runs.iter().enumerate() {
        ended(&mut client, run).await?;
        if number < ARCHIVED {
            client.json(Method::POST, format!("/apis/v2beta1/runs/{run}:archive"), &json!({})).await?;
        }
    }
    Ok(made)
}

impl House<'_> {
    fn fact(&mut self, name: &str, value: f64, unit: &str, under: Option<f64>) {
        let (database, unit) = (self.kind, unit.to_owned());
        self.report.facts.push(Fact { database, name: name.to_owned(), value, unit, under });
    }

    fn most(&self) -> String {
        namespace(self.options.rows.iter().copied().max().unwrap_or_default())
    }

    fn finding(&self, name: impl Into<String>, protocol: Protocol, clients: usize, target: Option<Wanted>) -> Finding {
        Finding::of(self.kind, name, protocol, clients, target)
    }

    /// Some runs, from the first page.
    async fn some(&self, namespace: &str) -> anyhow::Result<Vec<String>> {
        let mut client = Client::connect(&self.target, Protocol::Rest).await?;
        let page: Value = serde_json::from_slice(&client.ok(&call::list(namespace, &Page::default())).await?)?;
        let runs = page["runs"].as_array().context("there are no runs")?;
        let ids = runs.iter().take(READ).filter_map(|run| run["run_id"].as_str());
        Ok(ids.map(ToOwned::to_owned).collect())
    }

    /// Reading a run, beside the bare server.
    async fn reads(&mut self) -> anyhow::Result<()> {
        if !self.options.wants("get a run") {
            return Ok(());
        }
        let ids = self.some(&self.most()).await?;
        let message = self.once(Protocol::Grpc, &call::get(&ids[0])).await?;
        let json = self.once(Protocol::Rest, &call::get(&ids[0])).await?;
        let bare = Bare::start(&self.setup.folder, &message, &json)?;
        let other = Target { address: bare.address.clone(), ..self.target.clone() };
        // REST has to be decoded, and turned into JSON: it is held against the bare server too, which speaks gRPC. What
        // HTTP alone could do is of interest besides.
        let pairs = [
            ("get a run", Protocol::Grpc, Protocol::Grpc, Some(0.5)),
            ("get a run, beside gRPC", Protocol::Rest, Protocol::Grpc, Some(0.4)),
            ("get a run, beside ready JSON", Protocol::Rest, Protocol::Rest, None),
        ];
        for (name, protocol, of_bare, least) in pairs {
            for clients in self.options.clients.clone() {
                let all: Vec<Call> = ids.iter().map(|id| call::get(id)).collect();
                let what = move |number: u64| all[number as usize % all.len()].clone();
                let here = calls(&self.target, protocol, clients, what.clone()).await?;
                let there = calls(&other, of_bare, clients, what).await?;
                let finding = self.finding(name, protocol, clients, least.map(Wanted::Rate));
                let finding = in_turns(finding, self.options.turn(), here, there, async || Ok(())).await?;
                self.report.findings.push(finding);
            }
        }
        Ok(())
    }

    async fn once(&self, protocol: Protocol, call: &Call) -> anyhow::Result<Bytes> {
        Client::connect(&self.target, protocol).await?.ok(call).await
    }

    /// Asking for a decision, beside reading a run, which asks for one too.
    async fn authorizes(&mut self) -> anyhow::Result<()> {
        if !self.options.wants("authorize") {
            return Ok(());
        }
        let most = self.most();
        let run = self.some(&most).await?.swap_remove(0);
        for protocol in [Protocol::Grpc, Protocol::Rest] {
            for clients in self.options.clients.clone() {
                let (ask, read) = (call::authorize(&most), call::get(&run));
                let here = calls(&self.target, protocol, clients, move |_| ask.clone()).await?;
                let there = calls(&self.target, protocol, clients, move |_| read.clone()).await?;
                let finding = self.finding("authorize, beside get a run", protocol, clients, None);
                let finding = in_turns(finding, self.options.turn(), here, there, async || Ok(())).await?;
                self.report.findings.push(finding);
            }
        }
        Ok(())
    }

    /// Pages of the many runs, beside the first page of the few.
    async fn lists(&mut self) -> anyhow::Result<()> {
        if !self.options.wants("list") {
            return Ok(());
        }
        let few = namespace(self.options.rows[0]);
        let first = call::list(&few, &Page::default());
        for rows in self.options.rows.clone() {
            let space = namespace(rows);
            let deep = Page { token: self.deep(&space).await?, ..Page::default() };
            let filtered = Page { filter: AVAILABLE.to_owned(), ..Page::default() };
            let pages = [("page 1", Page::default()), ("page 1,000", deep), ("not archived", filtered)];
            for (name, page) in pages {
                // The few have no such page.
                if name == "page 1,000" && page.token.is_empty() {
                    continue;
                }
                let target = (rows > self.options.rows[0]).then_some(Wanted::P99(1.5));
                for protocol in [Protocol::Grpc, Protocol::Rest] {
                    let (it, first) = (call::list(&space, &page), first.clone());
                    let here = calls(&self.target, protocol, 1, move |_| it.clone()).await?;
                    let there = calls(&self.target, protocol, 1, move |_| first.clone()).await?;
                    let finding = self.finding(format!("list {rows}: {name}"), protocol, 1, target);
                    let finding = in_turns(finding, self.options.turn(), here, there, async || Ok(())).await?;
                    self.report.findings.push(finding);
                }
            }
        }
        Ok(())
    }

    /// The token of the deep page, if there are as many.
    async fn deep(&self, namespace: &str) -> anyhow::Result<String> {
        let mut client = Client::connect(&self.target, Protocol::Rest).await?;
        let mut page = Page::default();
        for _ in 1..DEEP {
            let found: Value = serde_json::from_slice(&client.ok(&call::list(namespace, &page)).await?)?;
            page.token = found["next_page_token"].as_str().unwrap_or_default().to_owned();
            if page.token.is_empty() {
                break;
            }
        }
        Ok(page.token)
    }

    /// Making runs, beside the bare insert of the same row. The engine ends each run meanwhile.
    async fn creates(&mut self) -> anyhow::Result<()> {
        if !self.options.wants("create a run") {
            return Ok(());
        }
        let run = self.some(&self.most()).await?.swap_remove(0);
        for protocol in [Protocol::Grpc, Protocol::Rest] {
            for clients in self.options.clients.clone() {
                let name = format!("held_{protocol}_{clients}").to_lowercase();
                let database = self.kind.fresh(&self.databases, &name).await?;
                let other = Setup { folder: self.setup.folder.join(name), database, ..self.setup.clone() };
                other.migrate()?;
                let row = self.kind.row(&self.setup, &run).await?;
                let there = hold::inserts(&other, row, clients).await?;
                let (made, count) = (self.made.clone(), AtomicU64::new(0));
                let what = move |_| call::create(&made, format!("made {}", count.fetch_add(1, Ordering::Relaxed)));
                let here = calls(&self.target, protocol, clients, what).await?;
                let target = (self.kind == Kind::Sqlite).then_some(Wanted::Rate(0.5));
                let finding = self.finding("create a run", protocol, clients, target);
                let settled = async || self.settled().await;
                let finding = in_turns(finding, self.options.turn(), here, there, settled).await?;
                self.report.findings.push(finding);
            }
        }
        Ok(())
    }

    /// What a tenant sees of another one that floods, with the limits that there are when nobody configures them.
    async fn flood(&mut self) -> anyhow::Result<()> {
        let name = "get and list, beside a flood";
        if !self.options.wants(name) {
            return Ok(());
        }
        let few = namespace(self.options.rows[0]);
        let mut asked: Vec<Call> = self.some(&few).await?.iter().map(|id| call::get(id)).collect();
        asked.push(call::list(&few, &Page::default()));
        let other = Target { token: self.setup.token(OTHER.0)?, ..self.target.clone() };
        for protocol in [Protocol::Grpc, Protocol::Rest] {
            let finding = self.finding(name, protocol, flood::QUIET, Some(Wanted::P99(2.0)));
            let turn = self.options.turn();
            let (finding, answered, refused) =
                flood::beside(finding, turn, &self.target, asked.clone(), (&other, OTHER.1)).await?;
            self.report.findings.push(finding);
            self.fact(&format!("answered to the flood, {protocol}"), answered as f64, "requests", None);
            self.fact(&format!("refused to the flood, {protocol}"), refused as f64, "requests", None);
        }
        Ok(())
    }

    /// Waits until the newest run has ended, and those that were made with it.
    async fn settled(&self) -> anyhow::Result<()> {
        let mut client = Client::connect(&self.target, Protocol::Rest).await?;
        for run in self.some(&self.most()).await? {
            ended(&mut client, &run).await?;
        }
        Ok(())
    }
}
