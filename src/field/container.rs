//! `container.*`: ids are told from the thread's control group, all else is what was recorded of the container of that id.

use super::{ArgRule, Extract, Field, FieldArg};
use crate::value::{Type, Value};
use crate::world::{Container, ContainerMount, Dict, ThreadRow};
use std::collections::BTreeMap;

pub(super) static FIELDS: &[Field] = &[
    Field {
        name: "container.id",
        ty: Type::Text,
        arg: ArgRule::No,
        doc: "First 12 characters of the container's id, `host` outside of containers.",
        example: "container.id != host",
        extract: Extract::Thread(short_id),
    },
    Field {
        name: "container.full_id",
        ty: Type::Text,
        arg: ArgRule::No,
        doc: "The container's whole id, `host` outside of containers.",
        example: "container.full_id startswith 3ad7b26ded6d",
        extract: Extract::Thread(full_id),
    },
    Field {
        name: "container.name",
        ty: Type::Text,
        arg: ArgRule::No,
        doc: "The container's name where it was recorded, `host` outside of containers.",
        example: "container.name = web",
        extract: Extract::Thread(name),
    },
    Field {
        name: "container.image",
        ty: Type::Text,
        arg: ArgRule::No,
        doc: "The image as it was asked for.",
        example: "container.image startswith nginx",
        extract: Extract::Thread(image),
    },
    Field {
        name: "container.image.id",
        ty: Type::Text,
        arg: ArgRule::No,
        doc: "The image's id.",
        example: "container.image.id startswith 39286ab8",
        extract: Extract::Thread(image_id),
    },
    Field {
        name: "container.image.repository",
        ty: Type::Text,
        arg: ArgRule::No,
        doc: "The image without its tag.",
        example: "container.image.repository = nginx",
        extract: Extract::Thread(repository),
    },
    Field {
        name: "container.image.tag",
        ty: Type::Text,
        arg: ArgRule::No,
        doc: "The image's tag.",
        example: "container.image.tag = latest",
        extract: Extract::Thread(tag),
    },
    Field {
        name: "container.image.digest",
        ty: Type::Text,
        arg: ArgRule::No,
        doc: "The image's digest in its registry.",
        example: "container.image.digest exists",
        extract: Extract::Thread(digest),
    },
    Field {
        name: "container.type",
        ty: Type::Text,
        arg: ArgRule::No,
        doc: "The container engine, `host` outside of containers.",
        example: "container.type = docker",
        extract: Extract::Thread(engine),
    },
    Field {
        name: "container.privileged",
        ty: Type::Bool,
        arg: ArgRule::No,
        doc: "Whether the container may do what the host may.",
        example: "container.privileged = true",
        extract: Extract::Thread(privileged),
    },
    Field {
        name: "container.ip",
        ty: Type::Text,
        arg: ArgRule::No,
        doc: "The container's address.",
        example: "container.ip = 172.17.0.2",
        extract: Extract::Thread(ip),
    },
    Field {
        name: "container.mounts",
        ty: Type::Text,
        arg: ArgRule::No,
        doc: "The container's mounts, each source:destination:mode:writable:propagation.",
        example: "container.mounts contains /var/run/docker.sock",
        extract: Extract::Thread(mounts),
    },
    Field {
        name: "container.labels",
        ty: Type::Text,
        arg: ArgRule::No,
        doc: "The container's labels, each key:value.",
        example: "container.labels contains team",
        extract: Extract::Thread(labels),
    },
    Field {
        name: "container.label",
        ty: Type::Text,
        arg: ArgRule::Key,
        doc: "One of the container's labels, by its key.",
        example: "container.label[team] = shop",
        extract: Extract::Thread(labels),
    },
];

fn full_id<'a>(dict: &'a Dict, t: &'a ThreadRow, _: &'a FieldArg) -> Value<'a> {
    if t.placeholder && t.cgroup.0 == 0 {
        return Value::Missing;
    }
    Value::text(id_of_cgroup(dict.text(t.cgroup)).unwrap_or(b"host"))
}

pub(super) fn short_id<'a>(dict: &'a Dict, t: &'a ThreadRow, arg: &'a FieldArg) -> Value<'a> {
    short(full_id(dict, t, arg))
}

/// The first 12 characters of an id; a name that is none stays.
pub(super) fn short(id: Value<'_>) -> Value<'_> {
    match id {
        Value::Text(std::borrow::Cow::Borrowed(id)) if is_hex64(id) => Value::text(&id[..12]),
        other => other,
    }
}

/// What was recorded of the sandbox of a container's pod.
pub(super) fn sandbox<'a>(dict: &'a Dict, t: &'a ThreadRow) -> Option<&'a Container> {
    let own = told(dict, t)?;
    if own.is_sandbox { Some(own) } else { dict.container(own.sandbox.as_bytes()).filter(|_| !own.sandbox.is_empty()) }
}

/// What a function finds in the innermost component of a thread's control groups for which it finds anything.
pub(super) fn of_group<T>(dict: &Dict, t: &ThreadRow, find: impl Fn(&[u8]) -> Option<T>) -> Option<T> {
    let path = |group: &'_ [u8]| group.iter().position(|&b| b == b'/').unwrap_or(0);
    let groups = dict.text(t.cgroup).split(|&b| b == 0);
    groups.map(|group| &group[path(group)..]).find_map(|path| path.rsplit(|&b| b == b'/').find_map(&find))
}

/// What was recorded of a row's container.
pub(super) fn told<'a>(dict: &'a Dict, t: &'a ThreadRow) -> Option<&'a Container> {
    dict.container(id_of_cgroup(dict.text(t.cgroup))?)
}

/// A text that was recorded of it; none where it is empty.
pub(super) fn told_text<'a>(dict: &'a Dict, t: &'a ThreadRow, text: fn(&Container) -> &String) -> Value<'a> {
    told(dict, t).map(text).filter(|text| !text.is_empty()).map_or(Value::Missing, |text| Value::text(text.as_bytes()))
}

/// The same of what is `host` outside of containers.
fn or_host<'a>(dict: &'a Dict, t: &'a ThreadRow, arg: &'a FieldArg, text: fn(&Container) -> &String) -> Value<'a> {
    match full_id(dict, t, arg) {
        Value::Text(id) if id.as_ref() == b"host" => Value::text(b"host"),
        _ => told_text(dict, t, text),
    }
}

fn name<'a>(dict: &'a Dict, t: &'a ThreadRow, arg: &'a FieldArg) -> Value<'a> {
    or_host(dict, t, arg, |c| &c.name)
}

fn engine<'a>(dict: &'a Dict, t: &'a ThreadRow, arg: &'a FieldArg) -> Value<'a> {
    or_host(dict, t, arg, |c| &c.engine)
}

fn image<'a>(dict: &'a Dict, t: &'a ThreadRow, _: &'a FieldArg) -> Value<'a> {
    told_text(dict, t, |c| &c.image)
}

fn image_id<'a>(dict: &'a Dict, t: &'a ThreadRow, _: &'a FieldArg) -> Value<'a> {
    told_text(dict, t, |c| &c.image_id)
}

fn repository<'a>(dict: &'a Dict, t: &'a ThreadRow, _: &'a FieldArg) -> Value<'a> {
    told_text(dict, t, |c| &c.repository)
}

fn tag<'a>(dict: &'a Dict, t: &'a ThreadRow, _: &'a FieldArg) -> Value<'a> {
    told_text(dict, t, |c| &c.tag)
}

fn digest<'a>(dict: &'a Dict, t: &'a ThreadRow, _: &'a FieldArg) -> Value<'a> {
    told_text(dict, t, |c| &c.digest)
}

fn ip<'a>(dict: &'a Dict, t: &'a ThreadRow, _: &'a FieldArg) -> Value<'a> {
    told_text(dict, t, |c| &c.ip)
}

fn privileged<'a>(dict: &'a Dict, t: &'a ThreadRow, _: &'a FieldArg) -> Value<'a> {
    told(dict, t).and_then(|c| c.privileged).map_or(Value::Missing, Value::Bool)
}

/// Items joined by a text; none where there are none.
pub(super) fn joined<'a>(items: &[String], by: &str) -> Value<'a> {
    if items.is_empty() { Value::Missing } else { Value::owned(items.join(by).into_bytes()) }
}

fn mounts<'a>(dict: &'a Dict, t: &'a ThreadRow, _: &'a FieldArg) -> Value<'a> {
    let Some(container) = told(dict, t) else { return Value::Missing };
    joined(&container.mounts.iter().map(mount_line).collect::<Vec<_>>(), " ")
}

/// A mount in one text.
pub(super) fn mount_line(m: &ContainerMount) -> String {
    format!("{}:{}:{}:{}:{}", m.source, m.destination, m.mode, m.writable, m.propagation)
}

fn labels<'a>(dict: &'a Dict, t: &'a ThreadRow, arg: &'a FieldArg) -> Value<'a> {
    let Some(container) = told(dict, t) else { return Value::Missing };
    if let FieldArg::Name(name) = arg {
        return label_text(&container.labels, name);
    }
    joined(&container.labels.iter().map(|(key, value)| format!("{key}:{value}")).collect::<Vec<_>>(), ",")
}

/// A label's text.
pub(super) fn label_text<'a>(labels: &'a BTreeMap<String, String>, key: &str) -> Value<'a> {
    labels.get(key).map_or(Value::Missing, |label| Value::text(label.as_bytes()))
}

fn is_hex64(id: &[u8]) -> bool {
    id.len() == 64 && id.iter().all(u8::is_ascii_hexdigit)
}

/// What stands before the id in the name that systemd or the engine gave the group.
const PREFIXES: &[&[u8]] = &[b"docker-", b"cri-containerd-", b"crio-", b"libpod-payload-", b"libpod-", b"nerdctl-"];

/// The container of a control group path: the innermost component that names one.
///
/// Imported captures have a list, `subsystem=path` with a NUL behind each: the first path that names one.
fn id_of_cgroup(groups: &[u8]) -> Option<&[u8]> {
    let path = |group: &'_ [u8]| group.iter().position(|&b| b == b'/').unwrap_or(0);
    groups.split(|&b| b == 0).find_map(|group| id_of_path(&group[path(group)..]))
}

fn id_of_path(path: &[u8]) -> Option<&[u8]> {
    let mut parent: &[u8] = b"";
    let mut found = None;
    for part in path.split(|&b| b == b'/').filter(|p| !p.is_empty()) {
        found = id_of_component(parent, part).or(found);
        parent = part;
    }
    found
}

fn id_of_component<'a>(parent: &[u8], part: &'a [u8]) -> Option<&'a [u8]> {
    if parent == b"lxc" || parent == b"lxc.payload" {
        return Some(part);
    }
    if let Some(name) = part.strip_prefix(b"lxc.payload.") {
        return Some(name);
    }
    let part = part.strip_suffix(b".scope").unwrap_or(part);
    // containerd under systemd without a scope: `kubepods-….slice:cri-containerd:ID`.
    let part = part.rsplit(|&b| b == b':').next().unwrap_or(part);
    let id = PREFIXES.iter().find_map(|p| part.strip_prefix(*p)).unwrap_or(part);
    is_hex64(id).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_engine_names_its_groups_in_its_own_way() {
        let id = "3ad7b26ded6d8e7b23da7d48fe889434573036c27ae5a74837233de441c3601e";
        for (path, want) in [
            (format!("/docker/{id}"), Some(id)),
            (format!("/system.slice/docker-{id}.scope"), Some(id)),
            (format!("/kubepods.slice/kubepods-pod1.slice/cri-containerd-{id}.scope"), Some(id)),
            (format!("/kubepods/besteffort/pod1/{id}"), Some(id)),
            (format!("/system.slice/crio-{id}.scope"), Some(id)),
            (format!("/machine.slice/libpod-{id}.scope/container"), Some(id)),
            (format!("/libpod_parent/libpod-{id}"), Some(id)),
            (format!("/kubepods-pod1.slice:cri-containerd:{id}"), Some(id)),
            (format!("/crio-conmon-{id}.scope"), None),
            ("/lxc/web/init.scope".to_owned(), Some("web")),
            ("/lxc.payload.web/system.slice".to_owned(), Some("web")),
            ("/user.slice/user-0.slice/session-1.scope".to_owned(), None),
            ("/".to_owned(), None),
            (format!("cpuset=/\0cpu=/docker/{id}\0"), Some(id)),
            ("cpuset=/\0cpu=/user.slice\0".to_owned(), None),
        ] {
            let got = id_of_cgroup(path.as_bytes()).map(|b| std::str::from_utf8(b).unwrap());
            assert_eq!(got, want, "{path}");
        }
    }
}
