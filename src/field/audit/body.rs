//! Values of what was sent and answered: pods, roles, bindings, services, config maps.

use super::event::flag;
use super::walk::{at, bytes, elements, inside, list, said, said_all, text};
use crate::batch::Row;
use crate::event::AuditPart;
use crate::field::FieldArg;
use crate::value::{Value, json_items, json_string, json_text};

use AuditPart as P;

pub(super) fn request<'a>(row: &Row<'a>, path: &[&str]) -> Value<'a> {
    inside(row, P::Request, path)
}

/// Elements of an array of the request as JSON text.
pub(super) fn texts<'a>(row: &Row<'a>, path: &[&str], arg: &FieldArg) -> Value<'a> {
    said_all(elements(row, P::Request, path, arg))
}

/// One value of each container; where one has none, there is no list at all.
pub(super) fn strict<'a>(row: &Row<'a>, containers: &str, key: &str, arg: &FieldArg) -> Value<'a> {
    let values: Option<Vec<_>> =
        elements(row, P::Request, &["spec", containers], arg).into_iter().map(|c| at(c, &[key]).map(said)).collect();
    values.map_or(Value::Missing, list)
}

/// One value of each container that has it.
pub(super) fn each<'a>(row: &Row<'a>, containers: &str, path: &[&str], arg: &FieldArg) -> Value<'a> {
    let all = elements(row, P::Request, &["spec", containers], arg);
    said_all(all.into_iter().filter_map(|container| at(container, path)).collect())
}

/// The image of each container without tag and digest; a port of the registry is no tag.
pub(super) fn repository<'a>(row: &Row<'a>, containers: &str, arg: &FieldArg) -> Value<'a> {
    let cut = |value: Value<'a>| match value {
        Value::Text(image) => Value::owned(without_tag(&image).to_vec()),
        other => other,
    };
    match strict(row, containers, "image", arg) {
        Value::List(images) => list(images.into_iter().map(cut).collect()),
        other => other,
    }
}

fn without_tag(image: &[u8]) -> &[u8] {
    let image = image.split(|&b| b == b'@').next().unwrap_or_default();
    let name = memchr::memrchr(b'/', image).map_or(0, |slash| slash + 1);
    memchr::memchr(b':', &image[name..]).map_or(image, |colon| &image[..name + colon])
}

/// The words of an array of each container, a blank between them.
pub(super) fn words<'a>(row: &Row<'a>, containers: &str, key: &str, arg: &FieldArg) -> Value<'a> {
    let all = elements(row, P::Request, &["spec", containers], arg);
    let joined =
        |array: &[u8]| json_items(array).map(|item| json_text(item.value).into_owned()).collect::<Vec<_>>().join(&b' ');
    list(all.into_iter().filter_map(|c| at(c, &[key])).map(|array| Value::owned(joined(array))).collect())
}

/// Capabilities that containers ask for, all in one list.
pub(super) fn capabilities<'a>(row: &Row<'a>, containers: &str, arg: &FieldArg) -> Value<'a> {
    let all = elements(row, P::Request, &["spec", containers], arg);
    let added = all.into_iter().filter_map(|c| at(c, &["securityContext", "capabilities", "add"]));
    said_all(added.flat_map(json_items).map(|item| item.value).collect())
}

/// Ports of the host that containers take.
pub(super) fn host_ports<'a>(row: &Row<'a>, containers: &str, arg: &FieldArg) -> Value<'a> {
    let all = elements(row, P::Request, &["spec", containers], arg);
    let ports = all.into_iter().filter_map(|c| at(c, &["ports"])).flat_map(json_items);
    said_all(ports.filter_map(|p| at(p.value, &["hostPort"]).or_else(|| at(p.value, &["containerPort"]))).collect())
}

/// The user or group that each container runs as: its own, else the pod's, else 0.
pub(super) fn effective<'a>(row: &Row<'a>, containers: &str, key: &str, arg: &FieldArg) -> Value<'a> {
    let pod = bytes(row, P::Request).and_then(|request| at(request, &["spec", "securityContext", key]));
    let all = elements(row, P::Request, &["spec", containers], arg);
    let one = |c: &'a [u8]| at(c, &["securityContext", key]).or(pod).map_or(Value::text(b"0"), said);
    list(all.into_iter().map(one).collect())
}

/// Whether any container is privileged.
pub(super) fn privileged<'a>(row: &Row<'a>) -> Value<'a> {
    let all = elements(row, P::Request, &["spec", "containers"], &FieldArg::None);
    let is = |c: &&[u8]| at(c, &["securityContext", "privileged"]) == Some(b"true");
    flag((!all.is_empty()).then(|| all.iter().any(is)))
}

/// The image of the first container, as older rules ask for it.
pub(super) fn first_image<'a>(row: &Row<'a>, is_cut: bool) -> Value<'a> {
    let first = FieldArg::Index(0);
    let images =
        if is_cut { repository(row, "containers", &first) } else { strict(row, "containers", "image", &first) };
    if let Value::List(images) = images { images.into_iter().next().unwrap_or(Value::Missing) } else { Value::Missing }
}

/// A value of each volume that has it.
pub(super) fn volumes<'a>(row: &Row<'a>, path: &[&str], arg: &FieldArg) -> Value<'a> {
    let all = elements(row, P::Request, &["spec", "volumes"], arg);
    said_all(all.into_iter().filter_map(|volume| at(volume, path)).collect())
}

/// What sorts of volumes there are: each key but the name.
pub(super) fn volume_types<'a>(row: &Row<'a>, arg: &FieldArg) -> Value<'a> {
    let all = elements(row, P::Request, &["spec", "volumes"], arg);
    list(
        all.into_iter()
            .flat_map(json_items)
            .filter(|item| item.key != b"name")
            .map(|item| Value::text(item.key))
            .collect(),
    )
}

/// Whether a volume is a path of the host: the argument, or what begins with it where it ends in `*`.
pub(super) fn has_host_path<'a>(row: &Row<'a>, arg: &FieldArg) -> Value<'a> {
    let FieldArg::Name(asked) = arg else { return Value::Missing };
    let all = elements(row, P::Request, &["spec", "volumes"], &FieldArg::None);
    if all.is_empty() {
        return Value::Missing;
    }
    let mut paths = all.into_iter().filter_map(|volume| json_string(at(volume, &["hostPath", "path"])?));
    let is = |path: &[u8]| match asked.strip_suffix('*') {
        Some(start) => path.starts_with(start.as_bytes()),
        None => path == asked.as_bytes(),
    };
    flag(Some(paths.any(|path| is(&path))))
}

/// Names of the subjects of a kind.
pub(super) fn subjects<'a>(row: &Row<'a>, kind: &str, is_full: bool) -> Value<'a> {
    let all = elements(row, P::Request, &["subjects"], &FieldArg::None);
    let of_kind =
        all.into_iter().filter(|s| at(s, &["kind"]).and_then(json_string).is_some_and(|k| *k == *kind.as_bytes()));
    let name = |subject: &'a [u8]| {
        let name = json_text(at(subject, &["name"])?);
        if !is_full {
            return Some(Value::Text(name));
        }
        let namespace = json_text(at(subject, &["namespace"])?);
        Some(Value::owned([namespace.as_ref(), b":", name.as_ref()].concat()))
    };
    list(of_kind.filter_map(name).collect())
}

/// Values of all rules of a role.
pub(super) fn rules<'a>(row: &Row<'a>, key: &str, arg: &FieldArg) -> Value<'a> {
    let all = elements(row, P::Request, &["rules"], arg);
    said_all(all.into_iter().filter_map(|rule| at(rule, &[key])).flat_map(json_items).map(|item| item.value).collect())
}

/// The name of a config map, as older rules ask for it.
pub(super) fn config_map<'a>(row: &Row<'a>) -> Value<'a> {
    text(row, P::Name)
}
