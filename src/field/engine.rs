//! `container.*` that only the container's engine tells: mounts, namespaces, probes, age.

use super::ancestry::{ancestors, process};
use super::container::{joined, mount_line, told, told_text};
use super::{ArgRule, Context, Extract, Field, FieldArg};
use crate::batch::Row;
use crate::value::{Type, Value};
use crate::world::{ContainerMount, Dict, ThreadRow};

pub(super) static FIELDS: &[Field] = &[
    Field::new(
        "container.mount",
        Type::Text,
        ArgRule::Item,
        "One of the container's mounts, by number or source (`*` for anything): source:destination:mode:writable:propagation.",
        "container.mount[/var/run/docker.sock] exists",
        Extract::Thread(mount),
    ),
    Field::new(
        "container.mount.source",
        Type::Text,
        ArgRule::Item,
        "Source of one of the container's mounts, by number or destination.",
        "container.mount.source[/data] = /srv",
        Extract::Thread(mount_source),
    ),
    Field::new(
        "container.mount.dest",
        Type::Text,
        ArgRule::Item,
        "Destination of one of the container's mounts, by number or source.",
        "container.mount.dest[/srv] = /data",
        Extract::Thread(mount_dest),
    ),
    Field::new(
        "container.mount.mode",
        Type::Text,
        ArgRule::Item,
        "Mode of one of the container's mounts, by number or source.",
        "container.mount.mode[/srv] = ro",
        Extract::Thread(mount_mode),
    ),
    Field::new(
        "container.mount.rdwr",
        Type::Text,
        ArgRule::Item,
        "Whether one of the container's mounts, by number or source, can be written: true or false.",
        "container.mount.rdwr[/etc*] = true",
        Extract::Thread(mount_writable),
    ),
    Field::new(
        "container.mount.propagation",
        Type::Text,
        ArgRule::Item,
        "How mounts below one of the container's mounts, by number or source, spread.",
        "container.mount.propagation[/srv] = rprivate",
        Extract::Thread(mount_propagation),
    ),
    Field::new(
        "container.cni.json",
        Type::Text,
        ArgRule::No,
        "What the network plugin answered when the container was made, JSON.",
        "container.cni.json contains cbr0",
        Extract::Thread(cni),
    ),
    Field::new(
        "container.start_ts",
        Type::Time,
        ArgRule::No,
        "When the container was made, ns UTC, to the second.",
        "container.start_ts exists",
        Extract::Thread(start),
    ),
    Field::new(
        "container.duration",
        Type::Duration,
        ArgRule::No,
        "How long the container had been there.",
        "container.duration < 60s",
        Extract::Event(duration),
    ),
    Field::new(
        "container.host_pid",
        Type::Bool,
        ArgRule::No,
        "Whether the container shares the host's pid namespace.",
        "container.host_pid = true",
        Extract::Thread(host_pid),
    ),
    Field::new(
        "container.host_network",
        Type::Bool,
        ArgRule::No,
        "Whether the container shares the host's network namespace.",
        "container.host_network = true",
        Extract::Thread(host_network),
    ),
    Field::new(
        "container.host_ipc",
        Type::Bool,
        ArgRule::No,
        "Whether the container shares the host's IPC namespace.",
        "container.host_ipc = true",
        Extract::Thread(host_ipc),
    ),
    Field::new(
        "container.healthcheck",
        Type::Text,
        ArgRule::No,
        "The container's health check: program and arguments.",
        "container.healthcheck contains curl",
        Extract::Thread(healthcheck),
    ),
    Field::new(
        "container.liveness_probe",
        Type::Text,
        ArgRule::No,
        "The container's liveness probe: program and arguments.",
        "container.liveness_probe contains curl",
        Extract::Thread(liveness_probe),
    ),
    Field::new(
        "container.readiness_probe",
        Type::Text,
        ArgRule::No,
        "The container's readiness probe: program and arguments.",
        "container.readiness_probe contains curl",
        Extract::Thread(readiness_probe),
    ),
    Field::new(
        "proc.is_container_healthcheck",
        Type::Bool,
        ArgRule::No,
        "Whether the process or an ancestor is the container's health check.",
        "proc.is_container_healthcheck = true",
        Extract::Thread(is_healthcheck),
    ),
    Field::new(
        "proc.is_container_liveness_probe",
        Type::Bool,
        ArgRule::No,
        "Whether the process or an ancestor is the container's liveness probe.",
        "proc.is_container_liveness_probe = true",
        Extract::Thread(is_liveness_probe),
    ),
    Field::new(
        "proc.is_container_readiness_probe",
        Type::Bool,
        ArgRule::No,
        "Whether the process or an ancestor is the container's readiness probe.",
        "proc.is_container_readiness_probe = true",
        Extract::Thread(is_readiness_probe),
    ),
];

fn cni<'a>(dict: &'a Dict, t: &'a ThreadRow, _: &'a FieldArg) -> Value<'a> {
    told_text(dict, t, |c| &c.cni)
}

fn made(dict: &Dict, t: &ThreadRow) -> Option<u64> {
    told(dict, t).map(|c| c.made).filter(|&made| made != 0)
}

fn start<'a>(dict: &'a Dict, t: &'a ThreadRow, _: &'a FieldArg) -> Value<'a> {
    made(dict, t).map_or(Value::Missing, Value::Uint)
}

fn duration<'a>(row: &Row<'a>, _: &'a FieldArg, _: &Context) -> Value<'a> {
    made(row.dict(), row.thread()).map_or(Value::Missing, |made| Value::Uint(row.time().saturating_sub(made)))
}

fn host(dict: &Dict, t: &ThreadRow, which: usize) -> Value<'static> {
    told(dict, t).and_then(|c| c.host[which]).map_or(Value::Missing, Value::Bool)
}

fn host_pid<'a>(dict: &'a Dict, t: &'a ThreadRow, _: &'a FieldArg) -> Value<'a> {
    host(dict, t, 0)
}

fn host_network<'a>(dict: &'a Dict, t: &'a ThreadRow, _: &'a FieldArg) -> Value<'a> {
    host(dict, t, 1)
}

fn host_ipc<'a>(dict: &'a Dict, t: &'a ThreadRow, _: &'a FieldArg) -> Value<'a> {
    host(dict, t, 2)
}

fn probe_line(dict: &Dict, t: &ThreadRow, which: usize) -> Value<'static> {
    told(dict, t).map_or(Value::Missing, |c| joined(&c.probes[which], " "))
}

fn healthcheck<'a>(dict: &'a Dict, t: &'a ThreadRow, _: &'a FieldArg) -> Value<'a> {
    probe_line(dict, t, 0)
}

fn liveness_probe<'a>(dict: &'a Dict, t: &'a ThreadRow, _: &'a FieldArg) -> Value<'a> {
    probe_line(dict, t, 1)
}

fn readiness_probe<'a>(dict: &'a Dict, t: &'a ThreadRow, _: &'a FieldArg) -> Value<'a> {
    probe_line(dict, t, 2)
}

/// Whether a process was started with the program and the arguments of a probe.
fn runs(dict: &Dict, t: &ThreadRow, probe: &[String]) -> bool {
    let image = dict.image(t.image);
    let given = |text: &String| [text.as_bytes(), b"\0"].concat();
    t.image != 0
        && probe.split_first().is_some_and(|(exe, args)| {
            dict.text(image.exe) == exe.as_bytes()
                && dict.text(image.args) == args.iter().flat_map(given).collect::<Vec<u8>>()
        })
}

fn is_probe(dict: &Dict, t: &ThreadRow, which: usize) -> Value<'static> {
    let Some(probe) = told(dict, t).map(|c| &c.probes[which]) else { return Value::Missing };
    let mut line = std::iter::once(process(dict, t)).chain(ancestors(dict, t)).filter(|a| a.cgroup == t.cgroup);
    Value::Bool(line.any(|process| runs(dict, process, probe)))
}

fn is_healthcheck<'a>(dict: &'a Dict, t: &'a ThreadRow, _: &'a FieldArg) -> Value<'a> {
    is_probe(dict, t, 0)
}

fn is_liveness_probe<'a>(dict: &'a Dict, t: &'a ThreadRow, _: &'a FieldArg) -> Value<'a> {
    is_probe(dict, t, 1)
}

fn is_readiness_probe<'a>(dict: &'a Dict, t: &'a ThreadRow, _: &'a FieldArg) -> Value<'a> {
    is_probe(dict, t, 2)
}

/// Whether a text is what a pattern with `*` for any text says.
fn fits(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = text.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

/// The mount with a number, or the first one of whose `key` a pattern says what it is.
fn find_mount<'a>(
    dict: &'a Dict,
    t: &'a ThreadRow,
    arg: &FieldArg,
    key: fn(&ContainerMount) -> &String,
) -> Option<&'a ContainerMount> {
    let mounts = &told(dict, t)?.mounts;
    match arg {
        FieldArg::Index(number) => mounts.get(*number as usize),
        FieldArg::Name(pattern) => mounts.iter().find(|m| fits(pattern, key(m))),
        FieldArg::None => None,
    }
}

fn of_mount<'a>(dict: &'a Dict, t: &'a ThreadRow, arg: &FieldArg, text: fn(&ContainerMount) -> &String) -> Value<'a> {
    find_mount(dict, t, arg, |m| &m.source).map_or(Value::Missing, |m| Value::text(text(m).as_bytes()))
}

fn mount<'a>(dict: &'a Dict, t: &'a ThreadRow, arg: &'a FieldArg) -> Value<'a> {
    find_mount(dict, t, arg, |m| &m.source).map_or(Value::Missing, |m| Value::owned(mount_line(m)))
}

fn mount_source<'a>(dict: &'a Dict, t: &'a ThreadRow, arg: &'a FieldArg) -> Value<'a> {
    find_mount(dict, t, arg, |m| &m.destination).map_or(Value::Missing, |m| Value::text(m.source.as_bytes()))
}

fn mount_dest<'a>(dict: &'a Dict, t: &'a ThreadRow, arg: &'a FieldArg) -> Value<'a> {
    of_mount(dict, t, arg, |m| &m.destination)
}

fn mount_mode<'a>(dict: &'a Dict, t: &'a ThreadRow, arg: &'a FieldArg) -> Value<'a> {
    of_mount(dict, t, arg, |m| &m.mode)
}

fn mount_writable<'a>(dict: &'a Dict, t: &'a ThreadRow, arg: &'a FieldArg) -> Value<'a> {
    let found = find_mount(dict, t, arg, |m| &m.source);
    found.map_or(Value::Missing, |m| Value::text(if m.writable { b"true" } else { b"false" }))
}

fn mount_propagation<'a>(dict: &'a Dict, t: &'a ThreadRow, arg: &'a FieldArg) -> Value<'a> {
    of_mount(dict, t, arg, |m| &m.propagation)
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, text, fit) in [
            ("/data", "/data", true),
            ("/data", "/data2", false),
            ("/data*", "/data2", true),
            ("*sock", "/var/run/docker.sock", true),
            ("/var*run*", "/var/lib/run/x", true),
            ("/a*b*c", "/abc", true),
            ("*", "", true),
            ("/a*a", "/a", false),
        ] {
            assert_eq!(fits(pattern, text), fit, "{pattern} {text}");
        }
    }
}
