//! Other names of fields: those of older versions of sysdig, and what others call the same thing.

/// Another name of a field.
#[derive(Debug, PartialEq, Eq)]
pub struct Alias {
    /// The other name.
    pub name: &'static str,
    /// The field's own name.
    pub field: &'static str,
    /// Why it is not used any more; empty for a name that is as good.
    pub deprecated: &'static str,
}

const fn same(name: &'static str, field: &'static str) -> Alias {
    Alias { name, field, deprecated: "" }
}

const fn old(name: &'static str, field: &'static str) -> Alias {
    Alias { name, field, deprecated: "it is the name of older versions of sysdig" }
}

const fn plugin(name: &'static str, field: &'static str) -> Alias {
    Alias {
        name,
        field,
        deprecated: "it is the name of Falco's k8smeta plugin for what the container engine tells, too",
    }
}

/// Every other name.
pub(super) static ALIASES: &[Alias] = &[
    same("evt.hostname", "evt.host"),
    old("proc.nargs", "proc.cmdnargs"),
    old("k8s.pod.id", "k8s.pod.uid"),
    plugin("k8smeta.pod.name", "k8s.pod.name"),
    plugin("k8smeta.pod.uid", "k8s.pod.uid"),
    plugin("k8smeta.pod.label", "k8s.pod.label"),
    plugin("k8smeta.pod.labels", "k8s.pod.labels"),
    plugin("k8smeta.pod.ip", "k8s.pod.ip"),
    plugin("k8smeta.ns.name", "k8s.ns.name"),
];

/// All other names of fields.
pub fn aliases() -> impl Iterator<Item = &'static Alias> {
    ALIASES.iter()
}
