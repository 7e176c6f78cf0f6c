//! What a policy would have logged of what a log holds, by rule; and how much is logged in a recording.

use super::play::Batches;
use crate::batch::Batch;
use crate::event::{Arg, AuditPart, join_audit, kinds};
use crate::policy::{Policy, PolicyLevel, Request};
use crate::world::StrId;

/// Events that a rule decides about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Volume {
    /// Events in the log.
    pub events: u64,
    /// Their bytes, with the ends of their lines.
    pub bytes: u64,
    /// Events that the policy logs.
    pub kept: u64,
    /// Their bytes, as far as the log has what would be logged.
    pub kept_bytes: u64,
    /// Of them, those of which the policy logs bodies that the log does not have.
    pub more: u64,
    /// Of all, those that the log has at another level or that the policy does not log.
    pub differ: u64,
}

/// What a policy makes of a log.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Volumes {
    /// Of each rule.
    pub rules: Vec<Volume>,
    /// Of what no rule is about.
    pub none: Volume,
    /// Events of the old one-line form, which do not say what they are about.
    pub legacy: u64,
    /// Batches that could not be read.
    pub damaged: Vec<String>,
}

/// Holds a policy against the audit events of a recording.
pub fn volumes(batches: &dyn Batches, policy: &Policy) -> Volumes {
    let mut found = Volumes { rules: vec![Volume::default(); policy.rules.len()], ..Volumes::default() };
    let (mut env, mut text) = (Vec::new(), Vec::new());
    for index in 0..batches.len() {
        let batch = match batches.batch(index) {
            Ok(batch) => batch,
            Err(error) => {
                found.damaged.push(format!("{}: {error}", batches.place(index)));
                continue;
            }
        };
        let each = |row: crate::batch::Row<'_>| {
            let event = row.event(&mut env);
            if event.kind != kinds::K8SAUDIT {
                return;
            }
            let part = |part: AuditPart| event.args.get(part.place()).copied().unwrap_or(Arg::Missing);
            text.clear();
            join_audit(part, event.time, event.duration, &mut text);
            if part(AuditPart::Level) == Arg::Missing {
                found.legacy += 1;
                return;
            }
            take(&mut found, policy, part, text.len() as u64 + 1);
        };
        if let Err(error) = batch.for_each_row(each) {
            found.damaged.push(format!("{}: {error}", batches.place(index)));
        }
    }
    found
}

/// Bytes of a body in the text of an event, with its key and a comma.
fn body(value: Arg<'_>, key: &str) -> u64 {
    value.bytes().map_or(0, |bytes| (bytes.len() + key.len() + 4) as u64)
}

fn take<'a>(found: &mut Volumes, policy: &Policy, part: impl Fn(AuditPart) -> Arg<'a>, bytes: u64) {
    let request = Request::of_event(&part);
    let stage = String::from_utf8_lossy(part(AuditPart::Stage).bytes().unwrap_or_default()).into_owned();
    let logged = part(AuditPart::Level).bytes().and_then(PolicyLevel::of).unwrap_or_default();
    let rule = policy.rule_of(&request);
    let volume = rule.map_or(&mut found.none, |rule| &mut found.rules[rule]);
    volume.events += 1;
    volume.bytes += bytes;
    let level = policy.level_of(&request, &stage);
    volume.differ += u64::from(level != logged);
    if level == PolicyLevel::None {
        return;
    }
    let (sent, answered) = (part(AuditPart::Request), part(AuditPart::Response));
    let mut less = if level < PolicyLevel::RequestResponse { body(answered, "responseObject") } else { 0 };
    less += if level < PolicyLevel::Request { body(sent, "requestObject") } else { 0 };
    volume.kept += 1;
    volume.kept_bytes += (bytes + level.name().len() as u64).saturating_sub(less + logged.name().len() as u64);
    let has_body = stage != "RequestReceived" && request.is_resource;
    volume.more += u64::from(has_body && level > logged && level > PolicyLevel::Metadata);
}

/// The most that is logged of the audit events of a recording; `None`: it has none. Looks no further than the first that has
/// as much as `enough`.
pub fn most_logged(batches: &dyn Batches, enough: PolicyLevel) -> Option<PolicyLevel> {
    let mut most = None;
    for index in 0..batches.len() {
        let Ok(batch) = batches.batch(index) else { continue };
        most = most.max(level_in(&batch));
        if most >= Some(enough) {
            break;
        }
    }
    most
}

fn level_in(batch: &Batch) -> Option<PolicyLevel> {
    let kind = (0..batch.head().kinds.len()).find(|&kind| batch.kind_info(kind).name == kinds::K8SAUDIT.spec().name)?;
    let param = batch.kind_info(kind).params.iter().position(|param| param.name == AuditPart::Level.name())?;
    let (_, slot) = batch.slot(kind, param)?;
    let mut ids = batch.text(kind, slot).ok()?.to_vec();
    ids.sort_unstable();
    ids.dedup();
    let level = |id: &u32| batch.dict().strings.get(StrId(*id)).and_then(PolicyLevel::of);
    ids.iter().filter_map(level).max()
}
