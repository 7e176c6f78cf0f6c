//! Fields of sysdig and Falco that no reel can answer: whoever names one is told why, and what to use instead.

/// Fields that cannot be answered, and why.
#[derive(Debug, PartialEq, Eq)]
pub struct Absent {
    /// The field, or with a dot at its end the beginning of the names of all that it is about.
    pub name: &'static str,
    /// Why, as the rest of a sentence.
    pub reason: &'static str,
    /// The field that says something of the kind; empty where there is none.
    pub instead: &'static str,
}

const fn absent(name: &'static str, reason: &'static str, instead: &'static str) -> Absent {
    Absent { name, reason, instead }
}

const TRACERS: &str =
    "tracers (writes to /dev/null that sysdig took for spans) are not recorded by any version since 2023";
const INFRA: &str = "events that sysdig's agent made of the Docker API are in no capture";
const API: &str = "the container engine does not tell it, and no recorder since sysdig 0.29 asks the API server";
const MESOS: &str = "Mesos and Marathon are known to no recorder since sysdig 0.29";
const AROUND: &str = "a span of time is asked for with --from and --to, or by comparing evt.rawtime with two dates";
const PLUGIN: &str = "a reel holds no events of Falco's plugins";
const RESOLVED: &str =
    "names of hosts are not asked for, because the answer would be today's and not that of the recording";
const OVERLAY: &str = "in which layer of an overlay an opened file lies is not recorded";

/// The table.
pub(super) static ABSENT: &[Absent] = &[
    absent("span.", TRACERS, ""),
    absent("evtin.", TRACERS, ""),
    absent("mesos.", MESOS, "container.label"),
    absent("marathon.", MESOS, "container.label"),
    absent("evt.infra.", INFRA, "container.name"),
    absent("evt.around", AROUND, "evt.rawtime"),
    absent("evt.pluginname", PLUGIN, "evt.source"),
    absent("evt.plugininfo", PLUGIN, "evt.info"),
    absent("evt.asynctype", PLUGIN, "evt.type"),
    absent(
        "util.cnt",
        "it counts evaluations, whose number says nothing where batches are asked in parallel",
        "evt.num",
    ),
    absent("fd.cip.name", RESOLVED, "fd.cip"),
    absent("fd.sip.name", RESOLVED, "fd.sip"),
    absent("fd.lip.name", RESOLVED, "fd.lip"),
    absent("fd.rip.name", RESOLVED, "fd.rip"),
    absent("fd.is_upper_layer", OVERLAY, "proc.is_exe_upper_layer"),
    absent("fd.is_lower_layer", OVERLAY, "proc.is_exe_lower_layer"),
    absent("k8s.ns.id", API, "k8s.ns.name"),
    absent("k8s.ns.label", API, "k8s.ns.name"),
    absent("k8s.ns.labels", API, "k8s.ns.name"),
    absent("k8s.rc.", API, "k8s.pod.name"),
    absent("k8s.rs.", API, "k8s.pod.name"),
    absent("k8s.svc.", API, "k8s.pod.labels"),
    absent("k8s.deployment.", API, "k8s.pod.name"),
    absent("k8smeta.", API, "k8s.pod.name"),
];

/// Whether an entry is about a name, with or without an argument behind it.
fn is_about(entry: &Absent, name: &str) -> bool {
    match name.strip_prefix(entry.name) {
        Some(_) if entry.name.ends_with('.') => true,
        Some(rest) => rest.is_empty() || rest.starts_with(['[', '.']),
        None => false,
    }
}

/// Why a field that sysdig or Falco has cannot be answered; `None` for other names.
pub fn absent_field(name: &str) -> Option<&'static Absent> {
    ABSENT.iter().filter(|entry| is_about(entry, name)).max_by_key(|entry| entry.name.len())
}

/// All fields that cannot be answered.
pub fn absent_fields() -> impl Iterator<Item = &'static Absent> {
    ABSENT.iter()
}
