//! Names of ports: those that IANA registered, and [`Services`], as `/etc/services` has them.

use super::write_u64;
use std::collections::BTreeMap;

/// Names of ports in IANA's list (RFC 6335): what is common on Linux nodes, ascending, one name for each.
const REGISTERED: &[(u16, &str)] = &[
    (7, "echo"),
    (9, "discard"),
    (13, "daytime"),
    (17, "qotd"),
    (19, "chargen"),
    (20, "ftp-data"),
    (21, "ftp"),
    (22, "ssh"),
    (23, "telnet"),
    (25, "smtp"),
    (37, "time"),
    (43, "whois"),
    (49, "tacacs"),
    (53, "domain"),
    (67, "bootps"),
    (68, "bootpc"),
    (69, "tftp"),
    (70, "gopher"),
    (79, "finger"),
    (80, "http"),
    (88, "kerberos"),
    (110, "pop3"),
    (111, "sunrpc"),
    (113, "auth"),
    (119, "nntp"),
    (123, "ntp"),
    (135, "epmap"),
    (137, "netbios-ns"),
    (138, "netbios-dgm"),
    (139, "netbios-ssn"),
    (143, "imap2"),
    (161, "snmp"),
    (162, "snmp-trap"),
    (177, "xdmcp"),
    (179, "bgp"),
    (194, "irc"),
    (389, "ldap"),
    (427, "svrloc"),
    (443, "https"),
    (445, "microsoft-ds"),
    (464, "kpasswd"),
    (465, "submissions"),
    (500, "isakmp"),
    (514, "syslog"),
    (515, "printer"),
    (520, "route"),
    (543, "klogin"),
    (546, "dhcpv6-client"),
    (547, "dhcpv6-server"),
    (554, "rtsp"),
    (587, "submission"),
    (623, "asf-rmcp"),
    (631, "ipp"),
    (636, "ldaps"),
    (646, "ldp"),
    (749, "kerberos-adm"),
    (853, "domain-s"),
    (873, "rsync"),
    (989, "ftps-data"),
    (990, "ftps"),
    (992, "telnets"),
    (993, "imaps"),
    (995, "pop3s"),
    (1080, "socks"),
    (1194, "openvpn"),
    (1433, "ms-sql-s"),
    (1434, "ms-sql-m"),
    (1521, "ncube-lm"),
    (1701, "l2f"),
    (1812, "radius"),
    (1813, "radius-acct"),
    (1883, "mqtt"),
    (2049, "nfs"),
    (2379, "etcd-client"),
    (2380, "etcd-server"),
    (3260, "iscsi-target"),
    (3306, "mysql"),
    (3389, "ms-wbt-server"),
    (3478, "stun"),
    (3690, "svn"),
    (4369, "epmd"),
    (4500, "ipsec-nat-t"),
    (5060, "sip"),
    (5061, "sip-tls"),
    (5222, "xmpp-client"),
    (5269, "xmpp-server"),
    (5353, "mdns"),
    (5432, "postgresql"),
    (5671, "amqps"),
    (5672, "amqp"),
    (5900, "rfb"),
    (6000, "x11"),
    (6379, "redis"),
    (6514, "syslog-tls"),
    (6667, "ircd"),
    (8080, "http-alt"),
    (8883, "secure-mqtt"),
    (9100, "jetdirect"),
    (9418, "git"),
    (11211, "memcache"),
    (27017, "mongodb"),
];

/// The name that a port is registered by; `None` where this is none of the common ones.
pub fn service_of(port: u16) -> Option<&'static str> {
    REGISTERED.binary_search_by_key(&port, |(known, _)| *known).ok().map(|at| REGISTERED[at].1)
}

/// The port of a registered name; `None` where the name is not known.
pub fn port_of(name: &str) -> Option<u16> {
    REGISTERED.iter().find(|(_, known)| *known == name).map(|(port, _)| *port)
}

/// All registered names that are known.
pub fn service_names() -> impl Iterator<Item = &'static str> {
    REGISTERED.iter().map(|(_, name)| *name)
}

/// Names of ports of a machine.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Services {
    names: BTreeMap<u16, String>,
}

impl Services {
    /// Reads `services(5)`: `NAME PORT/PROTOCOL ALIAS… # comment`. Of several names of a port the first counts, whatever
    /// the protocol; lines that are none are passed over.
    pub fn parse(text: &str) -> Services {
        let mut names = BTreeMap::new();
        for line in text.lines() {
            let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
            let (Some(name), Some(port)) = (words.next(), words.next()) else { continue };
            let Some(port) = port.split_once('/').and_then(|(port, _)| port.parse().ok()) else { continue };
            if name.bytes().all(|b| b.is_ascii_graphic()) {
                names.entry(port).or_insert_with(|| name.to_owned());
            }
        }
        Services { names }
    }

    /// The name of a port, if it has one.
    pub fn name(&self, port: u16) -> Option<&str> {
        self.names.get(&port).map(String::as_str)
    }

    /// Appends a port: its name if there are names and it has one, or its number.
    pub fn write(of: Option<&Services>, out: &mut Vec<u8>, port: u16) {
        match of.and_then(|services| services.name(port)) {
            Some(name) => out.extend_from_slice(name.as_bytes()),
            None => write_u64(out, u64::from(port)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_ascend_and_names_differ() {
        assert!(REGISTERED.windows(2).all(|pair| pair[0].0 < pair[1].0));
        let mut all: Vec<&str> = service_names().collect();
        all.sort_unstable();
        assert!(all.windows(2).all(|pair| pair[0] != pair[1]));
        assert!(REGISTERED.iter().all(|(port, name)| service_of(*port) == Some(name) && port_of(name) == Some(*port)));
        assert_eq!((service_of(4), port_of("nothing")), (None, None));
    }

    #[test]
    fn services_are_read_as_their_file_has_them() {
        let text =
            "# x\nssh 22/tcp # shell\nhttp\t80/tcp www\nhttp2 80/udp\nbad\nworse 99999/tcp\nodd x/tcp\n\x1b[1m 7/tcp\n";
        let services = Services::parse(text);
        let written = |port| {
            let mut out = Vec::new();
            Services::write(Some(&services), &mut out, port);
            String::from_utf8(out).unwrap()
        };
        assert_eq!([22, 80, 7, 9].map(written), ["ssh", "http", "7", "9"]);
    }
}
