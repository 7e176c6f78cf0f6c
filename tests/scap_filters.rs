//! Which events sysdig 0.29.3 and we find with the same filter in the same captures: numbers of events, for more than a
//! hundred filters. Where the two differ, `tests/scap/filters.tsv` has the reason (`theirs` and `ours`: what only one of
//! them finds, by the types of the events); a line of it that explains nothing any more fails the test.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on fails, and says so"
)]

mod common;

use common::differences::Table;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use sysreel::batch::Row;
use sysreel::engine::{Batches, Reels};
use sysreel::field::Context;
use sysreel::filter::{Filter, Memo};

const CAPTURES: &[&str] = &["libs_curl_google", "libs_test_ipv6_client", "falco_run_as_user_0_container"];

/// What both understand.
const FILTERS: &[&str] = &[
    // Grammar: precedence of `not`, grouping, blanks, quotes, escapes.
    "evt.type=open",
    "not evt.type=open",
    "not (evt.type=open or evt.type=close)",
    "not(evt.type=open)and(evt.type=close)",
    "evt.type=open or evt.type=close",
    "(evt.type=open and fd.name contains etc) or evt.type=close",
    "((evt.type=read))",
    "not not evt.type=read",
    "evt.type in ( open , \"close\" , 'read' )",
    "proc.name =curl",
    "proc.name= curl",
    "proc.name = \"curl\"",
    "proc.name = 'curl'",
    // Texts.
    "proc.name = curl",
    "proc.name != curl",
    "proc.name = ''",
    "proc.name contains ur",
    "proc.name contains ''",
    "proc.name icontains UR",
    "proc.name startswith cu",
    "proc.name endswith rl",
    "proc.name glob c*l",
    "proc.name glob '?url'",
    "proc.name glob '[a-c]*'",
    "proc.name > c",
    "proc.name <= curl",
    "proc.name in (curl, bash)",
    "proc.name exists",
    "not proc.name exists",
    "proc.name = curl and (fd.type = ipv4 or fd.type = ipv6) and not fd.port = 53",
    // Ancestors, command lines.
    "proc.aname = bash",
    "proc.aname in (bash, sshd)",
    "proc.aname[0] = curl",
    "proc.aname[1] = bash",
    "proc.apid = 1",
    "proc.pname = bash",
    "proc.cmdline contains google",
    "proc.args contains http",
    "proc.exe endswith curl",
    "proc.env contains PATH",
    "proc.pid > 1000",
    "proc.ppid exists",
    "thread.ismain = true",
    "thread.ismain = false",
    "user.uid = 0",
    "user.name = root",
    "group.gid = 0",
    "container.id = host",
    "container.id != host",
    // Descriptors; fields of either end.
    "fd.name = /etc/passwd",
    "not fd.name = /etc/passwd",
    "fd.name != /etc/passwd",
    "fd.name = ''",
    "fd.name exists",
    "fd.name contains /lib",
    "fd.name startswith /etc",
    "fd.name pmatch (/etc)",
    "fd.name pmatch (/etc, /lib, /usr/lib)",
    "fd.name pmatch (/et)",
    "fd.name glob /etc/*",
    "fd.directory = /etc",
    "fd.filename = passwd",
    "fd.num = 3",
    "fd.num != 3",
    "fd.num >= 3 and fd.num < 6",
    "fd.num in (1,2,3)",
    "fd.type = file",
    "fd.type in (ipv4, ipv6)",
    "fd.typechar = f",
    "fd.l4proto = tcp",
    "fd.l4proto != tcp",
    "fd.sport = 80",
    "fd.sport = http",
    "fd.sport = domain",
    "fd.cport > 1024",
    "fd.rport = 80",
    "fd.lport exists",
    "fd.port = 80",
    "fd.port = http",
    "fd.port != 80",
    "fd.port in (80, 53)",
    "fd.port > 1024",
    "fd.sip = 127.0.0.1",
    "fd.sip exists",
    "fd.cip != 127.0.0.1",
    "fd.ip = 127.0.0.1",
    "fd.ip != 127.0.0.1",
    "fd.ip in (127.0.0.1, 127.0.0.53)",
    "fd.net = 127.0.0.0/8",
    "fd.snet = 127.0.0.0/8",
    "fd.snet in (127.0.0.0/8, 10.0.0.0/8)",
    // Events.
    "evt.type != open",
    "evt.dir = <",
    "evt.category = file",
    "evt.category in (net, IO-read)",
    "evt.num < 100",
    "evt.num >= 50 and evt.num <= 96",
    "evt.cpu = 0",
    "evt.rawtime > 0",
    "evt.rawtime < 1",
    "evt.latency > 1000",
    "evt.latency < 100000",
    "evt.is_io = true",
    "evt.is_io_read = true",
    "evt.is_io_write = true",
    "evt.is_wait = true",
    "evt.is_open_read = true",
    "evt.io_dir = read",
    "evt.failed = true",
    "evt.failed = false",
    "evt.failed != true",
    "evt.rawres < 0",
    "evt.rawres = 0",
    "evt.rawres > 100",
    "evt.rawres >= -2 and evt.rawres < 0",
    "evt.res = ENOENT",
    "evt.res = SUCCESS",
    "evt.buffer contains HTTP",
    "evt.buffer contains \"HTTP/1.1\"",
    "evt.buffer startswith HTTP",
    "evt.buflen > 100",
    "evt.arg.res = 0",
    "evt.arg.name contains etc",
    "evt.arg.flags contains O_RDONLY",
    "evt.arg.flags icontains o_creat",
    "evt.arg.fd exists",
    "evt.rawarg.res = 0",
    "evt.rawarg.res < 0",
    "evt.rawarg.size > 100",
    "evt.args contains res",
    "syscall.type = read",
    "syscall.type exists",
];

/// What both refuse.
const REFUSED: &[&str] = &[
    "proc.pid = abc",
    "evt.type = foo",
    "fd.ip = 999.1.1.1",
    "fd.net = 10.0.0.0",
    "fd.nam = x",
    "and",
    "a.b",
    "evt.type=open and",
    "evt.type=open or or evt.type=close",
    "(evt.type=open",
    "evt.type=open)",
    "evt.type=open evt.type=close",
    "proc.name contains x y",
    "proc.name foo x",
    "proc.name = \"curl",
    "proc.name in (a b)",
    "fd.sport contains 4",
    "fd.sport = nosuchservice",
];

/// Numbers and types of events.
type Events = BTreeMap<u64, String>;

/// What sysdig finds; `None` if it refuses the filter.
fn theirs(capture: &Path, filter: &str) -> Option<Events> {
    let mut command = Command::new("sysdig");
    command.arg("-r").arg(capture).args(["-p", "%evt.num %evt.type"]).arg(format!("evt.dir=< and ({filter})"));
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let one = |line: &str| line.split_once(' ').map(|(num, kind)| (num.parse().unwrap(), kind.trim().to_owned()));
    output.status.success().then(|| text.lines().filter_map(one).collect())
}

/// What we find.
fn ours(capture: &Reels, filter: &Filter) -> Events {
    let (ctx, mut memo, mut found) = (Context::default(), Memo::default(), Events::new());
    for batch in (0..capture.len()).map(|index| capture.batch(index).unwrap()) {
        let selection = filter.select(&mut memo, &batch, &ctx).unwrap();
        let each = |row: Row<'_>| {
            // A row of the state is no event.
            if !row.info().name.starts_with("snap_") {
                found.insert(row.num(), row.info().name.clone());
            }
        };
        selection.for_each_row(&batch, each).unwrap();
    }
    found
}

/// Types of the events that are only in the first.
fn only<'a>(a: &'a BTreeMap<u64, String>, b: &BTreeMap<u64, String>) -> BTreeSet<&'a str> {
    a.iter().filter(|(num, _)| !b.contains_key(num)).map(|(_, kind)| kind.as_str()).collect()
}

#[test]
fn filters_find_the_events_that_sysdig_finds() {
    let name = "filters_find_the_events_that_sysdig_finds";
    let Some(shared) = common::shared() else { return common::skip(name, "no shared folder") };
    let version = Command::new("sysdig").arg("--version").output();
    if !version.is_ok_and(|out| String::from_utf8_lossy(&out.stdout).contains("0.29.3")) {
        return common::skip(name, "needs sysdig 0.29.3");
    }
    let mut differences = Table::read("tests/scap/filters.tsv");
    for name in CAPTURES {
        let capture = shared.join(format!("data/scap/{name}.scap"));
        let reels = Reels::open(std::slice::from_ref(&capture)).unwrap();
        let mut found = differences.of(name);
        // What is a row of both: sysdig's other events are beginnings of calls.
        let all = theirs(&capture, "evt.num>0").unwrap();
        let mut matches = 0;
        for filter in FILTERS {
            let theirs = theirs(&capture, filter).unwrap_or_else(|| panic!("sysdig refuses {filter}"));
            let mut ours = ours(&reels, &Filter::parse(filter).unwrap_or_else(|error| panic!("{error}")));
            ours.retain(|num, _| all.contains_key(num));
            matches += theirs.len();
            let (one, other) = (only(&theirs, &ours), only(&ours, &theirs));
            for kind in one.iter().filter(|kind| !other.contains(*kind)) {
                found.compare(kind, filter, "found", "not found");
            }
            for kind in other.iter().filter(|kind| !one.contains(*kind)) {
                found.compare(kind, filter, "not found", "found");
            }
            for kind in one.intersection(&other) {
                found.compare(kind, filter, "others", "others");
            }
        }
        println!("{name}: {} filters, sysdig finds {matches} events", FILTERS.len());
        assert!(matches > FILTERS.len(), "{name}: nothing is compared");
        found.done();
    }
    let capture = shared.join("data/scap/libs_test_ipv6_client.scap");
    for filter in REFUSED {
        assert!(Filter::parse(filter).is_err(), "{filter}");
        assert_eq!(theirs(&capture, filter).filter(|found| !found.is_empty()), None, "{filter}");
    }
    differences.done();
}
