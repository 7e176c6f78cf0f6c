//! Events of plugins that read Kubernetes audit logs.

/// The plugin whose events audit events are written as: `k8saudit`.
pub const AUDIT_PLUGIN: u32 = 1;

/// Numbers of the plugins whose events are audit events (event source `k8s_audit`): what they carry is the JSON of one event.
/// They are given out in `registry.yaml` of `falcosecurity/plugins`.
const AUDIT_PLUGINS: &[(u32, &str)] = &[
    (AUDIT_PLUGIN, "k8saudit"),
    (9, "k8saudit-eks"),
    (16, "k8saudit-gke"),
    (21, "k8saudit-aks"),
    (22, "k8saudit-ovh"),
];

/// Whether the events of a plugin are audit events.
pub fn is_audit_plugin(id: u32) -> bool {
    AUDIT_PLUGINS.iter().any(|plugin| plugin.0 == id)
}
