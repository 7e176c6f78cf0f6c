//! Events in the old one-line form (`--audit-log-format=legacy`), as the API server's `EventString` writes them.

use super::part::AuditPart;
use super::split::{AuditFault, Splitter, Taken, Value};
use crate::value::{JsonFault, json_unescape, write_go_json};
use std::ops::Range;

/// What stands between the time and the rest.
const SIGN: &[u8] = b" AUDIT: ";

impl Splitter {
    /// Whether a line is an event in the old form.
    pub fn is_legacy(line: &[u8]) -> bool {
        line.first().is_some_and(u8::is_ascii_digit)
            && line.get(..48.min(line.len())).is_some_and(|start| memchr::memmem::find(start, SIGN).is_some())
    }

    /// Takes a line in the old form apart. It has neither a level nor what the request is about.
    ///
    /// # Errors
    /// It is none, or has no time.
    pub fn split_legacy<'a>(&'a mut self, line: &'a [u8]) -> Result<Taken<'a>, AuditFault> {
        self.clear();
        let at = memchr::memmem::find(line, SIGN).ok_or(AuditFault::Other)?;
        let time = self.clock.read(&line[..at]).ok_or(AuditFault::Time)?.0;
        let (mut at, mut users, mut groups) = (at + SIGN.len(), None, None);
        while let Some((key, inside)) = next_pair(line, &mut at)? {
            match key {
                b"id" => self.set_id(line, inside),
                b"stage" => self.legacy(AuditPart::Stage, line, inside),
                b"method" => self.legacy(AuditPart::Verb, line, inside),
                b"user-agent" => self.legacy(AuditPart::Agent, line, inside),
                b"uri" => self.legacy(AuditPart::Uri, line, inside),
                b"namespace" => self.legacy(AuditPart::Namespace, line, inside),
                b"user" => users = Some(inside),
                b"groups" => groups = Some(inside),
                b"ip" => self.address(line, inside),
                b"as" if &line[inside.clone()] != b"<self>" => self.as_user(line, inside),
                b"response" => {
                    let code = std::str::from_utf8(&line[inside]).ok().and_then(|text| text.parse().ok());
                    self.values[AuditPart::Code.place()] = code.map_or(Value::None, Value::Int);
                }
                _ => {}
            }
        }
        if let Some(user) = users {
            self.legacy(AuditPart::User, line, user);
        }
        self.groups(line, groups);
        self.keep(line);
        let event = self.event(line, time, None);
        Ok(Taken { event, received: None })
    }

    /// Sets a part; `<none>` is how the API server writes what there is not.
    fn legacy(&mut self, part: AuditPart, line: &[u8], inside: Range<usize>) {
        let said = json_unescape(&line[inside]);
        if said.as_ref() != b"<none>" {
            let start = self.made.len();
            self.made.extend_from_slice(&said);
            self.values[part.place()] = Value::Made(start..self.made.len());
        }
    }

    fn address(&mut self, line: &[u8], inside: Range<usize>) {
        let start = self.made.len();
        self.made.extend_from_slice(b"[\"");
        self.made.extend_from_slice(&line[inside]);
        self.made.extend_from_slice(b"\"]");
        self.values[AuditPart::Ips.place()] = Value::Made(start..self.made.len());
    }

    fn as_user(&mut self, line: &[u8], inside: Range<usize>) {
        let start = self.made.len();
        self.made.extend_from_slice(b"{\"username\":\"");
        self.made.extend_from_slice(&line[inside]);
        self.made.extend_from_slice(b"\"}");
        self.values[AuditPart::As.place()] = Value::Made(start..self.made.len());
    }

    /// The account as JSON: groups are written as a list of strings.
    fn groups(&mut self, line: &[u8], groups: Option<Range<usize>>) {
        let start = self.made.len();
        self.made.extend_from_slice(b"{\"groups\":[");
        if let Some(inside) = groups {
            let said = json_unescape(&line[inside]);
            for (n, name) in said.split(|&b| b == b',').filter(|name| name.starts_with(b"\"")).enumerate() {
                if n > 0 {
                    self.made.push(b',');
                }
                self.made.push(b'"');
                write_go_json(
                    &mut self.made,
                    name.trim_ascii().strip_prefix(b"\"").unwrap_or(name).strip_suffix(b"\"").unwrap_or(name),
                    true,
                );
                self.made.push(b'"');
            }
        }
        self.made.extend_from_slice(b"]}");
        self.values[AuditPart::Account.place()] = Value::Made(start..self.made.len());
    }
}

/// A key, and where its value stands.
type Pair<'a> = (&'a [u8], Range<usize>);

/// The next `key="value"`.
fn next_pair<'a>(line: &'a [u8], at: &mut usize) -> Result<Option<Pair<'a>>, AuditFault> {
    while line.get(*at) == Some(&b' ') {
        *at += 1;
    }
    if *at >= line.len() {
        return Ok(None);
    }
    let fault = |at| AuditFault::Json(JsonFault { at, expected: "key=\"value\"" });
    let start = *at;
    let equals = memchr::memchr(b'=', &line[start..]).map(|n| start + n).ok_or_else(|| fault(start))?;
    if line.get(equals + 1) != Some(&b'"') {
        return Err(fault(equals + 1));
    }
    let first = equals + 2;
    let mut end = first;
    while *line.get(end).ok_or_else(|| fault(end))? != b'"' {
        end += if line[end] == b'\\' { 2 } else { 1 };
    }
    *at = end + 1;
    Ok(Some((&line[start..equals], first..end)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Arg, join_audit};

    #[test]
    fn a_line_of_the_old_form_says_what_it_says_and_comes_back() {
        let line = br#"2026-11-21T21:25:53.113128927Z AUDIT: id="e398dd2d-7f75-415d-950f-dc662e2b24e1" stage="ResponseComplete" ip="127.0.0.1" method="list" user="bob" groups="\"system:authenticated\",\"dev\"" as="<self>" asgroups="<lookup>" user-agent="kubectl/v1.32" namespace="<none>" uri="/api/v1/pods?a=1&b=2" response="200""#;
        assert!(Splitter::is_legacy(line));
        let mut splitter = Splitter::default();
        let event = splitter.split_legacy(line).unwrap().event;
        let part = |part: AuditPart| event.args[part.place()];
        assert_eq!(event.time % 1_000_000_000, 113_128_927);
        assert_eq!(part(AuditPart::User), Arg::Bytes(b"bob"));
        assert_eq!(part(AuditPart::Uri), Arg::Bytes(b"/api/v1/pods?a=1&b=2"));
        assert_eq!(part(AuditPart::Namespace), Arg::Missing);
        assert_eq!(part(AuditPart::Code), Arg::Int(200));
        assert_eq!(part(AuditPart::Account), Arg::Bytes(br#"{"groups":["system:authenticated","dev"]}"#));
        let mut out = Vec::new();
        join_audit(part, event.time, event.duration, &mut out);
        assert_eq!(out, line);
    }
}
