//! [`Plan`]: how events of one kind are written, made once per kind.

use super::derive::Made;
use super::target::Target;
use super::value::Poll;
use crate::event::{Kind, KindFlags, Param, Spec};
use crate::format::scap::{Conversion, Side, Wire, call_code, enter_type, event_type, exit_type, our_name};

/// Parameters that have another name than ours in one half of a call: (kind, theirs, ours, why).
const ALIASES: &[(&str, &str, &str, &str)] = &[
    ("dup", "fd", "oldfd", "its older form has one descriptor"),
    ("dup2", "fd", "oldfd", "its older form is that of dup"),
    ("dup3", "fd", "oldfd", "its older form is that of dup"),
    ("execve", "uid", "euid", "scap has the effective ones"),
    ("execve", "gid", "egid", "scap has the effective ones"),
    ("execveat", "uid", "euid", "scap has the effective ones"),
    ("execveat", "gid", "egid", "scap has the effective ones"),
    ("quotactl", "quota_fmt", "id", "the same number"),
];

/// How events of a kind are written.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// What is written when it begins.
    pub(super) enter: Option<Half>,
    /// What is written when it is over, or of what is no call.
    pub(super) exit: Option<Half>,
}

/// One event type and where its parameters come from.
#[derive(Debug)]
pub(super) struct Half {
    /// The type.
    pub(super) number: u16,
    /// Its parameters.
    pub(super) fields: Vec<Field>,
    /// So many must be there, known or not.
    pub(super) needed: usize,
}

/// One parameter.
#[derive(Debug)]
pub(super) struct Field {
    /// How its value stands there.
    pub(super) wire: Wire,
    /// Between our values and scap's.
    pub(super) conversion: Option<Conversion>,
    /// Places among our parameters, the best first.
    pub(super) own: Vec<usize>,
    /// It is the return value.
    pub(super) is_ret: bool,
    /// Which bits of a list of descriptors are meant.
    pub(super) poll: Poll,
    /// Where else it can be had from.
    pub(super) made: Option<Made>,
}

impl Plan {
    /// The plan for a kind.
    pub(super) fn of(kind: Kind, target: Target) -> Plan {
        let spec = kind.spec();
        if spec.flags.has(KindFlags::SNAPSHOT) {
            return Plan::default();
        }
        if spec.name == "procfork" {
            // what the child sees of it; the parent's half is the call
            return Plan { enter: None, exit: exit_of("clone").map(|number| half(kind, number, Side::Exit, target)) };
        }
        let number = match spec.name {
            "cputime" => exit_of("cputime").or(Some(PROCINFO)),
            "k8saudit" => exit_of("pluginevent"),
            "syscall" => None,
            _ => exit_type(kind),
        };
        let chosen = number.and_then(|number| target.exit(number));
        match chosen {
            Some(number) if Side::of(number) == Side::Exit => {
                // an older type stands for one whose enter event has its number, too
                let enter = if Some(number) == exit_type(kind) { enter_type(kind) } else { Some(number - 1) };
                let enter = enter.filter(|_| target.has_enters() || spec.ret.is_none());
                Plan {
                    enter: enter.map(|number| half(kind, number, Side::Enter, target)),
                    exit: spec.ret.map(|_| half(kind, number, Side::Exit, target)),
                }
            }
            Some(number) => Plan { enter: None, exit: Some(half(kind, number, Side::Enter, target)) },
            None if spec.flags.has(KindFlags::CALL) => generic(kind, target),
            None => Plan::default(),
        }
    }

    /// Whether it is written as a call without a type of its own.
    pub(super) fn is_generic(&self) -> bool {
        self.enter.as_ref().or(self.exit.as_ref()).is_some_and(|half| half.number <= 1)
    }
}

/// The event that says how much processor time a thread used.
const PROCINFO: u16 = 234;

fn exit_of(name: &str) -> Option<u16> {
    crate::event::kind_by_name(name).and_then(exit_type)
}

/// A call that has no type of its own.
fn generic(kind: Kind, target: Target) -> Plan {
    let enter = target.has_enters() || kind.spec().ret.is_none();
    Plan {
        enter: enter.then(|| half(kind, 0, Side::Enter, target)),
        exit: kind.spec().ret.map(|_| half(kind, 1, Side::Exit, target)),
    }
}

fn half(kind: Kind, number: u16, side: Side, target: Target) -> Half {
    let spec = kind.spec();
    let (needed, most) = target.params(number);
    let params = event_type(number).map_or(&[][..], |t| t.params);
    let mut fields = Vec::with_capacity(most);
    for param in params.iter().take(most) {
        let own = own(spec, number, param.name);
        let ours: Option<&Param> = own.first().map(|&i| &spec.params[i]);
        let conversion = param.names.zip(ours.and_then(|p| p.table));
        let is_ret =
            side == Side::Exit && spec.ret.is_some_and(|ret| ret.name == param.name || (param.name == "res_or_fd"));
        fields.push(Field {
            wire: param.wire,
            conversion: conversion.map(|(theirs, table)| Conversion::of(theirs, table, param.wire.is_choice())),
            own,
            is_ret,
            poll: if side == Side::Enter { Poll::Asked } else { Poll::Came },
            made: Made::of(kind, number, param.name, target.call_code(call_code(kind))),
        });
    }
    Half { number, fields, needed }
}

/// Our parameters that say what one of theirs does.
fn own(spec: &Spec, number: u16, theirs: &str) -> Vec<usize> {
    let alias = ALIASES.iter().find(|a| a.0 == spec.name && a.1 == theirs).map(|a| a.2);
    let names = [alias, Some(our_name(number, theirs))];
    let mut places: Vec<usize> =
        names.iter().flatten().filter_map(|name| spec.params.iter().position(|p| p.name == *name)).collect();
    places.dedup();
    places
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::SPECS;

    /// Parameters of scap that nothing recorded tells, and why: (types, parameters, reason).
    const UNTOLD: &[(&[u16], &[&str], &str)] = &[(&[76], &["fd"], "a call of 32-bit programs that is told as fstat")];

    #[test]
    fn every_parameter_of_scap_is_told_or_known_to_be_missing() {
        let mut untold: Vec<(u16, &str)> = Vec::new();
        for target in [Target::All, Target::Old, Target::Current] {
            for i in (0..SPECS.len()).filter(|&i| SPECS[i].flags.has(KindFlags::CALL)) {
                let plan = Plan::of(Kind(i as u16), target);
                for half in plan.enter.iter().chain(&plan.exit) {
                    let params = event_type(half.number).unwrap().params;
                    let bare = half
                        .fields
                        .iter()
                        .zip(params)
                        .filter(|(field, _)| field.own.is_empty() && !field.is_ret && field.made.is_none());
                    untold.extend(bare.map(|(_, param)| (half.number, param.name)));
                }
            }
        }
        let known =
            |&(number, param): &(u16, &str)| UNTOLD.iter().any(|u| u.0.contains(&number) && u.1.contains(&param));
        let unknown: Vec<_> = untold.iter().filter(|u| !known(u)).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
        for (numbers, params, reason) in UNTOLD {
            let is_used = |&number: &u16| untold.iter().any(|u| u.0 == number && params.contains(&u.1));
            assert!(numbers.iter().all(is_used), "{numbers:?} {params:?}: {reason}");
        }
    }
}
