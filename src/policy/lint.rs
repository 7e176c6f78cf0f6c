//! What a policy does not do although it looks like it.

use super::audit::{Policy, PolicyRule, Resources};
use super::read::{Finding, Grade};
use crate::event::STREAMS;

/// Verbs that the API server tells of: those of resources, and methods in small letters.
pub(super) const VERBS: &[&str] = &[
    "get",
    "list",
    "watch",
    "create",
    "update",
    "patch",
    "delete",
    "deletecollection",
    "post",
    "put",
    "head",
    "options",
    "connect",
];

/// Rules that never decide, and verbs that are never sent.
pub(super) fn lint(policy: &Policy) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut note = |rule: &PolicyRule, text: String| {
        findings.push(Finding { line: rule.line, column: 1, grade: Grade::Note, text });
    };
    for (n, rule) in policy.rules.iter().enumerate() {
        if let Some(before) = policy.rules[..n].iter().find(|before| covers(before, rule)) {
            let text = format!("this rule never decides: the rule in line {} takes all that it is about", before.line);
            note(rule, text);
        }
        for verb in rule.verbs.iter().filter(|verb| !VERBS.contains(&verb.as_str())) {
            let why = match verb.as_str() {
                "*" => "a star stands for no verb here; without `verbs` a rule is about all".to_owned(),
                stream if STREAMS.contains(&stream) => {
                    format!("it is the subresource `pods/{stream}`, with the verb create or get")
                }
                _ => "no request has it".to_owned(),
            };
            note(rule, format!("the verb `{verb}` fits nothing: {why}"));
        }
        for resource in rule.resources.iter().flat_map(|of| &of.resources).filter(|name| name.ends_with("/*")) {
            let plain = resource.trim_end_matches("/*");
            if plain != "*" {
                note(rule, format!("`{resource}` is about `{plain}` itself too"));
            }
        }
    }
    findings
}

/// Whether a rule fits all that another one does.
fn covers(before: &PolicyRule, rule: &PolicyRule) -> bool {
    let is_within = |wide: &[String], narrow: &[String]| {
        wide.is_empty() || !narrow.is_empty() && narrow.iter().all(|item| wide.contains(item))
    };
    let people = is_within(&before.users, &rule.users) && is_within(&before.groups, &rule.groups);
    if !people || !is_within(&before.verbs, &rule.verbs) {
        return false;
    }
    let is_of_resources = |rule: &PolicyRule| !rule.resources.is_empty() || !rule.namespaces.is_empty();
    if is_of_resources(before) {
        let each = |narrow: &Resources| before.resources.iter().any(|wide| has_all(wide, narrow));
        let resources = before.resources.is_empty() || !rule.resources.is_empty() && rule.resources.iter().all(each);
        return is_of_resources(rule) && is_within(&before.namespaces, &rule.namespaces) && resources;
    }
    let is_path = |narrow: &String| {
        before
            .urls
            .iter()
            .any(|wide| wide == narrow || wide.strip_suffix('*').is_some_and(|start| narrow.starts_with(start)))
    };
    before.urls.is_empty() || !rule.urls.is_empty() && rule.urls.iter().all(is_path)
}

fn has_all(wide: &Resources, narrow: &Resources) -> bool {
    let names =
        wide.names.is_empty() || !narrow.names.is_empty() && narrow.names.iter().all(|name| wide.names.contains(name));
    let is_in = |name: &String| wide.resources.iter().any(|of| of == name || of == "*");
    let resources = wide.resources.is_empty() || !narrow.resources.is_empty() && narrow.resources.iter().all(is_in);
    (wide.group == "*" || wide.group == narrow.group) && names && resources
}

#[cfg(test)]
mod tests {
    use super::super::read::PolicyFile;

    fn notes(rules: &str) -> Vec<String> {
        let file = PolicyFile::parse(&format!("apiVersion: audit.k8s.io/v1\nkind: Policy\nrules:\n{rules}"));
        assert!(file.is_valid(), "{:?}", file.findings);
        file.findings.iter().map(|f| format!("{}: {}", f.line, f.text)).collect()
    }

    #[test]
    fn rules_behind_one_that_takes_all_never_decide() {
        let found = notes(
            "- {level: None, users: [a, b]}\n- {level: Metadata, users: [b], verbs: [get]}\n- {level: Metadata, resources: [{group: \"\"}]}\n- {level: Request, resources: [{group: \"\", resources: [pods]}]}\n- {level: Request, resources: [{group: apps}]}\n- {level: Metadata}\n- {level: None, nonResourceURLs: [/x]}\n",
        );
        let lines: Vec<&str> = found.iter().map(|line| line.split(':').next().unwrap()).collect();
        assert_eq!(lines, ["5", "7", "10"], "{found:?}");
    }

    #[test]
    fn verbs_that_are_never_sent_are_told() {
        let found = notes(
            "- {level: Request, verbs: [\"*\", exec, GET], resources: [{group: \"\", resources: [\"pods/*\"]}]}\n",
        );
        assert_eq!(found.len(), 4, "{found:?}");
        assert!(found[1].contains("subresource `pods/exec`"), "{found:?}");
    }
}
