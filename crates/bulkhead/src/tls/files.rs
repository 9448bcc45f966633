//! The PEM files, and the configuration of rustls that comes of them.
use crate::config::{self, ClientCertificates};
use anyhow::{Context, bail};
use rustls::{
    Error, RootCertStore, ServerConfig,
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{NoServerSessionStorage, WebPkiClientVerifier, danger::ClientCertVerifier},
};
use sha2::{Digest as _, Sha256};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

/// What is spoken inside, the better one first.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// Where everything is.
pub(super) struct Files {
    certificate: PathBuf,
    key: PathBuf,
    clients: Option<(PathBuf, ClientCertificates)>,
}

/// What the files have in them.
pub(super) struct Content {
    certificate: Vec<u8>,
    key: Vec<u8>,
    client_ca: Option<Vec<u8>>,
}

/// Tells one content from another, without keeping the private key a second time.
pub(super) type Digest = [u8; 32];

impl Content {
    pub(super) fn digest(&self) -> Digest {
        let mut hash = Sha256::new();
        for part in [Some(&self.certificate), Some(&self.key), self.client_ca.as_ref()].into_iter().flatten() {
            hash.update(Sha256::digest(part));
        }
        hash.finalize().into()
    }
}

impl Files {
    pub(super) fn new(config: &config::Tls) -> Option<Self> {
        let (certificate, key) = config.pair()?;
        let clients = config.clients().map(|(path, without)| (path.to_owned(), without));
        Some(Self { certificate: certificate.to_owned(), key: key.to_owned(), clients })
    }

    /// # Errors
    /// Naming the key of the configuration and the file.
    pub(super) async fn read(&self) -> anyhow::Result<Content> {
        let client_ca = match &self.clients {
            Some((path, _)) => Some(read("tls.client_ca", path).await?),
            None => None,
        };
        Ok(Content {
            certificate: read("tls.certificate", &self.certificate).await?,
            key: read("tls.key", &self.key).await?,
            client_ca,
        })
    }

    /// # Errors
    /// Naming the key of the configuration, the file, and what is wrong with it. Nothing of a key's file is in it.
    pub(super) fn server_config(&self, content: &Content) -> anyhow::Result<ServerConfig> {
        // Named, since a process that has two providers in it panics when it has to choose.
        let provider = Arc::new(ring::default_provider());
        let chain = certificates("tls.certificate", &self.certificate, &content.certificate)?;
        let key = PrivateKeyDer::from_pem_slice(&content.key).map_err(|_| {
            let path = self.key.display();
            anyhow::anyhow!("tls.key: {path} has no private key in PEM that is not encrypted (PKCS#8, PKCS#1 or SEC1)")
        })?;
        let builder = ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .context("the versions of TLS")?;
        let builder = match self.verifier(content, provider)? {
            Some(verifier) => builder.with_client_cert_verifier(verifier),
            None => builder.with_no_client_auth(),
        };
        let mut config = builder.with_single_cert(chain, key).map_err(|error| self.explain(&error))?;
        config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).to_vec();
        if self.clients.is_some() {
            // A session that is resumed carries the certificate of the first handshake, which may have expired since.
            config.session_storage = Arc::new(NoServerSessionStorage {});
            config.send_tls13_tickets = 0;
        }
        Ok(config)
    }

    /// Who verifies certificates of clients, if they are asked for any.
    fn verifier(
        &self,
        content: &Content,
        provider: Arc<CryptoProvider>,
    ) -> anyhow::Result<Option<Arc<dyn ClientCertVerifier>>> {
        let (Some((path, without)), Some(pem)) = (&self.clients, &content.client_ca) else { return Ok(None) };
        let mut authorities = RootCertStore::empty();
        for certificate in certificates("tls.client_ca", path, pem)? {
            let added = authorities.add(certificate);
            added.map_err(|error| anyhow::anyhow!("tls.client_ca: {}: {error}", path.display()))?;
        }
        let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(authorities), provider);
        let builder = match without {
            ClientCertificates::Optional => builder.allow_unauthenticated(),
            ClientCertificates::Required => builder,
        };
        Ok(Some(builder.build().with_context(|| format!("tls.client_ca: {}", path.display()))?))
    }

    fn explain(&self, error: &Error) -> anyhow::Error {
        let (certificate, key) = (self.certificate.display(), self.key.display());
        match error {
            Error::InconsistentKeys(_) => anyhow::anyhow!(
                "tls.key: {key} is not the key of the first certificate in {certificate}, which has to be the server's \
                 own"
            ),
            Error::InvalidCertificate(_) => anyhow::anyhow!("tls.certificate: {certificate}: {error}"),
            _ => anyhow::anyhow!("tls.key: {key} cannot be used: {error}"),
        }
    }
}

async fn read(name: &str, path: &Path) -> anyhow::Result<Vec<u8>> {
    tokio::fs::read(path).await.with_context(|| format!("{name}: cannot read {}", path.display()))
}

fn certificates(name: &str, path: &Path, pem: &[u8]) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    let path = path.display();
    let Ok(found) = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>() else {
        bail!("{name}: {path} is broken PEM");
    };
    if found.is_empty() {
        bail!("{name}: {path} has no certificate in PEM");
    }
    Ok(found)
}
