//! Authorities of certificates, and clients that believe them. Unit tests use this file, too.
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, SanType};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
};
use std::{io, net::SocketAddr, sync::Arc};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

pub(crate) struct Authority {
    pub(crate) pem: String,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate and its key, in PEM.
pub(crate) struct Pair {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self { pem, issuer: Issuer::new(params, key) }
    }

    /// For a server on this host.
    pub(crate) fn server(&self) -> Pair {
        self.pair(&["localhost"])
    }

    /// With these names: those with an `@` are e-mail addresses, those with a colon URIs, the others DNS names.
    pub(crate) fn pair(&self, names: &[&str]) -> Pair {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "common.example.com");
        params.subject_alt_names = names.iter().map(|name| san(name)).collect();
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap().pem();
        Pair { certificate, key: key.serialize_pem() }
    }

    /// A client that believes this authority.
    pub(crate) fn client(&self) -> Client {
        self.client_with(None)
    }

    /// The same with a certificate of its own.
    pub(crate) fn client_with(&self, own: Option<&Pair>) -> Client {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.pem.as_bytes()).unwrap()).unwrap();
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let builder = builder.with_safe_default_protocol_versions().unwrap().with_root_certificates(roots);
        let mut config = match own {
            None => builder.with_no_client_auth(),
            Some(Pair { certificate, key }) => {
                let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
                builder.with_client_auth_cert(chain, PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap()).unwrap()
            }
        };
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Client(config)
    }
}

fn san(name: &str) -> SanType {
    let text = name.try_into().unwrap();
    match name {
        name if name.contains('@') => SanType::Rfc822Name(text),
        name if name.contains(':') => SanType::URI(text),
        _ => SanType::DnsName(text),
    }
}

#[derive(Clone)]
pub(crate) struct Client(pub(crate) ClientConfig);

impl Client {
    /// Connects to the server, which it knows as localhost.
    pub(crate) async fn connect(&self, to: SocketAddr) -> io::Result<TlsStream<TcpStream>> {
        let name = ServerName::try_from("localhost").unwrap();
        TlsConnector::from(Arc::new(self.0.clone())).connect(name, TcpStream::connect(to).await?).await
    }

    /// One request on a connection of its own; all of the answer. That a certificate is refused shows only here, since
    /// in TLS 1.3 a client may speak before it knows.
    pub(crate) async fn get(&self, to: SocketAddr, path: &str, headers: &str) -> io::Result<String> {
        let mut stream = self.connect(to).await?;
        let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{headers}\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        Ok(answer)
    }
}
