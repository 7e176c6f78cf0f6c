//! Every field against known rows.

use super::sample::{Sample, batch, rows};
use super::{Context, all, lookup, write_value};
use crate::event::Flags;

fn ctx() -> Context {
    Context { start: 1_534_527_343_000_000_000, tz_offset_s: 7200, ..Context::default() }
}

/// What a field says about a row, as a line of output shows it.
fn said(sample: &Sample, field: &str) -> String {
    let batch = batch(std::slice::from_ref(sample));
    let field = lookup(field).unwrap();
    let mut out = Vec::new();
    for row in rows(&batch) {
        write_value(&field.value(&row, &ctx()), field.ty, &ctx(), &mut out);
    }
    String::from_utf8(out).unwrap()
}

#[track_caller]
fn check(sample: &Sample, cases: &[(&str, &str)]) {
    for (field, want) in cases {
        assert_eq!(said(sample, field), *want, "{field}");
    }
}

fn read() -> Sample {
    Sample { ret: 5, desc: 1, duration: 10_300_001, cpu: 3, ..Sample::new("read", 3) }
        .int("fd", 7)
        .int("size", 4096)
        .bytes("data", b"GET \x1b")
}

fn openat() -> Sample {
    let call = Sample { ret: 3, desc: 1, ..Sample::new("openat", 2) };
    call.int("dirfd", -100).bytes("name", b"../../etc/passwd").int("flags", 0o2_000_000).int("mode", 0)
}

fn connect() -> Sample {
    let tuple = [2, 10, 0, 0, 1, 0x40, 0x9c, 10, 0, 0, 2, 0xbb, 1];
    Sample { ret: -115, desc: 2, ..Sample::new("connect", 2) }.int("fd", 9).bytes("tuple", &tuple)
}

#[test]
fn an_event_tells_its_time_in_many_ways() {
    check(
        &read(),
        &[
            ("evt.num", "1"),
            ("evt.time", "19:35:48.514632619"),
            ("evt.time.s", "19:35:48"),
            ("evt.time.iso8601", "2018-08-17T17:35:48.514632619Z"),
            ("evt.datetime", "2018-08-17 19:35:48.514632619"),
            ("evt.datetime.s", "2018-08-17 19:35:48"),
            ("evt.rawtime", "1534527348514632619"),
            ("evt.rawtime.s", "1534527348"),
            ("evt.rawtime.ns", "514632619"),
            ("evt.reltime", "5514632619"),
            ("evt.reltime.s", "5"),
            ("evt.reltime.ns", "514632619"),
            ("evt.outputtime", "19:35:48.514632619"),
            ("evt.latency", "10300000"),
            ("evt.latency.s", "0"),
            ("evt.latency.ns", "10300000"),
            ("evt.latency.human", "10.30ms"),
        ],
    );
}

#[test]
fn an_event_tells_what_it_did() {
    check(
        &read(),
        &[
            ("evt.dir", "<"),
            ("evt.type", "read"),
            ("syscall.type", "read"),
            ("evt.category", "file"),
            ("evt.cpu", "3"),
            ("evt.is_io", "true"),
            ("evt.is_io_read", "true"),
            ("evt.is_io_write", "false"),
            ("evt.io_dir", "read"),
            ("evt.res", "SUCCESS"),
            ("evt.rawres", "5"),
            ("evt.failed", "false"),
            ("evt.buflen", "5"),
            ("evt.buffer", "GET ."),
            ("evt.count", "1"),
            ("evt.arg.size", "4096"),
            ("evt.arg[0]", "5"),
            ("evt.rawarg.size", "4096"),
            ("evt.arg.flags", "<NA>"),
            ("evt.arg[9]", "<NA>"),
            ("evt.arg.fd", "<f>/etc/passwd"),
            ("evt.info", "res=5 data=GET . fd=7(<f>/etc/passwd) size=4096"),
        ],
    );
}

#[test]
fn calls_show_their_parameters_with_names() {
    check(
        &openat(),
        &[
            (
                "evt.args",
                "fd=3(<f>/etc/passwd) dirfd=-100(AT_FDCWD) name=../../etc/passwd(/etc/passwd) flags=524288(O_RDONLY|O_CLOEXEC) mode=0",
            ),
            ("evt.arg.fd", "<f>/etc/passwd"),
            ("evt.arg.name", "/etc/passwd"),
            ("evt.rawarg.name", "../../etc/passwd"),
            ("fd.num", "3"),
            ("fd.uid", "2003"),
        ],
    );
    check(
        &connect(),
        &[
            (
                "evt.args",
                "res=-115(EINPROGRESS) tuple=10.0.0.1:40000->10.0.0.2:443 fd=9(<4t>10.0.0.1:40000->10.0.0.2:443)",
            ),
            ("evt.res", "EINPROGRESS"),
            ("evt.failed", "true"),
            ("evt.buflen", "<NA>"),
            ("evt.category", "net"),
        ],
    );
}

#[test]
fn a_call_in_flight_has_no_result() {
    let call = Sample { flags: Flags::IN_FLIGHT, ..read() };
    check(
        &call,
        &[
            ("evt.dir", ">"),
            ("evt.rawres", "<NA>"),
            ("evt.failed", "<NA>"),
            ("evt.info", "data=GET . fd=7(<f>/etc/passwd) size=4096"),
        ],
    );
}

#[test]
fn a_thread_tells_of_its_process_and_ancestors() {
    check(
        &read(),
        &[
            ("proc.name", "worker"),
            ("proc.exe", "/usr/sbin/nginx"),
            ("proc.exepath", "/usr/sbin/nginx"),
            ("proc.args", "-g daemon off;"),
            ("proc.args[1]", "daemon off;"),
            ("proc.args[2]", "<NA>"),
            ("proc.cmdnargs", "2"),
            ("proc.nargs", "2"),
            ("proc.cmdline", "worker -g daemon off;"),
            ("proc.exeline", "/usr/sbin/nginx -g daemon off;"),
            ("proc.env", "HOME=/root LANG=C"),
            ("proc.env[HOME]", "/root"),
            ("proc.env[NOPE]", "<NA>"),
            ("proc.cwd", "/var/www/"),
            ("proc.pid", "200"),
            ("proc.vpid", "1"),
            ("proc.ppid", "100"),
            ("proc.pname", "bash"),
            ("proc.pexe", "bash"),
            ("proc.pcmdline", "bash"),
            ("proc.aname", "bash"),
            ("proc.aname[0]", "nginx"),
            ("proc.aname[1]", "bash"),
            ("proc.aname[2]", "<NA>"),
            ("proc.apid", "100"),
            ("proc.sid", "100"),
            ("proc.sname", "bash"),
            ("proc.pgid", "200"),
            ("proc.tty", "34816"),
            ("proc.loginshellid", "100"),
            ("proc.duration", "348514632619"),
            ("thread.tid", "201"),
            ("thread.vtid", "2"),
            ("thread.ismain", "false"),
            ("user.uid", "33"),
            ("user.name", "www\\x1b[31m"),
            ("user.loginuid", "-1"),
            ("user.loginname", "<NA>"),
            ("group.gid", "33"),
            ("group.name", "<NA>"),
            ("container.id", "3ad7b26ded6d"),
        ],
    );
    check(&Sample::new("read", 1), &[("container.id", "host"), ("user.name", "root"), ("group.name", "root")]);
}

#[test]
fn of_a_thread_that_only_has_an_id_nothing_else_is_told() {
    let call = Sample::new("read", 4);
    check(&call, &[("thread.tid", "999"), ("proc.pid", "999")]);
    for field in ["proc.name", "proc.ppid", "proc.cmdline", "user.uid", "user.name", "proc.sname", "container.id"] {
        assert_eq!(said(&call, field), "<NA>", "{field}");
    }
}

#[test]
fn a_descriptor_tells_what_it_refers_to() {
    check(
        &read(),
        &[
            ("fd.num", "7"),
            ("fd.type", "file"),
            ("fd.typechar", "f"),
            ("fd.name", "/etc/passwd"),
            ("fd.directory", "/etc"),
            ("fd.filename", "passwd"),
            ("fd.ip", "<NA>"),
            ("fd.ino", "42"),
            ("fd.dev", "2049"),
            ("fd.dev.major", "8"),
            ("fd.dev.minor", "1"),
        ],
    );
    check(
        &connect(),
        &[
            ("fd.type", "ipv4"),
            ("fd.name", "10.0.0.1:40000->10.0.0.2:443"),
            ("fd.cip", "10.0.0.1"),
            ("fd.sip", "10.0.0.2"),
            ("fd.cport", "40000"),
            ("fd.sport", "443"),
            ("fd.l4proto", "tcp"),
            ("fd.sockfamily", "ip"),
            ("fd.is_server", "false"),
            ("fd.filename", "<NA>"),
        ],
    );
    check(&Sample { desc: 3, ..read() }, &[("fd.name", ":::80"), ("fd.is_server", "true"), ("fd.cip", "<NA>")]);
}

#[test]
fn no_field_panics_on_any_of_the_rows() {
    for sample in [read(), openat(), connect(), Sample::new("execve", 0), Sample::new("procexit", 4)] {
        for field in all() {
            let text = match field.arg {
                super::ArgRule::Required | super::ArgRule::Key | super::ArgRule::Item => format!("{}[0]", field.name),
                _ => field.name.to_owned(),
            };
            assert!(!said(&sample, &text).contains('\x1b'), "{text}");
        }
    }
}
