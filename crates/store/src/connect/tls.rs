//! Encrypted connections to the servers: which certificates are believed.
use diesel::{ConnectionError, ConnectionResult};
use mysql_async::SslOpts;
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject},
};
use std::sync::Arc;
use tokio_postgres_rustls::MakeRustlsConnect;

/// Those of a file of PEM, or, where none is named, those that this host believes.
fn roots(file: Option<&str>) -> ConnectionResult<(RootCertStore, Vec<CertificateDer<'static>>)> {
    let certificates = match file {
        None => rustls_native_certs::load_native_certs().certs,
        Some(path) => {
            let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect);
            read.map_err(|error| ConnectionError::BadConnection(format!("sslrootcert {path:?}: {error}")))?
        }
    };
    let mut store = RootCertStore::empty();
    // A host may have some that nothing can be made of.
    let good = certificates.into_iter().filter(|certificate| store.add(certificate.clone()).is_ok()).collect();
    Ok((store, good))
}

pub(super) fn postgres(file: Option<&str>) -> ConnectionResult<MakeRustlsConnect> {
    let (roots, _) = roots(file)?;
    let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| ConnectionError::BadConnection(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(tls))
}

pub(super) fn mysql(options: SslOpts, file: Option<&str>) -> ConnectionResult<SslOpts> {
    let (_, roots) = roots(file)?;
    let roots = roots.into_iter().map(|root| root.to_vec().into()).collect();
    Ok(options.with_root_certs(roots).with_disable_built_in_roots(true))
}
