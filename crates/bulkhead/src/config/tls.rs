//! `tls`: certificates of the API's listeners, and whose client certificates count.
use super::Seconds;
use anyhow::bail;
use serde::Deserialize;
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// Files are PEM, and are looked at again while the server runs.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Tls {
    /// The server's certificate, and after it those between it and the authority.
    pub(crate) certificate: Option<PathBuf>,
    pub(crate) key: Option<PathBuf>,
    /// The authorities of clients. Without them no client is asked for a certificate.
    pub(crate) client_ca: Option<PathBuf>,
    pub(crate) require_client_certificate: bool,
    /// The time between two looks at the files.
    pub(crate) reload: Seconds,
}

/// What becomes of a client that has no certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClientCertificates {
    /// It comes in, and proves who it is by other means.
    Optional,
    Required,
}

impl Default for Tls {
    fn default() -> Self {
        Self {
            certificate: None,
            key: None,
            client_ca: None,
            require_client_certificate: false,
            reload: Seconds(Duration::from_secs(10)),
        }
    }
}

impl Tls {
    /// The files of the certificate and of its key; `None` if the listeners are to be plain.
    pub(crate) fn pair(&self) -> Option<(&Path, &Path)> {
        self.certificate.as_deref().zip(self.key.as_deref())
    }

    /// The file of the authorities of clients, and what becomes of a client without a certificate.
    pub(crate) fn clients(&self) -> Option<(&Path, ClientCertificates)> {
        let without = match self.require_client_certificate {
            true => ClientCertificates::Required,
            false => ClientCertificates::Optional,
        };
        self.client_ca.as_deref().map(|path| (path, without))
    }

    /// # Errors
    /// For keys that do nothing without another one, which is missing.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        match (&self.certificate, &self.key) {
            (Some(_), None) => bail!("tls.key is missing: tls.certificate needs the file of its private key"),
            (None, Some(_)) => bail!("tls.certificate is missing: tls.key needs the file of its certificate"),
            (None, None) | (Some(_), Some(_)) => {}
        }
        if self.client_ca.is_some() && self.pair().is_none() {
            bail!(
                "tls.client_ca: clients are asked for certificates over TLS alone, which needs tls.certificate and \
                 tls.key"
            );
        }
        if self.require_client_certificate && self.client_ca.is_none() {
            bail!("tls.require_client_certificate: tls.client_ca has to say whose certificates count");
        }
        if self.reload.0.is_zero() {
            bail!("tls.reload: the seconds between two looks at the files have to be more than 0");
        }
        Ok(())
    }
}
