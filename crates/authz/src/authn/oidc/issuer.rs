//! What an issuer publishes of itself (OpenID Connect Discovery 1.0), fetched over HTTPS.
use super::key::Key;
use reqwest::{Certificate, Client, Url, redirect::Policy};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use std::{net::IpAddr, time::Duration};

/// How long one document may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest document, in bytes.
const LONGEST: usize = 1 << 20;
/// The most keys of which any notice is taken.
const MOST_KEYS: usize = 200;

/// Why an issuer cannot be used at all.
#[derive(Debug, thiserror::Error)]
pub enum OidcError {
    /// The URL is none, or leads where anybody could answer.
    #[error("{0:?} is no issuer: an https URL without user, query and fragment is wanted, or an http one on loopback")]
    Issuer(String),
    #[error("the file of authorities has no certificate in PEM")]
    Authorities,
    #[error("no HTTP client can be made")]
    Client(#[source] reqwest::Error),
}

/// Why the keys of an issuer could not be fetched, for the log.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("{0} cannot be fetched")]
    Fetch(String, #[source] reqwest::Error),
    #[error("{0} answers {1}")]
    Status(String, reqwest::StatusCode),
    #[error("{0} has more than {LONGEST} bytes")]
    Long(String),
    #[error("{0} is not what it should be: {1}")]
    Content(String, #[source] serde_json::Error),
    #[error("{at} says that it is of the issuer {said:?}, which must be auth.oidc.issuer to the letter")]
    Other { at: String, said: String },
    #[error("the keys are at {0}, which is no https URL")]
    Keys(String),
    #[error("{0} has no key that signatures of tokens can be verified with")]
    NoKey(String),
}

/// The issuer, as far as HTTP reaches.
pub(super) struct Issuer {
    client: Client,
    name: String,
    discovery: Url,
}

#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    jwks_uri: String,
}

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<Value>,
}

impl Issuer {
    /// The issuer of this name, whose certificate must be of the given authorities.
    pub(super) fn new(name: &str, ca: Option<&[u8]>) -> Result<Self, OidcError> {
        let url = Url::parse(name).ok().filter(is_safe);
        let url = url.filter(|url| url.query().is_none() && url.fragment().is_none() && url.username().is_empty());
        let discovery = format!("{}/.well-known/openid-configuration", name.trim_end_matches('/'));
        let (Some(url), Ok(discovery)) = (url, Url::parse(&discovery)) else {
            return Err(OidcError::Issuer(name.to_owned()));
        };
        // Somebody else in the process may have chosen a provider before; theirs serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut client = Client::builder()
            .user_agent(concat!("bulkhead/", env!("CARGO_PKG_VERSION")))
            .timeout(PATIENCE)
            // What the issuer publishes is where it says; to be sent elsewhere is an error.
            .redirect(Policy::none());
        if url.scheme() == "http" {
            // On loopback, where no proxy could help.
            client = client.no_proxy();
        } else {
            client = client.https_only(true);
        }
        if let Some(pem) = ca {
            let authorities = Certificate::from_pem_bundle(pem).map_err(|_| OidcError::Authorities)?;
            if authorities.is_empty() {
                return Err(OidcError::Authorities);
            }
            client = client.tls_certs_only(authorities);
        }
        let client = client.build().map_err(OidcError::Client)?;
        Ok(Self { client, name: name.to_owned(), discovery })
    }

    /// The keys that the issuer publishes now.
    pub(super) async fn keys(&self) -> Result<Vec<Key>, Failure> {
        let Discovery { issuer, jwks_uri } = self.fetch(self.discovery.clone()).await?;
        if issuer != self.name {
            return Err(Failure::Other { at: self.discovery.to_string(), said: issuer });
        }
        let at = Url::parse(&jwks_uri).ok().filter(is_safe);
        // Only an issuer that is on loopback itself may have its keys there in plain text.
        let at = at.filter(|at| at.scheme() == "https" || self.discovery.scheme() == "http");
        let Some(at) = at else { return Err(Failure::Keys(jwks_uri)) };
        let KeySet { keys } = self.fetch(at).await?;
        let keys: Vec<Key> = keys.iter().take(MOST_KEYS).filter_map(Key::read).collect();
        if keys.is_empty() { Err(Failure::NoKey(jwks_uri)) } else { Ok(keys) }
    }

    async fn fetch<T: DeserializeOwned>(&self, url: Url) -> Result<T, Failure> {
        let failed = |error: reqwest::Error| Failure::Fetch(url.to_string(), error.without_url());
        let mut response = self.client.get(url.clone()).send().await.map_err(failed)?;
        if response.status() != reqwest::StatusCode::OK {
            return Err(Failure::Status(url.to_string(), response.status()));
        }
        let mut content = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if content.len() + chunk.len() > LONGEST {
                return Err(Failure::Long(url.to_string()));
            }
            content.extend_from_slice(&chunk);
        }
        serde_json::from_slice(&content).map_err(|error| Failure::Content(url.to_string(), error))
    }
}

/// Whether nobody but who is meant can answer: by https, or by http on this host.
fn is_safe(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    let loopback = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    (url.scheme() == "https" && !host.is_empty()) || (url.scheme() == "http" && loopback)
}
