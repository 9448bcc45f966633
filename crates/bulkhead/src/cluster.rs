//! The connection to Kubernetes, made in one place.
use crate::config::Kubernetes;
use anyhow::{Context as _, bail};
use kube::{
    Client, Config,
    config::{KubeConfigOptions, Kubeconfig},
};

/// Clients of one API server, each with connections of its own.
pub(crate) struct Clients {
    /// For questions on the way of a request.
    pub(crate) ask: Client,
    /// For what is watched all the time: where connections have died without a word, it shall not find those of many
    /// questions in its way.
    pub(crate) watch: Client,
}

/// Clients of the API server that the configuration names; `None` if it names none. They do not connect yet.
///
/// # Errors
/// If there is no usable configuration of a cluster, or one that would show tokens to whoever listens in.
pub(crate) async fn clients(kubernetes: &Kubernetes) -> anyhow::Result<Option<Clients>> {
    if !kubernetes.enabled {
        return Ok(None);
    }
    let mut config = match &kubernetes.kubeconfig {
        None => Config::incluster().context(
            "kubernetes.enabled without kubernetes.kubeconfig takes the service account of a pod, and this is none",
        )?,
        Some(path) => {
            let file = Kubeconfig::read_from(path).context("kubernetes.kubeconfig")?;
            let options = KubeConfigOptions { context: kubernetes.context.clone(), ..KubeConfigOptions::default() };
            Config::from_custom_kubeconfig(file, &options).await.context("kubernetes.kubeconfig")?
        }
    };
    if config.accept_invalid_certs {
        bail!(
            "kubernetes.kubeconfig has `insecure-skip-tls-verify`, so anybody could answer in the place of the API \
             server and say who may what: name its authority in `certificate-authority`"
        );
    }
    // Somebody waits for an answer, or watches and begins again by themselves. To ask again and again here would keep
    // them waiting, and an API server in trouble busy.
    config.default_retry = false;
    let url = &config.cluster_url;
    if url.scheme_str() != Some("https") && !is_loopback(url.host().unwrap_or_default()) {
        bail!("the API server {url} is not reached by https, so tokens would be sent in plain text");
    }
    tracing::info!(api_server = %url, "Kubernetes");
    let client = |config| Client::try_from(config).context("the client of Kubernetes");
    Ok(Some(Clients { ask: client(config.clone())?, watch: client(config)? }))
}

fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kubeconfig(cluster: &str) -> String {
        format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: a\nclusters: [{{name: a, cluster: {{{cluster}}}}}]\n\
             users: [{{name: a, user: {{token: s3cr3t}}}}]\ncontexts: [{{name: a, context: {{cluster: a, user: a}}}}]\n"
        )
    }

    #[tokio::test]
    async fn which_clusters_are_spoken_to() {
        for (cluster, context, expect) in [
            ("server: 'https://10.0.0.1'", None, None),
            ("server: 'https://10.0.0.1'", Some("a"), None),
            ("server: 'https://10.0.0.1'", Some("b"), Some("kubernetes.kubeconfig")),
            ("server: 'http://127.0.0.1:8001'", None, None),
            ("server: 'http://[::1]:8001'", None, None),
            ("server: 'http://localhost:8001'", None, None),
            ("server: 'http://10.0.0.1'", None, Some("in plain text")),
            ("server: 'https://10.0.0.1', insecure-skip-tls-verify: true", None, Some("anybody could answer")),
        ] {
            let file = tempfile::NamedTempFile::new().unwrap();
            std::fs::write(file.path(), kubeconfig(cluster)).unwrap();
            let kubernetes = Kubernetes {
                enabled: true,
                kubeconfig: Some(file.path().into()),
                context: context.map(str::to_owned),
                ..Kubernetes::default()
            };
            let told = clients(&kubernetes).await.map(|made| made.is_some());
            match expect {
                None => assert!(told.unwrap(), "{cluster}"),
                Some(expect) => {
                    let told = format!("{:#}", told.unwrap_err());
                    assert!(told.contains(expect) && !told.contains("s3cr3t"), "{cluster} {context:?}: {told}");
                }
            }
        }
        assert!(clients(&Kubernetes::default()).await.unwrap().is_none());
        let missing = Kubernetes { enabled: true, kubeconfig: Some("/nowhere".into()), ..Kubernetes::default() };
        assert!(format!("{:#}", clients(&missing).await.err().unwrap()).contains("/nowhere"));
    }
}
