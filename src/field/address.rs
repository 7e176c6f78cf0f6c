//! Socket addresses and poll sets, as the kernel lays them out, as text.

use crate::value::{Services, write_dots, write_escaped, write_hex, write_i64, write_ip, write_u64};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Address families of `sys/socket.h`.
const AF_UNIX: u16 = 1;
const AF_INET: u16 = 2;
const AF_INET6: u16 = 10;

fn take<'a, const N: usize>(bytes: &mut &'a [u8]) -> Option<&'a [u8; N]> {
    let (head, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(head)
}

fn write_ip_port(out: &mut Vec<u8>, ip: IpAddr, port: u16, ports: Option<&Services>) {
    write_ip(out, ip);
    out.push(b':');
    Services::write(ports, out, port);
}

fn write_path(out: &mut Vec<u8>, path: &[u8], raw: bool) {
    // An abstract name starts with a NUL; it is shown with an @, as ss and netstat do.
    let (mark, name) = match path.split_first() {
        Some((0, name)) if name.first().is_some_and(|&b| b != 0) => (&b"@"[..], name),
        _ => (&b""[..], path),
    };
    let end = name.iter().position(|&b| b == 0).unwrap_or(name.len());
    out.extend_from_slice(mark);
    if raw { out.extend_from_slice(&name[..end]) } else { write_escaped(out, &name[..end]) }
}

/// Appends a `struct sockaddr`; what cannot be read as one is shown as data.
pub(super) fn write_sock_addr(out: &mut Vec<u8>, bytes: &[u8], raw: bool, ports: Option<&Services>) {
    if parse_sock_addr(out, bytes, raw, ports).is_none() {
        write_dots(out, bytes);
    }
}

fn parse_sock_addr(out: &mut Vec<u8>, mut bytes: &[u8], raw: bool, ports: Option<&Services>) -> Option<()> {
    match u16::from_le_bytes(*take(&mut bytes)?) {
        AF_UNIX => write_path(out, bytes, raw),
        AF_INET => {
            let port = u16::from_be_bytes(*take(&mut bytes)?);
            write_ip_port(out, Ipv4Addr::from(*take::<4>(&mut bytes)?).into(), port, ports);
        }
        AF_INET6 => {
            let port = u16::from_be_bytes(*take(&mut bytes)?);
            take::<4>(&mut bytes)?; // flow label
            write_ip_port(out, Ipv6Addr::from(*take::<16>(&mut bytes)?).into(), port, ports);
        }
        family => {
            out.extend_from_slice(b"family=");
            write_u64(out, u64::from(family));
        }
    }
    Some(())
}

/// Appends both ends of a socket ([`ParamType::Tuple`](crate::event::ParamType)): `a:p->b:q`.
pub(super) fn write_tuple(out: &mut Vec<u8>, bytes: &[u8], raw: bool, ports: Option<&Services>) {
    let start = out.len();
    if parse_tuple(out, bytes, raw, ports).is_none() {
        out.truncate(start);
        write_dots(out, bytes);
    }
}

fn parse_tuple(out: &mut Vec<u8>, mut bytes: &[u8], raw: bool, ports: Option<&Services>) -> Option<()> {
    let [family] = *take(&mut bytes)?;
    if u16::from(family) == AF_UNIX {
        write_hex(out, u64::from_le_bytes(*take(&mut bytes)?));
        out.extend_from_slice(b"->");
        write_hex(out, u64::from_le_bytes(*take(&mut bytes)?));
        if !bytes.is_empty() {
            out.push(b' ');
            write_path(out, bytes, raw);
        }
        return Some(());
    }
    for end in 0..2 {
        if end == 1 {
            out.extend_from_slice(b"->");
        }
        let ip: IpAddr = match u16::from(family) {
            AF_INET => Ipv4Addr::from(*take::<4>(&mut bytes)?).into(),
            AF_INET6 => Ipv6Addr::from(*take::<16>(&mut bytes)?).into(),
            _ => return None,
        };
        write_ip_port(out, ip, u16::from_le_bytes(*take(&mut bytes)?), ports);
    }
    Some(())
}

/// Appends a `struct pollfd` array: number and events that came (hexadecimal) of each, blanks between.
pub(super) fn write_fd_list(out: &mut Vec<u8>, bytes: &[u8]) {
    for (n, entry) in bytes.chunks_exact(8).enumerate() {
        if n > 0 {
            out.push(b' ');
        }
        write_i64(out, i64::from(i32::from_le_bytes([entry[0], entry[1], entry[2], entry[3]])));
        out.push(b':');
        write_hex(out, u64::from(u16::from_le_bytes([entry[6], entry[7]])));
    }
}

/// Appends the descriptors of a set, blanks between.
pub(super) fn write_fd_set(out: &mut Vec<u8>, bytes: &[u8]) {
    let bits = bytes
        .iter()
        .enumerate()
        .flat_map(|(at, byte)| (0..8).filter(move |b| byte >> b & 1 == 1).map(move |b| 8 * at + b));
    for (n, fd) in bits.enumerate() {
        if n > 0 {
            out.push(b' ');
        }
        write_u64(out, fd as u64);
    }
}

/// Appends the files that a message passes: number, device and inode (hexadecimal, decimal) of each, blanks between.
pub(super) fn write_file_list(out: &mut Vec<u8>, bytes: &[u8]) {
    for (n, mut entry) in bytes.chunks_exact(16).enumerate() {
        if n > 0 {
            out.push(b' ');
        }
        let (Some(fd), Some(dev), Some(ino)) = (take(&mut entry), take(&mut entry), take(&mut entry)) else { return };
        write_i64(out, i64::from(i32::from_le_bytes(*fd)));
        out.push(b':');
        write_hex(out, u64::from(u32::from_le_bytes(*dev)));
        out.push(b':');
        write_u64(out, u64::from_le_bytes(*ino));
    }
}

/// Appends a socket option's value: a number where it has the size of one, else data.
pub(super) fn write_option_value(out: &mut Vec<u8>, bytes: &[u8]) {
    let number = || bytes.iter().rev().fold(0, |v, b| v << 8 | u64::from(*b));
    match bytes.len() {
        4 => write_i64(out, i64::from((number() as u32).cast_signed())),
        1 | 8 => write_u64(out, number()),
        _ => write_dots(out, bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Writer = fn(&mut Vec<u8>, &[u8], bool, Option<&Services>);

    #[test]
    fn addresses_are_read_as_the_kernel_lays_them_out() {
        let v6: &[u8] = &[10, 0, 0, 80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
        for (writer, bytes, want) in [
            (write_sock_addr as Writer, &[2u8, 0, 0x1f, 0x90, 127, 0, 0, 1, 0, 0][..], "127.0.0.1:8080"),
            (write_sock_addr, v6, "::1:80"),
            (write_sock_addr, b"\x01\0/run/x.sock\0\0", "/run/x.sock"),
            (write_sock_addr, b"\x01\0\0abstract", "@abstract"),
            (write_sock_addr, b"\x01\0/\x1b[m", "/\\x1b[m"),
            (write_sock_addr, &[2, 0, 1], "..."),
            (write_sock_addr, &[16, 0, 1, 2], "family=16"),
            (write_tuple, &[2, 10, 0, 0, 1, 0xd2, 4, 10, 0, 0, 2, 80, 0], "10.0.0.1:1234->10.0.0.2:80"),
            (write_tuple, &[1, 255, 0, 0, 0, 0, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0, b'/', b'x'], "FF->10 /x"),
            (write_tuple, &[2, 10, 0], "..."),
            (write_tuple, &[7, 65], ".A"),
        ] {
            let mut out = Vec::new();
            writer(&mut out, bytes, false, None);
            assert_eq!(String::from_utf8(out).unwrap(), want.replace("...", ".".repeat(bytes.len()).as_str()));
        }
        let mut out = Vec::new();
        write_fd_list(&mut out, &[4, 0, 0, 0, 3, 0, 1, 0, 5, 0, 0, 0, 0, 0, 0xf1, 0, 9]);
        assert_eq!(out, b"4:1 5:F1");
        let file =
            |fd: i32, dev: u32, ino: u64| [&fd.to_le_bytes()[..], &dev.to_le_bytes(), &ino.to_le_bytes()].concat();
        for (bytes, files, want) in [
            ([file(4, 0x803, 12), file(5, 0, 0), vec![1]].concat(), true, "4:803:12 5:0:0"),
            (vec![], true, ""),
            (vec![0xff; 4], false, "-1"),
            (vec![1], false, "1"),
            (5_u64.to_le_bytes().to_vec(), false, "5"),
            (b"eth0\0".to_vec(), false, "eth0."),
        ] {
            let mut out = Vec::new();
            (if files { write_file_list } else { write_option_value })(&mut out, &bytes);
            assert_eq!(String::from_utf8(out).unwrap(), want);
        }
    }
}
