//! Socket addresses and tuples, as bytes of the kernel, made into endpoints.

use super::dict::Endpoint;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const AF_UNIX: u16 = 1;
const AF_INET: u16 = 2;
const AF_INET6: u16 = 10;
const AF_VSOCK: u16 = 40;

/// A socket address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Address<'a> {
    /// IPv4 or IPv6.
    Ip(Endpoint),
    /// Path; abstract names start with `@` in place of the NUL.
    Unix(&'a [u8]),
    /// Between virtual machines and their host (`vsock(7)`).
    Vsock {
        /// Machine.
        cid: u32,
        /// Port.
        port: u32,
    },
    /// Another family, or too short to tell.
    Other(u16),
}

/// Reads a `struct sockaddr` (include/linux/socket.h: family in host order, the rest in network order).
pub fn sockaddr(bytes: &[u8]) -> Option<Address<'_>> {
    let family = u16::from_le_bytes([*bytes.first()?, *bytes.get(1)?]);
    let port = || Some(u16::from_be_bytes([*bytes.get(2)?, *bytes.get(3)?]));
    Some(match family {
        AF_INET => {
            let ip: [u8; 4] = bytes.get(4..8)?.try_into().ok()?;
            Address::Ip(Endpoint { ip: IpAddr::V4(Ipv4Addr::from(ip)), port: port()? })
        }
        AF_INET6 => {
            let ip: [u8; 16] = bytes.get(8..24)?.try_into().ok()?;
            Address::Ip(Endpoint { ip: plain(Ipv6Addr::from(ip)), port: port()? })
        }
        AF_UNIX => Address::Unix(unix_path(&bytes[2..])),
        AF_VSOCK => {
            let word = |at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
            Address::Vsock { port: word(4)?, cid: word(8)? }
        }
        other => Address::Other(other),
    })
}

/// A path ends at its NUL; an abstract name (leading NUL) is as long as the address and keeps its NULs.
fn unix_path(path: &[u8]) -> &[u8] {
    match path.first() {
        None | Some(0) => path,
        Some(_) => path.split(|&b| b == 0).next().unwrap_or_default(),
    }
}

/// Both ends of an IP socket from the probe's tuple: family u8, then local address and port, remote address and port
/// ([`ParamType::Tuple`](crate::event::ParamType::Tuple)).
pub fn tuple(bytes: &[u8]) -> Option<(Endpoint, Endpoint)> {
    match bytes.split_first()? {
        (2, rest) => Some((v4(rest.get(..6)?)?, v4(rest.get(6..12)?)?)),
        (10, rest) => Some((v6(rest.get(..18)?)?, v6(rest.get(18..36)?)?)),
        _ => None,
    }
}

fn v4(bytes: &[u8]) -> Option<Endpoint> {
    let ip: [u8; 4] = bytes.get(..4)?.try_into().ok()?;
    let port = u16::from_le_bytes(bytes.get(4..6)?.try_into().ok()?);
    Some(Endpoint { ip: IpAddr::V4(Ipv4Addr::from(ip)), port })
}

fn v6(bytes: &[u8]) -> Option<Endpoint> {
    let ip: [u8; 16] = bytes.get(..16)?.try_into().ok()?;
    let port = u16::from_le_bytes(bytes.get(16..18)?.try_into().ok()?);
    Some(Endpoint { ip: plain(Ipv6Addr::from(ip)), port })
}

/// IPv4-mapped IPv6 addresses are shown as IPv4, as sysdig does.
fn plain(ip: Ipv6Addr) -> IpAddr {
    ip.to_ipv4_mapped().map_or(IpAddr::V6(ip), IpAddr::V4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_each_family_are_read() {
        let inet = [2, 0, 0, 80, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(sockaddr(&inet), Some(Address::Ip(Endpoint { ip: "127.0.0.1".parse().unwrap(), port: 80 })));
        assert_eq!(sockaddr(b"\x01\0/run/x.sock\0junk"), Some(Address::Unix(b"/run/x.sock")));
        assert_eq!(sockaddr(b"\x01\0\0abstract"), Some(Address::Unix(b"\0abstract")));
        assert_eq!(sockaddr(b"\x10\0"), Some(Address::Other(16)));
        assert_eq!(sockaddr(b"\x28\0\0\0\x00\x04\0\0\x02\0\0\0"), Some(Address::Vsock { cid: 2, port: 1024 }));
    }

    #[test]
    fn a_cut_address_is_none_and_never_a_panic() {
        for length in 0..8 {
            assert!(sockaddr(&[2, 0, 0, 80, 127, 0, 0][..length.min(7)]).is_none());
        }
    }

    #[test]
    fn mapped_addresses_come_out_as_ipv4() {
        let mut bytes = vec![10];
        for (ip, port) in [("::ffff:10.0.0.1", 1u16), ("::1", 2)] {
            bytes.extend(ip.parse::<Ipv6Addr>().unwrap().octets());
            bytes.extend(port.to_le_bytes());
        }
        let (local, remote) = tuple(&bytes).unwrap();
        assert_eq!((local.ip.to_string().as_str(), local.port), ("10.0.0.1", 1));
        assert_eq!((remote.ip.to_string().as_str(), remote.port), ("::1", 2));
    }
}
