//! Addresses of network interfaces, as the kernel tells them over `rtnetlink(7)`, one network namespace at a time.
#![allow(clippy::host_endian_bytes, reason = "netlink is spoken on one machine, in its own byte order")]

use super::socket::visit;
use crate::sys::{Netlink, NetlinkFamily, netlink_attributes};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;

/// `RTM_GETLINK` and `RTM_GETADDR` (`include/uapi/linux/rtnetlink.h`).
const GETLINK: u16 = 18;
const GETADDR: u16 = 22;
/// `IFLA_ADDRESS` and `IFLA_IFNAME` (`include/uapi/linux/if_link.h`).
const LINK_HARDWARE: u16 = 1;
const LINK_NAME: u16 = 3;
/// `IFA_ADDRESS`, `IFA_LOCAL` and `IFA_BROADCAST` (`include/uapi/linux/if_addr.h`).
const ADDRESS: u16 = 1;
const LOCAL: u16 = 2;
const BROADCAST: u16 = 4;

/// An address of an interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) ip: IpAddr,
    pub(super) mask: IpAddr,
    pub(super) broadcast: Option<IpAddr>,
}

/// A network interface.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Interface {
    pub(super) index: u32,
    pub(super) name: Vec<u8>,
    /// `IFF_UP` and its kin (`netdevice(7)`).
    pub(super) flags: u32,
    /// Its hardware address as hexadecimal digits with colons; empty where it has none.
    pub(super) hardware: String,
    pub(super) addresses: Vec<Address>,
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|b| u32::from_ne_bytes(*b))
}

/// `struct ifinfomsg` (`include/uapi/linux/rtnetlink.h`) and its attributes.
fn link(message: &[u8]) -> Option<Interface> {
    let mut found = Interface { index: number(message, 4)?, flags: number(message, 8)?, ..Interface::default() };
    for (kind, value) in netlink_attributes(message.get(16..)?) {
        match kind {
            LINK_NAME => found.name = value.split(|&b| b == 0).next().unwrap_or_default().to_vec(),
            LINK_HARDWARE => {
                found.hardware = value.iter().map(|b| format!("{b:02x}")).collect::<Vec<_>>().join(":");
            }
            _ => {}
        }
    }
    Some(found)
}

fn ip(bytes: &[u8]) -> Option<IpAddr> {
    match bytes.len() {
        4 => bytes.first_chunk().map(|b| Ipv4Addr::from(*b).into()),
        _ => bytes.first_chunk().map(|b| Ipv6Addr::from(*b).into()),
    }
}

/// The mask that leaves the first `length` bits.
fn mask(like: IpAddr, length: u8) -> IpAddr {
    match like {
        IpAddr::V4(_) => Ipv4Addr::from(u32::MAX.checked_shl(32 - u32::from(length.min(32))).unwrap_or(0)).into(),
        IpAddr::V6(_) => Ipv6Addr::from(u128::MAX.checked_shl(128 - u32::from(length.min(128))).unwrap_or(0)).into(),
    }
}

/// `struct ifaddrmsg` (`include/uapi/linux/if_addr.h`) and its attributes: index of the interface, and the address.
fn address(message: &[u8]) -> Option<(u32, Address)> {
    let (length, index) = (*message.get(1)?, number(message, 4)?);
    let (mut all, mut local, mut broadcast) = (None, None, None);
    for (kind, value) in netlink_attributes(message.get(8..)?) {
        match kind {
            // Of a line between two hosts this is the other end; the own one is local then.
            ADDRESS => all = ip(value),
            LOCAL => local = ip(value),
            BROADCAST => broadcast = ip(value),
            _ => {}
        }
    }
    let ip = local.or(all)?;
    Some((index, Address { ip, mask: mask(ip, length), broadcast }))
}

/// Asks the kernel, in the network namespace of the calling thread.
fn ask() -> Option<Vec<Interface>> {
    let mut netlink = Netlink::open(NetlinkFamily::Route).ok()?;
    let mut found = BTreeMap::new();
    // Both requests are a header of zeros: every family.
    netlink.dump(GETLINK, &[0; 16], &mut |_, m| found.extend(link(m).map(|i| (i.index, i)))).ok()?;
    let mut add = |message: &[u8]| {
        if let Some((index, address)) = address(message)
            && let Some(interface) = found.get_mut(&index)
        {
            interface.addresses.push(address);
        }
    };
    netlink.dump(GETADDR, &[0; 8], &mut |_, m| add(m)).ok()?;
    Some(found.into_values().collect())
}

/// The interfaces in the network namespace of the process whose `/proc` directory this is, by number; `None` where
/// that namespace cannot be entered.
pub(super) fn interfaces(process: &Path) -> Option<Vec<Interface>> {
    visit(process, ask).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loopback_interface_has_its_address() {
        let found = interfaces(Path::new("/proc/self")).unwrap();
        let lo = found.iter().find(|i| i.name == b"lo").unwrap();
        assert!(found.is_sorted_by_key(|i| i.index));
        // IFF_LOOPBACK
        assert!(lo.flags & 8 != 0 && lo.hardware == "00:00:00:00:00:00", "{lo:?}");
        let expected = Address { ip: [127, 0, 0, 1].into(), mask: [255, 0, 0, 0].into(), broadcast: None };
        assert!(lo.addresses.is_empty() || lo.addresses.contains(&expected), "{lo:?}");
    }

    #[test]
    fn a_mask_has_as_many_bits_as_the_prefix() {
        let (v4, v6) = (IpAddr::from([0; 4]), IpAddr::from([0; 16]));
        for (like, length, expected) in [
            (v4, 0, "0.0.0.0"),
            (v4, 20, "255.255.240.0"),
            (v4, 32, "255.255.255.255"),
            (v6, 64, "ffff:ffff:ffff:ffff::"),
            (v6, 255, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ] {
            assert_eq!(mask(like, length).to_string(), expected);
        }
    }

    #[test]
    fn real_messages_cut_anywhere_make_no_panic() {
        let mut messages = Vec::new();
        let mut netlink = Netlink::open(NetlinkFamily::Route).unwrap();
        for (kind, header) in [(GETLINK, 16), (GETADDR, 8)] {
            netlink.dump(kind, &vec![0; header], &mut |_, m| messages.push(m.to_vec())).unwrap();
        }
        assert!(!messages.is_empty());
        for message in messages {
            for end in 0..=message.len() {
                link(&message[..end]);
                address(&message[..end]);
            }
        }
    }
}
