//! [`Services`]: names of ports, as `/etc/services` has them.

use super::write_u64;
use std::collections::BTreeMap;

/// Names of ports.
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
