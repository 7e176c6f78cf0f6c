//! [`Keep`]: how long audit events and their bodies are kept (`--keep`).

use crate::event::{Arg, AuditPart};
use crate::value::JsonItems;

/// The annotation that says which bodies were taken out of an event.
pub const PRUNED: &str = "sysreel/pruned";

/// Nanoseconds of a day.
const DAY: u64 = 86_400_000_000_000;

/// Units of ages.
const UNITS: &[(&str, u64)] =
    &[("s", DAY / 86_400), ("m", DAY / 1440), ("h", DAY / 24), ("d", DAY), ("w", 7 * DAY), ("y", 365 * DAY)];

/// Parts of an event that rules select by, as `--keep` calls them.
const SELECTORS: &[(&str, AuditPart)] = &[
    ("verb", AuditPart::Verb),
    ("namespace", AuditPart::Namespace),
    ("user", AuditPart::User),
    ("resource", AuditPart::Resource),
    ("group", AuditPart::Group),
    ("name", AuditPart::Name),
];

/// What of an event has an age of its own; the levels of the API server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tier {
    /// The event itself.
    Metadata,
    /// `requestObject`.
    Request,
    /// `responseObject`.
    RequestResponse,
}

/// Their names.
const TIERS: &[(&str, Tier)] =
    &[("Metadata", Tier::Metadata), ("Request", Tier::Request), ("RequestResponse", Tier::RequestResponse)];

/// What becomes of an event, from nothing to all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// It goes.
    Gone,
    /// Both bodies go.
    NoBodies,
    /// The response goes.
    NoResponse,
    /// It stays as it is.
    Whole,
}

/// Why `--keep` cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeepError {
    /// A rule has no `=`, or nothing before or behind it.
    #[error(
        "expected WHAT=AGE, found `{0}`\nhelp: such as RequestResponse=7d, verb=delete=1y or namespace=prod+Request=180d"
    )]
    Rule(String),
    /// Its age is none.
    #[error(
        "expected an age such as 12h, 30d, 8w, 1y or forever, found `{0}`\nhelp: units are s, m, h, d, w and y (365 days)"
    )]
    Age(String),
    /// It selects by something else.
    #[error(
        "expected Metadata, Request, RequestResponse or one of verb, namespace, user, resource, group, name with `=`, found `{0}`\nhelp: several are joined by `+`: namespace=prod+verb=delete=1y"
    )]
    Selector(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Selector {
    part: AuditPart,
    /// One of them must fit; `*` stands for any text.
    patterns: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    /// `None`: all that there is of the event.
    tier: Option<Tier>,
    selectors: Vec<Selector>,
    /// ns; the greatest number is for ever.
    age: u64,
}

/// How long audit events are kept. Rules that select count before those that do not; of several that count, the longest age.
/// A body is never kept longer than what stands below it: a response not longer than the request, that not longer than
/// the event.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Keep {
    rules: Vec<Rule>,
    text: String,
}

impl Keep {
    /// Reads what `--keep` was given, each a list of rules with commas between them.
    ///
    /// # Errors
    /// One of them is none.
    pub fn parse<'a>(given: impl IntoIterator<Item = &'a str>) -> Result<Keep, KeepError> {
        let mut keep = Keep::default();
        for text in given.into_iter().flat_map(|text| text.split(',')).map(str::trim).filter(|text| !text.is_empty()) {
            keep.rules.push(rule(text)?);
            if !keep.text.is_empty() {
                keep.text.push(',');
            }
            keep.text.push_str(text);
        }
        Ok(keep)
    }

    /// Whether everything is kept for ever.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// As it was given, with commas between the rules.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What becomes of an event of an age (ns); `part` gives its parameters. What it does not have cannot go.
    pub fn fate<'a>(&self, part: impl Fn(AuditPart) -> Arg<'a>, age: u64) -> Fate {
        let fits = |selector: &Selector| {
            let value = part(selector.part).bytes().unwrap_or_default();
            selector.patterns.iter().any(|pattern| fits(pattern.as_bytes(), value))
        };
        let fitting: Vec<&Rule> = self.rules.iter().filter(|rule| rule.selectors.iter().all(fits)).collect();
        if age > limit(&fitting, Tier::Metadata) {
            return Fate::Gone;
        }
        let has = |body: AuditPart| part(body) != Arg::Missing;
        let is_request_over = age > limit(&fitting, Tier::Request);
        let is_response_over = is_request_over || age > limit(&fitting, Tier::RequestResponse);
        match (is_request_over && has(AuditPart::Request), is_response_over && has(AuditPart::Response)) {
            (true, _) => Fate::NoBodies,
            (false, true) => Fate::NoResponse,
            (false, false) => Fate::Whole,
        }
    }
}

/// How long something is kept, by the rules that fit an event.
fn limit(fitting: &[&Rule], tier: Tier) -> u64 {
    let about = || fitting.iter().filter(|rule| rule.tier.is_none_or(|t| t == tier));
    let selecting = about().filter(|rule| !rule.selectors.is_empty()).map(|rule| rule.age).max();
    selecting.or_else(|| about().map(|rule| rule.age).max()).unwrap_or(u64::MAX)
}

fn rule(text: &str) -> Result<Rule, KeepError> {
    let (what, age) = text.rsplit_once('=').ok_or_else(|| KeepError::Rule(text.to_owned()))?;
    let mut rule = Rule { tier: None, selectors: Vec::new(), age: age_of(age.trim())? };
    for part in what.split('+').map(str::trim) {
        if let Some((_, tier)) = TIERS.iter().find(|(name, _)| *name == part) {
            rule.tier = Some(*tier);
            continue;
        }
        let selector = part.split_once('=').and_then(|(name, values)| {
            let (_, part) = SELECTORS.iter().find(|(known, _)| *known == name)?;
            Some(Selector { part: *part, patterns: values.split('|').map(str::to_owned).collect() })
        });
        rule.selectors.push(selector.ok_or_else(|| KeepError::Selector(part.to_owned()))?);
    }
    Ok(rule)
}

fn age_of(text: &str) -> Result<u64, KeepError> {
    if text == "forever" {
        return Ok(u64::MAX);
    }
    let unit = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(unit);
    let ns = UNITS.iter().find(|(name, _)| *name == unit).map(|(_, ns)| *ns);
    let age = number.parse::<u64>().ok().zip(ns).and_then(|(number, ns)| number.checked_mul(ns));
    age.ok_or_else(|| KeepError::Age(text.to_owned()))
}

/// Whether a text is what a pattern says; `*` stands for any text.
fn fits(pattern: &[u8], text: &[u8]) -> bool {
    let mut parts = pattern.split(|&b| b == b'*');
    let first = parts.next().unwrap_or_default();
    let Some(mut left) = text.strip_prefix(first) else { return false };
    let mut last = None;
    for part in parts {
        if let Some(middle) = last.replace(part) {
            let Some(at) = memchr::memmem::find(left, middle) else { return false };
            left = &left[at + middle.len()..];
        }
    }
    last.map_or(left.is_empty(), |end| left.ends_with(end))
}

/// The JSON of an event without its bodies: the response, and with `both` the request too. An annotation ([`PRUNED`]) says
/// what is missing; `None`: it is no JSON object, or has no such body.
pub fn without_bodies(text: &[u8], both: bool) -> Option<Vec<u8>> {
    let (mut out, mut gone, mut noted) = (vec![b'{'], Vec::new(), false);
    let mut items = JsonItems::of(text, 0);
    let is_body = |key: &[u8]| key == b"responseObject" || both && key == b"requestObject";
    let bodies: Vec<&[u8]> = JsonItems::of(text, 0).map(|item| item.key).filter(|key| is_body(key)).collect();
    for body in bodies {
        if !gone.is_empty() {
            gone.push(b',');
        }
        gone.extend_from_slice(body);
    }
    if gone.is_empty() || text.first() != Some(&b'{') {
        return None;
    }
    for item in items.by_ref().filter(|item| !is_body(item.key)) {
        if item.key == b"annotations" && item.value.first() == Some(&b'{') {
            member(&mut out, item.key, &annotated(item.value, &gone));
            noted = true;
        } else {
            member(&mut out, item.key, item.value);
        }
    }
    if items.fault().is_some_and(|fault| !fault.expected.is_empty()) {
        return None;
    }
    if !noted {
        member(&mut out, b"annotations", &annotated(b"{}", &gone));
    }
    out.push(b'}');
    Some(out)
}

fn member(out: &mut Vec<u8>, key: &[u8], value: &[u8]) {
    if out.len() > 1 {
        out.push(b',');
    }
    out.push(b'"');
    out.extend_from_slice(key);
    out.extend_from_slice(b"\":");
    out.extend_from_slice(value);
}

/// Annotations with the one that says what is gone, what went before among it.
fn annotated(notes: &[u8], gone: &[u8]) -> Vec<u8> {
    let (mut out, mut all) = (vec![b'{'], vec![b'"']);
    for item in JsonItems::of(notes, 0) {
        if item.key == PRUNED.as_bytes() {
            all.extend_from_slice(&item.value[1..item.value.len().max(2) - 1]);
            all.push(b',');
        } else {
            member(&mut out, item.key, item.value);
        }
    }
    all.extend_from_slice(gone);
    all.push(b'"');
    member(&mut out, PRUNED.as_bytes(), &all);
    out.push(b'}');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fate(rules: &[&str], event: &[(AuditPart, &str)], days: u64) -> Fate {
        let keep = Keep::parse(rules.iter().copied()).unwrap();
        let part = |part: AuditPart| {
            let found = event.iter().find(|(p, _)| *p == part);
            found.map_or(Arg::Missing, |(_, text)| Arg::Bytes(text.as_bytes()))
        };
        keep.fate(part, days * DAY)
    }

    #[test]
    fn each_level_has_its_age_and_none_outlives_what_it_stands_on() {
        let full = [(AuditPart::Request, "{}"), (AuditPart::Response, "{}")];
        let tiers = ["Metadata=90d,Request=30d", "RequestResponse=7d"];
        for (days, want) in [
            (0, Fate::Whole),
            (7, Fate::Whole),
            (8, Fate::NoResponse),
            (30, Fate::NoResponse),
            (31, Fate::NoBodies),
            (90, Fate::NoBodies),
            (91, Fate::Gone),
        ] {
            assert_eq!(fate(&tiers, &full, days), want, "{days}");
        }
        assert_eq!(fate(&tiers, &[], 50), Fate::Whole, "nothing to take out");
        assert_eq!(fate(&tiers, &full[1..], 50), Fate::NoResponse);
        assert_eq!(fate(&["Request=1d"], &full, 2), Fate::NoBodies, "a response is not kept without the request");
        assert_eq!(fate(&["Metadata=1d", "Request=5d"], &full, 2), Fate::Gone);
        assert_eq!(fate(&[], &full, 9999), Fate::Whole);
    }

    #[test]
    fn rules_that_select_count_before_those_that_do_not_and_the_longest_age_wins() {
        let delete = [(AuditPart::Verb, "delete"), (AuditPart::Namespace, "prod"), (AuditPart::Response, "{}")];
        let rules = ["Metadata=1d", "verb=delete|deletecollection=10d", "namespace=prod+RequestResponse=20d"];
        assert_eq!(fate(&rules, &delete, 9), Fate::Whole);
        assert_eq!(fate(&rules, &delete, 11), Fate::Gone);
        assert_eq!(fate(&rules, &[(AuditPart::Verb, "get")], 2), Fate::Gone);
        let noise = ["Metadata=30d", "user=system:node:*=1d"];
        assert_eq!(fate(&noise, &[(AuditPart::User, "system:node:n1")], 2), Fate::Gone);
        assert_eq!(fate(&noise, &[(AuditPart::User, "alice")], 2), Fate::Whole);
        assert_eq!(fate(&["verb=delete=forever,Metadata=1d"], &delete, 9999), Fate::Whole);
    }

    #[test]
    fn stars_stand_for_any_text() {
        for (pattern, text, want) in [
            ("a*", "abc", true),
            ("*c", "abc", true),
            ("a*c", "ac", true),
            ("a*b*c", "a1b2c", true),
            ("a*b*c", "a1c2b", false),
            ("*", "", true),
            ("a", "ab", false),
            ("ab*ba", "aba", false),
        ] {
            assert_eq!(fits(pattern.as_bytes(), text.as_bytes()), want, "{pattern} {text}");
        }
    }

    #[test]
    fn what_is_no_rule_is_told() {
        let error = |text: &str| Keep::parse([text]).unwrap_err().to_string();
        assert!(error("Metadata").starts_with("expected WHAT=AGE, found `Metadata`"));
        assert!(error("Metadata=7").starts_with("expected an age such as"));
        assert!(error("Metadata=7days").contains("found `7days`"));
        assert!(error("metadata=7d").contains("found `metadata`"));
        assert!(error("pod=x=7d").contains("found `pod=x`"));
    }

    #[test]
    fn bodies_go_and_the_event_says_so() {
        let text = br#"{"a":1,"requestObject":[1,{"b":"}"}],"responseObject":{"c":2},"annotations":{"x/y":"z"}}"#;
        let once = without_bodies(text, false).unwrap();
        assert_eq!(
            String::from_utf8_lossy(&once),
            r#"{"a":1,"requestObject":[1,{"b":"}"}],"annotations":{"x/y":"z","sysreel/pruned":"responseObject"}}"#
        );
        let twice = without_bodies(&once, true).unwrap();
        assert_eq!(
            String::from_utf8_lossy(&twice),
            r#"{"a":1,"annotations":{"x/y":"z","sysreel/pruned":"responseObject,requestObject"}}"#
        );
        assert_eq!(without_bodies(&twice, true), None);
        assert_eq!(
            without_bodies(br#"{"responseObject":1}"#, true).unwrap(),
            br#"{"annotations":{"sysreel/pruned":"responseObject"}}"#
        );
        assert_eq!(without_bodies(b"[1]", true), None);
    }
}
