//! `bulkhead whoami` and `bulkhead can-i`: ask a server about oneself, over REST.
use anyhow::Context;
use clap::Args;
use serde::Deserialize;
use std::{path::PathBuf, process::ExitCode, time::Duration};

/// How long the server may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a server, or what stands before it, answers while it is away.
const AWAY: [reqwest::StatusCode; 3] =
    [reqwest::StatusCode::BAD_GATEWAY, reqwest::StatusCode::SERVICE_UNAVAILABLE, reqwest::StatusCode::GATEWAY_TIMEOUT];

/// The server does not answer, which may pass.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("it does not answer")]
pub(crate) struct Unreachable;

/// Which server, and as whom.
#[derive(Args, Debug)]
pub(crate) struct ServerArgs {
    /// The server.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8888", env = "BULKHEAD_SERVER")]
    server: String,
    /// A file with a token; without it, the token is taken from BULKHEAD_TOKEN.
    #[arg(long, value_name = "FILE", env = "KF_PIPELINES_SA_TOKEN_PATH")]
    token_file: Option<PathBuf>,
    /// A PEM file with the authority of the server's certificate, if it is none that everybody knows.
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct WhoAmIArgs {
    #[command(flatten)]
    server: ServerArgs,
}

#[derive(Args, Debug)]
pub(crate) struct CanIArgs {
    /// As RBAC spells it: get, create, readArtifact.
    verb: String,
    /// As RBAC spells it: runs, experiments, pipelines, jobs (recurring runs).
    resource: String,
    /// The object's name as `resourceNames` mean it.
    name: Option<String>,
    /// The namespace; without one, what is shared; `*` for the whole cluster.
    #[arg(long, short, value_name = "NAME", default_value = "")]
    namespace: String,
    #[command(flatten)]
    server: ServerArgs,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct WhoAmI {
    user: String,
    groups: Vec<String>,
    proof: String,
    scope: Scope,
    expires_at: Option<String>,
    default_namespace: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Scope {
    verbs: Vec<String>,
    namespaces: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct CanI {
    allowed: bool,
    reason: String,
}

/// Prints as whom the server knows the caller.
///
/// # Errors
/// If the server cannot be asked, or does not know the caller.
pub(crate) async fn who_am_i(args: WhoAmIArgs) -> anyhow::Result<()> {
    let who: WhoAmI = args.server.get("/apis/bulkhead/v1/whoami", &[]).await?;
    println!("user:       {}", who.user);
    println!("groups:     {}", who.groups.join(", "));
    println!("proved by:  {}", who.proof);
    if !who.scope.verbs.is_empty() {
        println!("verbs:      {}", who.scope.verbs.join(", "));
    }
    if !who.scope.namespaces.is_empty() {
        println!("namespaces: {}", who.scope.namespaces.join(", "));
    }
    if let Some(until) = who.expires_at {
        println!("until:      {until}");
    }
    if !who.default_namespace.is_empty() {
        println!("default:    {}", who.default_namespace);
    }
    Ok(())
}

/// Prints `yes` or `no`, and why. As with kubectl, the exit code is 0 for yes and 1 for no.
///
/// # Errors
/// If the server cannot be asked, or does not know the caller.
pub(crate) async fn can_i(args: CanIArgs) -> anyhow::Result<ExitCode> {
    let CanIArgs { verb, resource, name, namespace, server } = args;
    let name = name.unwrap_or_default();
    let query = [("verb", verb), ("resource", resource), ("namespace", namespace), ("name", name)];
    let answer: CanI = server.get("/apis/bulkhead/v1/can-i", &query).await?;
    println!("{}: {}", if answer.allowed { "yes" } else { "no" }, answer.reason);
    Ok(if answer.allowed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl ServerArgs {
    pub(crate) async fn get<T: serde::de::DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, String)],
    ) -> anyhow::Result<T> {
        let response = self.send(path, query, Some(PATIENCE)).await?;
        let text = response.text().await.context("reading the answer")?;
        serde_json::from_str(&text).with_context(|| format!("{} does not answer as Bulkhead does", self.server))
    }

    /// Asks for something that may go on for as long as it likes.
    ///
    /// # Errors
    /// [`Unreachable`] if the server does not answer for now, so that it may be asked again; others if it refuses.
    pub(crate) async fn open(&self, path: &str, query: &[(&str, String)]) -> anyhow::Result<reqwest::Response> {
        self.send(path, query, None).await
    }

    async fn send(
        &self,
        path: &str,
        query: &[(&str, String)],
        patience: Option<Duration>,
    ) -> anyhow::Result<reqwest::Response> {
        // A second start in one process finds it installed, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut client = reqwest::Client::builder().connect_timeout(PATIENCE);
        if let Some(patience) = patience {
            client = client.timeout(patience);
        }
        if let Some(path) = &self.ca {
            let pem = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
            let certificates = reqwest::Certificate::from_pem_bundle(&pem);
            let certificates = certificates.with_context(|| format!("{} is no PEM file", path.display()))?;
            client = client.tls_certs_only(certificates);
        }
        let client = client.build().context("a client for HTTPS")?;
        let url = format!("{}{path}", self.server.trim_end_matches('/'));
        let mut url = reqwest::Url::parse(&url).with_context(|| format!("--server: {url} is no URL"))?;
        url.query_pairs_mut().extend_pairs(query.iter().filter(|(_, value)| !value.is_empty()));
        let mut request = client.get(url);
        if let Some(token) = self.token()? {
            request = request.bearer_auth(token);
        }
        let response = request.send().await;
        let response = response.context(Unreachable).with_context(|| format!("asking {}", self.server))?;
        let status = response.status();
        if !status.is_success() {
            let text = response.text().await.context("reading the answer")?;
            let message = serde_json::from_str::<serde_json::Value>(&text).ok();
            let message = message.as_ref().and_then(|body| body["message"].as_str()).unwrap_or(&text);
            let refusal = anyhow::anyhow!("{} answers {status}: {message}", self.server);
            return Err(if AWAY.contains(&status) { refusal.context(Unreachable) } else { refusal });
        }
        Ok(response)
    }

    fn token(&self) -> anyhow::Result<Option<String>> {
        let Some(path) = &self.token_file else { return Ok(std::env::var("BULKHEAD_TOKEN").ok()) };
        let token = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(Some(token.trim().to_owned()))
    }
}
