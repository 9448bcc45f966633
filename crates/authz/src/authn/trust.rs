//! From whom identity headers are believed.
use super::xfcc;
use crate::{
    Peer,
    this_host::{canonical, is_this_host},
};
use http::HeaderMap;
use ipnet::IpNet;
use std::net::IpAddr;

/// The peers that have authenticated the user whom they name. By default nobody.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// The networks of proxies.
    pub proxies: Vec<IpNet>,
    /// Names of client certificates that our own listener has verified, each exactly as it stands in the certificate.
    pub client_names: Vec<String>,
    /// The networks from where a sidecar connects that tells of its clients' certificates: Envoy in a mesh. A peer
    /// here is believed by `principals` alone, whatever `proxies` says.
    pub sidecar: Vec<IpNet>,
    /// The URIs of certificates, such as `spiffe://cluster.local/ns/istio-system/sa/gateway`, whose holders are
    /// believed if the sidecar says that it has verified them.
    pub principals: Vec<String>,
    /// Never to believe an address of this host, whatever the networks are: tasks with a network that run here could
    /// speak as anybody.
    pub distrust_this_host: bool,
}

impl Trust {
    /// The same with all networks in one form, as [`believes`](Self::believes) needs them.
    pub(super) fn settled(mut self) -> Self {
        for nets in [&mut self.proxies, &mut self.sidecar] {
            *nets = nets.drain(..).map(canonical).collect();
        }
        self
    }

    /// Whether the peer is believed in a request with these headers.
    pub(super) fn believes(&self, headers: &HeaderMap, peer: &Peer) -> bool {
        peer.names.iter().any(|name| self.client_names.contains(name)) || self.believes_address(headers, peer)
    }

    fn believes_address(&self, headers: &HeaderMap, peer: &Peer) -> bool {
        let Some(address) = peer.address.map(|ip| ip.to_canonical()) else { return false };
        if self.distrust_this_host && is_this_host(address) {
            return false;
        }
        if contains(&self.sidecar, address) {
            return xfcc::uri(headers).is_some_and(|uri| self.principals.iter().any(|principal| *principal == uri));
        }
        contains(&self.proxies, address)
    }
}

fn contains(nets: &[IpNet], address: IpAddr) -> bool {
    nets.iter().any(|net| net.contains(&address))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use std::sync::Arc;

    const GATEWAY: &str = "spiffe://cluster.local/ns/istio-system/sa/gateway";

    fn nets<const N: usize>(nets: [&str; N]) -> Vec<IpNet> {
        nets.map(|net| net.parse().unwrap()).into()
    }

    fn trust() -> Trust {
        Trust {
            proxies: nets(["10.0.0.0/8", "::ffff:192.0.2.0/120", "127.0.0.0/8"]),
            client_names: vec!["proxy.example.com".into(), GATEWAY.into()],
            sidecar: nets(["127.0.0.6/32", "10.9.0.0/16"]),
            principals: vec![GATEWAY.into()],
            distrust_this_host: false,
        }
        .settled()
    }

    fn peer(address: &str, names: &[&str]) -> Peer {
        Peer { address: address.parse().ok(), names: names.iter().map(|&name| name.to_owned()).collect::<Arc<[_]>>() }
    }

    #[test]
    fn peers() {
        let trust = trust();
        let wary = Trust { distrust_this_host: true, ..trust.clone() };
        let (own, other) = (format!("By=a;URI={GATEWAY}"), "By=a;URI=spiffe://cluster.local/ns/a/sa/b".to_owned());
        let longer = format!("By=a;URI={GATEWAY}2");
        for (address, names, xfcc, believed, by_wary) in [
            // Addresses of proxies.
            ("10.255.0.1", &[][..], "", true, true),
            ("::ffff:10.0.0.1", &[], "", true, true),
            ("192.0.2.7", &[], "", true, true),
            ("::ffff:192.0.2.7", &[], "", true, true),
            ("192.0.3.7", &[], "", false, false),
            ("::1", &[], "", false, false),
            ("127.0.0.1", &[], "", true, false),
            ("::ffff:127.1.2.3", &[], "", true, false),
            ("", &[], "", false, false),
            // Certificates, which are good from everywhere.
            ("192.0.3.7", &["proxy.example.com"], "", true, true),
            ("127.0.0.1", &["proxy.example.com"], "", true, true),
            ("", &["other.example.com", "proxy.example.com"], "", true, true),
            ("192.0.3.7", &[GATEWAY], "", true, true),
            ("192.0.3.7", &["Proxy.example.com"], "", false, false),
            ("192.0.3.7", &["a.proxy.example.com"], "", false, false),
            ("192.0.3.7", &["proxy.example.com.evil.example"], "", false, false),
            ("192.0.3.7", &[""], "", false, false),
            // Sidecars: what they say of their client decides, also where the network is a proxy's.
            ("127.0.0.6", &[], &own, true, false),
            ("::ffff:127.0.0.6", &[], &own, true, false),
            ("10.9.1.1", &[], &own, true, true),
            ("127.0.0.6", &[], &other, false, false),
            ("127.0.0.6", &[], &longer, false, false),
            ("127.0.0.6", &[], "", false, false),
            ("10.9.1.1", &[], &other, false, false),
            ("10.9.1.1", &[], "", false, false),
            // From anybody else the header says nothing.
            ("192.0.3.7", &[], &own, false, false),
            ("", &[], &own, false, false),
        ] {
            let mut headers = HeaderMap::new();
            if !xfcc.is_empty() {
                headers.insert("x-forwarded-client-cert", HeaderValue::from_str(xfcc).unwrap());
            }
            let peer = peer(address, names);
            assert_eq!(trust.believes(&headers, &peer), believed, "{peer:?} {xfcc}");
            assert_eq!(wary.believes(&headers, &peer), by_wary, "wary of {peer:?} {xfcc}");
            assert!(!Trust::default().believes(&headers, &peer), "{peer:?} {xfcc}");
        }
    }

    #[test]
    fn a_sidecar_without_principals_is_believed_by_none() {
        let trust = Trust { principals: Vec::new(), ..trust() };
        let headers = HeaderMap::from_iter([(
            "x-forwarded-client-cert".parse().unwrap(),
            HeaderValue::from_str(&format!("URI={GATEWAY}")).unwrap(),
        )]);
        assert!(!trust.believes(&headers, &peer("127.0.0.6", &[])));
        assert!(trust.believes(&headers, &peer("127.0.0.7", &[])), "a proxy's address");
    }
}
