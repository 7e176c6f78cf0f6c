//! Requests to `io_uring`: each is the call that it stands for, made when its result comes.
//!
//! A request names its file when it is taken in, and has a result later, perhaps on another thread. In between it is kept
//! here, by its address in the kernel, which no other request has meanwhile. Only requests that change what descriptors
//! refer to are kept. A file that goes into the ring's own table gets no number, so it is not known here.

use super::action::named_int;
use super::engine::World;
use crate::event::{Event, Kind, OwnedArg, OwnedEvent, kinds};
use std::collections::BTreeMap;

/// Requests on their way of which results change something; the oldest is forgotten first.
const MOST: usize = 1024;

/// `enum io_uring_op` (`include/uapi/linux/io_uring.h`).
const SENDMSG: i64 = 9;
const RECVMSG: i64 = 10;
const ACCEPT: i64 = 13;
const CONNECT: i64 = 16;
const OPENAT: i64 = 18;
const CLOSE: i64 = 19;
const OPENAT2: i64 = 28;
const SOCKET: i64 = 45;
const BIND: i64 = 56;
const LISTEN: i64 = 57;
/// `IORING_CQE_F_MORE`: more results of this request will come.
const MORE: i64 = 2;
const EBADF: i64 = 9;

/// A request whose result has not come.
#[derive(Debug)]
struct Request {
    address: i64,
    user_data: i64,
    /// The call that it stands for, as of the thread that gave it to the ring.
    call: OwnedEvent,
}

/// The requests on their way.
#[derive(Debug, Default)]
pub(super) struct Requests {
    /// By the order in which they were taken in.
    kept: BTreeMap<u64, Request>,
    by_address: BTreeMap<i64, u64>,
    next: u64,
}

impl Requests {
    /// Keeps a request in place of one at the same address, or of the oldest.
    fn add(&mut self, request: Request) {
        if let Some(before) = self.by_address.insert(request.address, self.next) {
            self.kept.remove(&before);
        } else if self.kept.len() >= MOST
            && let Some((_, oldest)) = self.kept.pop_first()
        {
            self.by_address.remove(&oldest.address);
        }
        self.kept.insert(self.next, request);
        self.next += 1;
    }

    fn remove(&mut self, number: u64) {
        if let Some(gone) = self.kept.remove(&number) {
            self.by_address.remove(&gone.address);
        }
    }
}

/// The call that an operation stands for; (its parameter, the request's) where their names differ.
fn stands_for(opcode: i64) -> Option<(Kind, &'static [(&'static str, &'static str)])> {
    Some(match opcode {
        OPENAT | OPENAT2 => (kinds::OPENAT, &[("flags", "open_flags")]),
        CLOSE => (kinds::CLOSE, &[]),
        ACCEPT => (kinds::ACCEPT4, &[("sockfd", "fd"), ("flags", "open_flags")]),
        CONNECT => (kinds::CONNECT, &[]),
        SOCKET => (kinds::SOCKET, &[]),
        BIND => (kinds::BIND, &[]),
        LISTEN => (kinds::LISTEN, &[]),
        SENDMSG => (kinds::SENDMSG, &[]),
        RECVMSG => (kinds::RECVMSG, &[]),
        _ => return None,
    })
}

/// The parameters of `call` out of those of `event`; what that has not is as `else_` says.
fn taken(call: Kind, names: &[(&str, &str)], event: &Event<'_>, else_: impl Fn(usize) -> OwnedArg) -> Vec<OwnedArg> {
    let owned = OwnedEvent::of(event);
    let place = |name: &str| event.kind.spec().params.iter().position(|p| p.name == name);
    let params = call.spec().params.iter().enumerate();
    params
        .map(|(n, param)| {
            let name = names.iter().find(|(ours, _)| *ours == param.name).map_or(param.name, |(_, theirs)| theirs);
            let found = place(name).and_then(|at| owned.args().get(at)).filter(|arg| **arg != OwnedArg::Missing);
            found.cloned().unwrap_or_else(|| else_(n))
        })
        .collect()
}

impl World {
    /// A ring took a request in. Returns the row of what it is about: of an open, the file that it names.
    pub(super) fn submitted(&mut self, index: usize, event: &Event<'_>) -> u32 {
        let fd = event.kind.spec().fd.and_then(|fd| event.args.get(usize::from(fd))?.int());
        let used = fd.map_or(0, |fd| self.uses(index, fd));
        let (Some(opcode), Some(address)) = (named_int(event, "opcode"), named_int(event, "request")) else {
            return used;
        };
        let Some((kind, names)) = stands_for(opcode) else { return used };
        // An entry of the ring's own table is made, closed or used.
        let without_number = named_int(event, "direct").is_some_and(|direct| direct != 0);
        let makes = matches!(kind, kinds::OPENAT | kinds::SOCKET);
        if without_number || (fd.is_none() && !makes) {
            return used;
        }
        let args = taken(kind, names, event, |_| OwnedArg::Missing);
        let call = OwnedEvent::new(&Event { kind, duration: None, ret: 0, ..event.bare() }, args);
        let desc = if kind == kinds::OPENAT { self.act(index, &Event { ret: -EBADF, ..call.event() }) } else { used };
        self.requests.add(Request { address, user_data: named_int(event, "user_data").unwrap_or(0), call });
        desc
    }

    /// A result came: the call that the request stands for has returned. Returns the row of what it was about.
    pub(super) fn completed(&mut self, index: usize, event: &Event<'_>) -> u32 {
        let made = named_int(event, "fd");
        let found = self.request_of(event).and_then(|at| Some((at, self.requests.kept.get(&at)?)));
        let Some((at, request)) = found else {
            // Made by a request of before us, or by one that was lost.
            return made.map_or(0, |fd| self.want_descriptor(index, fd));
        };
        let of = request.call.event().bare();
        let known = |n: usize| request.call.args().get(n).cloned().unwrap_or(OwnedArg::Missing);
        let res = named_int(event, "res").unwrap_or(0);
        let kind = of.kind;
        // What the completion calls `flags` are its own, and its `fd` is the one made.
        let args = taken(kind, &[("flags", ""), ("fd", ""), ("sockfd", "")], event, known);
        let call =
            OwnedEvent::new(&Event { kind, tid: of.tid, pid: of.pid, ret: res, duration: None, ..event.bare() }, args);
        let index = self.thread(of.tid, of.pid);
        if named_int(event, "flags").unwrap_or(0) & MORE == 0 {
            self.requests.remove(at);
        }
        if made.is_none() && res >= 0 && matches!(kind, kinds::OPENAT | kinds::ACCEPT4 | kinds::SOCKET) {
            return 0;
        }
        let desc = self.act(index, &call.event());
        if self.is_noting() {
            self.note_change(&call.event());
        }
        desc
    }

    /// The request of a completion. One of several results may come without the request: then its process and the number
    /// that the program gave it tell.
    fn request_of(&self, event: &Event<'_>) -> Option<u64> {
        let address = named_int(event, "request").filter(|address| *address != 0);
        let user_data = named_int(event, "user_data");
        let by_number = || {
            let is_it = |r: &Request| Some(r.user_data) == user_data && r.call.event().pid == event.pid;
            self.requests.kept.iter().rev().find(|(_, request)| is_it(request)).map(|(number, _)| *number)
        };
        address.map_or_else(by_number, |address| self.requests.by_address.get(&address).copied())
    }
}
