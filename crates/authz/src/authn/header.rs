//! The headers of a proxy that has authenticated the user.
use super::{Refusal, Trust};
use crate::Peer;
use access::{Claims, Proof};
use http::{HeaderMap, HeaderName};

/// Which headers name the caller, and from whom they are believed.
#[derive(Clone, Debug)]
pub struct HeaderSettings {
    /// The header that names the user.
    pub user_header: HeaderName,
    /// What stands before the name in it, and must.
    pub user_prefix: String,
    /// The header that lists the user's groups, separated by commas. It is read only beside a user.
    pub groups_header: Option<HeaderName>,
    /// From whom both are believed. From anybody else they count as absent.
    pub trust: Trust,
}

impl Default for HeaderSettings {
    /// The header of Kubeflow, believed from nobody.
    fn default() -> Self {
        Self {
            user_header: HeaderName::from_static("kubeflow-userid"),
            user_prefix: String::new(),
            groups_header: None,
            trust: Trust::default(),
        }
    }
}

impl HeaderSettings {
    /// Whom the headers of a request from this peer name; `None` if they name nobody, or the peer is not trusted.
    pub(super) fn claims(&self, headers: &HeaderMap, peer: &Peer) -> Result<Option<Claims>, Refusal> {
        let header = &self.user_header;
        if !headers.contains_key(header) {
            return Ok(None);
        }
        if !self.trust.believes(headers, peer) {
            tracing::debug!(?peer, "ignored the {header} header of a peer that is not trusted");
            return Ok(None);
        }
        self.named(headers).map(Some)
    }

    fn named(&self, headers: &HeaderMap) -> Result<Claims, Refusal> {
        let value = only(headers, &self.user_header)?.unwrap_or_default();
        let name = &self.user_header;
        let Some(user) = value.strip_prefix(&self.user_prefix) else {
            let prefix = &self.user_prefix;
            return Err(Refusal::new(format!(
                "its `{name}` header does not begin with {prefix:?}, as the proxy's must"
            )));
        };
        if user.trim().is_empty() {
            return Err(Refusal::new(format!("its `{name}` header names nobody")));
        }
        let groups = match &self.groups_header {
            Some(header) => only(headers, header)?.unwrap_or_default(),
            None => "",
        };
        let groups = groups.split(',').map(str::trim).filter(|group| !group.is_empty());
        Ok(Claims { groups: groups.map(str::to_owned).collect(), ..Claims::new(user, Proof::Header) })
    }
}

/// The value of a header that may come once. A second one may be a client's, which the proxy let through.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Refusal> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Refusal::new(format!(
            "it has several `{name}` headers; the proxy must send one and drop the client's"
        )));
    }
    match std::str::from_utf8(value.as_bytes()) {
        Ok(value) => Ok(Some(value)),
        Err(_) => Err(Refusal::new(format!("its `{name}` header is not UTF-8"))),
    }
}
