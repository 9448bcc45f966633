//! Where files may be fetched from.
use crate::address;
use ipnet::IpNet;
use reqwest::Url;
use std::net::IpAddr;

/// What is allowed. The default is nothing.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    domains: Vec<Domain>,
    networks: Vec<IpNet>,
    http: bool,
}

/// A name, or all names below one, and the port there.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Domain {
    name: String,
    /// Whether names below `name` are meant, rather than itself.
    below: bool,
    /// The default port of the scheme unless it is given.
    port: Option<u16>,
}

impl Rules {
    /// Allows these domains (`example.com`, `*.example.com` for all names below it, `*` for all names, each with
    /// `:PORT` where that is not the default one) and addresses (with any port). Names must lead to public addresses
    /// or to these networks. Without `http` there is only HTTPS.
    ///
    /// # Errors
    /// Naming the domain that is not one.
    pub fn new(domains: &[String], networks: &[IpNet], http: bool) -> Result<Self, String> {
        let domains = domains.iter().map(|text| Domain::parse(text)).collect::<Result<_, _>>()?;
        Ok(Self { domains, networks: networks.iter().map(IpNet::trunc).collect(), http })
    }

    /// Whether a URL may be asked for, as far as its text can tell.
    pub(crate) fn allow(&self, url: &Url) -> bool {
        let scheme = url.scheme() == "https" || (self.http && url.scheme() == "http");
        if !scheme || !url.username().is_empty() || url.password().is_some() {
            return false;
        }
        // An address in a URL is looked up by nobody, so this is the place to check it.
        let address = |text: &str| text.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        match url.host_str().map(|host| (host, address(host))) {
            Some((_, Ok(address))) => self.lists(address),
            Some((name, Err(_))) => {
                let name = name.trim_end_matches('.');
                self.domains.iter().any(|domain| domain.fits(name, url.port()))
            }
            None => false,
        }
    }

    /// Whether a connection to an address may be made.
    pub(crate) fn allow_address(&self, address: IpAddr) -> bool {
        address::is_public(address) || self.lists(address)
    }

    fn lists(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.networks.iter().any(|network| network.contains(&address))
    }
}

impl Domain {
    fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is not a domain: write example.com, *.example.com, *, or one with :PORT");
        let (name, port) = match text.split_once(':') {
            Some((name, port)) => (name, Some(port.parse().map_err(|_| wrong())?)),
            None => (text, None),
        };
        let (name, below) = match name.strip_prefix('*') {
            Some("") => ("", true),
            Some(rest) => (rest.strip_prefix('.').ok_or_else(wrong)?, true),
            None => (name, false),
        };
        let plain = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
        let any = below && text.starts_with('*') && text.split(':').next() == Some("*");
        if (name.is_empty() && !any) || !name.chars().all(plain) || name.parse::<IpAddr>().is_ok() {
            return Err(wrong());
        }
        Ok(Self { name: name.to_ascii_lowercase(), below, port })
    }

    /// Whether this is about a name and the port that a URL has beside it.
    fn fits(&self, name: &str, port: Option<u16>) -> bool {
        let fits = match name.strip_suffix(&self.name) {
            Some("") => !self.below,
            Some(rest) => self.below && (self.name.is_empty() || rest.ends_with('.')),
            None => false,
        };
        // A URL does not show the default port of its scheme.
        fits && (port == self.port || (port.is_none() && matches!(self.port, Some(443 | 80))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(rules: &Rules, url: &str, allowed: bool) {
        assert_eq!(Url::parse(url).is_ok_and(|url| rules.allow(&url)), allowed, "{url}");
    }

    #[test]
    fn hosts_ports_and_schemes() {
        let domains = ["example.com", "*.Example.org", "store.lan:9000"].map(str::to_owned);
        let networks = ["10.1.0.0/16".parse().unwrap(), "fd00::/8".parse().unwrap()];
        let rules = Rules::new(&domains, &networks, false).unwrap();
        for url in [
            "https://example.com/p.yaml",
            "https://EXAMPLE.com:443/p",
            "https://example.com./p",
            "https://a.example.org/p",
            "https://a.b.example.org/p",
            "https://store.lan:9000/p",
            "https://10.1.2.3/p",
            "https://10.1.2.3:8443/p",
            "https://[fd00::1]:8443/p",
            "https://[::ffff:10.1.2.3]/p",
        ] {
            check(&rules, url, true);
        }
        for url in [
            "http://example.com/p",
            "ftp://example.com/p",
            "file:///etc/passwd",
            "data:text/plain,x",
            "https://example.com:8443/p",
            "https://user@example.com/p",
            "https://user:secret@example.com/p",
            "https://:secret@example.com/p",
            "https://example.com@evil.net/p",
            "https://www.example.com/p",
            "https://notexample.com/p",
            "https://example.com.evil.net/p",
            "https://example.org/p",
            "https://aexample.org/p",
            "https://store.lan/p",
            "https://10.2.0.1/p",
            "https://127.0.0.1/p",
            "https://2130706433/p",
            "https://0x7f.1/p",
            "https://8.8.8.8/p",
            "https://[::1]/p",
            "https://[::ffff:127.0.0.1]/p",
        ] {
            check(&rules, url, false);
        }
        check(&Rules::new(&domains, &networks, true).unwrap(), "http://example.com/p", true);
        check(&Rules::new(&["*".into()], &[], false).unwrap(), "https://any.where/p", true);
        check(&Rules::new(&["*".into()], &[], false).unwrap(), "https://any.where:8443/p", false);
        check(&Rules::new(&["*".into()], &[], false).unwrap(), "https://8.8.8.8/p", false);
        check(&Rules::default(), "https://example.com/p", false);
    }

    #[test]
    fn what_is_no_domain_is_named() {
        for text in ["", "*.", "*x", "https://example.com", "a/b", "a:b", "a:99999", "10.0.0.1", "*.*.com", "a b"] {
            assert!(Rules::new(&[text.to_owned()], &[], false).unwrap_err().contains("is not a domain"), "{text:?}");
        }
    }
}
