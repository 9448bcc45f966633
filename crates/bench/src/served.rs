//! A server under measure: a release of Bulkhead on free ports, with a folder of its own.
use anyhow::{Context, bail};
use serde::Deserialize;
use std::{
    fs,
    fs::File,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// A running server, which is killed with this value.
pub(crate) struct Served {
    pub(crate) address: String,
    /// Where its metrics are.
    pub(crate) admin: String,
    /// From the start of the process to the line that says it is ready.
    pub(crate) took: Duration,
    process: Child,
}

/// How servers are started.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    pub(crate) program: PathBuf,
    pub(crate) folder: PathBuf,
    /// Where the database is, if that is not the data folder.
    pub(crate) database: Option<String>,
}

/// Ticks of the clock by which Linux tells programs how long a process ran, a second: it is the same everywhere.
const TICKS: u64 = 100;

/// Settings of a server that takes as much as is sent.
const UNLIMITED: &[(&str, &str)] = &[
    ("BULKHEAD_LIMITS_CONCURRENCY", "0"),
    ("BULKHEAD_LIMITS_NAMESPACE_RATE", "0"),
    ("BULKHEAD_LIMITS_NAMESPACE_WRITE_RATE", "0"),
    ("BULKHEAD_LIMITS_USER_CONCURRENCY", "0"),
    ("BULKHEAD_LIMITS_USER_RATE", "0"),
    ("BULKHEAD_LIMITS_USER_WRITE_RATE", "0"),
];

#[derive(Deserialize)]
struct Ready {
    listen: Vec<String>,
    admin: String,
}

impl Setup {
    /// Makes the folder with Profiles: namespaces with their owners.
    ///
    /// # Errors
    /// Of the file system.
    pub(crate) fn prepare(&self, profiles: &[(String, &str)]) -> anyhow::Result<()> {
        fs::create_dir_all(self.folder.join("profiles"))?;
        for (namespace, owner) in profiles {
            let profile = serde_json::json!({
                "apiVersion": "kubeflow.org/v1", "kind": "Profile", "metadata": {"name": namespace},
                "spec": {"owner": {"kind": "User", "name": owner}},
            });
            fs::write(self.folder.join("profiles").join(format!("{namespace}.yaml")), profile.to_string())?;
        }
        Ok(())
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// The program with one of its commands, and nothing of this process' own settings.
    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(words).arg("--data-dir").arg(self.data()).stdin(Stdio::null());
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("BULKHEAD_")) {
            command.env_remove(name);
        }
        if let Some(url) = &self.database {
            command.env("BULKHEAD_DATABASE_URL", url);
        }
        command
    }

    /// Starts it, and waits until it is ready.
    ///
    /// # Errors
    /// It does not start; its log is in the folder.
    pub(crate) fn start(&self, settings: &[(&str, &str)]) -> anyhow::Result<Served> {
        let log = File::options().create(true).append(true).open(self.folder.join("log"))?;
        let profiles = self.folder.join("profiles");
        let began = Instant::now();
        let mut process = self
            .command(&["serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"])
            .arg("--profiles")
            .arg(profiles)
            .envs(settings.iter().copied())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .with_context(|| format!("{} does not start", self.program.display()))?;
        let mut line = String::new();
        BufReader::new(process.stdout.take().context("its output")?).read_line(&mut line)?;
        let took = began.elapsed();
        let ready: Ready = serde_json::from_str(&line)
            .with_context(|| format!("the server is not ready: {}", tail(&self.folder.join("log"))))?;
        let address = ready.listen.into_iter().next().context("it listens nowhere")?;
        Ok(Served { address, admin: ready.admin, took, process })
    }

    /// The same for a server that takes as much as is sent.
    ///
    /// # Errors
    /// As [`Setup::start`].
    pub(crate) fn start_without_limits(&self) -> anyhow::Result<Served> {
        match self.start(UNLIMITED) {
            // A version from before there were limits stops at keys that it does not know.
            Err(error) if error.to_string().contains("BULKHEAD_LIMITS_") => self.start(&[]),
            started => started,
        }
    }

    /// A token of that user.
    ///
    /// # Errors
    /// The command fails.
    pub(crate) fn token(&self, user: &str) -> anyhow::Result<String> {
        let made = self.command(&["token", "create", "--user", user, "--expires", "1d"]).output()?;
        if !made.status.success() {
            bail!("no token: {}", String::from_utf8_lossy(&made.stderr));
        }
        let said = String::from_utf8(made.stdout)?;
        Ok(said.lines().last().context("no token")?.to_owned())
    }

    /// Brings the tables of another database up to date.
    ///
    /// # Errors
    /// The command fails.
    pub(crate) fn migrate(&self) -> anyhow::Result<()> {
        fs::create_dir_all(&self.folder)?;
        let done = self.command(&["migrate"]).output()?;
        if !done.status.success() {
            bail!("no tables: {}", String::from_utf8_lossy(&done.stderr));
        }
        Ok(())
    }
}

impl Served {
    /// The memory that it holds now, and the most that it has held, in bytes.
    ///
    /// # Errors
    /// It has ended.
    pub(crate) fn memory(&self) -> anyhow::Result<(u64, u64)> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.split_whitespace().next()?.parse::<u64>().ok().map(|kib| kib * 1024)
        };
        field("VmRSS:").zip(field("VmHWM:")).context("the server has ended")
    }

    /// How long it has had a processor, in all its threads.
    ///
    /// # Errors
    /// It has ended.
    pub(crate) fn processor(&self) -> anyhow::Result<Duration> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.process.id()))?;
        // The name of the program comes before, and may have spaces.
        let (_, fields) = stat.rsplit_once(')').context("the server has ended")?;
        let of_user_and_system = fields.split_whitespace().skip(11).take(2);
        let ticks = of_user_and_system.map(str::parse::<u64>).sum::<Result<u64, _>>()?;
        Ok(Duration::from_millis(ticks * 1000 / TICKS))
    }

    /// Asks it to end, and waits until it has.
    ///
    /// # Errors
    /// It ends with a failure.
    pub(crate) fn stop(mut self) -> anyhow::Result<()> {
        Command::new("kill").arg(self.process.id().to_string()).status()?;
        let status = self.process.wait()?;
        if !status.success() {
            bail!("the server ended with {status}");
        }
        Ok(())
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The end of a log.
fn tail(path: &Path) -> String {
    let log = fs::read_to_string(path).unwrap_or_default();
    let mut lines: Vec<&str> = log.lines().rev().take(20).collect();
    lines.reverse();
    lines.join("\n")
}
