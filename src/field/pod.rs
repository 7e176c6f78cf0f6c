//! `k8s.*`: the pod of a thread's container, from what the container engine told of it and from its control group.

use super::container::{joined, label_text, of_group, sandbox, short, told};
use super::{ArgRule, Extract, Field, FieldArg};
use crate::value::{Type, Value};
use crate::world::{Dict, ThreadRow};

pub(super) static FIELDS: &[Field] = &[
    Field::new(
        "k8s.pod.name",
        Type::Text,
        ArgRule::No,
        "Name of the pod.",
        "k8s.pod.name startswith web-",
        Extract::Thread(name),
    ),
    Field::new(
        "k8s.ns.name",
        Type::Text,
        ArgRule::No,
        "Namespace of the pod.",
        "k8s.ns.name = shop",
        Extract::Thread(namespace),
    ),
    Field::new(
        "k8s.pod.uid",
        Type::Text,
        ArgRule::No,
        "The pod's uid, as its label or else its control group has it.",
        "k8s.pod.uid exists",
        Extract::Thread(uid),
    ),
    Field::new(
        "k8s.pod.sandbox_id",
        Type::Text,
        ArgRule::No,
        "First 12 characters of the id of the pod's sandbox, the container that holds its namespaces.",
        "k8s.pod.sandbox_id = 3ad7b26ded6d",
        Extract::Thread(sandbox_id),
    ),
    Field::new(
        "k8s.pod.full_sandbox_id",
        Type::Text,
        ArgRule::No,
        "The whole id of the pod's sandbox.",
        "k8s.pod.full_sandbox_id startswith 3ad7b26ded6d",
        Extract::Thread(full_sandbox_id),
    ),
    Field::new(
        "k8s.pod.label",
        Type::Text,
        ArgRule::Key,
        "One of the pod's labels, by its key.",
        "k8s.pod.label[app] = shop",
        Extract::Thread(labels),
    ),
    Field::new(
        "k8s.pod.labels",
        Type::Text,
        ArgRule::No,
        "The pod's labels, each key:value.",
        "k8s.pod.labels contains app:shop",
        Extract::Thread(labels),
    ),
    Field::new(
        "k8s.pod.ip",
        Type::Text,
        ArgRule::No,
        "The pod's address.",
        "k8s.pod.ip = 10.42.0.7",
        Extract::Thread(ip),
    ),
    Field::new(
        "k8s.pod.cni.json",
        Type::Text,
        ArgRule::No,
        "What the network plugin answered when the pod was made, JSON.",
        "k8s.pod.cni.json contains cbr0",
        Extract::Thread(cni),
    ),
];

/// A label that the kubelet gives each container of a pod.
fn kubelet<'a>(dict: &'a Dict, t: &'a ThreadRow, key: &str) -> Value<'a> {
    let find = |of: &'a crate::world::Container| of.labels.get(key).or_else(|| of.pod_labels.get(key));
    let of_sandbox = || find(sandbox(dict, t)?);
    let label = told(dict, t).and_then(|of| find(of).or_else(of_sandbox));
    label.map_or(Value::Missing, |text| Value::text(text.as_bytes()))
}

fn name<'a>(dict: &'a Dict, t: &'a ThreadRow, _: &'a FieldArg) -> Value<'a> {
    kubelet(dict, t, "io.kubernetes.pod.name")
}

fn namespace<'a>(dict: &'a Dict, t: &'a ThreadRow, _: &'a FieldArg) -> Value<'a> {
    kubelet(dict, t, "io.kubernetes.pod.namespace")
}

fn uid<'a>(dict: &'a Dict, t: &'a ThreadRow, _: &'a FieldArg) -> Value<'a> {
    match kubelet(dict, t, "io.kubernetes.pod.uid") {
        Value::Missing => of_group(dict, t, uid_of_component).map_or(Value::Missing, Value::owned),
        told => told,
    }
}

/// `pod<UID>`, as the kubelet names the group with cgroupfs, or `kubepods-burstable-pod<UID>.slice`, as with systemd, which
/// has underscores for hyphens. A static pod's uid is a hash without hyphens.
fn uid_of_component(part: &[u8]) -> Option<Vec<u8>> {
    let part = part.split(|&b| b == b':').next().unwrap_or(part);
    let part = part.strip_suffix(b".slice").unwrap_or(part);
    let at = if part.starts_with(b"pod") { 0 } else { part.windows(4).rposition(|four| four == b"-pod")? + 1 };
    let uid: Vec<u8> = part[at + 3..].iter().map(|&b| if b == b'_' { b'-' } else { b }).collect();
    let is_uid = matches!(uid.len(), 32 | 36) && uid.iter().all(|b| b.is_ascii_hexdigit() || *b == b'-');
    is_uid.then_some(uid)
}

fn full_sandbox_id<'a>(dict: &'a Dict, t: &'a ThreadRow, _: &'a FieldArg) -> Value<'a> {
    let id = told(dict, t).map(|of| if of.is_sandbox { &of.full_id } else { &of.sandbox });
    id.filter(|id| !id.is_empty()).map_or(Value::Missing, |id| Value::text(id.as_bytes()))
}

fn sandbox_id<'a>(dict: &'a Dict, t: &'a ThreadRow, arg: &'a FieldArg) -> Value<'a> {
    short(full_sandbox_id(dict, t, arg))
}

fn labels<'a>(dict: &'a Dict, t: &'a ThreadRow, arg: &'a FieldArg) -> Value<'a> {
    let of_pod = |of: &'a crate::world::Container| {
        let own = if of.is_sandbox { &of.labels } else { &of.pod_labels };
        (!own.is_empty()).then_some(own)
    };
    let labels = told(dict, t).and_then(|of| of_pod(of).or_else(|| sandbox(dict, t).and_then(of_pod)));
    let Some(labels) = labels else { return Value::Missing };
    match arg {
        FieldArg::Name(key) => label_text(labels, key),
        _ => joined(&labels.iter().map(|(key, value)| format!("{key}:{value}")).collect::<Vec<_>>(), ","),
    }
}

/// Of a pod the sandbox's: a container's own address is that of its engine's network.
fn ip<'a>(dict: &'a Dict, t: &'a ThreadRow, _: &'a FieldArg) -> Value<'a> {
    of_sandbox(dict, t, |of| &of.ip)
}

fn cni<'a>(dict: &'a Dict, t: &'a ThreadRow, _: &'a FieldArg) -> Value<'a> {
    of_sandbox(dict, t, |of| &of.cni)
}

fn of_sandbox<'a>(dict: &'a Dict, t: &'a ThreadRow, text: fn(&crate::world::Container) -> &String) -> Value<'a> {
    if full_sandbox_id(dict, t, &FieldArg::None).is_missing() {
        return Value::Missing;
    }
    let texts = [sandbox(dict, t), told(dict, t)].into_iter().flatten().map(text);
    texts.into_iter().find(|text| !text.is_empty()).map_or(Value::Missing, |text| Value::text(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::uid_of_component;

    #[test]
    fn the_groups_of_the_kubelet_name_their_pod() {
        let uid = "6f1b2c3d-0000-4abc-9def-0123456789ab";
        let scored = uid.replace('-', "_");
        for (part, want) in [
            (format!("pod{uid}"), Some(uid)),
            (format!("kubepods-burstable-pod{scored}.slice"), Some(uid)),
            (format!("kubepods-pod{scored}.slice"), Some(uid)),
            (format!("kubelet-kubepods-besteffort-pod{scored}.slice:cri-containerd:3ad7"), Some(uid)),
            ("pod0123456789abcdef0123456789abcdef".into(), Some("0123456789abcdef0123456789abcdef")),
            ("podman-pause.scope".into(), None),
            ("kubepods".into(), None),
            ("libpod-payload".into(), None),
        ] {
            let found = uid_of_component(part.as_bytes()).map(|uid| String::from_utf8(uid).unwrap());
            assert_eq!(found.as_deref(), want, "{part}");
        }
    }
}
