//! Two reports side by side: what has changed by more than the noise.
use crate::report::{Figures, Finding, Report};
use anyhow::Context;
use std::{fs, path::PathBuf};

#[derive(clap::Args, Debug)]
pub(crate) struct Options {
    /// The findings from before, and those from after.
    before: PathBuf,
    after: PathBuf,
}

/// What differs by less than this part is never told from noise.
const NOISE: f64 = 0.1;

/// Prints how the ratios have changed, not the rates: the two may be of different machines.
///
/// # Errors
/// A file is none of findings.
pub(crate) fn compare(options: &Options) -> anyhow::Result<()> {
    let (before, after) = (read(&options.before)?, read(&options.after)?);
    println!("{:10} {:38} over clnt   before    after   change    noise", "database", "what");
    for new in &after.findings {
        let Some(old) = before.findings.iter().find(|old| old.is_of(new)) else { continue };
        let Some(change) = Change::between(old, new) else { continue };
        println!("{}", change.line(new));
    }
    println!();
    for new in &after.facts {
        let same = |old: &&crate::report::Fact| old.database == new.database && old.name == new.name;
        let Some(old) = before.facts.iter().find(same) else { continue };
        println!("{:10} {:38} {:>9.1} {:>9.1} {}", new.database, new.name, old.value, new.value, new.unit);
    }
    Ok(())
}

fn read(path: &PathBuf) -> anyhow::Result<Report> {
    let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    serde_json::from_str(&text).with_context(|| format!("{} has no findings", path.display()))
}

/// How the ratio of the rates has changed, as a part of what it was.
struct Change {
    before: f64,
    after: f64,
    noise: f64,
}

impl Change {
    fn between(old: &Finding, new: &Finding) -> Option<Self> {
        let ((before, _), (after, _)) = (old.ratios()?, new.ratios()?);
        let all = [Some(&old.here), Some(&new.here), old.reference.as_ref(), new.reference.as_ref()];
        let noise = all.into_iter().flatten().map(spread).fold(NOISE, f64::max);
        Some(Self { before, after, noise })
    }

    fn part(&self) -> f64 {
        self.after / self.before - 1.0
    }

    /// Worse or better, where it is not noise.
    fn word(&self) -> &'static str {
        match self.part() {
            part if part.abs() <= self.noise => "",
            part if part < 0.0 => "  WORSE",
            _ => "  better",
        }
    }

    fn line(&self, of: &Finding) -> String {
        format!(
            "{:10} {:38} {} {:>4} {:>8.3} {:>8.3} {:>+7.0}% {:>7.0}%{}",
            of.database,
            of.name,
            of.protocol,
            of.clients,
            self.before,
            self.after,
            self.part() * 100.0,
            self.noise * 100.0,
            self.word()
        )
    }
}

/// By which part the times that something was measured differ.
fn spread(figures: &Figures) -> f64 {
    let most = figures.rates.iter().copied().fold(f64::MIN, f64::max);
    let least = figures.rates.iter().copied().fold(f64::MAX, f64::min);
    if figures.rates.is_empty() { 0.0 } else { (most - least) / figures.rate }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{databases::Kind, wire::Protocol};

    fn figures(rates: [f64; 2]) -> Figures {
        Figures { rate: (rates[0] + rates[1]) / 2.0, rates: rates.to_vec(), p50: 1, p99: 1, p999: 1, requests: 1 }
    }

    fn finding(here: [f64; 2], reference: [f64; 2]) -> Finding {
        Finding {
            database: Kind::Sqlite,
            name: "get".to_owned(),
            protocol: Protocol::Grpc,
            clients: 1,
            here: figures(here),
            reference: Some(figures(reference)),
            target: None,
        }
    }

    #[test]
    fn changes_stand_out_of_the_noise() {
        let even = [100.0, 100.0];
        for (before, after, word) in [
            (finding([50.0, 50.0], even), finding([52.0, 52.0], even), ""),
            (finding([50.0, 50.0], even), finding([40.0, 40.0], even), "  WORSE"),
            (finding([50.0, 50.0], even), finding([70.0, 70.0], even), "  better"),
            // A slower machine, which is slower at both.
            (finding([50.0, 50.0], even), finding([25.0, 25.0], [50.0, 50.0]), ""),
            // It differs as much from itself.
            (finding([50.0, 50.0], even), finding([30.0, 60.0], even), ""),
            (finding([50.0, 50.0], [60.0, 140.0]), finding([40.0, 40.0], even), ""),
        ] {
            assert_eq!(Change::between(&before, &after).unwrap().word(), word, "{before:?} {after:?}");
        }
    }
}
