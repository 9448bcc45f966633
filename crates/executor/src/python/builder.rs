//! The steps that make an environment, each a task in the sandbox.
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::arguments::Install;
use super::redact::redact;
use super::settings::BuildSettings;
use super::{Error, Interpreter};
use crate::sandbox::{Confinement, Sandbox};

/// The longest that one step may take: some packages are compiled.
const PATIENCE: Duration = Duration::from_secs(60 * 60);

/// Bytes of a failed step's log that go into the error.
const TAIL: usize = 4 << 10;

/// What all environments of a server are built with.
#[derive(Debug)]
pub(super) struct Builder {
    pub(super) sandbox: Sandbox,
    pub(super) settings: BuildSettings,
    /// Quicker than pip, where it is installed.
    pub(super) uv: Option<PathBuf>,
}

/// An environment to be built and where.
#[derive(Debug)]
pub(super) struct Plan<'a> {
    pub(super) interpreter: &'a Interpreter,
    pub(super) installs: &'a [Install],
    /// The folder of the environment. Empty at first.
    pub(super) path: &'a Path,
    /// For HOME and temporary files; removed after the build.
    pub(super) scratch: &'a Path,
    /// What the builds of the namespace have downloaded.
    pub(super) cache: &'a Path,
    /// Outside of all that a build can write.
    pub(super) log: &'a Path,
    /// Whether the build has the host's network.
    pub(super) network: bool,
}

impl Builder {
    pub(super) async fn build(&self, plan: &Plan<'_>) -> Result<(), Error> {
        self.step(plan, "making the environment", self.venv(plan), self.variables(None)).await?;
        for install in plan.installs.iter().filter(|install| !install.requirements.is_empty()) {
            self.step(plan, "the installer", self.install(plan, install), self.variables(Some(install))).await?;
        }
        Ok(())
    }

    fn venv(&self, plan: &Plan<'_>) -> Vec<String> {
        let (path, python) = (plan.path.display(), plan.interpreter.executable.display());
        match &self.uv {
            Some(uv) => words(&[
                &uv.display(),
                &"venv",
                &"--no-project",
                &"--system-site-packages",
                &"--python",
                &python,
                &path,
            ]),
            None => {
                let mut argv = words(&[&python, &"-m", &"venv", &"--system-site-packages"]);
                argv.extend(plan.interpreter.pip.then(|| "--without-pip".to_owned()));
                argv.push(path.to_string());
                argv
            }
        }
    }

    fn install(&self, plan: &Plan<'_>, install: &Install) -> Vec<String> {
        let python = plan.path.join("bin/python");
        let python = python.display();
        let mut argv = match &self.uv {
            Some(uv) => words(&[&uv.display(), &"pip", &"install", &"--no-progress", &"--python", &python]),
            None => words(&[&python, &"-m", &"pip", &"install", &"--no-input", &"--progress-bar=off"]),
        };
        for (name, value) in &install.options {
            let Some(name) = self.option(name) else { continue };
            argv.push(name.to_owned());
            argv.extend(value.clone());
        }
        let said = install.options.iter().any(|(name, _)| *name == "--no-index");
        if self.uv.is_some() && self.settings.no_index() && !said {
            argv.push("--no-index".to_owned());
        }
        argv.extend(install.requirements.iter().cloned());
        argv
    }

    /// pip's option in the words of the installer; none where that does so anyway.
    fn option(&self, name: &'static str) -> Option<&'static str> {
        match (&self.uv, name) {
            (None, name) => Some(name),
            (Some(_), "--pre") => Some("--prerelease=allow"),
            (Some(_), "--force-reinstall") => Some("--reinstall"),
            (Some(_), "--prefer-binary" | "--use-pep517" | "--upgrade-strategy") => None,
            (Some(_), name) => Some(name),
        }
    }

    /// Index URLs go this way because they may hold credentials, and arguments are there for all to see.
    fn variables(&self, install: Option<&Install>) -> BTreeMap<String, String> {
        let uv = self.uv.is_some();
        let mut variables = if uv { self.settings.for_uv() } else { self.settings.variables.clone() };
        let Some(install) = install else { return variables };
        let (index, extra, trusted) = match uv {
            true => ("UV_DEFAULT_INDEX", "UV_INDEX", "UV_INSECURE_HOST"),
            false => ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_TRUSTED_HOST"),
        };
        if let Some(url) = &install.index_url {
            variables.remove("UV_INDEX_URL");
            variables.insert(index.to_owned(), url.clone());
        }
        for (name, values) in [(extra, &install.extra_index_urls), (trusted, &install.trusted_hosts)] {
            if !values.is_empty() {
                variables.insert(name.to_owned(), values.join(" "));
            }
        }
        variables
    }

    async fn step(
        &self,
        plan: &Plan<'_>,
        step: &'static str,
        argv: Vec<String>,
        variables: BTreeMap<String, String>,
    ) -> Result<(), Error> {
        let mut confinement = Confinement::new(argv, plan.scratch.to_owned(), plan.log.to_owned());
        confinement.timeout = Some(PATIENCE);
        confinement.network = plan.network;
        confinement.read_write = [plan.path, plan.scratch, plan.cache].map(Path::to_owned).to_vec();
        confinement.read_only = plan.interpreter.read_only();
        confinement.read_only.extend(self.uv.clone().filter(|uv| !crate::sandbox::shows(uv)));
        confinement.read_only.extend(self.settings.read_only.iter().filter(|path| path.exists()).cloned());
        confinement.env = variables;
        confinement.env.extend(self.surroundings(plan));
        let exit = match self.sandbox.start(confinement).await {
            Ok(mut task) => task.wait().await,
            Err(error) => return Err(Error::Host { path: plan.path.to_owned(), why: error.to_string() }),
        };
        if exit.success() {
            return Ok(());
        }
        let requirements = plan.installs.iter().flat_map(|install| &install.requirements);
        let packages = requirements.map(String::as_str).collect::<Vec<_>>().join(", ");
        let tail = tail(plan.log).await;
        Err(Error::Install { packages: redact(&packages), step, exit: redact(&exit.to_string()), tail: redact(&tail) })
    }

    fn surroundings(&self, plan: &Plan<'_>) -> BTreeMap<String, String> {
        let scratch = plan.scratch.display().to_string();
        let path = format!("{}:/usr/local/bin:/usr/bin:/bin", plan.interpreter.bin().display());
        let cache = |tool: &str| plan.cache.join(tool).display().to_string();
        [
            ("HOME", scratch.clone()),
            ("TMPDIR", scratch),
            ("PATH", path),
            ("LANG", "C.UTF-8".to_owned()),
            ("PIP_CACHE_DIR", cache("pip")),
            ("PIP_DISABLE_PIP_VERSION_CHECK", "1".to_owned()),
            ("UV_CACHE_DIR", cache("uv")),
            // Later builds can write to the cache, and must not reach through it into environments that stand.
            ("UV_LINK_MODE", "copy".to_owned()),
            ("UV_PYTHON_DOWNLOADS", "never".to_owned()),
            ("UV_NO_CONFIG", "1".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }
}

fn words(words: &[&dyn std::fmt::Display]) -> Vec<String> {
    words.iter().map(ToString::to_string).collect()
}

/// The end of the log, from the start of a line.
async fn tail(log: &Path) -> String {
    let log = tokio::fs::read(log).await.unwrap_or_default();
    let tail = log.get(log.len().saturating_sub(TAIL)..).unwrap_or_default();
    let text = String::from_utf8_lossy(tail);
    let whole = if tail.len() < log.len() { text.split_once('\n').map_or("", |(_, rest)| rest) } else { &text };
    whole.trim().to_owned()
}
