//! Values of the event itself: who asked for what, from where, and what came of it.

use super::walk::{at, bytes, elements_at, inside, is_audit, list, part, said, said_all, said_at, text};
use crate::batch::Row;
use crate::event::{Arg, AuditPart, is_stream, join_audit, write_audit_id};
use crate::field::FieldArg;
use crate::value::{Value, json_pointer, json_string, json_text, write_u64};
use std::borrow::Cow;
use std::net::IpAddr;

use AuditPart as P;

pub(super) fn id<'a>(row: &Row<'a>) -> Value<'a> {
    let Some(id) = bytes(row, P::Id) else { return Value::Missing };
    let mut out = Vec::with_capacity(36);
    write_audit_id(&mut out, id);
    Value::owned(out)
}

/// Whether the audit id is none that an API server makes: a client chose it.
pub(super) fn is_odd_id<'a>(row: &Row<'a>) -> Value<'a> {
    bytes(row, P::Id).map_or(Value::Missing, |id| Value::Bool(id.len() != 16))
}

/// The text that came.
pub(super) fn raw<'a>(row: &Row<'a>) -> Value<'a> {
    if bytes(row, P::Form).is_none() {
        return Value::Missing;
    }
    let mut out = Vec::new();
    join_audit(|of| part(row, of), row.time(), row.duration(), &mut out);
    Value::owned(out)
}

/// The verb, or the subresource where that says more.
pub(super) fn action<'a>(row: &Row<'a>) -> Value<'a> {
    match bytes(row, P::Subresource) {
        Some(stream) if is_stream(stream) => Value::text(stream),
        _ => text(row, P::Verb),
    }
}

pub(super) fn received<'a>(row: &Row<'a>) -> Value<'a> {
    let time = is_audit(row).then(|| row.time().checked_sub(row.duration()?)).flatten();
    time.map_or(Value::Missing, Value::Uint)
}

pub(super) fn latency<'a>(row: &Row<'a>) -> Value<'a> {
    row.duration().filter(|_| is_audit(row)).map_or(Value::Missing, Value::Uint)
}

pub(super) fn named_annotation<'a>(notes: &'a [u8], arg: &FieldArg) -> Value<'a> {
    match arg {
        FieldArg::Name(key) => said_at(notes, &[key]),
        _ => Value::text(notes),
    }
}

/// One of an account's `extra`, or all of it.
pub(super) fn extra<'a>(account: &'a [u8], arg: &FieldArg) -> Value<'a> {
    match arg {
        FieldArg::Name(key) => said_all(elements_at(account, &["extra", key], &FieldArg::None)),
        _ => said_at(account, &["extra"]),
    }
}

pub(super) fn credential(account: &[u8]) -> Value<'_> {
    let ids = elements_at(account, &["extra", "authentication.kubernetes.io/credential-id"], &FieldArg::None);
    ids.first().map_or(Value::Missing, |id| said(id))
}

/// Addresses: the last is who connected; those before it are what clients claim (`X-Forwarded-For`).
fn addresses(ips: &[u8]) -> Vec<&[u8]> {
    elements_at(ips, &[], &FieldArg::None)
}

fn addresses_of<'a>(row: &Row<'a>) -> Vec<&'a [u8]> {
    bytes(row, P::Ips).map_or_else(Vec::new, addresses)
}

pub(super) fn peer(ips: &[u8]) -> Value<'_> {
    addresses(ips).last().map_or(Value::Missing, |ip| said(ip))
}

pub(super) fn claimed(ips: &[u8]) -> Value<'_> {
    let mut all = addresses(ips);
    all.pop();
    said_all(all)
}

fn ip_of(text: &[u8]) -> Option<IpAddr> {
    std::str::from_utf8(&json_text(text)).ok()?.parse().ok()
}

/// The address that connected.
pub(in crate::field) fn peer_ip(row: &Row<'_>) -> Option<IpAddr> {
    ip_of(addresses_of(row).last()?)
}

/// Addresses that the client claims.
pub(in crate::field) fn claimed_ips<'a>(row: &Row<'a>) -> impl Iterator<Item = IpAddr> + use<'a> {
    let mut all = addresses_of(row);
    all.pop();
    all.into_iter().filter_map(ip_of)
}

/// The decoded values of a key in the query of the URI.
fn params<'a>(row: &Row<'a>, key: &str) -> Vec<Value<'a>> {
    let uri = bytes(row, P::Uri).unwrap_or_default();
    let Some(at) = memchr::memchr(b'?', uri) else { return Vec::new() };
    let pairs = uri[at + 1..].split(|&b| b == b'&').map(|pair| match memchr::memchr(b'=', pair) {
        Some(at) => (&pair[..at], &pair[at + 1..]),
        None => (pair, &pair[pair.len()..]),
    });
    pairs.filter(|(name, _)| unquoted(name) == key.as_bytes()).map(|(_, value)| Value::Text(unquoted(value))).collect()
}

/// A piece of a query without its escapes.
fn unquoted(text: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr2(b'%', b'+', text).is_none() {
        return Cow::Borrowed(text);
    }
    let (mut out, mut at) = (Vec::with_capacity(text.len()), 0);
    let digit = |at: usize| text.get(at).and_then(|&b| char::from(b).to_digit(16));
    while let Some(&b) = text.get(at) {
        match (b, digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                at += 3;
                continue;
            }
            (b'+', ..) => out.push(b' '),
            _ => out.push(b),
        }
        at += 1;
    }
    Cow::Owned(out)
}

pub(super) fn param<'a>(row: &Row<'a>, arg: &FieldArg) -> Value<'a> {
    let FieldArg::Name(key) = arg else { return Value::Missing };
    params(row, key).into_iter().next().unwrap_or(Value::Missing)
}

/// What an exec runs: arguments, a blank between them.
pub(super) fn command<'a>(row: &Row<'a>) -> Value<'a> {
    if bytes(row, P::Subresource) != Some(b"exec") {
        return Value::Missing;
    }
    let words = params(row, "command");
    let words: Vec<&[u8]> =
        words.iter().filter_map(|w| if let Value::Text(w) = w { Some(w.as_ref()) } else { None }).collect();
    if words.is_empty() { Value::Missing } else { Value::owned(words.join(&b' ')) }
}

pub(super) fn argv<'a>(row: &Row<'a>) -> Value<'a> {
    if bytes(row, P::Subresource) == Some(b"exec") { list(params(row, "command")) } else { Value::Missing }
}

pub(super) fn container<'a>(row: &Row<'a>) -> Value<'a> {
    match bytes(row, P::Subresource) {
        Some(stream) if is_stream(stream) => param(row, &FieldArg::Name("container".to_owned())),
        _ => Value::Missing,
    }
}

/// The pod that a request is about; a new one's name is in the answer.
pub(super) fn pod<'a>(row: &Row<'a>) -> Value<'a> {
    if bytes(row, P::Resource) != Some(b"pods") || bytes(row, P::Subresource).is_some() {
        return Value::Missing;
    }
    inside(row, P::Response, &["metadata", "name"])
}

/// The object's name, of a new one as the answer has it.
pub(super) fn target<'a>(row: &Row<'a>) -> Value<'a> {
    match text(row, P::Name) {
        // With `generateName` no one but the answer knows it.
        Value::Missing if bytes(row, P::Verb) == Some(b"create") => inside(row, P::Response, &["metadata", "name"]),
        name => name,
    }
}

/// `json.value[/pointer]`.
pub(super) fn pointed<'a>(row: &Row<'a>, arg: &FieldArg) -> Value<'a> {
    let FieldArg::Name(pointer) = arg else { return raw(row) };
    let pointer = pointer.trim_start_matches('/');
    // Bodies are most of the text, and stand on their own.
    for (key, of) in [("requestObject", P::Request), ("responseObject", P::Response), ("annotations", P::Notes)] {
        if let (Some(rest), Some(value)) = (pointer.strip_prefix(key), bytes(row, of))
            && (rest.is_empty() || rest.starts_with('/'))
        {
            return json_pointer(value, rest).map_or(Value::Missing, said);
        }
    }
    let Value::Text(text) = raw(row) else { return Value::Missing };
    json_pointer(&text, pointer).map_or(Value::Missing, |value| Value::owned(json_text(value).into_owned()))
}

/// The whole event, two blanks for each level.
pub(super) fn pretty<'a>(row: &Row<'a>) -> Value<'a> {
    let Value::Text(text) = raw(row) else { return Value::Missing };
    let (mut out, mut depth, mut is_quoted, mut at) = (Vec::with_capacity(2 * text.len()), 0usize, false, 0);
    let line = |out: &mut Vec<u8>, depth: usize| {
        out.push(b'\n');
        out.resize(out.len() + 2 * depth, b' ');
    };
    while let Some(&b) = text.get(at) {
        let next = text.get(at + 1).copied();
        match b {
            b'\\' if is_quoted => {
                out.push(b);
                out.extend(next);
                at += 1;
            }
            b'"' => {
                is_quoted = !is_quoted;
                out.push(b);
            }
            _ if is_quoted => out.push(b),
            b'{' | b'[' if matches!(next, Some(b'}' | b']')) => {
                out.push(b);
                out.extend(next);
                at += 1;
            }
            b'{' | b'[' => {
                depth += 1;
                out.push(b);
                line(&mut out, depth);
            }
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                line(&mut out, depth);
                out.push(b);
            }
            b',' => {
                out.push(b);
                line(&mut out, depth);
            }
            b':' => out.extend_from_slice(b": "),
            b if b.is_ascii_whitespace() => {}
            b => out.push(b),
        }
        at += 1;
    }
    Value::owned(out)
}

/// The event's time, nanoseconds as text.
pub(super) fn time_text<'a>(row: &Row<'a>) -> Value<'a> {
    if !is_audit(row) {
        return Value::Missing;
    }
    let mut out = Vec::new();
    write_u64(&mut out, row.time());
    Value::owned(out)
}

/// Why the request was allowed or not: a piece of the authorizer's reason, which is
/// `RBAC: allowed by ClusterRoleBinding "NAME/NS" of ClusterRole "NAME" to User "NAME"`.
pub(super) fn allowed_by(notes: &[u8], which: usize) -> Value<'_> {
    let reason = at(notes, &["authorization.k8s.io/reason"]);
    let Some(reason) = reason.and_then(json_string) else { return Value::Missing };
    let words: Vec<&[u8]> = reason.split(|&b| b == b'"').collect();
    if !reason.starts_with(b"RBAC: allowed by ") || words.len() < 6 {
        return Value::Missing;
    }
    let kind = words[2 * which].rsplit(|&b| b == b' ').find(|word| !word.is_empty()).unwrap_or_default();
    Value::owned([kind, b" ", words[2 * which + 1]].concat())
}

/// The part as an argument; for what is only text.
pub(super) fn flag(value: Option<bool>) -> Value<'static> {
    value.map_or(Value::Missing, |is| Value::text(if is { b"true" } else { b"false" }))
}

/// Whether a value is there.
pub(super) fn is_there(value: Arg<'_>) -> bool {
    value != Arg::Missing
}
