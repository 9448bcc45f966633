//! The configuration: one YAML file, then the environment, then flags, the later winning over the earlier.
mod audit;
mod auth;
mod cors;
mod env;
mod executor;
mod kubernetes;
mod limits;
mod policy;
mod quotas;
mod retention;
mod schedules;
mod telemetry;
mod tls;
mod upstream;

pub(crate) use self::executor::{Executor, TaskRunner};
pub(crate) use audit::{Audit, AuditSink};
pub(crate) use auth::Auth;
pub(crate) use cors::Cors;
pub(crate) use kubernetes::{Authorization, Decider, Kubernetes};
pub(crate) use limits::Limits;
pub(crate) use policy::Policy;
pub(crate) use quotas::Quotas;
pub(crate) use retention::Retention;
pub(crate) use schedules::Schedules;
pub(crate) use telemetry::Telemetry;
pub(crate) use tls::{ClientCertificates, Tls};

use crate::{cli::ServeArgs, database};
use ::executor::sandbox::Choice;
use anyhow::{Context, bail};
use domain::Namespace;
use ipnet::IpNet;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

/// All keys. docs/CONFIG.md describes them; a test holds the two together.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    pub(crate) multi_user: bool,
    pub(crate) listen: Vec<SocketAddr>,
    pub(crate) admin_listen: SocketAddr,
    pub(crate) data_dir: PathBuf,
    pub(crate) database: Database,
    pub(crate) profiles: Option<PathBuf>,
    pub(crate) profiles_stale_after: Seconds,
    pub(crate) insecure_listen: bool,
    pub(crate) server_namespace: String,
    pub(crate) default_service_account: String,
    pub(crate) auth: Auth,
    pub(crate) kubernetes: Kubernetes,
    pub(crate) authorization: Authorization,
    pub(crate) audit: Audit,
    pub(crate) tokens: Tokens,
    pub(crate) limits: Limits,
    pub(crate) cors: Cors,
    pub(crate) tls: Tls,
    pub(crate) executor: Executor,
    pub(crate) pipelines: Pipelines,
    pub(crate) policy: Policy,
    pub(crate) log: Log,
    pub(crate) retention: Retention,
    pub(crate) quotas: Quotas,
    pub(crate) schedules: Schedules,
    pub(crate) telemetry: Telemetry,
    pub(crate) commit_sha: String,
    pub(crate) tag_name: String,
}

/// API tokens that callers make for themselves.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Tokens {
    pub(crate) max_lifetime: Seconds,
    pub(crate) cache: Seconds,
}

/// What may become a pipeline.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Pipelines {
    pub(crate) url: PipelineUrls,
}

/// Where pipelines may be fetched from by URL.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct PipelineUrls {
    pub(crate) enabled: bool,
    pub(crate) allowed_domains: Vec<String>,
    pub(crate) allowed_cidrs: Vec<IpNet>,
    pub(crate) allow_http: bool,
    pub(crate) timeout: Seconds,
}

impl PipelineUrls {
    pub(crate) fn rules(&self) -> anyhow::Result<fetch::Rules> {
        fetch::Rules::new(&self.allowed_domains, &self.allowed_cidrs, self.allow_http)
            .map_err(|error| anyhow::anyhow!("pipelines.url.allowed_domains: {error}"))
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Log {
    pub(crate) level: String,
    pub(crate) format: LogFormat,
}

/// Where everything is kept that is not a file of a run.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Database {
    pub(crate) url: Option<database::Url>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    Text,
    Json,
}

/// Reads the name of a sandbox.
fn sandbox<'de, D: Deserializer<'de>>(input: D) -> Result<Choice, D::Error> {
    String::deserialize(input)?.parse().map_err(serde::de::Error::custom)
}

/// The longest time for which what is known of a token may count.
const LONGEST_CACHE: Duration = Duration::from_secs(60);

/// A number of seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seconds(pub(crate) Duration);

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let seconds = f64::deserialize(input)?;
        let duration = Duration::try_from_secs_f64(seconds);
        duration.map(Self).map_err(|_| serde::de::Error::custom("a number of seconds, 0 or more, is wanted"))
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            multi_user: true,
            listen: vec![SocketAddr::from(([127, 0, 0, 1], 8888)), SocketAddr::from(([127, 0, 0, 1], 8887))],
            admin_listen: SocketAddr::from(([127, 0, 0, 1], 8889)),
            data_dir: PathBuf::from("data"),
            database: Database::default(),
            profiles: None,
            profiles_stale_after: Seconds(Duration::from_secs(60)),
            insecure_listen: false,
            server_namespace: "kubeflow".into(),
            default_service_account: "default-editor".into(),
            auth: Auth::default(),
            kubernetes: Kubernetes::default(),
            authorization: Authorization::default(),
            audit: Audit::default(),
            tokens: Tokens::default(),
            limits: Limits::default(),
            cors: Cors::default(),
            tls: Tls::default(),
            executor: Executor::default(),
            pipelines: Pipelines::default(),
            policy: Policy::default(),
            log: Log::default(),
            retention: Retention::default(),
            quotas: Quotas::default(),
            schedules: Schedules::default(),
            telemetry: Telemetry::default(),
            commit_sha: "unknown".into(),
            tag_name: "unknown".into(),
        }
    }
}

impl Default for Tokens {
    fn default() -> Self {
        Self { max_lifetime: Seconds(Duration::from_secs(90 * 24 * 3600)), cache: Seconds(Duration::from_secs(2)) }
    }
}

impl Default for PipelineUrls {
    fn default() -> Self {
        Self {
            enabled: false,
            allowed_domains: Vec::new(),
            allowed_cidrs: Vec::new(),
            allow_http: false,
            timeout: Seconds(Duration::from_secs(30)),
        }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self { level: "info".into(), format: LogFormat::Text }
    }
}

/// Reads the file, lays the environment and the flags over it, and checks what came out.
///
/// # Errors
/// With the source and the key of what is wrong.
pub(crate) fn load(args: &ServeArgs, vars: impl Iterator<Item = (String, String)>) -> anyhow::Result<Config> {
    let vars: BTreeMap<String, String> = vars.collect();
    upstream::refuse_holes(&vars)?;
    let mut document = document(args.config.as_deref())?;
    // The file is checked alone first, so that a mistake in it is not blamed on the environment.
    read(document.clone()).context("the configuration file")?;
    env::overlay(&mut document, &vars)?;
    let mut config = read(document).context("the configuration with the environment laid over it")?;
    flags(&mut config, args);
    check(&config)?;
    Ok(config)
}

impl Config {
    /// The configuration of a file alone, or the defaults.
    ///
    /// # Errors
    /// If the file cannot be read, or is no configuration.
    pub(crate) fn of_file(path: Option<&Path>) -> anyhow::Result<Self> {
        read(document(path)?).context("the configuration file")
    }
}

/// The YAML of a file.
fn document(path: Option<&Path>) -> anyhow::Result<Value> {
    let Some(path) = path else { return Ok(Value::Object(Map::new())) };
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let value: Option<Value> =
        serde_saphyr::from_str(&text).map_err(|error| anyhow::anyhow!("{}: {error}", path.display()))?;
    Ok(value.unwrap_or_else(|| Value::Object(Map::new())))
}

fn read(document: Value) -> anyhow::Result<Config> {
    serde_path_to_error::deserialize(document).map_err(|error| anyhow::anyhow!("{error}"))
}

fn flags(config: &mut Config, args: &ServeArgs) {
    if !args.listen.is_empty() {
        config.listen.clone_from(&args.listen);
    }
    config.admin_listen = args.admin_listen.unwrap_or(config.admin_listen);
    if let Some(data_dir) = &args.data_dir {
        config.data_dir.clone_from(data_dir);
    }
    config.profiles = args.profiles.clone().or(config.profiles.take());
    config.insecure_listen |= args.insecure_listen;
    config.executor.take_over |= args.take_over;
}

/// What no single key can tell.
fn check(config: &Config) -> anyhow::Result<()> {
    Namespace::parse(&config.server_namespace).map_err(|error| error.at("server_namespace"))?;
    for name in &config.executor.offline_namespaces {
        Namespace::parse(name).map_err(|error| error.at("executor.offline_namespaces"))?;
    }
    if let Some(url) = &config.database.url {
        url.check().map_err(|why| anyhow::anyhow!("database.url: {why}"))?;
    }
    config.audit.check()?;
    config.limits.check()?;
    if config.tokens.cache.0 > LONGEST_CACHE {
        bail!(
            "tokens.cache: {LONGEST_CACHE:?} is the most, since a token that is revoked elsewhere is let in until then"
        );
    }
    config.cors.check(config.multi_user)?;
    config.kubernetes.check()?;
    config.authorization.check(&config.kubernetes)?;
    if config.multi_user {
        config.auth.check(auth::Around {
            shares_network: config.executor.shares_network(),
            kubernetes: config.kubernetes.enabled,
            client_certificates: config.tls.client_ca.is_some(),
        })?;
    }
    config.tls.check()?;
    config.retention.check()?;
    config.quotas.read()?;
    config.schedules.read()?;
    config.telemetry.check()?;
    config.pipelines.url.rules()?;
    config.policies()?;
    if config.listen.is_empty() {
        bail!("listen: at least one address is needed");
    }
    if config.executor.max_tasks == 0 {
        bail!("executor.max_tasks: at least 1 is needed; set executor.enabled to false to run no tasks");
    }
    if config.multi_user && config.profiles.is_none() && !config.kubernetes.enabled {
        bail!(
            "nobody could do anything: multi-user mode needs a folder of Profile manifests, which say who the tenants \
             are. Give one with --profiles DIR (docs/examples/profiles has two), or a cluster that has them with \
             kubernetes.enabled, or serve a single user without login with MULTIUSER=false"
        );
    }
    let open = config.listen.iter().find(|address| !address.ip().is_loopback());
    if let Some(open) = open.filter(|_| !config.multi_user && !config.insecure_listen) {
        bail!(
            "single-user mode has no login, and {open} can be reached by other machines: listen on loopback, or say \
             --insecure-listen if that is what you want"
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests;
