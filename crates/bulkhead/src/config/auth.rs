//! `auth`: how callers prove who they are.
use super::Seconds;
use anyhow::{Context as _, bail};
use authz::{HeaderSettings, OidcClaims, OidcSettings, Trust};
use ipnet::IpNet;
use serde::Deserialize;
use std::{path::PathBuf, time::Duration};

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Auth {
    pub(crate) user_header: String,
    pub(crate) user_prefix: String,
    pub(crate) groups_header: Option<String>,
    pub(crate) trusted_proxies: Vec<IpNet>,
    pub(crate) trusted_client_names: Vec<String>,
    pub(crate) sidecar: Vec<IpNet>,
    pub(crate) trusted_principals: Vec<String>,
    pub(crate) oidc: Oidc,
    pub(crate) token_review: TokenReview,
}

/// JWTs of an OpenID Connect issuer.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Oidc {
    /// `None` for no such tokens.
    pub(crate) issuer: Option<String>,
    pub(crate) audiences: Vec<String>,
    pub(crate) user_claim: String,
    pub(crate) user_prefix: String,
    pub(crate) groups_claim: String,
    pub(crate) groups_prefix: String,
    pub(crate) clock_skew: Seconds,
    pub(crate) ca_file: Option<PathBuf>,
}

/// Tokens that Kubernetes reviews.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct TokenReview {
    pub(crate) enabled: bool,
    pub(crate) audiences: Vec<String>,
    pub(crate) cache: Seconds,
}

impl Default for Auth {
    fn default() -> Self {
        Self {
            user_header: "kubeflow-userid".into(),
            user_prefix: String::new(),
            groups_header: None,
            trusted_proxies: Vec::new(),
            trusted_client_names: Vec::new(),
            sidecar: Vec::new(),
            trusted_principals: Vec::new(),
            oidc: Oidc::default(),
            token_review: TokenReview::default(),
        }
    }
}

impl Default for Oidc {
    fn default() -> Self {
        let OidcClaims { user, user_prefix, groups, groups_prefix } = OidcClaims::default();
        Self {
            issuer: None,
            audiences: Vec::new(),
            user_claim: user,
            user_prefix,
            groups_claim: groups,
            groups_prefix,
            clock_skew: Seconds(Duration::from_secs(30)),
            ca_file: None,
        }
    }
}

impl Default for TokenReview {
    /// The audience of KFP's SDK and of upstream's API server.
    fn default() -> Self {
        Self {
            enabled: false,
            audiences: vec!["pipelines.kubeflow.org".into()],
            cache: Seconds(Duration::from_secs(10)),
        }
    }
}

/// How the URI of a workload in a mesh begins.
const SPIFFE: &str = "spiffe://";

/// What else is configured that these keys go by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Around {
    /// Tasks can send from this host's addresses.
    pub(super) shares_network: bool,
    /// There is a Kubernetes API server to ask.
    pub(super) kubernetes: bool,
    /// Clients can show a certificate.
    pub(super) client_certificates: bool,
}

impl Auth {
    /// # Errors
    /// For what could not work, and for what would let a task be anybody.
    pub(super) fn check(&self, around: Around) -> anyhow::Result<()> {
        self.check_headers(around)?;
        self.oidc.check(around.shares_network)?;
        self.token_review.check(around.kubernetes)
    }

    fn check_headers(&self, around: Around) -> anyhow::Result<()> {
        let Around { shares_network, client_certificates, .. } = around;
        self.headers(shares_network)?;
        for (key, nets) in [("trusted_proxies", &self.trusted_proxies), ("sidecar", &self.sidecar)] {
            if shares_network && authz::contains_loopback(nets) {
                bail!(
                    "auth.{key} contains loopback, from where every task on this host could claim to be anybody: put \
                     the proxy on another host, or run tasks without a network (executor.network: false) or not at \
                     all (executor.enabled: false)"
                );
            }
        }
        match (self.sidecar.is_empty(), self.trusted_principals.is_empty()) {
            (false, true) => bail!(
                "auth.sidecar without auth.trusted_principals lets nobody in: list the URIs of the workloads behind \
                 it that log users in, such as {SPIFFE}cluster.local/ns/istio-system/sa/GATEWAY"
            ),
            (true, false) => bail!(
                "auth.trusted_principals without auth.sidecar is of no use: name the network from where the sidecar \
                 connects, which is 127.0.0.6/32 in Istio"
            ),
            _ => {}
        }
        if let Some(wrong) = self.trusted_principals.iter().find(|principal| !principal.starts_with(SPIFFE)) {
            bail!("auth.trusted_principals: {wrong:?} is no URI of a workload; write it whole, with {SPIFFE}");
        }
        if self.trusted_client_names.iter().any(String::is_empty) {
            bail!("auth.trusted_client_names: a name is empty");
        }
        if !self.trusted_client_names.is_empty() && !client_certificates {
            bail!(
                "auth.trusted_client_names lets nobody in: clients are asked for a certificate only with tls.client_ca"
            );
        }
        Ok(())
    }

    /// What authentication needs to know of identity headers.
    ///
    /// # Errors
    /// If a header's name is none.
    pub(crate) fn headers(&self, shares_network: bool) -> anyhow::Result<HeaderSettings> {
        let name = |name: &str| name.to_ascii_lowercase().parse();
        Ok(HeaderSettings {
            user_header: name(&self.user_header).context("auth.user_header")?,
            user_prefix: self.user_prefix.clone(),
            groups_header: self.groups_header.as_deref().map(name).transpose().context("auth.groups_header")?,
            trust: Trust {
                proxies: self.trusted_proxies.clone(),
                client_names: self.trusted_client_names.iter().map(|name| as_shown(name)).collect(),
                sidecar: self.sidecar.clone(),
                principals: self.trusted_principals.clone(),
                distrust_this_host: shares_network,
            },
        })
    }
}

/// A name as the listener gives it: a DNS name in lower case, and a URI, which alone has a colon, as it is.
fn as_shown(name: &str) -> String {
    if name.contains(':') { name.to_owned() } else { name.to_ascii_lowercase() }
}

/// The most that clocks may be apart: an expired token is let in for so long.
const MOST_SKEW: Duration = Duration::from_secs(300);
/// What names of Kubernetes' own begin with.
const SYSTEM: &str = "system:";

impl Oidc {
    fn check(&self, shares_network: bool) -> anyhow::Result<()> {
        let Some(issuer) = &self.issuer else {
            if self.audiences.is_empty() && self.ca_file.is_none() {
                return Ok(());
            }
            bail!("auth.oidc is set without auth.oidc.issuer, so no token of an issuer is let in: name the issuer");
        };
        if self.audiences.is_empty() || self.audiences.iter().any(String::is_empty) {
            bail!(
                "auth.oidc.audiences: at least one is needed, and none may be empty: without an audience every token \
                 that the issuer makes for anything would do. It is often the id of the client"
            );
        }
        if shares_network && issuer.starts_with("http:") {
            bail!(
                "auth.oidc.issuer is on this host and not reached by https, so a task could answer in its place: give \
                 it a certificate, or run tasks without a network (executor.network: false)"
            );
        }
        for (key, text) in [("user_claim", &self.user_claim), ("groups_claim", &self.groups_claim)] {
            if text.is_empty() {
                bail!("auth.oidc.{key}: the name of a claim is needed");
            }
        }
        for (key, text) in [("user_prefix", &self.user_prefix), ("groups_prefix", &self.groups_prefix)] {
            if text.starts_with(SYSTEM) {
                bail!("auth.oidc.{key} begins with `{SYSTEM}`, which only Kubernetes may vouch for");
            }
        }
        if self.clock_skew.0 > MOST_SKEW {
            bail!("auth.oidc.clock_skew: {MOST_SKEW:?} is the most, since an expired token is let in for so long");
        }
        Ok(())
    }

    /// What authentication needs to know of the issuer; `None` without one.
    ///
    /// # Errors
    /// If the file of authorities cannot be read.
    pub(crate) fn settings(&self) -> anyhow::Result<Option<OidcSettings>> {
        let Some(issuer) = self.issuer.clone() else { return Ok(None) };
        let read = |path: &PathBuf| {
            std::fs::read(path).with_context(|| format!("auth.oidc.ca_file: cannot read {}", path.display()))
        };
        Ok(Some(OidcSettings {
            issuer,
            ca: self.ca_file.as_ref().map(read).transpose()?,
            audiences: self.audiences.clone(),
            clock_skew: self.clock_skew.0,
            claims: OidcClaims {
                user: self.user_claim.clone(),
                user_prefix: self.user_prefix.clone(),
                groups: self.groups_claim.clone(),
                groups_prefix: self.groups_prefix.clone(),
            },
        }))
    }
}

/// The longest that a verdict may be kept: a token that was revoked is let in until then.
const LONGEST_CACHE: Duration = Duration::from_secs(300);

impl TokenReview {
    fn check(&self, kubernetes: bool) -> anyhow::Result<()> {
        if !self.enabled {
            return Ok(());
        }
        if !kubernetes {
            bail!("auth.token_review.enabled needs an API server to ask: set kubernetes.enabled");
        }
        if self.audiences.is_empty() || self.audiences.iter().any(String::is_empty) {
            bail!(
                "auth.token_review.audiences: at least one is needed, and none may be empty: without an audience \
                 every token that is made for the API server itself would do"
            );
        }
        if self.cache.0 > LONGEST_CACHE {
            bail!("auth.token_review.cache: {LONGEST_CACHE:?} is the most, since a revoked token is let in until then");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_not_work_or_would_be_a_hole() {
        let principal = format!("{SPIFFE}cluster.local/ns/istio-system/sa/gateway");
        for (yaml, shared, alone) in [
            ("{}".to_owned(), None, None),
            ("trusted_proxies: [127.0.0.1/32]".into(), Some("auth.trusted_proxies contains loopback"), None),
            (
                format!("sidecar: [127.0.0.6/32]\ntrusted_principals: [{principal}]"),
                Some("auth.sidecar contains loopback"),
                None,
            ),
            (format!("sidecar: [10.1.2.3/32]\ntrusted_principals: [{principal}]"), None, None),
            ("sidecar: [10.1.2.3/32]".into(), Some("lets nobody in"), Some("lets nobody in")),
            (format!("trusted_principals: [{principal}]"), Some("is of no use"), Some("is of no use")),
            (
                "sidecar: [10.1.2.3/32]\ntrusted_principals: [cluster.local/ns/istio-system/sa/gateway]".into(),
                Some("write it whole"),
                Some("write it whole"),
            ),
            ("trusted_client_names: ['']".into(), Some("a name is empty"), Some("a name is empty")),
            ("trusted_client_names: [a.example.com]".into(), Some("tls.client_ca"), None),
            ("user_header: 'a b'".into(), Some("auth.user_header"), Some("auth.user_header")),
            ("oidc: {issuer: 'https://a.invalid', audiences: [a]}".into(), None, None),
            ("oidc: {issuer: 'http://127.0.0.1:1', audiences: [a]}".into(), Some("a task could answer"), None),
            ("oidc: {audiences: [a]}".into(), Some("auth.oidc.issuer"), Some("auth.oidc.issuer")),
            ("oidc: {ca_file: a}".into(), Some("auth.oidc.issuer"), Some("auth.oidc.issuer")),
            ("oidc: {issuer: 'https://a.invalid'}".into(), Some("auth.oidc.audiences"), Some("auth.oidc.audiences")),
            (
                "oidc: {issuer: 'https://a.invalid', audiences: [a], user_claim: ''}".into(),
                Some("auth.oidc.user_claim"),
                Some("auth.oidc.user_claim"),
            ),
            (
                "oidc: {issuer: 'https://a.invalid', audiences: [a], groups_prefix: 'system:oidc:'}".into(),
                Some("auth.oidc.groups_prefix"),
                Some("auth.oidc.groups_prefix"),
            ),
            (
                "oidc: {issuer: 'https://a.invalid', audiences: [a], clock_skew: 301}".into(),
                Some("300s is the most"),
                Some("300s is the most"),
            ),
            ("token_review: {audiences: []}".into(), None, None),
            ("token_review: {enabled: true, cache: 0}".into(), Some("kubernetes.enabled"), None),
            (
                "token_review: {enabled: true, audiences: []}".into(),
                Some("kubernetes.enabled"),
                Some("at least one is needed"),
            ),
            (
                "token_review: {enabled: true, audiences: ['']}".into(),
                Some("kubernetes.enabled"),
                Some("none may be empty"),
            ),
            ("token_review: {enabled: true, cache: 301}".into(), Some("kubernetes.enabled"), Some("300s is the most")),
        ] {
            let auth: Auth = serde_saphyr::from_str(&yaml).unwrap();
            for (shares_network, expect) in [(true, shared), (false, alone)] {
                // One that runs tasks on this host has no cluster here, nor certificates.
                let around =
                    Around { shares_network, kubernetes: !shares_network, client_certificates: !shares_network };
                let told = auth.check(around).err().map(|error| format!("{error:#}"));
                let as_expected = match (&told, expect) {
                    (Some(told), Some(expect)) => told.contains(expect),
                    (told, expect) => told.is_none() && expect.is_none(),
                };
                assert!(as_expected, "{yaml}, network shared: {shares_network}: {told:?}");
            }
        }
    }
}
