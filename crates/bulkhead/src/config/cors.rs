//! `cors`: whose web pages may call the API from a browser.
use anyhow::bail;
use http::Uri;
use serde::Deserialize;

/// Stands for the pages of everybody.
const ALL: &str = "*";

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Cors {
    /// Origins as browsers write them, or `*` alone; none switches it off.
    pub(crate) allowed_origins: Vec<String>,
}

impl Cors {
    pub(crate) fn allows_all(&self) -> bool {
        self.allowed_origins.iter().any(|origin| origin == ALL)
    }

    /// # Errors
    /// For an origin that no browser would send, and for `*` where it is not alone or would hand the server over.
    pub(super) fn check(&self, multi_user: bool) -> anyhow::Result<()> {
        if self.allows_all() && self.allowed_origins.len() > 1 {
            bail!("cors.allowed_origins: \"*\" stands alone, since it allows every origin");
        }
        if self.allows_all() && !multi_user {
            bail!(
                "cors.allowed_origins: single-user mode has no login, so with \"*\" any web page that its user visits \
                 could do everything; list the origins that you trust"
            );
        }
        if let Some(wrong) = self.allowed_origins.iter().find(|origin| *origin != ALL && !is_origin(origin)) {
            bail!(
                "cors.allowed_origins: {wrong:?} is no origin as browsers send it: scheme, host and, unless it is the \
                 scheme's own, port, in lower case and without a slash at the end, as in https://ui.example.com"
            );
        }
        Ok(())
    }
}

/// Whether browsers would write it so. They leave a scheme's own port out.
fn is_origin(text: &str) -> bool {
    let Ok(uri) = text.parse::<Uri>() else { return false };
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else { return false };
    let own_port = matches!((scheme, authority.port_u16()), ("http", Some(80)) | ("https", Some(443)));
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-:[]".contains(&byte);
    text == format!("{scheme}://{authority}") && authority.as_str().bytes().all(plain) && !own_port
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_as_browsers_send_them() {
        for (text, expect) in [
            ("https://ui.example.com", true),
            ("http://localhost:3000", true),
            ("http://[::1]:3000", true),
            ("https://ui.example.com/", false),
            ("https://ui.example.com/app", false),
            ("https://UI.example.com", false),
            ("https://ui.example.com:443", false),
            ("https://*.example.com", false),
            ("https://jane@ui.example.com", false),
            ("ui.example.com", false),
            ("null", false),
            ("", false),
        ] {
            assert_eq!(is_origin(text), expect, "{text}");
        }
    }
}
