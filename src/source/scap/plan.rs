//! [`Plan`]: what becomes of each parameter of a type, made from the tables once.

use crate::event::{Class, Kind, ParamType, flag_table, kinds};
use crate::format::scap::{Conversion, EventType, Param, Side, TYPES, Wire, kind_of, our_name};

/// Where a value goes that is what the call returned.
pub(super) const RETURN: u8 = u8::MAX;

/// How a value becomes ours.
#[derive(Debug, Clone)]
pub(super) enum How {
    /// A number as it is; signed or not.
    Int(bool),
    /// A number of a table.
    Named(Conversion),
    /// Text up to its NUL.
    Text,
    /// Bytes as they are.
    Bytes,
    /// A socket's address.
    Address,
    /// Both ends in the other order: ours has the caller's end first.
    Swapped,
    /// Descriptors that are polled.
    Polls(Conversion),
    /// The value of a socket option.
    Option,
    /// The number of a value with a selector.
    Selected,
}

/// What becomes of a parameter.
#[derive(Debug, Clone)]
pub(super) struct Slot {
    /// Our parameter, or [`RETURN`].
    pub(super) to: u8,
    pub(super) how: How,
}

/// What is special about a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Special {
    None,
    /// A call that is named by its code.
    Generic,
    Clone,
    Exec,
    /// Makes or opens a file: the flags say whether it was made.
    Open,
    /// Tells both ends of a socket: the peer's address is one of them.
    Tuple {
        receives: bool,
    },
    ProcExit,
    /// Time used so far.
    ProcInfo,
    /// The oldest form of a container's description.
    OldContainer,
    /// Of a plugin: it may be an audit event.
    Plugin,
}

/// What becomes of the events of a type.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) of: &'static EventType,
    pub(super) kind: Option<Kind>,
    /// Half of a call, and which; `None` for what is no call.
    pub(super) side: Option<Side>,
    pub(super) special: Special,
    /// Types of one name have the same: the first of them.
    pub(super) family: u16,
    pub(super) slots: Vec<Option<Slot>>,
}

/// The plans of all types, by number.
pub(super) fn plans() -> Vec<Plan> {
    (0..TYPES.len()).map(|number| plan(number as u16)).collect()
}

fn plan(number: u16) -> Plan {
    let of = &TYPES[usize::from(number)];
    let special = special(of);
    let kind = match special {
        Special::ProcInfo => Some(kinds::CPUTIME),
        _ => kind_of(number),
    };
    let is_call = special == Special::Generic
        || kind.is_some_and(|k| k.spec().flags.has(crate::event::KindFlags::CALL)) && special != Special::ProcInfo;
    let slots = of.params.iter().map(|param| slot(number, param, kind?)).collect();
    let family = TYPES.iter().position(|t| t.name == of.name).map_or(number, |first| first as u16);
    Plan { of, kind, side: is_call.then(|| Side::of(number)), special, family, slots }
}

fn special(of: &EventType) -> Special {
    match of.name {
        "syscall" => Special::Generic,
        "clone" | "clone3" | "fork" | "vfork" => Special::Clone,
        "execve" | "execveat" => Special::Exec,
        "open" | "openat" | "openat2" | "creat" => Special::Open,
        "sendto" | "send" | "sendmsg" | "sendmmsg" | "connect" => Special::Tuple { receives: false },
        "recvfrom" | "recv" | "recvmsg" | "recvmmsg" => Special::Tuple { receives: true },
        "procexit" => Special::ProcExit,
        "procinfo" => Special::ProcInfo,
        "container" if of.params.len() > 1 => Special::OldContainer,
        "pluginevent" => Special::Plugin,
        _ => Special::None,
    }
}

fn slot(number: u16, param: &Param, kind: Kind) -> Option<Slot> {
    let (spec, name) = (kind.spec(), our_name(number, param.name));
    if let Some(ret) = spec.ret.filter(|r| r.name == name && Side::of(number) == Side::Exit) {
        let signed = ret.ty != ParamType::Uid && ret.ty != ParamType::Gid;
        return Some(Slot { to: RETURN, how: if param.wire == Wire::Dyn { How::Selected } else { How::Int(signed) } });
    }
    let (to, ours) = spec.params.iter().enumerate().find(|(_, p)| p.name == name)?;
    let how = match (ours.class, param.wire) {
        (Class::Int, Wire::Dyn) => How::Selected,
        (Class::Int, wire) => match (ours.table, param.names) {
            (Some(table), Some(names)) if wire.is_named() => {
                // scap counts as bits what the kernel has as one of several values.
                let choice = ours.ty == ParamType::Enum || names == "quotactl_cmds" || names == "quotactl_types";
                How::Named(Conversion::of(names, table, choice))
            }
            _ => How::Int(wire.number()?.1),
        },
        (Class::Text, Wire::SockAddr) => How::Address,
        (Class::Text, Wire::Tuple) if spec.name.starts_with("accept") => How::Swapped,
        (Class::Text, Wire::FdList) => How::Polls(Conversion::of("poll_flags", flag_table("poll_flags")?, false)),
        (Class::Text, Wire::Dyn) => How::Option,
        (Class::Text, wire) if wire.is_text() => How::Text,
        _ => How::Bytes,
    };
    Some(Slot { to: to as u8, how })
}
