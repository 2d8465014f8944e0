//! Which addresses a callback may go to.
//!
//! An endpoint's name may resolve to anything, and change its mind: the check is made on addresses, after every
//! resolution, so that a callback cannot be turned against the machine's own surroundings.

use crate::config::PrivateAddresses;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub fn may_call(ip: IpAddr, private: PrivateAddresses) -> bool {
    // An IPv4 address in IPv6 clothes is judged by what it is.
    let ip = match ip {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(ip, IpAddr::V4),
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

/// Link-local, which holds the metadata services of clouds, and what is no address of a server at all.
fn is_never_called_v4(ip: Ipv4Addr) -> bool {
    const ALIBABA_METADATA: Ipv4Addr = Ipv4Addr::new(100, 100, 100, 200);
    ip.is_link_local()
        || ip.is_multicast()
        || ip.is_broadcast()
        || ip.octets()[0] == 0
        || ip == ALIBABA_METADATA
}

fn is_never_called_v6(ip: Ipv6Addr) -> bool {
    const AWS_METADATA: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);
    ip.is_unicast_link_local() || ip.is_multicast() || ip.is_unspecified() || ip == AWS_METADATA
}

fn is_private_v4(ip: Ipv4Addr) -> bool {
    let [first, second, ..] = ip.octets();
    ip.is_loopback() || ip.is_private() || (first == 100 && (64..128).contains(&second))
}

fn is_private_v6(ip: Ipv6Addr) -> bool {
    ip.is_loopback() || ip.is_unique_local()
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
            ("2606:2800:220:1::1", true, true),
        ] {
            let address: IpAddr = ip.parse().unwrap();
            assert_eq!((may_call(address, Allow), may_call(address, Refuse)), (allowed, refused), "{ip}");
        }
    }
}
