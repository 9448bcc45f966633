//! What the operator sets for builds: mirrors, proxies and certificates.
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::redact::has_credentials;

/// Environment variables of builds, and the host's files that these name.
///
/// A build runs tenants' code, which can read all of this: nothing secret belongs here.
#[derive(Clone, Debug, Default)]
pub struct BuildSettings {
    pub variables: BTreeMap<String, String>,
    /// Shown to builds, read-only.
    pub read_only: Vec<PathBuf>,
}

/// Variables of pip, uv and the TLS libraries that say where packages come from and whom to trust for them. The
/// lower-case names of the proxies count too.
const NAMES: [&str; 33] = [
    "ALL_PROXY",
    "CURL_CA_BUNDLE",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NO_PROXY",
    "PIP_CERT",
    "PIP_CONSTRAINT",
    "PIP_DEFAULT_TIMEOUT",
    "PIP_EXTRA_INDEX_URL",
    "PIP_FIND_LINKS",
    "PIP_INDEX_URL",
    "PIP_NO_INDEX",
    "PIP_ONLY_BINARY",
    "PIP_PREFER_BINARY",
    "PIP_PROXY",
    "PIP_RETRIES",
    "PIP_TRUSTED_HOST",
    "REQUESTS_CA_BUNDLE",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "UV_CONSTRAINT",
    "UV_DEFAULT_INDEX",
    "UV_EXTRA_INDEX_URL",
    "UV_FIND_LINKS",
    "UV_HTTP_TIMEOUT",
    "UV_INDEX",
    "UV_INDEX_STRATEGY",
    "UV_INDEX_URL",
    "UV_INSECURE_HOST",
    "UV_NATIVE_TLS",
    "UV_OFFLINE",
    "UV_OVERRIDE",
    "UV_SYSTEM_CERTS",
];

impl BuildSettings {
    /// Those of the server's own environment. What carries a user or a password is left out, with a warning that
    /// names the variable.
    pub fn inherited() -> Self {
        let (settings, secret) = Self::from_variables(
            std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))),
        );
        for name in secret {
            tracing::warn!(
                variable = name,
                "not given to package builds, because it carries credentials that tenants could read"
            );
        }
        settings
    }

    /// And the names of those left out.
    fn from_variables(variables: impl Iterator<Item = (String, String)>) -> (Self, Vec<String>) {
        let mut settings = Self::default();
        let mut secret = Vec::new();
        for (name, value) in variables {
            let proxy = name.ends_with("_proxy") && NAMES.contains(&name.to_uppercase().as_str());
            if !proxy && !NAMES.contains(&name.as_str()) {
                continue;
            }
            // A proxy may be written without a scheme.
            if has_credentials(&value) || (name.to_uppercase().ends_with("_PROXY") && value.contains('@')) {
                secret.push(name);
                continue;
            }
            settings.set(name, value);
        }
        (settings, secret)
    }

    /// Sets a variable, as the operator's configuration says, and shows builds the files that it names.
    pub fn set(&mut self, name: String, value: String) {
        self.read_only.extend(files(&value));
        self.read_only.sort_unstable();
        self.read_only.dedup();
        self.variables.insert(name, value);
    }

    /// The same in uv's words, where the operator has used only pip's.
    pub(super) fn for_uv(&self) -> BTreeMap<String, String> {
        let mut variables = self.variables.clone();
        for (pip, uv, also, separator) in [
            ("PIP_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL", " "),
            ("PIP_EXTRA_INDEX_URL", "UV_INDEX", "UV_EXTRA_INDEX_URL", " "),
            ("PIP_TRUSTED_HOST", "UV_INSECURE_HOST", "UV_INSECURE_HOST", " "),
            ("PIP_FIND_LINKS", "UV_FIND_LINKS", "UV_FIND_LINKS", ","),
            ("PIP_CONSTRAINT", "UV_CONSTRAINT", "UV_CONSTRAINT", " "),
            ("PIP_CERT", "SSL_CERT_FILE", "SSL_CERT_FILE", " "),
        ] {
            if variables.contains_key(uv) || variables.contains_key(also) {
                continue;
            }
            if let Some(value) = variables.get(pip) {
                let value = value.split_whitespace().collect::<Vec<_>>().join(separator);
                variables.insert(uv.to_owned(), value);
            }
        }
        variables
    }

    /// Whether no index is to be asked. uv has no variable for this.
    pub(super) fn no_index(&self) -> bool {
        let set =
            |value: &String| !matches!(value.to_lowercase().as_str(), "" | "0" | "false" | "no" | "off" | "n" | "f");
        self.variables.get("PIP_NO_INDEX").is_some_and(set)
    }
}

/// The files and folders that a value names, alone or in a list.
fn files(value: &str) -> impl Iterator<Item = PathBuf> {
    let names = value.split([' ', ',']).map(|name| name.strip_prefix("file://").unwrap_or(name));
    // The root itself is no cert and no wheel folder, and would show everything.
    names
        .map(Path::new)
        .filter(|path| path.is_absolute() && path.parent().is_some() && path.exists())
        .map(Path::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_builds_need_is_inherited() {
        let folder = tempfile::tempdir().unwrap();
        let cert = folder.path().join("ca.pem");
        std::fs::write(&cert, "").unwrap();
        let given = [
            ("PATH", "/usr/bin"),
            ("DATABASE_URL", "postgres://db"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
            ("UV_PUBLISH_TOKEN", "secret"),
            ("PIP_INDEX_URL", "https://mirror/simple"),
            ("PIP_EXTRA_INDEX_URL", "https://fine/simple https://me:secret@mirror/simple"),
            ("http_proxy", "http://proxy:3128"),
            ("HTTPS_PROXY", "me:secret@proxy:3128"),
            ("PIP_CERT", cert.to_str().unwrap()),
            ("PIP_FIND_LINKS", "/ /no/such/folder"),
        ];
        let given = given.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let (settings, secret) = BuildSettings::from_variables(given.into_iter());
        let names: Vec<_> = settings.variables.keys().map(String::as_str).collect();
        assert_eq!(names, ["PIP_CERT", "PIP_FIND_LINKS", "PIP_INDEX_URL", "http_proxy"]);
        assert_eq!(secret, ["PIP_EXTRA_INDEX_URL", "HTTPS_PROXY"]);
        assert_eq!(settings.read_only, std::slice::from_ref(&cert));
        let uv = settings.for_uv();
        assert_eq!(uv["UV_DEFAULT_INDEX"], "https://mirror/simple");
        assert_eq!(uv["SSL_CERT_FILE"], cert.to_str().unwrap());
    }
}
