//! What was found: as JSON for machines, as a table for people, and held against the targets.
use crate::{databases::Kind, load::Seen, wire::Protocol};
use serde::{Deserialize, Serialize};
use std::{fs, path::Path, process::ExitCode};

/// All that a run of this program found.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Report {
    pub(crate) findings: Vec<Finding>,
    pub(crate) facts: Vec<Fact>,
}

/// A measure beside its reference.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Finding {
    pub(crate) database: Kind,
    pub(crate) name: String,
    pub(crate) protocol: Protocol,
    pub(crate) clients: usize,
    pub(crate) here: Figures,
    pub(crate) reference: Option<Figures>,
    pub(crate) target: Option<Target>,
}

/// A single number, such as of memory.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Fact {
    pub(crate) database: Kind,
    pub(crate) name: String,
    pub(crate) value: f64,
    pub(crate) unit: String,
    /// What it has to stay under.
    pub(crate) under: Option<f64>,
}

/// How fast something was: requests a second, and microseconds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Figures {
    pub(crate) rate: f64,
    /// The same of each of the times that it was measured.
    pub(crate) rates: Vec<f64>,
    pub(crate) p50: u64,
    pub(crate) p99: u64,
    pub(crate) p999: u64,
    pub(crate) requests: u64,
}

/// What a ratio to the reference has to be.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Target {
    /// At least this part of its rate.
    Rate(f64),
    /// At most so many times its p99.
    P99(f64),
}

impl From<&Seen> for Figures {
    fn from(seen: &Seen) -> Self {
        let at = |quantile| seen.latencies.value_at_quantile(quantile);
        Self {
            rate: seen.rates.iter().sum::<f64>() / seen.rates.len().max(1) as f64,
            rates: seen.rates.clone(),
            p50: at(0.5),
            p99: at(0.99),
            p999: at(0.999),
            requests: seen.latencies.len(),
        }
    }
}

impl Fact {
    pub(crate) fn line(&self) -> String {
        let Self { database, name, value, unit, .. } = self;
        format!("{database:10} {name:38} {value:.1} {unit}")
    }
}

impl Finding {
    /// Nothing but what it is about: the figures are to come.
    pub(crate) fn of(
        database: Kind,
        name: impl Into<String>,
        protocol: Protocol,
        clients: usize,
        target: Option<Target>,
    ) -> Self {
        let here = Figures { rate: 0.0, rates: Vec::new(), p50: 0, p99: 0, p999: 0, requests: 0 };
        Self { database, name: name.into(), protocol, clients, here, reference: None, target }
    }

    /// Whether both are about the same.
    pub(crate) fn is_of(&self, other: &Self) -> bool {
        let about = |it: &Self| (it.database, it.protocol, it.clients);
        about(self) == about(other) && self.name == other.name
    }

    /// Of the rates, and of the 99th percentiles.
    pub(crate) fn ratios(&self) -> Option<(f64, f64)> {
        let reference = self.reference.as_ref()?;
        Some((self.here.rate / reference.rate, self.here.p99 as f64 / reference.p99.max(1) as f64))
    }

    /// The ratio that counts, what it has to be, and whether it is.
    pub(crate) fn verdict(&self) -> Option<(f64, String, bool)> {
        let (rate, p99) = self.ratios()?;
        Some(match self.target? {
            Target::Rate(least) => (rate, format!("rate at least {least} of it"), rate >= least),
            Target::P99(most) => (p99, format!("p99 at most {most} times it"), p99 <= most),
        })
    }

    pub(crate) fn line(&self) -> String {
        let Figures { rate, p50, p99, p999, .. } = &self.here;
        let mut line = format!(
            "{:10} {:38} {} {:>4} {rate:>9.0}/s {:>9} {:>9} {:>9}",
            self.database,
            self.name,
            self.protocol,
            self.clients,
            Time(*p50),
            Time(*p99),
            Time(*p999),
        );
        if let (Some(reference), Some((rate, p99))) = (&self.reference, self.ratios()) {
            line += &format!(" | {:>9.0}/s {:>9} | {rate:>6.2} {p99:>6.2}", reference.rate, Time(reference.p99));
        }
        line
    }
}

/// What the columns of a line are.
pub(crate) const HEAD: &str = "database   what                                   over clnt        rate       p50       p99     p99.9 \
                               | reference       p99 |   rate    p99";

struct Time(u64);

impl std::fmt::Display for Time {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&if self.0 < 10_000 { format!("{} us", self.0) } else { format!("{:.1} ms", self.0 as f64 / 1000.0) })
    }
}

impl Report {
    /// Shows the verdicts, and writes everything to a file if one is named. The exit code says whether the targets were met.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(crate) fn conclude(&self, output: Option<&Path>) -> anyhow::Result<ExitCode> {
        println!();
        let (lines, met) = self.verdicts();
        lines.iter().for_each(|line| println!("{line}"));
        if let Some(path) = output {
            fs::write(path, serde_json::to_string_pretty(self)? + "\n")?;
        }
        Ok(if met { ExitCode::SUCCESS } else { ExitCode::from(3) })
    }

    /// The targets, each with what was found. Whether all were met comes with it.
    pub(crate) fn verdicts(&self) -> (Vec<String>, bool) {
        let (mut lines, mut all) = (Vec::new(), true);
        let word = |met: bool| if met { "met" } else { "MISSED" };
        for finding in &self.findings {
            let Some((ratio, wanted, met)) = finding.verdict() else { continue };
            let Finding { database, name, protocol, clients, .. } = finding;
            all &= met;
            lines.push(format!(
                "{:6} {database}, {name}, {protocol}, {clients} clients: {ratio:.2} ({wanted})",
                word(met)
            ));
        }
        for fact in &self.facts {
            let Fact { database, name, value, unit, under } = fact;
            let Some(under) = under else { continue };
            let met = value < under;
            all &= met;
            lines.push(format!("{:6} {database}, {name}: {value:.0} {unit} (under {under} {unit})", word(met)));
        }
        (lines, all)
    }
}
