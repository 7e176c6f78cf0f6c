//! `container.*`: told from the thread's control group.

use super::{ArgRule, Extract, Field, FieldArg};
use crate::value::{Type, Value};
use crate::world::{Dict, ThreadRow};

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
];

fn full_id<'a>(dict: &'a Dict, t: &'a ThreadRow, _: &'a FieldArg) -> Value<'a> {
    if t.placeholder && t.cgroup.0 == 0 {
        return Value::Missing;
    }
    Value::text(id_of_cgroup(dict.text(t.cgroup)).unwrap_or(b"host"))
}

fn short_id<'a>(dict: &'a Dict, t: &'a ThreadRow, arg: &'a FieldArg) -> Value<'a> {
    match full_id(dict, t, arg) {
        Value::Text(std::borrow::Cow::Borrowed(id)) if is_hex64(id) => Value::text(&id[..12]),
        other => other,
    }
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
