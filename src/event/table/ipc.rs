//! Calls on queues, semaphores, shared memory and futexes.

use super::entry::{
    FD, NEW, PLAIN, RES, RES_HEX, call, choice, data, fd, field, flags, hex, int, number, oct, plain, text, uint,
};
use crate::event::flags::{FILE_FLAGS, FUTEX_OPERATIONS, IPC_COMMANDS, SEMCTL_COMMANDS, SEMGET_FLAGS, SEMOP_FLAGS};
use crate::event::spec::Category::{Ipc, Process};
use crate::event::spec::{From, ParamType, Spec};

/// Inter-process communication other than descriptors.
#[rustfmt::skip] // a table: one kind, one line
pub(super) const IPC: &[Spec] = &[
    call("futex", 202, 98, Ipc, RES, PLAIN, &[hex("addr", 0), flags("op", 1, FUTEX_OPERATIONS), uint("val", 2)]),
    plain("futex_waitv", 449, 449, Ipc, 5),
    plain("futex_wake", 454, 454, Ipc, 4),
    plain("futex_wait", 455, 455, Ipc, 6),
    plain("futex_requeue", 456, 456, Ipc, 4),
    call("semget", 64, 190, Process, RES, PLAIN, &[hex("key", 0), int("nsems", 1), flags("semflg", 2, SEMGET_FLAGS)]),
    // the first two of struct sembuf: number, operation, flags, 2 bytes each (linux/sem.h)
    call("semop", 65, 193, Process, RES, PLAIN, &[uint("nsops", 2), number("sem_num_0", ParamType::Uint, From::Elements { arg: 1, count: 2, size: 6, offset: 0, width: 2 }), number("sem_op_0", ParamType::Int, From::Elements { arg: 1, count: 2, size: 6, offset: 2, width: 2 }), number("sem_flg_0", ParamType::Flags, From::Elements { arg: 1, count: 2, size: 6, offset: 4, width: 2 }).named(SEMOP_FLAGS), number("sem_num_1", ParamType::Uint, From::Elements { arg: 1, count: 2, size: 6, offset: 6, width: 2 }), number("sem_op_1", ParamType::Int, From::Elements { arg: 1, count: 2, size: 6, offset: 8, width: 2 }), number("sem_flg_1", ParamType::Flags, From::Elements { arg: 1, count: 2, size: 6, offset: 10, width: 2 }).named(SEMOP_FLAGS), int("semid", 0)]),
    call("semctl", 66, 191, Process, RES, PLAIN, &[int("semid", 0), int("semnum", 1), choice("cmd", 2, SEMCTL_COMMANDS), int("val", 3)]),
    call("semtimedop", 220, 192, Process, RES, PLAIN, &[uint("nsops", 2), number("sem_num_0", ParamType::Uint, From::Elements { arg: 1, count: 2, size: 6, offset: 0, width: 2 }), number("sem_op_0", ParamType::Int, From::Elements { arg: 1, count: 2, size: 6, offset: 2, width: 2 }), number("sem_flg_0", ParamType::Flags, From::Elements { arg: 1, count: 2, size: 6, offset: 4, width: 2 }).named(SEMOP_FLAGS), number("sem_num_1", ParamType::Uint, From::Elements { arg: 1, count: 2, size: 6, offset: 6, width: 2 }), number("sem_op_1", ParamType::Int, From::Elements { arg: 1, count: 2, size: 6, offset: 8, width: 2 }), number("sem_flg_1", ParamType::Flags, From::Elements { arg: 1, count: 2, size: 6, offset: 10, width: 2 }).named(SEMOP_FLAGS), int("semid", 0), field("timeout", ParamType::Duration, [3, 16, 0, 16])]),
    call("shmget", 29, 194, Ipc, RES, PLAIN, &[hex("key", 0), uint("size", 1), hex("flags", 2)]),
    call("shmat", 30, 196, Ipc, RES_HEX, PLAIN, &[int("shmid", 0), hex("addr", 1), hex("flags", 2)]),
    call("shmctl", 31, 195, Ipc, RES, PLAIN, &[int("shmid", 0), choice("cmd", 1, IPC_COMMANDS), hex("buf", 2)]),
    call("shmdt", 67, 197, Ipc, RES, PLAIN, &[hex("addr", 0)]),
    call("msgget", 68, 186, Ipc, RES, PLAIN, &[hex("key", 0), hex("flags", 1)]),
    call("msgsnd", 69, 189, Ipc, RES, PLAIN, &[int("msqid", 0), uint("size", 2), hex("flags", 3), field("type", ParamType::Int, [1, 8, 0, 8])]),
    plain("msgrcv", 70, 188, Ipc, 5),
    call("msgctl", 71, 187, Ipc, RES, PLAIN, &[int("msqid", 0), choice("cmd", 1, IPC_COMMANDS), hex("buf", 2)]),
    call("mq_open", 240, 180, Ipc, FD, NEW, &[text("name", 0), flags("flags", 1, FILE_FLAGS), oct("mode", 2), hex("attr", 3)]),
    call("mq_unlink", 241, 181, Ipc, RES, PLAIN, &[text("name", 0)]),
    call("mq_timedsend", 242, 182, Ipc, RES, PLAIN, &[fd("fd", 0), data("msg", From::BufLen(1, 2)), uint("len", 2), uint("prio", 3), hex("timeout", 4)]).on(0),
    call("mq_timedreceive", 243, 183, Ipc, RES, PLAIN, &[fd("fd", 0), data("msg", From::BufRet(1)), uint("len", 2), hex("prio", 3), hex("timeout", 4)]).on(0),
    call("mq_notify", 244, 184, Ipc, RES, PLAIN, &[fd("fd", 0), hex("sevp", 1)]).on(0),
    call("mq_getsetattr", 245, 185, Ipc, RES, PLAIN, &[fd("fd", 0), hex("new", 1), hex("old", 2)]).on(0),
];
