//! Whether a peer is this very host, where tenants' tasks may be running.
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How long the addresses of the interfaces are taken for granted.
const FRESH: Duration = Duration::from_secs(3);

/// Whether the address is a loop-back address or one of this host's interfaces. If the interfaces cannot be listed
/// every address counts as this host's: the question is asked to find out whom not to trust.
pub fn is_this_host(ip: IpAddr) -> bool {
    let ip = ip.to_canonical();
    ip.is_loopback() || ip.is_unspecified() || interfaces().is_none_or(|addresses| addresses.contains(&ip))
}

/// Whether a trusted network reaches into the loop-back addresses, so that everything on this host is trusted.
pub fn contains_loopback(nets: &[IpNet]) -> bool {
    let loopback = [
        IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(127, 0, 0, 0), 8)),
        IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::LOCALHOST, 128)),
    ];
    nets.iter().copied().map(canonical).any(|net| loopback.iter().any(|l| net.contains(l) || l.contains(&net)))
}

/// The network in IPv4 if it is one of IPv4 addresses that are written as IPv6.
pub(crate) fn canonical(net: IpNet) -> IpNet {
    let IpNet::V6(v6) = net else { return net };
    let (Some(v4), Some(length)) = (v6.addr().to_ipv4_mapped(), v6.prefix_len().checked_sub(96)) else { return net };
    Ipv4Net::new(v4, length).map_or(net, IpNet::V4)
}

fn interfaces() -> Option<Vec<IpAddr>> {
    static KNOWN: Mutex<Option<(Instant, Vec<IpAddr>)>> = Mutex::new(None);
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((at, addresses)) = &*known
        && at.elapsed() < FRESH
    {
        return Some(addresses.clone());
    }
    let listed = if_addrs::get_if_addrs().inspect_err(|error| tracing::warn!("listing this host's addresses: {error}"));
    let addresses: Vec<IpAddr> = listed.ok()?.iter().map(|interface| interface.ip().to_canonical()).collect();
    *known = Some((Instant::now(), addresses.clone()));
    Some(addresses)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_that_reach_into_loopback() {
        for (net, expect) in [
            ("127.0.0.1/32", true),
            ("127.0.0.0/8", true),
            ("0.0.0.0/0", true),
            ("::/0", true),
            ("::1/128", true),
            ("::ffff:127.0.0.1/128", true),
            ("::ffff:0.0.0.0/96", true),
            ("10.0.0.0/8", false),
            ("fd00::/8", false),
            ("128.0.0.0/8", false),
        ] {
            assert_eq!(contains_loopback(&[net.parse().unwrap()]), expect, "{net}");
        }
        assert!(!contains_loopback(&[]));
    }

    #[test]
    fn this_host_by_its_addresses() {
        for (ip, expect) in [
            ("127.0.0.1", true),
            ("127.8.9.10", true),
            ("::1", true),
            ("::ffff:127.0.0.1", true),
            ("0.0.0.0", true),
            ("192.0.2.1", false),
            ("2001:db8::1", false),
        ] {
            assert_eq!(is_this_host(ip.parse().unwrap()), expect, "{ip}");
        }
        for interface in if_addrs::get_if_addrs().unwrap() {
            assert!(is_this_host(interface.ip()), "{}", interface.ip());
        }
    }
}
