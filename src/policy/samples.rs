//! Requests that people look for when something has happened, to be held against a policy.

use super::audit::Request;

const RBAC: &str = "rbac.authorization.k8s.io";

/// Requests by name: what they are, and what a policy sees of them.
pub fn samples() -> Vec<(&'static str, Request)> {
    let of = |user: &str, groups: &[&str], verb: &str, (group, resource, subresource): (&str, &str, &str)| Request {
        user: user.to_owned(),
        groups: groups.iter().map(|group| (*group).to_owned()).collect(),
        verb: verb.to_owned(),
        is_resource: true,
        group: group.to_owned(),
        resource: resource.to_owned(),
        subresource: subresource.to_owned(),
        namespace: "default".to_owned(),
        ..Request::default()
    };
    let person = |verb: &str, what: (&str, &str, &str)| of("alice", &["system:authenticated"], verb, what);
    let anybody = |user: &str, groups: &[&str], verb: &str, what| of(user, groups, verb, what);
    let of_path = |path: &str| Request {
        verb: "get".to_owned(),
        path: path.to_owned(),
        user: "system:anonymous".to_owned(),
        groups: vec!["system:unauthenticated".to_owned()],
        ..Request::default()
    };
    vec![
        ("exec into a pod (kubectl since 1.30)", person("get", ("", "pods", "exec"))),
        ("exec into a pod (kubectl before)", person("create", ("", "pods", "exec"))),
        ("attach to a pod", person("create", ("", "pods", "attach"))),
        ("port-forward", person("create", ("", "pods", "portforward"))),
        ("ephemeral container", person("patch", ("", "pods", "ephemeralcontainers"))),
        ("create a pod", person("create", ("", "pods", ""))),
        ("delete a pod", person("delete", ("", "pods", ""))),
        ("read a secret", person("get", ("", "secrets", ""))),
        ("list secrets", person("list", ("", "secrets", ""))),
        ("mint a token", person("create", ("", "serviceaccounts", "token"))),
        ("bind a cluster role", person("create", (RBAC, "clusterrolebindings", ""))),
        ("change a role", person("update", (RBAC, "roles", ""))),
        ("change a deployment", person("patch", ("apps", "deployments", ""))),
        (
            "change an admission webhook",
            person("create", ("admissionregistration.k8s.io", "validatingwebhookconfigurations", "")),
        ),
        ("reach a node through the API server", person("get", ("", "nodes", "proxy"))),
        ("delete events", person("deletecollection", ("", "events", ""))),
        ("failed login (401)", anybody("", &[], "get", ("", "pods", ""))),
        ("anonymous request", anybody("system:anonymous", &["system:unauthenticated"], "list", ("", "pods", ""))),
        ("anonymous request for /version", of_path("/version")),
        (
            "lease of a controller",
            anybody(
                "system:kube-controller-manager",
                &["system:authenticated"],
                "update",
                ("coordination.k8s.io", "leases", ""),
            ),
        ),
    ]
}
