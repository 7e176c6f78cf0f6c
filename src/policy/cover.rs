//! Whether a question can find anything under a policy: the requests that it could be about ([`cases`]) are held against both.
//! What the policy does not log answers nothing.

use super::audit::{Policy, PolicyLevel, PolicyRule, Request, STAGES};
use super::cases::cases;
use crate::event::STREAMS;
use crate::field::{FieldArg, FieldRef};
use crate::filter::{Check, Expr, Filter};
use crate::value::Value;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// Resources whose bodies have the fields that begin so.
const BODIES: &[(&str, &[&str])] = &[
    ("ka.req.binding.", &["rolebindings", "clusterrolebindings"]),
    ("ka.req.role.", &["roles", "clusterroles"]),
    ("ka.req.service.", &["services"]),
    ("ka.req.configmap.", &["configmaps"]),
];

/// How much of a question can be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// It can never find anything.
    Never,
    /// Some of what it looks for is never logged, or less than half of the requests that it could be about.
    InPart,
    /// What it looks for is logged.
    Whole,
}

impl Verdict {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Never => "never",
            Verdict::InPart => "in part",
            Verdict::Whole => "yes",
        }
    }
}

/// What a policy leaves of a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coverage {
    /// How much.
    pub verdict: Verdict,
    /// Alternatives of its condition that never hold.
    pub dead: Vec<String>,
    /// Fields that it shows and that are always empty.
    pub empty: Vec<String>,
    /// Why, the most common reason first.
    pub why: Vec<String>,
}

/// How much must be logged for a field to have a value; [`PolicyLevel::None`] for what is not about audit events.
pub fn level_needed(field: &FieldRef) -> PolicyLevel {
    let name = field.field.name;
    let pointer = match &field.arg {
        FieldArg::Name(name) => name.as_str(),
        _ => "",
    };
    let is_json = name.starts_with("json.") || name.starts_with("jevt.");
    match () {
        () if name.starts_with("ka.resp.") || is_json && pointer.starts_with("/responseObject") => {
            PolicyLevel::RequestResponse
        }
        () if name.starts_with("ka.req.") || is_json && pointer.starts_with("/requestObject") => PolicyLevel::Request,
        () if name.starts_with("ka.") || is_json => PolicyLevel::Metadata,
        () => PolicyLevel::None,
    }
}

/// What a policy leaves of a question with a condition that shows fields; `None`: it is not about audit events.
pub fn cover(policy: &Policy, filter: Option<&Filter>, shown: &[&FieldRef]) -> Option<Coverage> {
    let expr = filter.map(Filter::expr);
    let asked = filter.map(Filter::fields).unwrap_or_default();
    let is_audit = |field: &&&FieldRef| level_needed(field) > PolicyLevel::None;
    asked.iter().chain(shown).find(is_audit)?;
    let branches = expr.map(Branches::of).unwrap_or_default();
    let mut found = Found::new(branches.parts.len(), shown.len());
    for request in cases(policy, expr) {
        let rule = policy.rule_of(&request).map(|n| &policy.rules[n]);
        let (mut could, mut is) = (false, false);
        for stage in STAGES.iter().take(3) {
            let logged =
                rule.filter(|rule| !policy.is_omitted(rule, stage)).map_or(PolicyLevel::None, |rule| rule.level);
            let case = |level| Case { request: &request, stage, level };
            let full = case(PolicyLevel::RequestResponse);
            let holds = |case: &Case<'_>| expr.map_or(Truth::Yes, |expr| case.holds(expr));
            if holds(&full) == Truth::No {
                continue;
            }
            could = true;
            let now = case(logged);
            let is_found = logged > PolicyLevel::None && holds(&now) != Truth::No;
            for (n, part) in branches.parts.iter().enumerate() {
                let is_alive = |case: &Case<'_>| case.holds(part) != Truth::No && branches.others(case);
                found.could_part[n] |= is_alive(&full);
                found.part[n] |= logged > PolicyLevel::None && is_alive(&now);
            }
            if is_found {
                is = true;
                found.filled.iter_mut().zip(shown).for_each(|(filled, field)| *filled |= now.has(field));
            } else {
                found.miss(policy, rule, &request, stage, logged);
            }
        }
        found.could += usize::from(could);
        found.is += usize::from(is);
    }
    Some(found.coverage(&branches, shown))
}

/// What came of all cases.
struct Found {
    /// Requests that the question could be about, and those of them of which something is logged.
    could: usize,
    is: usize,
    could_part: Vec<bool>,
    part: Vec<bool>,
    /// Whether each field that is shown has a value somewhere in what is found.
    filled: Vec<bool>,
    missed: BTreeMap<String, (usize, String)>,
}

impl Found {
    fn new(parts: usize, shown: usize) -> Found {
        Found {
            could: 0,
            is: 0,
            could_part: vec![false; parts],
            part: vec![false; parts],
            filled: vec![false; shown],
            missed: BTreeMap::new(),
        }
    }

    fn miss(
        &mut self,
        policy: &Policy,
        rule: Option<&PolicyRule>,
        request: &Request,
        stage: &str,
        logged: PolicyLevel,
    ) {
        let why = match rule {
            None => "no rule is about it, so nothing is logged".to_owned(),
            Some(rule) if rule.level == PolicyLevel::None => {
                format!("the rule in line {} logs nothing of it", rule.line)
            }
            Some(rule) if policy.is_omitted(rule, stage) => format!("the rule in line {} omits {stage}", rule.line),
            Some(rule) => {
                format!("the rule in line {} logs it at {}, without what is asked for", rule.line, logged.name())
            }
        };
        let entry = self.missed.entry(why).or_insert_with(|| (0, example(request)));
        entry.0 += 1;
    }

    fn coverage(self, branches: &Branches<'_>, shown: &[&FieldRef]) -> Coverage {
        let alive = self.could_part.iter().zip(&self.part).zip(&branches.parts);
        let dead: Vec<String> =
            alive.filter(|((could, is), _)| **could && !**is).map(|(_, part)| part.to_string()).collect();
        let of_body = |field: &&FieldRef| level_needed(field) > PolicyLevel::Metadata;
        let empty = shown.iter().zip(&self.filled).filter(|(field, filled)| !**filled && of_body(field));
        let empty: BTreeSet<String> = empty.map(|(field, _)| field.to_string()).collect();
        // Of most requests something is logged: under a policy about two resources no overview is whole.
        let is_whole = dead.is_empty() && empty.is_empty() && self.is * 2 >= self.could;
        let verdict = match (self.is > 0 || self.could == 0, is_whole) {
            (false, _) => Verdict::Never,
            (true, false) => Verdict::InPart,
            (true, true) => Verdict::Whole,
        };
        let mut why: Vec<(usize, String)> =
            self.missed.into_iter().map(|(why, (count, example))| (count, format!("{example}: {why}"))).collect();
        why.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        let why =
            if verdict == Verdict::Whole { Vec::new() } else { why.into_iter().take(2).map(|(_, why)| why).collect() };
        Coverage { verdict, dead, empty: empty.into_iter().collect(), why }
    }
}

/// A request in a few words.
fn example(request: &Request) -> String {
    let Request { verb, resource, subresource, path, .. } = request;
    match (request.is_resource, subresource.is_empty()) {
        (false, _) => format!("{verb} {path}"),
        (true, true) => format!("{verb} {resource}"),
        (true, false) => format!("{verb} {resource}/{subresource}"),
    }
}

/// The alternatives of a condition, and what must hold beside them.
#[derive(Default)]
struct Branches<'e> {
    parts: Vec<&'e Expr>,
    others: Vec<&'e Expr>,
}

impl<'e> Branches<'e> {
    fn of(expr: &'e Expr) -> Branches<'e> {
        match expr {
            Expr::Or(parts) => Branches { parts: parts.iter().collect(), others: Vec::new() },
            Expr::And(all) => {
                let widest = all.iter().enumerate().filter_map(|(n, part)| match part {
                    Expr::Or(parts) => Some((parts.len(), n, parts)),
                    _ => None,
                });
                let Some((_, place, parts)) = widest.max_by_key(|(count, ..)| *count) else {
                    return Branches::default();
                };
                let others = all.iter().enumerate().filter(|(n, _)| *n != place).map(|(_, part)| part).collect();
                Branches { parts: parts.iter().collect(), others }
            }
            _ => Branches::default(),
        }
    }

    fn others(&self, case: &Case<'_>) -> bool {
        self.others.iter().all(|part| case.holds(part) != Truth::No)
    }
}

/// Whether something holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Truth {
    No,
    Maybe,
    Yes,
}

impl Truth {
    fn of(is: bool) -> Truth {
        if is { Truth::Yes } else { Truth::No }
    }
}

/// A request at a stage, of which so much is logged.
struct Case<'a> {
    request: &'a Request,
    stage: &'a str,
    level: PolicyLevel,
}

impl Case<'_> {
    /// How much of its bodies an event has.
    fn bodies(&self) -> PolicyLevel {
        let Request { verb, subresource, is_resource, .. } = self.request;
        let has_request = matches!(verb.as_str(), "create" | "update" | "patch" | "delete" | "deletecollection");
        let is_stream = STREAMS.contains(&subresource.as_str()) || verb == "watch";
        if !is_resource || is_stream || self.stage == "RequestReceived" {
            return PolicyLevel::Metadata;
        }
        match self.level {
            PolicyLevel::Request if !has_request => PolicyLevel::Metadata,
            level => level,
        }
    }

    fn holds(&self, expr: &Expr) -> Truth {
        match expr {
            Expr::And(parts) => {
                parts.iter().map(|part| self.holds(part)).min_by_key(|t| *t as u8).unwrap_or(Truth::Yes)
            }
            Expr::Or(parts) => parts.iter().map(|part| self.holds(part)).max_by_key(|t| *t as u8).unwrap_or(Truth::No),
            Expr::Not(part) => match self.holds(part) {
                Truth::No => Truth::Yes,
                Truth::Maybe => Truth::Maybe,
                Truth::Yes => Truth::No,
            },
            Expr::Check(check) => self.check(check),
            Expr::Relation(_) => {
                let mut needed = PolicyLevel::None;
                expr.for_each_field(&mut |field| needed = needed.max(level_needed(field)));
                if self.lacks(needed) { Truth::No } else { Truth::Maybe }
            }
        }
    }

    fn lacks(&self, needed: PolicyLevel) -> bool {
        needed > PolicyLevel::Metadata && needed > self.bodies()
    }

    /// Whether a field may have a value.
    fn has(&self, field: &FieldRef) -> bool {
        let of = BODIES.iter().find(|(class, _)| field.field.name.starts_with(class));
        let is_about = of.is_none_or(|(_, resources)| resources.contains(&self.request.resource.as_str()));
        is_about && !self.lacks(level_needed(field))
    }

    fn check(&self, check: &Check) -> Truth {
        let request = self.request;
        let test = |text: &str| {
            let value = if text.is_empty() { Value::Missing } else { Value::Text(Cow::Borrowed(text.as_bytes())) };
            check.test(&value)
        };
        let of_resource = |text: &str| Truth::of(test(if request.is_resource { text } else { "" }));
        let action = if STREAMS.contains(&request.subresource.as_str()) { &request.subresource } else { &request.verb };
        match check.field.field.name {
            "evt.type" => Truth::of(test("k8saudit")),
            "ka.verb" => Truth::of(test(&request.verb) || test(action)),
            "ka.action" => Truth::of(test(action)),
            "ka.target.resource" => of_resource(&request.resource),
            "ka.target.subresource" => of_resource(&request.subresource),
            "ka.target.group" => of_resource(&request.group),
            "ka.target.namespace" => of_resource(&request.namespace),
            "ka.user.name" => Truth::of(test(&request.user)),
            "ka.stage" => Truth::of(test(self.stage)),
            "ka.level" => Truth::of(test(self.level.name())),
            "ka.uri" if !request.is_resource => Truth::of(test(&request.path)),
            "ka.response.code" | "ka.response.reason" if self.stage == "RequestReceived" => Truth::No,
            _ if !self.has(&check.field) => Truth::No,
            _ => Truth::Maybe,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::read::PolicyFile;
    use super::*;

    fn policy(rules: &str) -> Policy {
        let file = PolicyFile::parse(&format!("apiVersion: audit.k8s.io/v1\nkind: Policy\nrules:\n{rules}"));
        assert!(file.is_valid(), "{:?}", file.findings);
        file.policy
    }

    fn covered(rules: &str, filter: &str) -> Coverage {
        cover(&policy(rules), Some(&Filter::parse(filter).unwrap()), &[]).unwrap()
    }

    #[test]
    fn what_is_not_logged_is_never_found_and_why_is_told() {
        let all = "- level: RequestResponse\n";
        let metadata = "- level: Metadata\n";
        let some = "- level: Metadata\n  verbs: [delete]\n  resources: [{group: \"\", resources: [secrets]}]\n";
        let done = "- level: Metadata\n  omitStages: [ResponseComplete]\n";
        for (rules, filter, want) in [
            (all, "ka.verb = exec", Verdict::Whole),
            (some, "ka.verb = exec", Verdict::Never),
            (some, "ka.verb = delete and ka.target.resource = secrets", Verdict::Whole),
            (some, "ka.verb = delete and ka.target.resource = pods", Verdict::Never),
            (some, "ka.verb = delete and not ka.target.resource = secrets", Verdict::Never),
            (metadata, "ka.req.container.privileged = true", Verdict::Never),
            (all, "ka.verb = create and ka.req.container.privileged = true", Verdict::Whole),
            // A get has no body, at any level.
            (metadata, "ka.verb in (create, get) or ka.req.pod.host_network = true", Verdict::InPart),
            (done, "ka.stage = ResponseComplete", Verdict::Never),
            (done, "ka.stage = ResponseStarted and ka.response.code = 401", Verdict::Whole),
            (
                "- level: None\n  users: [\"system:anonymous\"]\n- level: Metadata\n",
                "ka.user.name = system:anonymous",
                Verdict::Never,
            ),
            (
                "- level: Metadata\n  resources: [{group: \"\", resources: [pods]}]\n",
                "ka.target.subresource = exec",
                Verdict::Never,
            ),
            ("- level: Metadata\n  resources: [{group: \"\"}]\n", "ka.target.subresource = exec", Verdict::Whole),
        ] {
            let found = covered(rules, filter);
            assert_eq!(found.verdict, want, "{rules}{filter}: {found:?}");
            assert_eq!(found.why.is_empty(), want == Verdict::Whole, "{found:?}");
        }
        let found = covered(some, "ka.verb = exec");
        assert!(found.why[0].contains("no rule is about it, so nothing is logged"), "{found:?}");
        let found = covered(metadata, "ka.verb = create or ka.req.pod.host_network = true");
        assert_eq!(found.dead, ["ka.req.pod.host_network = true"], "{found:?}");
        assert!(found.why[0].contains("line 4 logs it at Metadata, without what is asked for"), "{found:?}");
    }

    #[test]
    fn columns_that_are_always_empty_are_named() {
        let field = crate::field::lookup("ka.req.pod.containers.image").unwrap();
        let other = crate::field::lookup("ka.user.name").unwrap();
        let shown = [&field, &other];
        let found = cover(&policy("- level: Metadata\n"), None, &shown).unwrap();
        assert_eq!((found.verdict, found.empty), (Verdict::InPart, vec!["ka.req.pod.containers.image".to_owned()]));
        let found = cover(&policy("- level: Request\n"), None, &shown).unwrap();
        assert_eq!(found.verdict, Verdict::Whole);
        let calls = crate::field::lookup("proc.name").unwrap();
        assert_eq!(cover(&policy("- level: None\n"), None, &[&calls]), None);
    }
}
