//! Which addresses a callback may go to.
//!
//! An endpoint's name may resolve to anything, and change its mind: the check is made on addresses, after every
//! resolution, so that a callback cannot be turned against the machine's own surroundings.

use crate::config::PrivateAddresses;
use async_trait::async_trait;
use hyper::Uri;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, ToSocketAddrs};
use tokio::sync::OwnedSemaphorePermit;

/// Where the addresses of a name come from.
#[async_trait]
pub trait Names: Send + Sync + std::fmt::Debug {
    /// The permit is given back when the look-up has really ended, whoever still waits for it.
    async fn look_up(&self, host: &str, permit: OwnedSemaphorePermit) -> io::Result<Vec<IpAddr>>;
}

/// The names that the operating system knows.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemNames;

#[async_trait]
impl Names for SystemNames {
    async fn look_up(&self, host: &str, permit: OwnedSemaphorePermit) -> io::Result<Vec<IpAddr>> {
        let host = host.to_owned();
        let looking_up = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            Ok((host.as_str(), 0).to_socket_addrs()?.map(|found| found.ip()).collect())
        });
        looking_up.await.map_err(io::Error::other)?
    }
}

/// Whether something can be sent there at all.
pub fn is_http(url: &Uri) -> bool {
    let has_host = url.host().is_some_and(|host| !host.is_empty());
    has_host && matches!(url.scheme_str(), Some("http" | "https"))
}

/// Whether an address that was declared under `key` can be called, and says nothing that is secret: it ends up in logs.
pub fn check_url(key: &str, text: &str, private: PrivateAddresses) -> Result<(), String> {
    let url: Uri = text.parse().map_err(|error| format!("{key} is none: {error}"))?;
    let host = url.host().unwrap_or_default();
    if !is_http(&url) {
        return Err(format!("{key} must be http:// or https:// with a host"));
    }
    if url.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        return Err(format!("{key} must not hold a name or a password"));
    }
    if let Ok(ip) = host.trim_matches(['[', ']']).parse()
        && !may_call(ip, private)
    {
        return Err(format!("{key} leads to {host}, which is never called, or not by these settings"));
    }
    Ok(())
}

pub fn may_call(ip: IpAddr, private: PrivateAddresses) -> bool {
    // An IPv4 address in IPv6 clothes is judged by what it is.
    let ip = match ip {
        IpAddr::V6(v6) => embedded_v4(v6).map_or(ip, IpAddr::V4),
        IpAddr::V4(_) => ip,
    };
    match ip {
        IpAddr::V4(v4) => {
            !is_never_called_v4(v4) && (private == PrivateAddresses::Allow || !is_private_v4(v4))
        }
        IpAddr::V6(v6) => {
            !is_never_called_v6(v6) && (private == PrivateAddresses::Allow || !is_private_v6(v6))
        }
    }
}

/// The IPv4 address that a mapped, compatible, translated (NAT64) or tunnelled (6to4) one leads to.
fn embedded_v4(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    let [first, second, third, .., high, low] = ip.segments();
    let from = |high: u16, low: u16| Some(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)));
    match ip.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, _, _] | [0, 0, 0, 0, 0, 0xffff, _, _] => from(high, low),
        [0, 0, 0, 0, 0, 0, _, _] if !ip.is_loopback() && !ip.is_unspecified() => from(high, low),
        _ if first == 0x2002 => from(second, third),
        _ => None,
    }
}

/// Link-local, which holds the metadata services of clouds, and what is no address of a server at all.
fn is_never_called_v4(ip: Ipv4Addr) -> bool {
    const METADATA: [Ipv4Addr; 3] =
        [Ipv4Addr::new(100, 100, 100, 200), Ipv4Addr::new(168, 63, 129, 16), Ipv4Addr::new(192, 0, 0, 192)];
    let special = ip.is_link_local() || ip.is_multicast() || ip.is_broadcast() || ip.octets()[0] == 0;
    special || METADATA.contains(&ip)
}

fn is_never_called_v6(ip: Ipv6Addr) -> bool {
    const AWS_METADATA: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);
    ip.is_unicast_link_local() || ip.is_multicast() || ip.is_unspecified() || ip == AWS_METADATA
}

fn is_private_v4(ip: Ipv4Addr) -> bool {
    let [first, second, ..] = ip.octets();
    let shared = first == 100 && (64..128).contains(&second);
    let benchmarks = first == 198 && (18..20).contains(&second);
    ip.is_loopback() || ip.is_private() || shared || benchmarks
}

fn is_private_v6(ip: Ipv6Addr) -> bool {
    let site_local = ip.segments()[0] & 0xffc0 == 0xfec0;
    ip.is_loopback() || ip.is_unique_local() || site_local
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_as_a_table() {
        use PrivateAddresses::{Allow, Refuse};
        for (ip, allowed, refused) in [
            ("93.184.216.34", true, true),
            ("127.0.0.1", true, false),
            ("10.1.2.3", true, false),
            ("172.31.0.1", true, false),
            ("172.32.0.1", true, true),
            ("100.64.0.1", true, false),
            ("169.254.169.254", false, false),
            ("100.100.100.200", false, false),
            ("0.0.0.0", false, false),
            ("255.255.255.255", false, false),
            ("::1", true, false),
            ("fd12::1", true, false),
            ("fd00:ec2::254", false, false),
            ("fe80::1", false, false),
            ("::ffff:169.254.169.254", false, false),
            ("::ffff:127.0.0.1", true, false),
            ("64:ff9b::a9fe:a9fe", false, false),
            ("::169.254.169.254", false, false),
            ("2002:a9fe:a9fe::", false, false),
            ("2002:0a00:0001::", true, false),
            ("168.63.129.16", false, false),
            ("198.18.0.1", true, false),
            ("fec0::1", true, false),
            ("2606:2800:220:1::1", true, true),
        ] {
            let address: IpAddr = ip.parse().unwrap();
            assert_eq!((may_call(address, Allow), may_call(address, Refuse)), (allowed, refused), "{ip}");
        }
    }
}
