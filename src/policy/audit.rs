//! [`Policy`]: which requests an API server logs, and how much of them (`--audit-policy-file`).
//!
//! What fits which rule is what kube-apiserver 1.36 does (`pkg/audit/policy`): the first rule that fits decides, and where none
//! does nothing is logged.

use crate::event::{Arg, AuditPart};
use crate::value::{json_items, json_member, json_text};

/// How much is logged of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum PolicyLevel {
    /// Nothing.
    #[default]
    None,
    /// Who asked for what, and the answer's code.
    Metadata,
    /// And what was sent.
    Request,
    /// And what was answered.
    RequestResponse,
}

impl PolicyLevel {
    /// All of them, as a policy names them.
    pub const NAMES: &'static [(&'static str, PolicyLevel)] = &[
        ("None", PolicyLevel::None),
        ("Metadata", PolicyLevel::Metadata),
        ("Request", PolicyLevel::Request),
        ("RequestResponse", PolicyLevel::RequestResponse),
    ];

    /// The level of a name.
    pub fn of(name: &[u8]) -> Option<PolicyLevel> {
        PolicyLevel::NAMES.iter().find(|(known, _)| known.as_bytes() == name).map(|(_, level)| *level)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        PolicyLevel::NAMES.iter().find(|(_, level)| *level == self).map_or("", |(name, _)| name)
    }
}

/// The stages of a request, in order; a panic takes the place of the last.
pub const STAGES: &[&str] = &["RequestReceived", "ResponseStarted", "ResponseComplete", "Panic"];

/// Resources that a rule is about.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Resources {
    /// API group; empty: the core group, `*`: any.
    pub group: String,
    /// `pods`, `pods/log`, `*`, `pods/*`, `*/scale`; empty: all of the group.
    pub resources: Vec<String>,
    /// Names of objects; empty: all.
    pub names: Vec<String>,
}

/// A rule. What is empty is about all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PolicyRule {
    /// Where it stands in the file, from 1.
    pub line: usize,
    /// How much is logged.
    pub level: PolicyLevel,
    /// Names of users.
    pub users: Vec<String>,
    /// Groups of users.
    pub groups: Vec<String>,
    /// Verbs.
    pub verbs: Vec<String>,
    /// Resources.
    pub resources: Vec<Resources>,
    /// Namespaces; the empty one is what is in none.
    pub namespaces: Vec<String>,
    /// Paths of requests that are about no resource.
    pub urls: Vec<String>,
    /// Stages that are not logged.
    pub omit_stages: Vec<String>,
}

/// The policy of an API server.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Policy {
    /// Rules, the first that fits decides.
    pub rules: Vec<PolicyRule>,
    /// Stages that no rule logs.
    pub omit_stages: Vec<String>,
}

/// What a policy looks at in a request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Request {
    /// Name of the user that was authenticated, before impersonation.
    pub user: String,
    /// Groups of it.
    pub groups: Vec<String>,
    /// Verb; of what is about no resource the method in small letters.
    pub verb: String,
    /// Whether it is about a resource.
    pub is_resource: bool,
    /// API group of the resource.
    pub group: String,
    /// Resource.
    pub resource: String,
    /// Subresource.
    pub subresource: String,
    /// Namespace.
    pub namespace: String,
    /// Name, as far as the URI has it.
    pub name: String,
    /// Path of the URI.
    pub path: String,
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

impl Request {
    /// The request of an audit event; `part` gives its parameters.
    pub fn of_event<'a>(part: impl Fn(AuditPart) -> Arg<'a>) -> Request {
        let said = |of: AuditPart| text(part(of).bytes().unwrap_or_default());
        let account = part(AuditPart::Account).bytes().unwrap_or_default();
        let groups =
            json_member(account, b"groups").map(|list| json_items(list).map(|g| text(&json_text(g.value))).collect());
        let (verb, subresource) = (said(AuditPart::Verb), said(AuditPart::Subresource));
        // The name of what is created comes from its body, which the policy does not see.
        let is_named = verb != "create" || !subresource.is_empty();
        let uri = said(AuditPart::Uri);
        Request {
            user: said(AuditPart::User),
            groups: groups.unwrap_or_default(),
            is_resource: part(AuditPart::Resource) != Arg::Missing,
            group: said(AuditPart::Group),
            resource: said(AuditPart::Resource),
            namespace: said(AuditPart::Namespace),
            name: if is_named { said(AuditPart::Name) } else { String::new() },
            path: uri.split('?').next().unwrap_or_default().to_owned(),
            verb,
            subresource,
        }
    }
}

/// Whether a list has a text.
fn has(list: &[String], text: &str) -> bool {
    list.iter().any(|item| item == text)
}

impl Resources {
    fn fits(&self, request: &Request) -> bool {
        if self.group != "*" && self.group != request.group {
            return false;
        }
        let Request { resource, subresource, name, .. } = request;
        let is_named = self.names.is_empty() || has(&self.names, name);
        let fits = |spec: &String| {
            let whole = match spec.split_once('/') {
                None => spec == "*" || subresource.is_empty() && spec == resource,
                Some(("*", sub)) => !subresource.is_empty() && sub == subresource,
                // The server compares only what stands before the slash.
                Some((of, "*")) => of == resource,
                Some((of, sub)) => of == resource && sub == subresource,
            };
            whole && is_named
        };
        self.resources.is_empty() || self.resources.iter().any(fits)
    }
}

impl PolicyRule {
    /// Whether it decides about a request.
    pub fn fits(&self, request: &Request) -> bool {
        let is_any = |list: &[String], fits: &dyn Fn(&String) -> bool| list.is_empty() || list.iter().any(fits);
        if !is_any(&self.users, &|user| !user.is_empty() && *user == request.user)
            || !is_any(&self.groups, &|group| has(&request.groups, group))
            || !is_any(&self.verbs, &|verb| *verb == request.verb)
        {
            return false;
        }
        if !self.resources.is_empty() || !self.namespaces.is_empty() {
            return request.is_resource
                && is_any(&self.namespaces, &|namespace| *namespace == request.namespace)
                && (self.resources.is_empty() || self.resources.iter().any(|resources| resources.fits(request)));
        }
        let is_path = |url: &String| match url.strip_suffix('*') {
            Some(start) => request.path.starts_with(start.trim_end_matches('*')),
            None => *url == request.path,
        };
        self.urls.is_empty() || !request.is_resource && self.urls.iter().any(is_path)
    }

    /// What it is about, in a line.
    pub fn about(&self) -> String {
        let mut parts = Vec::new();
        let mut add = |name: &str, list: &[String]| {
            if !list.is_empty() {
                let shown: Vec<&str> = list.iter().take(3).map(|s| if s.is_empty() { "\"\"" } else { s }).collect();
                let more = if list.len() > 3 { ", …" } else { "" };
                parts.push(format!("{name} {}{more}", shown.join(", ")));
            }
        };
        add("users", &self.users);
        add("groups", &self.groups);
        add("verbs", &self.verbs);
        add("namespaces", &self.namespaces);
        let resources: Vec<String> = self.resources.iter().flat_map(Resources::names_of).collect();
        add("resources", &resources);
        add("paths", &self.urls);
        if parts.is_empty() { "everything".to_owned() } else { parts.join("; ") }
    }
}

impl Resources {
    /// `group/resource` of each, `group/*` where it is about all of the group.
    fn names_of(&self) -> Vec<String> {
        let group = if self.group.is_empty() { String::new() } else { format!("{} ", self.group) };
        let named = |name: &str| format!("{group}{name}");
        if self.resources.is_empty() {
            let core = if self.group.is_empty() { "core " } else { "" };
            return vec![format!("{core}{group}*").replace("  ", " ")];
        }
        self.resources.iter().map(|resource| named(resource)).collect()
    }
}

impl Policy {
    /// The rule that decides about a request; `None`: none does, and nothing is logged.
    pub fn rule_of(&self, request: &Request) -> Option<usize> {
        self.rules.iter().position(|rule| rule.fits(request))
    }

    /// How much of a request is logged at a stage.
    pub fn level_of(&self, request: &Request, stage: &str) -> PolicyLevel {
        let Some(rule) = self.rule_of(request).map(|n| &self.rules[n]) else { return PolicyLevel::None };
        if self.is_omitted(rule, stage) { PolicyLevel::None } else { rule.level }
    }

    /// Whether a rule does not log a stage.
    pub fn is_omitted(&self, rule: &PolicyRule, stage: &str) -> bool {
        has(&self.omit_stages, stage) || has(&rule.omit_stages, stage)
    }
}
