//! Calls that move data through descriptors.

use super::entry::{
    NEW, NO, PLAIN, READS, RES, RES_FD, STATE, WAITS, WRITES, address, call, choice, data, fd, field, first, flags,
    hex, number, part, pid, plain, ret, source, text_from, uint,
};
use crate::event::flags::{
    IO_URING_ENTER_FLAGS, IO_URING_REGISTER_OPCODES, IO_URING_SETUP_FEATS, IO_URING_SETUP_FLAGS, RWF_FLAGS,
    SPLICE_FLAGS,
};
use crate::event::spec::Category::{File, IoOther, IoRead, IoWrite, Ipc, Wait};
use crate::event::spec::{From, MessagePart, ParamType, Spec};

/// Reads, writes, sends, receives.
#[rustfmt::skip] // a table: one kind, one line
pub(super) const IO: &[Spec] = &[
    call("read", 0, 63, IoRead, RES, READS, &[data("data", From::BufRet(1)), fd("fd", 0), uint("size", 2)]).on(1).asks(2),
    call("write", 1, 64, IoWrite, RES, WRITES, &[data("data", From::BufRet(1)), fd("fd", 0), uint("size", 2)]).on(1).asks(2),
    call("pread", 17, 67, IoRead, RES, READS, &[data("data", From::BufRet(1)), fd("fd", 0), uint("size", 2), uint("pos", 3)]).on(1).asks(2),
    call("pwrite", 18, 68, IoWrite, RES, WRITES, &[data("data", From::BufRet(1)), fd("fd", 0), uint("size", 2), uint("pos", 3)]).on(1).asks(2),
    call("readv", 19, 65, IoRead, RES, READS, &[data("data", From::Iov(1)), fd("fd", 0), number("size", ParamType::Uint, From::IovSize(1))]).on(1),
    call("writev", 20, 66, IoWrite, RES, WRITES, &[data("data", From::Iov(1)), fd("fd", 0), number("size", ParamType::Uint, From::IovSize(1))]).on(1),
    call("preadv", 295, 69, IoRead, RES, READS, &[data("data", From::Iov(1)), fd("fd", 0), uint("pos", 3), number("size", ParamType::Uint, From::IovSize(1))]).on(1),
    call("pwritev", 296, 70, IoWrite, RES, WRITES, &[data("data", From::Iov(1)), fd("fd", 0), uint("pos", 3), number("size", ParamType::Uint, From::IovSize(1))]).on(1),
    call("preadv2", 327, 286, IoRead, RES, READS, &[data("data", From::Iov(1)), fd("fd", 0), uint("pos", 3), flags("flags", 5, RWF_FLAGS), number("size", ParamType::Uint, From::IovSize(1))]).on(1),
    call("pwritev2", 328, 287, IoWrite, RES, WRITES, &[data("data", From::Iov(1)), fd("fd", 0), uint("pos", 3), flags("flags", 5, RWF_FLAGS), number("size", ParamType::Uint, From::IovSize(1))]).on(1),
    call("sendto", 44, 206, IoWrite, RES, WRITES | STATE, &[data("data", From::BufRet(1)), fd("fd", 0), uint("size", 2), address("addr", From::SockIn(4, 5)), source("tuple", ParamType::Tuple)]).on(1).asks(2),
    call("recvfrom", 45, 207, IoRead, RES, READS | STATE, &[data("data", From::BufRet(1)), fd("fd", 0), uint("size", 2), address("addr", From::SockOut(4, 5)), source("tuple", ParamType::Tuple)]).on(1).asks(2),
    call("sendmsg", 46, 211, IoWrite, RES, WRITES | STATE, &[data("data", part(MessagePart::Data)), fd("fd", 0), address("addr", part(MessagePart::Name)), number("size", ParamType::Uint, part(MessagePart::Size)), data("msgcontrol", part(MessagePart::Control)), text_from("files", ParamType::FileList, part(MessagePart::Files)), source("tuple", ParamType::Tuple)]).on(1),
    call("recvmsg", 47, 212, IoRead, RES, READS | STATE, &[data("data", part(MessagePart::Data)), fd("fd", 0), address("addr", part(MessagePart::Name)), number("size", ParamType::Uint, part(MessagePart::Size)), data("msgcontrol", part(MessagePart::Control)), text_from("files", ParamType::FileList, part(MessagePart::Files)), source("tuple", ParamType::Tuple)]).on(1),
    // struct mmsghdr starts with a struct msghdr, so this is the first message; the result counts messages, not bytes
    call("sendmmsg", 307, 269, IoWrite, RES, WRITES | STATE, &[fd("fd", 0), data("data", first(MessagePart::Data)), address("addr", first(MessagePart::Name)), number("size", ParamType::Uint, first(MessagePart::Size)), data("msgcontrol", first(MessagePart::Control)), text_from("files", ParamType::FileList, first(MessagePart::Files)), source("tuple", ParamType::Tuple)]).on(0),
    call("recvmmsg", 299, 243, IoRead, RES, READS | STATE, &[fd("fd", 0), data("data", first(MessagePart::Data)), address("addr", first(MessagePart::Name)), number("size", ParamType::Uint, first(MessagePart::Size)), data("msgcontrol", first(MessagePart::Control)), text_from("files", ParamType::FileList, first(MessagePart::Files)), source("tuple", ParamType::Tuple)]).on(0),
    call("sendfile", 40, 71, IoWrite, RES, PLAIN, &[field("offset", ParamType::Uint, [2, 8, 0, 8]), fd("out_fd", 0), fd("in_fd", 1), uint("size", 3)]).on(1),
    call("splice", 275, 76, IoOther, RES, PLAIN, &[fd("fd_in", 0), fd("fd_out", 2), uint("size", 4), flags("flags", 5, SPLICE_FLAGS)]).on(0),
    call("vmsplice", 278, 75, IoWrite, RES, WRITES, &[data("data", From::Iov(1)), fd("fd", 0), flags("flags", 3, SPLICE_FLAGS), number("size", ParamType::Uint, From::IovSize(1))]).on(1),
    call("tee", 276, 77, IoOther, RES, PLAIN, &[fd("fd_in", 0), fd("fd_out", 1), uint("size", 2), flags("flags", 3, SPLICE_FLAGS)]).on(0),
    call("copy_file_range", 326, 285, File, RES, READS | WRITES, &[fd("fdout", 2), field("offout", ParamType::Uint, [3, 8, 0, 8]), fd("fdin", 0), field("offin", ParamType::Uint, [1, 8, 0, 8]), uint("len", 4)]).on(0),
    call("process_vm_readv", 310, 270, Ipc, Some(ret("res", ParamType::Int)), PLAIN, &[pid("pid", 0), data("data", From::Iov(1)), field("remote_addr", ParamType::Hex, [3, 16, 0, 8]), field("remote_len", ParamType::Uint, [3, 16, 8, 8]), uint("riovcnt", 4)]),
    call("process_vm_writev", 311, 271, Ipc, Some(ret("res", ParamType::Int)), PLAIN, &[pid("pid", 0), data("data", From::Iov(1)), field("remote_addr", ParamType::Hex, [3, 16, 0, 8]), field("remote_len", ParamType::Uint, [3, 16, 8, 8]), uint("riovcnt", 4)]),
    // 32-bit calls that 64-bit kernels have no number for
    call("send", NO, NO, IoWrite, RES, WRITES, &[data("data", From::BufRet(1)), fd("fd", 0), uint("size", 2), source("tuple", ParamType::Tuple)]).on(1).asks(2),
    call("recv", NO, NO, IoRead, RES, READS, &[data("data", From::BufRet(1)), fd("fd", 0), uint("size", 2), source("tuple", ParamType::Tuple)]).on(1).asks(2),
    // what is asked of the kernel's own queues
    call("io_setup", 206, 0, IoOther, RES, PLAIN, &[uint("nr_events", 0), hex("ctx", 1)]),
    call("io_destroy", 207, 1, IoOther, RES, PLAIN, &[hex("ctx", 0)]),
    call("io_submit", 209, 2, IoOther, RES, PLAIN, &[hex("ctx", 0), uint("nr", 1), hex("iocbs", 2)]),
    call("io_cancel", 210, 3, IoOther, RES, PLAIN, &[hex("ctx", 0), hex("iocb", 1), hex("result", 2)]),
    plain("io_getevents", 208, 4, Wait, 5).does(WAITS),
    plain("io_pgetevents", 333, 292, Wait, 6).does(WAITS),
    call("io_uring_setup", 425, 425, IoOther, RES_FD, NEW, &[uint("entries", 0), field("sq_entries", ParamType::Uint, [1, 32, 0, 4]), field("cq_entries", ParamType::Uint, [1, 32, 4, 4]), field("flags", ParamType::Flags, [1, 32, 8, 4]).named(IO_URING_SETUP_FLAGS), field("sq_thread_cpu", ParamType::Uint, [1, 32, 12, 4]), field("sq_thread_idle", ParamType::Uint, [1, 32, 16, 4]), field("features", ParamType::Flags, [1, 32, 20, 4]).named(IO_URING_SETUP_FEATS)]),
    call("io_uring_enter", 426, 426, IoOther, RES, PLAIN, &[fd("fd", 0), uint("to_submit", 1), uint("min_complete", 2), flags("flags", 3, IO_URING_ENTER_FLAGS), field("sig", ParamType::Hex, [4, 8, 0, 8])]).on(0),
    call("io_uring_register", 427, 427, IoOther, RES, PLAIN, &[fd("fd", 0), choice("opcode", 1, IO_URING_REGISTER_OPCODES), hex("arg", 2), uint("nr_args", 3)]).on(0),
];
