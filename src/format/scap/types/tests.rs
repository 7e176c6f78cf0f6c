use super::{TYPES, Wire};
use std::path::PathBuf;

fn shared(path: &str) -> Option<String> {
    let root = std::env::var_os("SYSREEL_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    std::fs::read_to_string(root.join(path)).ok()
}

/// sysdig's word for a type.
fn word(wire: Wire) -> &'static str {
    use Wire as W;
    match wire {
        W::I16 => "INT16",
        W::I32 => "INT32",
        W::I64 => "INT64",
        W::U8 => "UINT8",
        W::U16 => "UINT16",
        W::U32 => "UINT32",
        W::U64 => "UINT64",
        W::Flags8 => "FLAGS8",
        W::Flags16 => "FLAGS16",
        W::Flags32 => "FLAGS32",
        W::Enum8 => "ENUMFLAGS8",
        W::Enum16 => "ENUMFLAGS16",
        W::Enum32 => "ENUMFLAGS32",
        W::Mode => "MODE",
        W::SigSet => "SIGSET",
        W::Errno => "ERRNO",
        W::Fd => "FD",
        W::Fd32 => "FD32",
        W::Pid => "PID",
        W::Pid32 => "PID32",
        W::Uid => "UID",
        W::Gid => "GID",
        W::Signal => "SIGTYPE",
        W::Duration => "RELTIME",
        W::Time => "ABSTIME",
        W::Call => "SYSCALLID",
        W::Port => "PORT",
        W::Ipv4 => "IPV4ADDR",
        W::Ipv6 => "IPV6ADDR",
        W::Text => "CHARBUF",
        W::Path => "FSPATH",
        W::RelPath => "FSRELPATH",
        W::Bytes => "BYTEBUF",
        W::TextList => "CHARBUFARRAY",
        W::PairList => "CHARBUF_PAIR_ARRAY",
        W::SockAddr => "SOCKADDR",
        W::Tuple => "SOCKTUPLE",
        W::FdList => "FDLIST",
        W::Dyn => "DYN",
    }
}

#[test]
fn the_table_is_sysdigs() {
    let Some(table) = shared("spec/events.tsv") else {
        println!("skipped: the_table_is_sysdigs (no shared folder)");
        return;
    };
    let mut checked = 0;
    for line in table.lines().filter(|l| !l.starts_with('#')) {
        let columns: Vec<&str> = line.split('\t').collect();
        let number: usize = columns[0].parse().unwrap();
        let (ours, facts) = (&TYPES[number], columns[6]);
        assert_eq!(ours.name, columns[2], "{number}");
        assert_eq!(ours.is_old(), facts.contains("OLD_VERSION"), "{number}");
        assert_eq!(ours.is_unused(), facts.contains("UNUSED"), "{number}");
        assert_eq!(ours.length_width() == 4, facts.contains("LARGE_PAYLOAD"), "{number}");
        let theirs: Vec<&str> = columns[8].split(", ").filter(|p| !p.is_empty()).collect();
        assert_eq!(theirs.len(), ours.params.len(), "{number}");
        for (their, our) in theirs.iter().zip(ours.params) {
            let parts: Vec<&str> = their.split(':').collect();
            assert_eq!((our.name, word(our.wire)), (parts[0], parts[1]), "{number}");
            let names = parts.get(3).filter(|aux| !aux.starts_with("dirfd=")).map(|aux| {
                let dynamic = aux.strip_prefix("dyn{").and_then(|a| a.split_once("_dynamic_param")).map(|a| a.0);
                dynamic.unwrap_or_else(|| aux.trim_matches(['{', '}']))
            });
            assert_eq!(our.names, names, "{number}.{}", our.name);
        }
        checked += 1;
    }
    assert_eq!(checked, TYPES.len());
}
