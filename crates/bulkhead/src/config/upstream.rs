//! The environment variables of KFP's own API server: honoured, refused, or without meaning here.
use anyhow::bail;
use std::collections::BTreeMap;

/// What one of upstream's variables is here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It sets this key.
    Honoured(&'static str),
    /// Any value but a false one stops the start, for this reason.
    Refused(&'static str),
    /// It belongs to a part of upstream that does not exist here, or not yet.
    NoMeaning,
}

use Fate::{Honoured, NoMeaning, Refused};

/// Every variable that upstream documents (KFP 2.17).
pub(super) const NAMES: &[(&str, Fate)] = &[
    ("MULTIUSER", Honoured("multi_user")),
    ("MULTIUSER_SHARED_READ", Refused("it would let everybody read all tenants' objects without a login")),
    ("REQUIRE_NAMESPACE_FOR_PIPELINES", NoMeaning),
    ("KUBEFLOW_USERID_HEADER", Honoured("auth.user_header")),
    ("KUBEFLOW_USERID_PREFIX", Honoured("auth.user_prefix")),
    ("TOKEN_REVIEW_AUDIENCE", Honoured("auth.token_review.audiences")),
    ("POD_NAMESPACE", Honoured("server_namespace")),
    ("POD_NAME", NoMeaning),
    ("CLUSTER_DOMAIN", NoMeaning),
    ("ML_PIPELINE_SERVICE_NAME", NoMeaning),
    ("METADATA_SERVICE_NAME", NoMeaning),
    ("METADATA_TLS_ENABLED", NoMeaning),
    ("CABUNDLE_SECRET_NAME", NoMeaning),
    ("CABUNDLE_CONFIGMAP_NAME", NoMeaning),
    ("CABUNDLE_KEY_NAME", NoMeaning),
    ("DEFAULTPIPELINERUNNERSERVICEACCOUNT", Honoured("default_service_account")),
    ("AUTO_UPDATE_PIPELINE_DEFAULT_VERSION", NoMeaning),
    ("CACHEENABLED", NoMeaning),
    ("COMPILED_PIPELINE_SPEC_PATCH", NoMeaning),
    ("DEFAULT_SECURITY_CONTEXT_RUN_AS_USER", NoMeaning),
    ("DEFAULT_SECURITY_CONTEXT_RUN_AS_GROUP", NoMeaning),
    ("DEFAULT_SECURITY_CONTEXT_RUN_AS_NON_ROOT", NoMeaning),
    ("DEFAULT_SECURITY_CONTEXT_HOST_USERS", NoMeaning),
    ("DRIVER_POD_LABELS", NoMeaning),
    ("DRIVER_POD_ANNOTATIONS", NoMeaning),
    ("PIPELINE_URL_ALLOWED_DOMAINS", Honoured("pipelines.url.allowed_domains")),
    ("PIPELINE_URL_ALLOW_HTTP", Honoured("pipelines.url.allow_http")),
    ("PIPELINE_URL_TIMEOUT", Honoured("pipelines.url.timeout")),
    ("PIPELINE_URL_VALIDATION_ENABLED", NoMeaning),
    ("PLUGIN_MAX_KEYS", NoMeaning),
    ("PLUGIN_MAX_PAYLOAD_BYTES", NoMeaning),
    ("PLUGIN_MAX_TOTAL_PAYLOAD_BYTES", NoMeaning),
    ("PLUGIN_MAX_NESTING_DEPTH", NoMeaning),
    ("BLOCK_V1_PIPELINES", Honoured("policy.block_v1")),
    ("V1_ALLOWED_NAMESPACES", Honoured("policy.v1_allowed_namespaces")),
    ("WORKFLOW_GC_GRACE_PERIOD_SECONDS", NoMeaning),
    ("RUNS_RETENTION_TIME", NoMeaning),
    ("ARCHIVED_RUNS_RETENTION_TIME", NoMeaning),
    ("RUNS_GC_INTERVAL", NoMeaning),
    ("RUNS_GC_BATCH_SIZE", NoMeaning),
    ("HAS_DEFAULT_BUCKET", NoMeaning),
    ("BUCKET_NAME", NoMeaning),
    ("PROJECT_ID", NoMeaning),
    ("MAX_PARAMETER_BYTES", NoMeaning),
    ("MAX_METRICS_FILE_BYTES", NoMeaning),
    ("MANAGED_PIPELINES_UPLOAD_TAGS", NoMeaning),
    ("EXECUTIONTYPE", NoMeaning),
    ("LAUNCHER", NoMeaning),
    ("COMMIT_SHA", Honoured("commit_sha")),
    ("TAG_NAME", Honoured("tag_name")),
    ("DBDRIVERNAME", NoMeaning),
    ("INITCONNECTIONTIMEOUT", NoMeaning),
    ("ARCHIVE_CONFIG_LOG_FILE_NAME", NoMeaning),
    ("ARCHIVE_CONFIG_LOG_PATH_PREFIX", NoMeaning),
    ("ML_PIPELINE_VISUALIZATIONSERVER_SERVICE_HOST", NoMeaning),
    ("ML_PIPELINE_VISUALIZATIONSERVER_SERVICE_PORT", NoMeaning),
    ("CLIENTQPS", NoMeaning),
    ("CLIENTBURST", NoMeaning),
    ("CRON_SCHEDULE_TIMEZONE", Honoured("schedules.time_zone")),
    ("CACHE_IMAGE", NoMeaning),
    ("CACHE_NODE_RESTRICTIONS", NoMeaning),
    ("DEFAULT_CACHE_STALENESS", NoMeaning),
    ("MAXIMUM_CACHE_STALENESS", NoMeaning),
    ("V2_LAUNCHER_IMAGE", NoMeaning),
    ("V2_DRIVER_IMAGE", NoMeaning),
    ("V2_LAUNCHER_COMMAND", NoMeaning),
    ("V2_DRIVER_COMMAND", NoMeaning),
    ("PIPELINE_RUN_AS_USER", NoMeaning),
    ("PIPELINE_LOG_LEVEL", NoMeaning),
    ("PUBLISH_LOGS", NoMeaning),
];

/// The variables that set a key, with that key.
pub(super) fn honoured() -> impl Iterator<Item = (&'static str, &'static str)> {
    NAMES.iter().filter_map(|(name, fate)| match fate {
        Honoured(key) => Some((*name, *key)),
        Refused(_) | NoMeaning => None,
    })
}

/// Stops at a variable that would open a hole.
///
/// # Errors
/// Naming the variable and the reason.
pub(super) fn refuse_holes(vars: &BTreeMap<String, String>) -> anyhow::Result<()> {
    for (name, fate) in NAMES {
        let Refused(why) = fate else { continue };
        let given = vars.get(*name).map(|text| text.trim().to_ascii_lowercase());
        if given.is_some_and(|text| !matches!(text.as_str(), "" | "false" | "0" | "f" | "no")) {
            bail!("{name} is set, and is refused: {why}. Unset it");
        }
    }
    Ok(())
}
