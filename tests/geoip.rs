//! Where addresses are (`--geoip`): what databases say shows in fields, filters and chisels, and whatever a file holds, nothing breaks.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on fails, and says so"
)]

mod common;

use common::live::SYSREEL;
use common::mmdb::{Datum, database, place, sample};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use sysreel::value::{Place, Places};

fn run(words: &[&str]) -> Output {
    Command::new(SYSREEL).args(words).output().unwrap()
}

fn sysreel(words: &[&str]) -> String {
    let output = run(words);
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// What is said of words that are not taken.
fn refused(words: &[&str]) -> String {
    let output = run(words);
    assert_eq!(output.status.code(), Some(2), "{words:?}");
    String::from_utf8(output.stderr).unwrap()
}

fn captures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("captures")
}

fn written(folder: &Path, name: &str, bytes: &[u8]) -> String {
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    path.to_string_lossy().into_owned()
}

fn find(places: &'static Places, ip: &str) -> Place {
    places.find(ip.parse().unwrap())
}

/// An audit event of a request from these addresses.
fn event(number: usize, ips: &str) -> String {
    format!(
        r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"00000000-0000-4000-8000-{number:012}","stage":"ResponseComplete","requestURI":"/api","verb":"get","user":{{"username":"u{number}"}},"sourceIPs":{ips},"responseStatus":{{"code":200}},"requestReceivedTimestamp":"2026-11-21T21:00:{number:02}.000000Z","stageTimestamp":"2026-11-21T21:00:{number:02}.000001Z"}}"#
    )
}

#[test]
fn the_sample_database_is_what_its_writer_writes() {
    let path = captures().join("places.mmdb");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, sample()).unwrap();
    }
    assert!(std::fs::read(&path).unwrap() == sample(), "BLESS=1 writes it");
}

#[test]
fn requests_have_the_places_of_who_connected_and_of_what_is_claimed() {
    let folder = tempfile::tempdir().unwrap();
    let events = [
        event(1, r#"["203.0.113.66"]"#),
        event(2, r#"["2001:db8::1","198.51.100.7","10.1.2.3","192.0.2.99"]"#),
        event(3, r#"["10.0.0.1"]"#),
        event(4, r#"["203.0.113.9","10.0.0.1"]"#),
        event(5, r#"["::ffff:192.0.2.1"]"#),
        event(6, r#"["no address"]"#),
        event(7, "[]"),
    ];
    let log = written(folder.path(), "audit.log", (events.join("\n") + "\n").as_bytes());
    let base = captures().join("places.mmdb");
    let geoip = ["-r", &log, "--geoip", base.to_str().unwrap()];
    let ask = |more: &[&str]| sysreel(&[&geoip[..], more].concat());
    let format = "*%ka.user.name %ka.sourceip.country %ka.sourceip.asn %ka.sourceip.org|%ka.sourceip.claimed.country|%ka.sourceip.claimed.asn";
    let want = [
        "u1 NL 64498 Example Anonymous Proxy|<NA>|<NA>",
        "u2 DE 64496 Example Hosting|JP BR|64499 64497",
        "u3 <NA> <NA> <NA>|<NA>|<NA>",
        "u4 <NA> <NA> <NA>|NL|64498",
        "u5 DE 64496 Example Hosting|<NA>|<NA>",
        "u6 <NA> <NA> <NA>|<NA>|<NA>",
        "u7 <NA> <NA> <NA>|<NA>|<NA>",
    ];
    assert_eq!(ask(&["-p", format]).lines().collect::<Vec<_>>(), want);
    for (filter, users) in [
        ("ka.sourceip.country = NL", "u1"),
        ("ka.sourceip.country != NL", "u2 u5"),
        ("not ka.sourceip.country exists", "u3 u4 u6 u7"),
        ("ka.sourceip.claimed.country intersects (NL, BR)", "u2 u4"),
        ("ka.sourceip.claimed.country = JP", "u2"),
        ("ka.sourceip.asn >= 64497 or ka.sourceip.claimed.asn = 64498", "u1 u4"),
        ("ka.sourceip.org icontains HOSTING", "u2 u5"),
    ] {
        let found = ask(&["-p", "%ka.user.name", filter]);
        assert_eq!(found.lines().collect::<Vec<_>>().join(" "), users, "{filter}");
    }
    // As numbers and texts in JSON.
    assert!(ask(&["-j", "-p", "%ka.sourceip.asn", "-n", "1"]).contains("\"ka.sourceip.asn\":64498"));
}

#[test]
fn ends_of_connections_have_places_in_filters_lines_and_tables() {
    let (web, base) = (captures().join("web.reel"), captures().join("places.mmdb"));
    let geoip = ["-r", web.to_str().unwrap(), "--geoip", base.to_str().unwrap()];
    let ask = |more: &[&str]| sysreel(&[&geoip[..], more].concat());
    let lines = |filter: &str| ask(&["-p", "%evt.num", filter]);
    assert!(lines("fd.cip.country = FR").lines().count() > 100);
    for (by_place, by_address) in [
        ("fd.cip.country = FR", "fd.cip = 127.0.0.1"),
        ("fd.sip.asn = 64511", "fd.sip = 127.0.0.1"),
        ("fd.rip.org = 'Example Office'", "fd.rip = 127.0.0.1"),
        ("not fd.rip.country exists", "not fd.rip = 127.0.0.1"),
        ("fd.sip.country != FR", "evt.num < 0"),
        ("fd.sip.country = DE or fd.cip.asn < 64511", "evt.num < 0"),
    ] {
        assert_eq!(lines(by_place), lines(by_address), "{by_place}");
    }
    // The same for any number of threads.
    let table = |threads| ask(&["-c", "countries", "--threads", threads]);
    assert!(table("1").contains("Example Office"));
    assert_eq!(table("1"), table("4"));
    // What is open at a moment has places, too.
    let open = |filter: &str| ask(&["-c", "netstat", filter]);
    assert_eq!(open("fd.sip.country = FR"), open("fd.sip = 127.0.0.1"));
}

#[test]
fn several_databases_answer_together() {
    let folder = tempfile::tempdir().unwrap();
    let country = |code| Datum::Map(vec![("country", Datum::Map(vec![("iso_code", Datum::Text(code))]))]);
    let flat = |code, asn, name| {
        let texts = [("country_code", code), ("country", "A Country"), ("asn", asn), ("as_name", name)];
        Datum::Map(texts.map(|(key, text)| (key, Datum::Text(text))).into())
    };
    // One of IPv4 alone, one of both, and one of another maker.
    let first = database("Country", 4, &[("192.0.2.0", 24, country("DE"))]);
    let second =
        database("ASN", 6, &[("192.0.2.0", 25, place("XX", 1, "One")), ("2001:db8::", 32, place("JP", 2, "Two"))]);
    let third = database("ipinfo lite", 6, &[("198.51.100.0", 24, flat("BR", "AS64497", "Three"))]);
    let paths: Vec<PathBuf> = [first, second, third]
        .iter()
        .enumerate()
        .map(|(n, bytes)| written(folder.path(), &format!("{n}.mmdb"), bytes).into())
        .collect();
    let places = Places::open(&paths).unwrap();
    let place = |country, asn, org| Place { country, asn, org };
    for (ip, want) in [
        ("192.0.2.1", place(Some("DE"), Some(1), Some("One"))),
        ("192.0.2.200", place(Some("DE"), None, None)),
        ("2001:db8:ffff::1", place(Some("JP"), Some(2), Some("Two"))),
        ("198.51.100.9", place(Some("BR"), Some(64497), Some("Three"))),
        ("::ffff:198.51.100.9", place(Some("BR"), Some(64497), Some("Three"))),
        ("10.0.0.1", Place::default()),
        ("::1", Place::default()),
    ] {
        assert_eq!(find(places, ip), want, "{ip}");
        assert_eq!(find(places, ip), want, "{ip}, known");
    }
    assert_eq!(places.damage(), None);
}

#[test]
fn whatever_a_file_holds_it_is_an_answer_or_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let whole = database(
        "Country",
        6,
        &[("192.0.2.0", 24, place("DE", 64496, "Example")), ("2001:db8::", 126, place("JP", 64499, "Six"))],
    );
    let mut opened = 0;
    let mut damaged = 0;
    let ips: [IpAddr; 3] = ["192.0.2.1", "2001:db8::1", "203.0.113.1"].map(|ip| ip.parse().unwrap());
    let mut ask = |bytes: &[u8]| {
        let path = written(folder.path(), "x.mmdb", bytes);
        match Places::open(&[path.into()]) {
            Ok(places) => {
                opened += 1;
                for ip in ips {
                    places.find(ip);
                }
                damaged += usize::from(places.damage().is_some());
            }
            Err(error) => assert!(error.to_string().contains("expected a database of places"), "{error}"),
        }
    };
    // The ends of the tree and all behind it: data and metadata.
    let tail = whole.len() - 400;
    for length in (0..whole.len()).step_by(7).chain(tail..whole.len()) {
        ask(&whole[..length]);
    }
    for at in (0..tail).step_by(11).chain(tail..whole.len()) {
        for flip in [0xff, 0x01, 0x80, 0x20] {
            let mut bytes = whole.clone();
            bytes[at] ^= flip;
            ask(&bytes);
        }
    }
    assert!(opened > 100 && damaged > 10, "{opened} {damaged}");
}

#[test]
fn what_is_missing_or_wrong_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let reel = captures().join("audit.reel");
    let reel = reel.to_str().unwrap();
    let said = refused(&["-r", reel, "ka.sourceip.country = DE"]);
    assert!(
        said.contains("`ka.sourceip.country` needs a database of places") && said.contains("--geoip FILE.mmdb"),
        "{said}"
    );
    assert!(refused(&["-r", reel, "-p", "%fd.rip.asn"]).contains("`fd.rip.asn` needs a database of places"));
    assert!(refused(&["-r", reel, "-c", "audit_countries"]).contains("needs a database of places"));
    let text = written(folder.path(), "x.mmdb", b"no database");
    let said = refused(&["-r", reel, "--geoip", &text]);
    assert!(said.contains("x.mmdb: expected a database of places (MaxMind DB, .mmdb), found"), "{said}");
    let absent = folder.path().join("absent.mmdb");
    assert!(refused(&["-r", reel, "--geoip", absent.to_str().unwrap()]).contains("No such file"));
    // A recording says what happened, and not what a database said that day.
    let (base, out) = (captures().join("places.mmdb"), folder.path().join("out.reel"));
    let words = ["-w", out.to_str().unwrap(), "--geoip", base.to_str().unwrap(), "fd.rip.country = DE", "--", "true"];
    assert!(refused(&words).contains("expected a filter of what is recorded, found `fd.rip.country`"));
    assert!(!out.exists());
}
