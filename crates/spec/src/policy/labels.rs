//! Labels, annotations and other maps whose keys are names.
//!
//! Controllers and nodes read annotations as commands: a mesh mounts host paths that they name, a container runtime
//! hands out devices, and one malformed annotation stops Argo's controller for everybody (CVE-2026-40886). So keys with
//! a domain are taken for domains that are known to be harmless, and for those that the installation lists.
use super::Policy;
use crate::yaml::clip;
use domain::{Error, Result};
use serde_json::{Map, Value};

/// The longest part of a key after its domain, the longest value of a label, and the longest domain (Kubernetes).
const NAME: usize = 63;
const DOMAIN: usize = 253;
/// What all annotations of an object may have together, in bytes (Kubernetes).
const ANNOTATIONS: usize = 256 << 10;
/// Argo's controller believes what it reads under this domain.
const CONTROLLER: &str = "argoproj.io";
/// The domain of what kfp writes itself.
const KFP: &str = "pipelines.kubeflow.org";
/// Keys of other domains that everybody may set.
const KEYS: [&str; 15] = [
    "app.kubernetes.io/component",
    "app.kubernetes.io/instance",
    "app.kubernetes.io/managed-by",
    "app.kubernetes.io/name",
    "app.kubernetes.io/part-of",
    "app.kubernetes.io/version",
    "cluster-autoscaler.kubernetes.io/safe-to-evict",
    "karpenter.sh/do-not-disrupt",
    "kubectl.kubernetes.io/default-container",
    "kueue.x-k8s.io/queue-name",
    "prometheus.io/path",
    "prometheus.io/port",
    "prometheus.io/scheme",
    "prometheus.io/scrape",
    "sidecar.istio.io/inject",
];

/// Passes a domain that an installation may list in [`Policy::domains`].
///
/// # Errors
/// In words, for what is no domain, and for that of Argo's controller.
pub fn check_domain(domain: &str) -> Result<(), String> {
    if !is_domain(domain) {
        return Err(format!("{domain:?} is no domain in lower-case letters, such as example.com"));
    }
    if below(domain, CONTROLLER) || below(CONTROLLER, domain) {
        return Err(format!("{domain} cannot be listed: Argo's controller acts on what it reads under {CONTROLLER}"));
    }
    Ok(())
}

/// Passes a label that everybody may set, or whose domain the policy has.
pub(super) fn check_label(policy: &Policy, key: &str, value: &Value) -> Result<()> {
    check_own(policy, key)?;
    let text = value.as_str().ok_or_else(|| Error::invalid("text is wanted"))?;
    match text.is_empty() || is_name(&filled(text)) {
        true => Ok(()),
        false => Err(Error::invalid(format!(
            "{:?} is no value of a label: at most {NAME} letters, digits, '-', '_' and '.', with a letter or digit at \
             both ends",
            clip(text)
        ))),
    }
}

/// The same for an annotation.
pub(super) fn check_annotation(policy: &Policy, key: &str, value: &Value) -> Result<()> {
    check_own(policy, key)?;
    match value.as_str() {
        Some(text) if !text.contains('\0') => Ok(()),
        _ => Err(Error::invalid("text without zero bytes is wanted")),
    }
}

/// Passes annotations that are not too large together.
pub(super) fn check_size(annotations: &Map<String, Value>) -> Result<()> {
    let length = |value: &Value| value.as_str().unwrap_or_default().len();
    let bytes: usize = annotations.iter().map(|(key, value)| key.len() + length(value)).sum();
    match bytes <= ANNOTATIONS {
        true => Ok(()),
        false => Err(Error::invalid(format!("{bytes} bytes, and at most {ANNOTATIONS} are allowed"))),
    }
}

/// Passes a key as labels, annotations, selectors and resources have them. No parameter may stand in it.
pub(super) fn check_key(key: &str) -> Result<()> {
    let good = match key.split_once('/') {
        Some((domain, name)) => is_domain(domain) && is_name(name),
        None => is_name(key),
    };
    if good {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "no name as Kubernetes has it: at most {NAME} letters, digits, '-', '_' and '.', after a domain and a '/' if \
         it has one"
    )))
}

/// Passes a key that a tenant may set.
fn check_own(policy: &Policy, key: &str) -> Result<()> {
    check_key(key)?;
    let Some((domain, _)) = key.split_once('/') else {
        return match key.contains('.') {
            false => Ok(()),
            true => Err(Error::invalid("refused by policy: container runtimes act on keys with dots and no domain")),
        };
    };
    if below(domain, CONTROLLER) {
        return Err(Error::invalid("refused by policy: Argo's controller acts on what it reads under this domain"));
    }
    if domain == KFP || KEYS.contains(&key) || policy.domains.iter().any(|known| below(domain, known)) {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "refused by policy: controllers may act on what they read there; the administrator can allow it with {domain} \
         in policy.domains"
    )))
}

/// Whether a domain is another one, or below it.
fn below(domain: &str, above: &str) -> bool {
    domain.strip_suffix(above).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// The text with a letter in place of each parameter, which nobody can judge yet.
fn filled(text: &str) -> String {
    let mut rest = text;
    let mut filled = String::new();
    while let Some((before, after)) = rest.split_once("{{") {
        filled += before;
        let Some((_, after)) = after.split_once("}}") else { break };
        filled.push('x');
        rest = after;
    }
    filled + rest
}

fn is_name(text: &str) -> bool {
    let edge = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = text.as_bytes();
    bytes.len() <= NAME
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte))
        && edge(bytes.first())
        && edge(bytes.last())
}

fn is_domain(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let part = |part: &str| {
        let bytes = part.as_bytes();
        bytes.iter().all(|byte| plain(*byte) || *byte == b'-')
            && bytes.first().is_some_and(|byte| plain(*byte))
            && bytes.last().is_some_and(|byte| plain(*byte))
    };
    text.len() <= DOMAIN && text.split('.').all(part)
}
