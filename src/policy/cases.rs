//! [`cases`]: the requests that a question and a policy tell apart, made from the constants of both.

use super::audit::{Policy, Request};
use super::lint::VERBS;
use crate::event::STREAMS;
use crate::filter::Expr;
use std::collections::BTreeSet;

/// Requests that are tried at most; a question that names more is answered for the first.
const MAX_CASES: usize = 60_000;

/// API groups of resources that people ask about.
const GROUPS: &[(&str, &[&str])] = &[
    (
        "",
        &["pods", "secrets", "configmaps", "services", "nodes", "namespaces", "events", "serviceaccounts", "endpoints"],
    ),
    ("apps", &["deployments", "daemonsets", "statefulsets", "replicasets"]),
    ("batch", &["jobs", "cronjobs"]),
    ("rbac.authorization.k8s.io", &["roles", "rolebindings", "clusterroles", "clusterrolebindings"]),
    ("admissionregistration.k8s.io", &["mutatingwebhookconfigurations", "validatingwebhookconfigurations"]),
    ("certificates.k8s.io", &["certificatesigningrequests"]),
    ("networking.k8s.io", &["ingresses", "networkpolicies"]),
    ("authentication.k8s.io", &["tokenreviews"]),
    ("authorization.k8s.io", &["selfsubjectaccessreviews", "selfsubjectrulesreviews", "subjectaccessreviews"]),
    ("coordination.k8s.io", &["leases"]),
];

/// Constants that a condition compares a field with, and what begins like them.
fn constants(expr: Option<&Expr>, fields: &[&str]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let Some(expr) = expr else { return found };
    expr.for_each_check(&mut |check| {
        if fields.contains(&check.field.field.name) {
            let exact = matches!(check.op.name, "=" | "==" | "!=" | "in");
            for written in &check.written {
                let text = String::from_utf8_lossy(written).into_owned();
                found.extend((!exact).then(|| format!("{text}x")));
                found.insert(text);
            }
        }
    });
    found
}

/// The requests that a condition and a policy tell apart.
pub(super) fn cases(policy: &Policy, expr: Option<&Expr>) -> Vec<Request> {
    let (mut cases, requests) = (Vec::new(), requests(policy, expr));
    let users = users(policy, expr);
    'all: for request in requests {
        for (user, groups) in &users {
            cases.push(Request { user: user.clone(), groups: groups.clone(), ..request.clone() });
            if cases.len() == MAX_CASES {
                break 'all;
            }
        }
    }
    cases
}

/// Users with their groups: those that are named, and one of each sort.
fn users(policy: &Policy, expr: Option<&Expr>) -> Vec<(String, Vec<String>)> {
    let own = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<String>>();
    let mut names = constants(expr, &["ka.user.name"]);
    names.extend(policy.rules.iter().flat_map(|rule| rule.users.iter().cloned()));
    names.extend(own(&["alice", "system:anonymous", "", "system:serviceaccount:default:default"]));
    let mut users: Vec<(String, Vec<String>)> = names
        .into_iter()
        .map(|name| {
            let groups = match name.as_str() {
                "" => Vec::new(),
                "system:anonymous" => own(&["system:unauthenticated"]),
                n if n.starts_with("system:serviceaccount:") => {
                    own(&["system:serviceaccounts", "system:authenticated"])
                }
                n if n.starts_with("system:node:") => own(&["system:nodes", "system:authenticated"]),
                _ => own(&["system:authenticated"]),
            };
            (name, groups)
        })
        .collect();
    let groups: BTreeSet<&String> = policy.rules.iter().flat_map(|rule| &rule.groups).collect();
    users.extend(
        groups.into_iter().map(|group| ("bob".to_owned(), vec![group.clone(), "system:authenticated".to_owned()])),
    );
    users
}

/// Requests without a user.
fn requests(policy: &Policy, expr: Option<&Expr>) -> Vec<Request> {
    let of_policy = || policy.rules.iter().flat_map(|rule| &rule.resources);
    let verbs: Vec<&str> = VERBS[..8].to_vec();
    let mut namespaces = constants(expr, &["ka.target.namespace"]);
    namespaces.extend(policy.rules.iter().flat_map(|rule| rule.namespaces.iter().cloned()));
    namespaces.extend(["default".to_owned(), String::new()]);
    let mut subresources = constants(expr, &["ka.target.subresource"]);
    let actions = constants(expr, &["ka.verb", "ka.action"]);
    subresources.extend(STREAMS.iter().filter(|stream| actions.contains(**stream)).map(|stream| (*stream).to_owned()));
    subresources.insert(String::new());
    let names: BTreeSet<String> = of_policy().flat_map(|of| of.names.iter().cloned()).chain(["x".to_owned()]).collect();
    let mut found = Vec::new();
    for (group, resource) in kinds(policy, expr) {
        for (verb, subresource) in verbs.iter().flat_map(|verb| subresources.iter().map(move |sub| (*verb, sub))) {
            let has_name = match verb {
                "list" | "watch" | "deletecollection" => false,
                "create" => !subresource.is_empty(),
                _ => true,
            };
            let names: Vec<&str> = if has_name { names.iter().map(String::as_str).collect() } else { vec![""] };
            for (namespace, name) in namespaces.iter().flat_map(|ns| names.iter().map(move |name| (ns, *name))) {
                found.push(Request {
                    verb: verb.to_owned(),
                    is_resource: true,
                    group: group.clone(),
                    resource: resource.clone(),
                    subresource: subresource.clone(),
                    namespace: namespace.clone(),
                    name: name.to_owned(),
                    ..Request::default()
                });
            }
        }
    }
    let mut paths = constants(expr, &["ka.uri"]);
    paths.extend(policy.rules.iter().flat_map(|rule| rule.urls.iter().map(|url| url.replace('*', "x"))));
    paths.extend(["/healthz".to_owned(), "/other".to_owned()]);
    let of_path = |path: String| Request { verb: "get".to_owned(), path, ..Request::default() };
    found.extend(paths.into_iter().filter(|path| path.starts_with('/')).map(of_path));
    found
}

/// Groups with resources: those that are named, and one that nobody knows.
fn kinds(policy: &Policy, expr: Option<&Expr>) -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    let mut add = |resource: &str, groups: &BTreeSet<String>| {
        let known = GROUPS.iter().find(|(_, resources)| resources.contains(&resource));
        match known {
            Some((group, _)) => {
                found.insert(((*group).to_owned(), resource.to_owned()));
            }
            None => found.extend(groups.iter().map(|group| (group.clone(), resource.to_owned()))),
        }
    };
    let mut groups = constants(expr, &["ka.target.group"]);
    let asked_groups = groups.clone();
    groups.insert("example.com".to_owned());
    for resource in constants(expr, &["ka.target.resource"]) {
        add(&resource, &groups);
    }
    for resource in ["pods", "secrets", "deployments", "widgets"] {
        add(resource, &groups);
    }
    for (_, resources) in GROUPS.iter().filter(|(group, _)| asked_groups.contains(*group)) {
        resources.iter().for_each(|resource| add(resource, &groups));
    }
    for of in policy.rules.iter().flat_map(|rule| &rule.resources) {
        let own = BTreeSet::from([of.group.replace('*', "")]);
        let plain = of.resources.iter().map(|name| name.split('/').next().unwrap_or_default());
        plain.filter(|name| *name != "*").for_each(|resource| add(resource, &own));
        if of.resources.is_empty() {
            for resource in found_in_group(&of.group) {
                add(resource, &own);
            }
        }
    }
    found
}

fn found_in_group(group: &str) -> Vec<&'static str> {
    let known = GROUPS.iter().find(|(name, _)| *name == group).map(|(_, resources)| *resources);
    known.unwrap_or(&["widgets"]).iter().take(1).copied().collect()
}
