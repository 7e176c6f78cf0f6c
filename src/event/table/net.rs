//! Calls on sockets that move no data.

use super::entry::{
    FD, NEW, PLAIN, RES, STATE, address, backlog, call, choice, end, fd, field, flags, ino, int, text_from, tuple, uint,
};
use crate::event::flags::{FD_FLAGS, SHUTDOWN_HOW, SOCKET_FAMILIES, SOCKOPT_LEVELS};
use crate::event::spec::Category::{Ipc, Net};
use crate::event::spec::{From, ParamType, Spec};

/// Sockets.
#[rustfmt::skip] // a table: one kind, one line
pub(super) const NET: &[Spec] = &[
    // SOCK_CLOEXEC and SOCK_NONBLOCK stand in the type's register
    call("socket", 41, 198, Net, FD, NEW, &[choice("domain", 0, SOCKET_FAMILIES), uint("type", 1), uint("proto", 2), flags("flags", 1, FD_FLAGS), ino(255)]),
    call("socketpair", 53, 199, Ipc, RES, NEW, &[field("fd1", ParamType::Fd, [3, 8, 0, 4]), field("fd2", ParamType::Fd, [3, 8, 4, 4]), choice("domain", 0, SOCKET_FAMILIES), uint("type", 1), uint("proto", 2), end("source", ParamType::Hex, 131, 0), end("peer", ParamType::Hex, 131, 1), end("ino", ParamType::Uint, 131, 2), end("peer_ino", ParamType::Uint, 131, 3)]),
    call("bind", 49, 200, Net, RES, STATE, &[address("addr", From::SockIn(1, 2)), fd("fd", 0), tuple("tuple", 0)]).on(1),
    call("connect", 42, 203, Net, RES, STATE, &[tuple("tuple", 0), fd("fd", 0), address("addr", From::SockIn(1, 2)), end("ino", ParamType::Uint, 0, 2), end("peer_ino", ParamType::Uint, 0, 3)]).on(1),
    call("listen", 50, 201, Net, RES, STATE, &[fd("fd", 0), int("backlog", 1)]).on(0),
    call("accept", 43, 202, Net, FD, NEW, &[tuple("tuple", 255), fd("sockfd", 0), backlog("queuepct", 0), backlog("queuelen", 1), backlog("queuemax", 2), end("ino", ParamType::Uint, 255, 2), end("peer_ino", ParamType::Uint, 255, 3)]),
    call("accept4", 288, 242, Net, FD, NEW, &[tuple("tuple", 255), flags("flags", 3, FD_FLAGS), fd("sockfd", 0), backlog("queuepct", 0), backlog("queuelen", 1), backlog("queuemax", 2), end("ino", ParamType::Uint, 255, 2), end("peer_ino", ParamType::Uint, 255, 3)]),
    call("shutdown", 48, 210, Net, RES, STATE, &[fd("fd", 0), choice("how", 1, SHUTDOWN_HOW)]).on(0),
    call("getsockname", 51, 204, Net, RES, PLAIN, &[fd("fd", 0), address("addr", From::SockOut(1, 2))]).on(0),
    call("getpeername", 52, 205, Net, RES, PLAIN, &[fd("fd", 0), address("addr", From::SockOut(1, 2))]).on(0),
    // an option's number means something else at each level, so it has no names here
    call("setsockopt", 54, 208, Net, RES, PLAIN, &[fd("fd", 0), choice("level", 1, SOCKOPT_LEVELS), int("optname", 2), uint("optlen", 4), text_from("val", ParamType::OptionValue, From::SockIn(3, 4))]).on(0),
    call("getsockopt", 55, 209, Net, RES, PLAIN, &[fd("fd", 0), choice("level", 1, SOCKOPT_LEVELS), int("optname", 2), field("optlen", ParamType::Uint, [4, 4, 0, 4]), text_from("val", ParamType::OptionValue, From::SockOut(3, 4))]).on(0),
];
