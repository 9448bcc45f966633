//! What is wrong with files is told, and what a certificate says of its owner.
use super::*;
use crate::config::Seconds;
use authority::Authority;
use rustls::pki_types::{CertificateDer, pem::PemObject};
use std::{fs, path::Path};
use tempfile::TempDir;

#[path = "../../tests/serve/tls/authority.rs"]
pub(crate) mod authority;

/// The configuration of files in a folder, which are written: certificate, key, and the authorities of clients.
pub(crate) fn written(folder: &Path, texts: [&str; 3]) -> config::Tls {
    let path = |name| Some(folder.join(name));
    for (name, text) in ["tls.crt", "tls.key", "ca.crt"].into_iter().zip(texts) {
        fs::write(folder.join(name), text).unwrap();
    }
    config::Tls {
        certificate: path("tls.crt"),
        key: path("tls.key"),
        client_ca: path("ca.crt"),
        require_client_certificate: false,
        reload: Seconds(Duration::from_secs(1)),
    }
}

async fn tls(config: &config::Tls) -> anyhow::Result<Option<Arc<Tls>>> {
    Tls::new(config, &Metrics::new().unwrap()).await
}

#[tokio::test]
async fn what_is_wrong_is_named() {
    let authority = Authority::new();
    let (good, other) = (authority.server(), authority.server());
    let (crt, key, ca) = (good.certificate.as_str(), good.key.as_str(), authority.pem.as_str());
    let half = &crt[..crt.len() / 2];
    let rubbish = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let rubbish_key = "-----BEGIN PRIVATE KEY-----\nU2VjcmV0\n-----END PRIVATE KEY-----\n";
    let encrypted = key.replace("PRIVATE", "ENCRYPTED PRIVATE");
    for (texts, expect) in [
        (["", key, ca], "tls.certificate: FOLDER/tls.crt has no certificate"),
        ([half, key, ca], "tls.certificate: FOLDER/tls.crt is broken PEM"),
        ([rubbish, key, ca], "tls.certificate: FOLDER/tls.crt: "),
        ([key, crt, ca], "tls.certificate: FOLDER/tls.crt has no certificate"),
        ([crt, crt, ca], "tls.key: FOLDER/tls.key has no private key"),
        ([crt, &encrypted, ca], "tls.key: FOLDER/tls.key has no private key in PEM that is not encrypted"),
        ([crt, rubbish_key, ca], "tls.key: FOLDER/tls.key cannot be used"),
        ([crt, &other.key, ca], "tls.key: FOLDER/tls.key is not the key of the first certificate in FOLDER/tls.crt"),
        ([crt, key, key], "tls.client_ca: FOLDER/ca.crt has no certificate"),
        ([crt, key, rubbish], "tls.client_ca: FOLDER/ca.crt: "),
    ] {
        let folder = TempDir::new().unwrap();
        let error = format!("{:#}", tls(&written(folder.path(), texts)).await.err().unwrap());
        let told = error.replace(&folder.path().display().to_string(), "FOLDER");
        assert!(told.contains(expect), "{expect}: {told}");
        assert!(!told.contains("Secret") && !told.contains("U2Vj"), "{told}");
    }
    let folder = TempDir::new().unwrap();
    let config = written(folder.path(), [crt, key, ca]);
    assert!(tls(&config).await.unwrap().is_some());
    assert!(tls(&config::Tls::default()).await.unwrap().is_none(), "without files there is no TLS");
    for name in ["tls.crt", "tls.key", "ca.crt"] {
        let path = folder.path().join(name);
        let text = fs::read(&path).unwrap();
        fs::remove_file(&path).unwrap();
        let error = format!("{:#}", tls(&config).await.err().unwrap());
        assert!(error.contains(&format!("cannot read {}", path.display())), "{error}");
        fs::write(&path, text).unwrap();
    }
}

#[test]
fn names_are_uris_and_dns_names() {
    let authority = Authority::new();
    for (names, expect) in [
        (&[][..], &[][..]),
        (&["spiffe://cluster.local/ns/a/sa/b"], &["spiffe://cluster.local/ns/a/sa/b"]),
        (&["Proxy.Example.com", "urn:A", "jane@example.com"], &["urn:A", "proxy.example.com"]),
        (&["*.example.com"], &[]),
    ] {
        let pem = authority.pair(names).certificate;
        let certificate = CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
        assert_eq!(&*names::of(&certificate), expect, "{names:?}");
    }
}
