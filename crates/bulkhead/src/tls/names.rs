//! The names by which a client's certificate can be told.
use rustls::pki_types::CertificateDer;
use std::sync::Arc;
use webpki::EndEntityCert;

/// The URIs and the DNS names (these in lower case) among the subject's alternative names. The subject's common name is
/// no name of anybody (RFC 9525, section 2), and one with a wildcard tells nobody from others. A URI has a colon and a
/// DNS name has none, so that neither can pass for the other.
pub(super) fn of(certificate: &CertificateDer<'_>) -> Arc<[String]> {
    let Ok(certificate) = EndEntityCert::try_from(certificate) else { return Arc::default() };
    let uris = certificate.valid_uri_names().filter(|uri| uri.contains(':')).map(str::to_owned);
    let hosts = certificate.valid_dns_names().filter(|name| !name.contains('*')).map(str::to_ascii_lowercase);
    uris.chain(hosts).collect()
}
