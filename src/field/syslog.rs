//! `syslog.*`: messages to the system log, as programs write them to its socket.

use super::amounts::is_to_log;
use super::evt::data;
use super::{ArgRule, Context, Extract, Field, FieldArg};
use crate::batch::Row;
use crate::value::{Type, Value};

pub(super) static FIELDS: &[Field] = &[
    Field::new(
        "syslog.facility",
        Type::Uint,
        ArgRule::No,
        "Number of the facility that a message to the system log names.",
        "syslog.facility = 10",
        Extract::Event(facility),
    ),
    Field::new(
        "syslog.facility.str",
        Type::Text,
        ArgRule::No,
        "Name of the facility that a message to the system log names, such as auth or daemon.",
        "syslog.facility.str = authpriv",
        Extract::Event(facility_name),
    ),
    Field::new(
        "syslog.severity",
        Type::Uint,
        ArgRule::No,
        "Severity of a message to the system log, 0 (emergency) to 7 (debug).",
        "syslog.severity <= 3",
        Extract::Event(severity),
    ),
    Field::new(
        "syslog.severity.str",
        Type::Text,
        ArgRule::No,
        "Severity of a message to the system log, by name: emerg, alert, crit, err, warn, notice, info, debug.",
        "syslog.severity.str in (emerg, alert, crit, err)",
        Extract::Event(severity_name),
    ),
    Field::new(
        "syslog.message",
        Type::Text,
        ArgRule::No,
        "A message to the system log behind its priority, as much as was kept.",
        "syslog.message contains 'Failed password'",
        Extract::Event(message),
    ),
];

/// By number, as `syslog(3)` and RFC 5424 have them.
const FACILITIES: [&str; 24] = [
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "ntp",
    "audit", "alert", "clock", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
];
const SEVERITIES: [&str; 8] = ["emerg", "alert", "crit", "err", "warn", "notice", "info", "debug"];

/// Priority and the rest of `<PRIORITY>REST`; a priority has at most three digits.
fn parse(data: &[u8]) -> Option<(usize, &[u8])> {
    let rest = data.strip_prefix(b"<")?;
    let end = rest.iter().take(4).position(|&b| b == b'>')?;
    let priority: usize = std::str::from_utf8(&rest[..end]).ok()?.parse().ok()?;
    (priority < FACILITIES.len() * 8).then(|| (priority, &rest[end + 1..]))
}

fn priority<'a>(row: &Row<'a>) -> Option<(usize, &'a [u8])> {
    if is_to_log(row) { parse(data(row)?) } else { None }
}

fn facility<'a>(row: &Row<'a>, _: &'a FieldArg, _: &Context) -> Value<'a> {
    priority(row).map_or(Value::Missing, |(priority, _)| Value::Uint((priority / 8) as u64))
}

fn facility_name<'a>(row: &Row<'a>, _: &'a FieldArg, _: &Context) -> Value<'a> {
    priority(row).map_or(Value::Missing, |(priority, _)| Value::text(FACILITIES[priority / 8].as_bytes()))
}

fn severity<'a>(row: &Row<'a>, _: &'a FieldArg, _: &Context) -> Value<'a> {
    priority(row).map_or(Value::Missing, |(priority, _)| Value::Uint((priority % 8) as u64))
}

fn severity_name<'a>(row: &Row<'a>, _: &'a FieldArg, _: &Context) -> Value<'a> {
    priority(row).map_or(Value::Missing, |(priority, _)| Value::text(SEVERITIES[priority % 8].as_bytes()))
}

fn message<'a>(row: &Row<'a>, _: &'a FieldArg, _: &Context) -> Value<'a> {
    priority(row).map_or(Value::Missing, |(_, rest)| Value::text(rest.strip_suffix(b"\0").unwrap_or(rest)))
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn a_message_begins_with_its_priority() {
        for (data, want) in [
            (&b"<86>Nov 22 sshd: hello"[..], Some((86, &b"Nov 22 sshd: hello"[..]))),
            (b"<0>", Some((0, b""))),
            (b"<191>x", Some((191, b"x"))),
            (b"<192>x", None),
            (b"<1234>x", None),
            (b"<>x", None),
            (b"<-1>x", None),
            (b"86>x", None),
            (b"", None),
        ] {
            assert_eq!(parse(data), want);
        }
    }
}
