//! `bulkhead schedules`: when recurring runs of a server are due, and what has come of it.
use crate::{ask::ServerArgs, progress::visible};
use anyhow::bail;
use clap::Args;
use serde::Deserialize;
use std::collections::BTreeMap;

/// How many ticks are shown.
const TICKS: usize = 20;

#[derive(Args, Debug)]
pub(crate) struct SchedulesArgs {
    /// A recurring run, to see its last ticks; without one, all of a namespace.
    recurring_run_id: Option<String>,
    /// The namespace.
    #[arg(long, short, value_name = "NAME", default_value = "")]
    namespace: String,
    #[command(flatten)]
    server: ServerArgs,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Schedules {
    schedules: Vec<Schedule>,
    next_page_token: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Schedule {
    recurring_run_id: String,
    display_name: String,
    enabled: bool,
    next_times: Vec<String>,
    last_time: Option<String>,
    fired: Number,
    active: Number,
    waiting: bool,
    error: Failure,
    error_since: Option<String>,
    owner: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Failure {
    message: String,
}

/// JSON has numbers of 64 bits as texts.
#[derive(Debug, Default, Deserialize)]
#[serde(transparent)]
struct Number(String);

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Ticks {
    ticks: Vec<Tick>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Tick {
    fire_time: String,
    until_time: String,
    moments: Number,
    outcome: String,
    reason: String,
    run_id: String,
}

/// Prints schedules.
///
/// # Errors
/// If the server cannot be asked, or refuses.
pub(crate) async fn run(args: SchedulesArgs) -> anyhow::Result<()> {
    let SchedulesArgs { recurring_run_id, namespace, server } = args;
    let Some(id) = recurring_run_id else {
        let mut rows = vec![["RECURRING RUN", "NAME", "NEXT", "LAST", "RUNS", "ACTIVE", "STATE"].map(str::to_owned)];
        let mut token = String::new();
        loop {
            let query = [("namespace", namespace.clone()), ("page_token", token), ("page_size", "200".to_owned())];
            let page: Schedules = server.get("/apis/bulkhead/v1/schedules", &query).await?;
            rows.extend(page.schedules.iter().map(Schedule::row));
            token = page.next_page_token;
            if token.is_empty() {
                break;
            }
        }
        print(&rows);
        return Ok(());
    };
    if !namespace.is_empty() {
        bail!("a recurring run is found by its id alone: leave --namespace out");
    }
    let id = percent_encoding::utf8_percent_encode(&id, percent_encoding::NON_ALPHANUMERIC).to_string();
    let path = format!("/apis/bulkhead/v1/schedules/{id}");
    let it: Schedule = server.get(&path, &[]).await?;
    println!("{} {} of {}: {}", it.recurring_run_id, visible(&it.display_name), visible(&it.owner), it.state());
    if !it.error.message.is_empty() {
        let since = it.error_since.as_deref().unwrap_or_default();
        println!("since {since}: {}", visible(&it.error.message));
    }
    println!("next: {}", if it.next_times.is_empty() { "never".to_owned() } else { it.next_times.join(", ") });
    let ticks: Ticks = server.get(&format!("{path}/ticks"), &[("page_size", TICKS.to_string())]).await?;
    let mut rows = vec![["MOMENT", "OUTCOME", "RUN OR REASON"].map(str::to_owned)];
    rows.extend(ticks.ticks.iter().map(Tick::row));
    print(&rows);
    Ok(())
}

impl Schedule {
    fn row(&self) -> [String; 7] {
        let last = self.last_time.clone().unwrap_or_else(|| "-".to_owned());
        let next = self.next_times.first().cloned().unwrap_or_else(|| "-".to_owned());
        let (fired, active) = (self.fired.text(), self.active.text());
        [self.recurring_run_id.clone(), visible(&self.display_name), next, last, fired, active, self.state()]
    }

    fn state(&self) -> String {
        match (self.enabled, self.error.message.is_empty(), self.waiting) {
            (false, _, _) => "disabled",
            (true, false, _) => "refused",
            (true, true, true) => "waits for a run to end",
            (true, true, false) => "enabled",
        }
        .to_owned()
    }
}

impl Tick {
    fn row(&self) -> [String; 3] {
        let moment = match self.fire_time == self.until_time {
            true => self.fire_time.clone(),
            false => format!("{} … {} ({})", self.fire_time, self.until_time, self.moments.text()),
        };
        let what = if self.run_id.is_empty() { visible(&self.reason) } else { self.run_id.clone() };
        [moment, self.outcome.clone(), what]
    }
}

impl Number {
    fn text(&self) -> String {
        if self.0.is_empty() { "0".to_owned() } else { self.0.clone() }
    }
}

/// Prints a table; the last column is as wide as it likes.
fn print<const N: usize>(rows: &[[String; N]]) {
    let mut widths = BTreeMap::new();
    for row in rows {
        for (column, text) in row.iter().enumerate() {
            let width = widths.entry(column).or_insert(0);
            *width = text.chars().count().max(*width);
        }
    }
    for row in rows {
        let cells = row.iter().enumerate().map(|(column, text)| match column + 1 == N {
            true => text.clone(),
            false => format!("{text:<width$}  ", width = widths[&column]),
        });
        println!("{}", cells.collect::<String>());
    }
}
