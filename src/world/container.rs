//! [`Container`]: what a container engine tells of a container, as sysdig and Falco record it (`container` events: one
//! JSON text each, `libsinsp`'s `container_json_to_info`).

use super::engine::World;
use super::late::{LateFact, LateValue};
use serde_json::Value;
use std::collections::BTreeMap;

/// Bytes of a text that is read at most: labels and mounts of a pod come to some KiB.
const MOST_TEXT: usize = 1 << 20;
/// Containers that are known at a time at most.
const MOST: usize = 1 << 16;

/// What a number in `type` stands for (`libsinsp/sinsp.h`, `sinsp_container_type`).
const TYPES: [&str; 12] =
    ["docker", "lxc", "libvirt-lxc", "mesos", "rkt", "custom", "cri", "containerd", "cri-o", "bpm", "static", "podman"];

/// A file system that a container was given.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ContainerMount {
    /// Where it is on the host.
    pub source: String,
    /// Where the container sees it.
    pub destination: String,
    /// Its mode, such as `ro`; often empty.
    pub mode: String,
    /// Whether it can be written.
    pub writable: bool,
    /// How mounts below it spread, such as `rprivate`.
    pub propagation: String,
}

/// What a container engine tells of a container. Texts are empty where it does not.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Container {
    /// The id as it was told: mostly the first 12 characters.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The image as it was asked for.
    pub image: String,
    /// The image's id.
    pub image_id: String,
    /// The image's repository.
    pub repository: String,
    /// The image's tag.
    pub tag: String,
    /// The image's digest in its registry.
    pub digest: String,
    /// The engine.
    pub engine: String,
    /// Address in the container network.
    pub ip: String,
    /// Whether it may do what the host may.
    pub privileged: Option<bool>,
    /// Its mounts.
    pub mounts: Vec<ContainerMount>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// The whole id, where it was told.
    pub full_id: String,
    /// Id of the sandbox of its pod.
    pub sandbox: String,
    /// Whether it is a pod's sandbox itself.
    pub is_sandbox: bool,
    /// Labels of its pod.
    pub pod_labels: BTreeMap<String, String>,
    /// What the network plugin answered, JSON.
    pub cni: String,
    /// When it was made, ns since 1970 UTC; 0 where that was not told.
    pub made: u64,
    /// Whether it uses the host's namespaces of processes, networks and IPC.
    pub host: [Option<bool>; 3],
    /// Commands that look whether it is well: health check, liveness and readiness probe; each program and arguments.
    pub probes: [Vec<String>; 3],
}

fn text(of: &Value, key: &str) -> String {
    of.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// An IP address is a text, or a number in network order.
fn address(of: &Value) -> String {
    let number = of.get("ip").and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok()).filter(|n| *n != 0);
    number.map_or_else(|| text(of, "ip"), |n| std::net::Ipv4Addr::from(n).to_string())
}

fn mount(of: &Value) -> ContainerMount {
    ContainerMount {
        source: text(of, "Source"),
        destination: text(of, "Destination"),
        mode: text(of, "Mode"),
        writable: of.get("RW").and_then(Value::as_bool).unwrap_or(false),
        propagation: text(of, "Propagation"),
    }
}

fn engine(of: &Value) -> String {
    let name = |n: u64| TYPES.get(usize::try_from(n).ok()?).map(|name| (*name).to_owned());
    of.get("type").and_then(Value::as_u64).and_then(name).unwrap_or_else(|| text(of, "type"))
}

fn texts(of: &Value, key: &str) -> BTreeMap<String, String> {
    let labels = of.get(key).and_then(Value::as_object).into_iter().flatten();
    let text_of = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    labels.map(|(key, value)| (key.clone(), text_of(value))).collect()
}

/// A probe's program and arguments; empty where there is none.
fn probe(of: &Value, key: &str) -> Vec<String> {
    let Some(probe) = of.get(key).filter(|probe| probe.is_object()) else { return Vec::new() };
    let args = probe.get("args").and_then(Value::as_array).into_iter().flatten();
    let args = args.filter_map(Value::as_str).map(str::to_owned);
    std::iter::once(text(probe, "exe")).chain(args).collect()
}

impl Container {
    /// Reads a description, with or without `container` around it; `None` for what is none.
    pub fn parse(json: &[u8]) -> Option<Container> {
        let all: Value = serde_json::from_slice(json.get(..json.len().min(MOST_TEXT))?).ok()?;
        let of = all.get("container").unwrap_or(&all);
        let id = Some(text(of, "id")).filter(|id| !id.is_empty())?;
        let flag = |key: &str| of.get(key).and_then(Value::as_bool);
        // Seconds; recorders that asked the engine for text have none.
        let made = of.get("created_time").and_then(Value::as_u64).unwrap_or(0);
        Some(Container {
            id,
            name: text(of, "name"),
            image: text(of, "image"),
            image_id: text(of, "imageid"),
            repository: text(of, "imagerepo"),
            tag: text(of, "imagetag"),
            digest: text(of, "imagedigest"),
            engine: engine(of),
            ip: address(of),
            privileged: of.get("privileged").and_then(Value::as_bool),
            mounts: of.get("Mounts").and_then(Value::as_array).into_iter().flatten().map(mount).collect(),
            labels: texts(of, "labels"),
            full_id: text(of, "full_id"),
            sandbox: text(of, "pod_sandbox_id"),
            is_sandbox: flag("is_pod_sandbox").unwrap_or(false),
            pod_labels: texts(of, "pod_sandbox_labels"),
            cni: text(of, "cni_json"),
            made: made.saturating_mul(1_000_000_000),
            host: ["host_pid", "host_network", "host_ipc"].map(flag),
            probes: ["Healthcheck", "LivenessProbe", "ReadinessProbe"].map(|key| probe(of, key)),
        })
    }
}

impl World {
    /// A container was described (JSON). Its rows are answered with it also where they were written before: it is known as a
    /// late fact, in each file of a recording.
    pub fn describe_container(&mut self, json: &[u8]) {
        let Some(container) = Container::parse(json) else { return };
        let is_news = self.containers.get(&container.id).is_none_or(|known| known != json);
        if is_news && (self.containers.len() < MOST || self.containers.contains_key(&container.id)) {
            self.tell_late(LateFact::container(json));
            self.containers.insert(container.id, json.to_vec());
        }
    }

    /// What is known of containers, as facts for a file that begins.
    pub fn container_facts(&self) -> Vec<LateFact> {
        self.containers.values().map(|json| LateFact::container(json)).collect()
    }
}

impl LateFact {
    /// The kind of fact that describes a container: its value `json`.
    pub const CONTAINER: &'static str = "container";

    /// The description of a container.
    pub(super) fn container(json: &[u8]) -> LateFact {
        let values = vec![("json".to_owned(), LateValue::Bytes(json.to_vec()))];
        LateFact { kind: Self::CONTAINER.to_owned(), back: 0, id: 0, values }
    }

    /// The container that it describes; `None` if it is about something else.
    pub(super) fn described(&self) -> Option<Container> {
        let json = self.values.iter().find(|(name, _)| self.kind == Self::CONTAINER && name == "json");
        json.and_then(|(_, value)| if let LateValue::Bytes(json) = value { Container::parse(json) } else { None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WEB: &str = r#"{"container":{"id":"3ad7b26ded6d","type":0,"name":"web","image":"nginx:1.27","imageid":"39286ab8a5e1",
        "imagerepo":"nginx","imagetag":"1.27","imagedigest":"sha256:04ba","privileged":false,"ip":"172.17.0.2",
        "Mounts":[{"Source":"/srv","Destination":"/data","Mode":"ro","RW":false,"Propagation":"rprivate"}],
        "labels":{"team":"shop","n":1}}}"#;

    #[test]
    fn a_description_is_read_and_what_is_none_is_not() {
        let web = Container::parse(WEB.as_bytes()).unwrap();
        assert_eq!((web.id.as_str(), web.name.as_str(), web.image.as_str()), ("3ad7b26ded6d", "web", "nginx:1.27"));
        assert_eq!((web.engine.as_str(), web.ip.as_str(), web.privileged), ("docker", "172.17.0.2", Some(false)));
        assert_eq!((web.mounts.len(), web.mounts[0].destination.as_str()), (1, "/data"));
        assert_eq!(
            web.labels.into_iter().collect::<Vec<_>>(),
            [("n".into(), "1".into()), ("team".into(), "shop".into())]
        );
        let old = Container::parse(br#"{"id":"x","type":7,"name":"n","image":"i"}"#).unwrap();
        assert_eq!(old.engine, "containerd");
        assert_eq!(Container::parse(br#"{"id":"x","ip":2887778306}"#).unwrap().ip, "172.32.0.2");
        for none in ["", "[]", "{}", r#"{"container":{"name":"x"}}"#, "not json", &"[".repeat(9999)] {
            assert_eq!(Container::parse(none.as_bytes()), None, "{none:.20}");
        }
    }

    #[test]
    fn only_what_is_new_of_a_container_is_told() {
        let mut world = World::new();
        world.describe_container(WEB.as_bytes());
        world.describe_container(WEB.as_bytes());
        world.describe_container(b"{}");
        let facts = world.take_late_facts();
        assert_eq!(facts.len(), 1);
        assert_eq!(facts[0].described().unwrap().name, "web");
        assert_eq!(world.container_facts(), facts);
        assert!(!facts[0].is_of_a_segment());
    }
}
