//! Keys from the environment.
use super::upstream;
use anyhow::{Context, bail};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The prefix of our own variables: `BULKHEAD_EXECUTOR_SANDBOX` is `executor.sandbox`.
const PREFIX: &str = "BULKHEAD_";

/// How the text of a variable is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Text,
    /// `true` or `false`, or what YAML reads as a number.
    Scalar,
    /// Separated by commas.
    List,
    /// `NAME=VALUE`, separated by commas.
    Map,
    /// `NAME=NUMBER`, separated by commas.
    Numbers,
    /// `NAME=VALUE+VALUE`, separated by commas.
    Lists,
    /// `NAME=KEY:NUMBER+KEY:NUMBER`, separated by commas.
    Sections,
}

/// Every key, and how its variable is read.
pub(super) const KEYS: &[(&str, Shape)] = &[
    ("multi_user", Shape::Scalar),
    ("listen", Shape::List),
    ("admin_listen", Shape::Text),
    ("data_dir", Shape::Text),
    ("profiles", Shape::Text),
    ("profiles_stale_after", Shape::Scalar),
    ("insecure_listen", Shape::Scalar),
    ("server_namespace", Shape::Text),
    ("default_service_account", Shape::Text),
    ("auth.user_header", Shape::Text),
    ("auth.user_prefix", Shape::Text),
    ("auth.groups_header", Shape::Text),
    ("auth.trusted_proxies", Shape::List),
    ("auth.trusted_client_names", Shape::List),
    ("auth.sidecar", Shape::List),
    ("auth.trusted_principals", Shape::List),
    ("auth.oidc.issuer", Shape::Text),
    ("auth.oidc.audiences", Shape::List),
    ("auth.oidc.user_claim", Shape::Text),
    ("auth.oidc.user_prefix", Shape::Text),
    ("auth.oidc.groups_claim", Shape::Text),
    ("auth.oidc.groups_prefix", Shape::Text),
    ("auth.oidc.clock_skew", Shape::Scalar),
    ("auth.oidc.ca_file", Shape::Text),
    ("auth.token_review.enabled", Shape::Scalar),
    ("auth.token_review.audiences", Shape::List),
    ("auth.token_review.cache", Shape::Scalar),
    ("kubernetes.enabled", Shape::Scalar),
    ("kubernetes.kubeconfig", Shape::Text),
    ("kubernetes.context", Shape::Text),
    ("kubernetes.stale_after", Shape::Scalar),
    ("kubernetes.review_cache", Shape::Scalar),
    ("authorization.decider", Shape::Text),
    ("audit.sink", Shape::Text),
    ("audit.file", Shape::Text),
    ("audit.fail_closed", Shape::Scalar),
    ("tokens.max_lifetime", Shape::Scalar),
    ("tokens.cache", Shape::Scalar),
    ("limits.user_rate", Shape::Scalar),
    ("limits.user_burst", Shape::Scalar),
    ("limits.user_write_rate", Shape::Scalar),
    ("limits.user_write_burst", Shape::Scalar),
    ("limits.user_concurrency", Shape::Scalar),
    ("limits.namespace_rate", Shape::Scalar),
    ("limits.namespace_burst", Shape::Scalar),
    ("limits.namespace_write_rate", Shape::Scalar),
    ("limits.namespace_write_burst", Shape::Scalar),
    ("limits.concurrency", Shape::Scalar),
    ("limits.request_timeout", Shape::Scalar),
    ("limits.max_message", Shape::Scalar),
    ("cors.allowed_origins", Shape::List),
    ("tls.certificate", Shape::Text),
    ("tls.key", Shape::Text),
    ("tls.client_ca", Shape::Text),
    ("tls.require_client_certificate", Shape::Scalar),
    ("tls.reload", Shape::Scalar),
    ("database.url", Shape::Text),
    ("executor.enabled", Shape::Scalar),
    ("executor.runner", Shape::Text),
    ("executor.podman_pull", Shape::Text),
    ("executor.podman_network", Shape::Text),
    ("executor.podman_runtime", Shape::Text),
    ("executor.podman_env", Shape::Map),
    ("executor.sandbox", Shape::Text),
    ("executor.network", Shape::Scalar),
    ("executor.offline_namespaces", Shape::List),
    ("executor.max_tasks", Shape::Scalar),
    ("executor.max_namespace_tasks", Shape::Scalar),
    ("executor.max_run_tasks", Shape::Scalar),
    ("executor.task_timeout", Shape::Scalar),
    ("executor.max_log_bytes", Shape::Scalar),
    ("executor.task_memory", Shape::Scalar),
    ("executor.task_cpu", Shape::Scalar),
    ("executor.task_disk", Shape::Scalar),
    ("executor.task_processes", Shape::Scalar),
    ("executor.package_env", Shape::Map),
    ("executor.cache", Shape::Scalar),
    ("executor.cache_max_age", Shape::Scalar),
    ("executor.environment_max_age", Shape::Scalar),
    ("executor.infrastructure_retries", Shape::Scalar),
    ("executor.on_restart", Shape::Text),
    ("executor.strict_kfp", Shape::Scalar),
    ("pipelines.url.enabled", Shape::Scalar),
    ("pipelines.url.allowed_domains", Shape::List),
    ("pipelines.url.allowed_cidrs", Shape::List),
    ("pipelines.url.allow_http", Shape::Scalar),
    ("pipelines.url.timeout", Shape::Scalar),
    ("policy.allow", Shape::List),
    ("policy.namespaces", Shape::Lists),
    ("policy.domains", Shape::List),
    ("policy.block_v1", Shape::Scalar),
    ("policy.v1_allowed_namespaces", Shape::List),
    ("log.level", Shape::Text),
    ("log.format", Shape::Text),
    ("retention.max_age", Shape::Scalar),
    ("retention.max_count", Shape::Scalar),
    ("retention.archived_only", Shape::Scalar),
    ("retention.namespace_max_age", Shape::Numbers),
    ("retention.namespace_max_count", Shape::Numbers),
    ("retention.interval", Shape::Scalar),
    ("retention.dry_run", Shape::Scalar),
    ("quotas.active_runs", Shape::Scalar),
    ("quotas.stored_runs", Shape::Scalar),
    ("quotas.pipelines", Shape::Scalar),
    ("quotas.recurring_runs", Shape::Scalar),
    ("quotas.namespaces", Shape::Sections),
    ("schedules.enabled", Shape::Scalar),
    ("schedules.time_zone", Shape::Text),
    ("schedules.min_interval", Shape::Scalar),
    ("schedules.namespace_min_interval", Shape::Numbers),
    ("schedules.owner_max_age", Shape::Scalar),
    ("schedules.keep_ticks", Shape::Scalar),
    ("telemetry.otlp_endpoint", Shape::Text),
    ("telemetry.sample_ratio", Shape::Scalar),
    ("telemetry.service_name", Shape::Text),
    ("commit_sha", Shape::Text),
    ("tag_name", Shape::Text),
];

/// The name of a key's own variable.
pub(super) fn name(key: &str) -> String {
    format!("{PREFIX}{}", key.replace('.', "_").to_ascii_uppercase())
}

/// Lays what the environment says over the document. Our own names win over upstream's.
pub(super) fn overlay(document: &mut Value, vars: &BTreeMap<String, String>) -> anyhow::Result<()> {
    for (upstream, key) in upstream::honoured() {
        if let Some(text) = vars.get(upstream) {
            set(document, key, text).with_context(|| upstream.to_owned())?;
        }
    }
    let mut known: Vec<String> = Vec::new();
    for (key, _) in KEYS {
        let name = name(key);
        if let Some(text) = vars.get(&name) {
            set(document, key, text).with_context(|| name.clone())?;
        }
        known.push(name);
    }
    // Kubernetes gives these to every pod beside a Service that is called bulkhead.
    let of_service = |var: &str| ["SERVICE_", "PORT"].iter().any(|rest| var[PREFIX.len()..].starts_with(rest));
    let unknown = |var: &&String| var.starts_with(PREFIX) && !known.contains(var) && !of_service(var);
    if let Some(other) = vars.keys().find(unknown) {
        bail!("{other} is set and is no key of the configuration; docs/CONFIG.md lists them");
    }
    Ok(())
}

fn set(document: &mut Value, key: &str, text: &str) -> anyhow::Result<()> {
    let shape = KEYS.iter().find(|(known, _)| *known == key).map_or(Shape::Text, |(_, shape)| *shape);
    let mut at = document;
    for step in key.split('.') {
        if !at.is_object() {
            *at = Value::Object(Map::new());
        }
        at = &mut at[step];
    }
    *at = read(shape, text)?;
    Ok(())
}

fn read(shape: Shape, text: &str) -> anyhow::Result<Value> {
    let items = || text.split(',').map(str::trim).filter(|item| !item.is_empty());
    Ok(match shape {
        Shape::Text => text.into(),
        Shape::Scalar => match text.trim().to_ascii_lowercase().as_str() {
            "true" => true.into(),
            "false" => false.into(),
            other => {
                serde_json::from_str(other).with_context(|| format!("{text:?} is neither true, false nor a number"))?
            }
        },
        Shape::List => items().map(Value::from).collect(),
        Shape::Map => pairs(items(), |value| value.into())?,
        Shape::Numbers => pairs(items(), number)?,
        Shape::Lists => pairs(items(), |value| value.split('+').map(|item| Value::from(item.trim())).collect())?,
        Shape::Sections => pairs(items(), section)?,
    })
}

/// What is no number stays a text, which is refused by its key.
fn number(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| text.into())
}

/// Likewise for what is no section.
fn section(text: &str) -> Value {
    let pair = |item: &str| item.split_once(':').map(|(key, value)| (key.trim().to_owned(), number(value.trim())));
    let pairs: Option<Map<String, Value>> = text.split('+').map(pair).collect();
    pairs.map_or_else(|| text.into(), Value::Object)
}

fn pairs<'a>(items: impl Iterator<Item = &'a str>, read: impl Fn(&'a str) -> Value) -> anyhow::Result<Value> {
    let pair = |item: &'a str| item.split_once('=').map(|(name, value)| (name.to_owned(), read(value)));
    let pairs: Option<Map<String, Value>> = items.map(pair).collect();
    Ok(Value::Object(pairs.context("NAME=VALUE, separated by commas, is wanted")?))
}
