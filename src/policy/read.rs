//! A policy file as the API server takes it: what it refuses, what it passes over, and what it reads otherwise than it looks.
//!
//! kube-apiserver decodes strictly first; for a key that it does not know or that is there twice it logs a warning and
//! decodes again without it, so a rule whose indentation slipped becomes broader. Facts: `pkg/audit/policy/reader.go` and
//! `apis/audit/validation` of 1.36.

use super::audit::{Policy, PolicyLevel, PolicyRule, Resources, STAGES};
use crate::value::{YamlNode, YamlValue, parse_yaml};

/// How bad something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// The API server does not start with it.
    Error,
    /// The API server reads something else than what stands there.
    Warning,
    /// It is taken as it stands, and does not do what it seems to.
    Note,
}

impl Grade {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Grade::Error => "error",
            Grade::Warning => "warning",
            Grade::Note => "note",
        }
    }
}

/// Something that is to be said about a place in a policy file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
    /// How bad it is.
    pub grade: Grade,
    /// What.
    pub text: String,
}

/// A policy file that was read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PolicyFile {
    /// What the API server makes of it.
    pub policy: Policy,
    /// What is to be said about it, in order of lines.
    pub findings: Vec<Finding>,
}

impl PolicyFile {
    /// Reads the text of a policy file. What is wrong is among the findings.
    pub fn parse(text: &str) -> PolicyFile {
        let mut read = Read::default();
        match parse_yaml(text) {
            Ok(documents) => read.documents(&documents),
            Err(fault) => read.find(fault.line, fault.column, Grade::Error, format!("expected YAML: {}", fault.what)),
        }
        read.file.findings.extend(super::lint::lint(&read.file.policy));
        read.file.findings.sort_by_key(|finding| (finding.line, finding.column, finding.grade));
        read.file
    }

    /// Whether the API server starts with it.
    pub fn is_valid(&self) -> bool {
        self.findings.iter().all(|finding| finding.grade != Grade::Error)
    }
}

/// Keys of a policy, of a rule, and of the resources of a group.
const POLICY: &[&str] = &["apiVersion", "kind", "metadata", "rules", "omitStages", "omitManagedFields"];
const RULE: &[&str] = &[
    "level",
    "users",
    "userGroups",
    "verbs",
    "resources",
    "namespaces",
    "nonResourceURLs",
    "omitStages",
    "omitManagedFields",
];
const OF_GROUP: &[&str] = &["group", "resources", "resourceNames"];

#[derive(Default)]
struct Read {
    file: PolicyFile,
}

/// Keys of a mapping, with who reads each.
type Member<'m> = (&'m str, &'m YamlNode);

impl Read {
    fn find(&mut self, line: usize, column: usize, grade: Grade, text: String) {
        self.file.findings.push(Finding { line, column, grade, text });
    }

    fn at(&mut self, node: &YamlNode, grade: Grade, text: impl Into<String>) {
        self.find(node.line, node.column, grade, text.into());
    }

    fn documents(&mut self, documents: &[YamlNode]) {
        let Some(first) = documents.first() else {
            return self.find(1, 1, Grade::Error, "expected a policy, found an empty file".to_owned());
        };
        if let Some(second) = documents.get(1) {
            self.at(
                second,
                Grade::Warning,
                "expected one document: the API server reads the first and passes over this one",
            );
        }
        let Some(members) = self.members(first, POLICY, "a policy") else { return };
        let get = |key: &str| members.iter().find(|(k, _)| *k == key).map(|(_, node)| *node);
        for (key, want) in [("apiVersion", "audit.k8s.io/v1"), ("kind", "Policy")] {
            match get(key).map(|node| (node, self.text(node))) {
                Some((_, Some(found))) if found == want => {}
                Some((node, Some(found))) => {
                    self.at(node, Grade::Error, format!("expected {key}: {want}, found `{found}`"));
                }
                Some((_, None)) => {}
                None => self.at(first, Grade::Error, format!("expected {key}: {want}, found none")),
            }
        }
        self.file.policy.omit_stages = get("omitStages").map(|node| self.stages(node)).unwrap_or_default();
        if let Some(node) = get("omitManagedFields") {
            self.truth(node);
        }
        let rules = get("rules").map(|node| (node, self.list(node)));
        match rules {
            Some((_, rules)) if !rules.is_empty() => {
                for rule in rules {
                    let rule = self.rule(rule);
                    self.file.policy.rules.push(rule);
                }
            }
            Some((node, _)) => {
                self.at(node, Grade::Error, "expected at least one rule, found none: the API server does not start");
            }
            None => self.at(first, Grade::Error, "expected `rules`, found none: the API server does not start"),
        }
    }

    fn rule(&mut self, node: &YamlNode) -> PolicyRule {
        let mut rule = PolicyRule { line: node.line, ..PolicyRule::default() };
        let Some(members) = self.members(node, RULE, "a rule") else { return rule };
        let mut level = None;
        for (key, value) in &members {
            match *key {
                "level" => level = self.level(value),
                "users" => rule.users = self.texts(value),
                "userGroups" => rule.groups = self.texts(value),
                "verbs" => rule.verbs = self.texts(value),
                "namespaces" => rule.namespaces = self.texts(value),
                "nonResourceURLs" => rule.urls = self.urls(value),
                "omitStages" => rule.omit_stages = self.stages(value),
                "resources" => rule.resources = self.list(value).into_iter().map(|node| self.resources(node)).collect(),
                _ => self.truth(value),
            }
        }
        if !members.iter().any(|(key, _)| *key == "level") {
            self.at(node, Grade::Error, "expected a level (None, Metadata, Request, RequestResponse), found none");
        }
        rule.level = level.unwrap_or_default();
        if !rule.urls.is_empty() && (!rule.resources.is_empty() || !rule.namespaces.is_empty()) {
            self.at(node, Grade::Error, "expected either nonResourceURLs or resources and namespaces, found both");
        }
        rule
    }

    fn resources(&mut self, node: &YamlNode) -> Resources {
        let mut found = Resources::default();
        let Some(members) = self.members(node, OF_GROUP, "resources of a group") else { return found };
        for (key, value) in members {
            match key {
                "group" => {
                    found.group = self.text(value).unwrap_or_default();
                    if !is_group(&found.group) {
                        let text = "expected the name of an API group without a version (`apps`, empty for the core group), found";
                        self.at(value, Grade::Error, format!("{text} `{}`", found.group));
                    }
                }
                "resources" => found.resources = self.texts(value),
                _ => found.names = self.texts(value),
            }
        }
        if !found.names.is_empty() && found.resources.is_empty() {
            self.at(node, Grade::Error, "expected resources beside resourceNames, found none");
        }
        found
    }

    fn level(&mut self, node: &YamlNode) -> Option<PolicyLevel> {
        let name = self.text(node)?;
        let level = PolicyLevel::of(name.as_bytes());
        if level.is_none() {
            self.at(node, Grade::Error, format!("expected None, Metadata, Request or RequestResponse, found `{name}`"));
        }
        level
    }

    fn stages(&mut self, node: &YamlNode) -> Vec<String> {
        let stages = self.texts(node);
        for stage in stages.iter().filter(|stage| !STAGES.contains(&stage.as_str())) {
            self.at(node, Grade::Error, format!("expected a stage ({}), found `{stage}`", STAGES.join(", ")));
        }
        stages
    }

    fn urls(&mut self, node: &YamlNode) -> Vec<String> {
        let urls = self.texts(node);
        for url in urls.iter().filter(|url| *url != "*") {
            if !url.starts_with('/') {
                self.at(node, Grade::Error, format!("expected a path that begins with `/`, found `{url}`"));
            } else if url.trim_end_matches('*').contains('*') || url.ends_with("**") {
                self.at(node, Grade::Error, format!("expected `*` only at the end of a path, found `{url}`"));
            }
        }
        urls
    }

    /// Members with known keys; of those that are there twice the last one.
    fn members<'n>(&mut self, node: &'n YamlNode, keys: &[&'static str], what: &str) -> Option<Vec<Member<'n>>> {
        let YamlValue::Map(members) = &node.value else {
            self.at(node, Grade::Error, format!("expected {what}, found {}", node.kind()));
            return None;
        };
        let mut known: Vec<Member<'n>> = Vec::new();
        for (key, value) in members {
            let YamlValue::Scalar { text: name, .. } = &key.value else {
                self.at(key, Grade::Error, format!("expected a key, found {}", key.kind()));
                continue;
            };
            if !keys.contains(&name.as_str()) {
                let near =
                    keys.iter().map(|k| (strsim::damerau_levenshtein(name, k), *k)).filter(|(d, _)| *d <= 2).min();
                let near = near.map_or(String::new(), |(_, near)| format!(" (did you mean `{near}`?)"));
                self.at(
                    key,
                    Grade::Warning,
                    format!("unknown key `{name}` in {what}{near}: the API server passes over it and what is in it"),
                );
                continue;
            }
            if let Some(before) = known.iter_mut().find(|(k, _)| k == name) {
                before.1 = value;
                self.at(
                    key,
                    Grade::Warning,
                    format!("`{name}` is there twice in {what}: the API server takes this one"),
                );
                continue;
            }
            if !value.is_null() {
                known.push((name, value));
            }
        }
        Some(known)
    }

    fn list<'n>(&mut self, node: &'n YamlNode) -> Vec<&'n YamlNode> {
        match &node.value {
            YamlValue::List(items) => items.iter().collect(),
            _ if node.is_null() => Vec::new(),
            _ => {
                self.at(node, Grade::Error, format!("expected a list, found {}", node.kind()));
                Vec::new()
            }
        }
    }

    fn texts(&mut self, node: &YamlNode) -> Vec<String> {
        self.list(node).into_iter().filter_map(|item| self.text(item)).collect()
    }

    fn text(&mut self, node: &YamlNode) -> Option<String> {
        match (&node.value, node.kind()) {
            (YamlValue::Scalar { text, .. }, "a text") => Some(text.clone()),
            // What is nothing is the empty text in Go.
            (_, "nothing") => Some(String::new()),
            (_, kind) => {
                self.at(node, Grade::Error, format!("expected a text, found {kind} (quotes make a text of it)"));
                None
            }
        }
    }

    fn truth(&mut self, node: &YamlNode) {
        // `metadata` comes here too, which may be any mapping.
        if !matches!(node.kind(), "a truth" | "nothing" | "a mapping") {
            self.at(node, Grade::Error, format!("expected true or false, found {}", node.kind()));
        }
    }
}

/// Whether a name is a DNS subdomain, empty or `*`.
fn is_group(name: &str) -> bool {
    let is_label = |label: &str| {
        let inside = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        !label.is_empty() && label.bytes().all(inside) && !label.starts_with('-') && !label.ends_with('-')
    };
    name.is_empty() || name == "*" || name.len() <= 253 && name.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "apiVersion: audit.k8s.io/v1\nkind: Policy\n";

    fn said(rest: &str) -> Vec<String> {
        let file = PolicyFile::parse(&format!("{HEAD}{rest}"));
        let one = |f: &Finding| format!("{}:{} {}: {}", f.line, f.column, f.grade.name(), f.text);
        file.findings.iter().filter(|f| f.grade != Grade::Note).map(one).collect()
    }

    #[test]
    fn what_the_server_takes_is_taken() {
        let rest = "rules:\n- level: Metadata\n  resources:\n  - group: \"\"\n    resources: [pods, \"pods/log\"]\n  omitStages: [RequestReceived]\n  omitManagedFields: yes\n";
        assert_eq!(said(rest), [""; 0]);
        let file = PolicyFile::parse(&format!("{HEAD}{rest}"));
        assert_eq!(file.policy.rules[0].resources[0].resources, ["pods", "pods/log"]);
        assert_eq!((file.policy.rules[0].line, file.policy.rules[0].level), (4, PolicyLevel::Metadata));
    }

    #[test]
    fn what_the_server_refuses_is_an_error_with_its_place() {
        for (rest, want) in [
            ("rules: []\n", "3:8 error: expected at least one rule"),
            ("", "1:1 error: expected `rules`, found none"),
            (
                "rules:\n- level: metadata\n",
                "4:10 error: expected None, Metadata, Request or RequestResponse, found `metadata`",
            ),
            ("rules:\n- verbs: [get]\n", "4:3 error: expected a level"),
            ("rules:\n- level: None\n  verbs: get\n", "5:10 error: expected a list, found a text"),
            ("rules:\n- level: None\n  users: [1]\n", "5:11 error: expected a text, found a number"),
            (
                "rules:\n- level: None\n  nonResourceURLs: [healthz]\n",
                "5:20 error: expected a path that begins with `/`",
            ),
            ("rules:\n- level: None\n  nonResourceURLs: [\"/a*b\"]\n", "5:20 error: expected `*` only at the end"),
            (
                "rules:\n- level: None\n  resources: [{group: apps/v1}]\n",
                "5:23 error: expected the name of an API group",
            ),
            ("rules:\n- level: None\n  resources: [{resourceNames: [x]}]\n", "5:15 error: expected resources beside"),
            ("rules:\n- level: None\n  nonResourceURLs: [/x]\n  namespaces: [y]\n", "4:3 error: expected either"),
            ("omitStages: [Received]\nrules:\n- level: None\n", "3:13 error: expected a stage"),
            ("rules:\n- level: [\n", "5:1 error: expected YAML"),
        ] {
            let said = said(rest);
            assert!(said.iter().any(|line| line.starts_with(want)), "{rest}: {said:?}");
        }
        let file = PolicyFile::parse("apiVersion: audit.k8s.io/v1beta1\nrules:\n- level: None\n");
        assert!(!file.is_valid());
        let text: Vec<&str> = file.findings.iter().map(|f| f.text.as_str()).collect();
        assert!(text.contains(&"expected apiVersion: audit.k8s.io/v1, found `audit.k8s.io/v1beta1`"), "{text:?}");
        assert!(text.contains(&"expected kind: Policy, found none"), "{text:?}");
    }

    #[test]
    fn what_slipped_makes_a_rule_broader_and_is_warned_of() {
        // `resources` on the level of the rule's list, and a key in wrong letters.
        let rest = "rules:\n- level: Metadata\n  Verbs: [delete]\nresources:\n- group: \"\"\nrules:\n- level: None\n";
        assert_eq!(
            said(rest),
            [
                "6:1 warning: unknown key `resources` in a policy: the API server passes over it and what is in it",
                "8:1 warning: `rules` is there twice in a policy: the API server takes this one",
            ]
        );
        let said = said("rules:\n- level: Metadata\n  Verbs: [delete]\n");
        assert!(said[0].contains("unknown key `Verbs` in a rule (did you mean `verbs`?)"), "{said:?}");
    }
}
