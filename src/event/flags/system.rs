//! Values of calls on IPC objects, modules, keys and bpf, in the native encoding of x86-64 Linux (its uapi headers).

use crate::event::spec::FlagTable;

/// Operations of `futex`: one number and two bits.
pub(in crate::event) const FUTEX_OPERATIONS: &FlagTable = &FlagTable {
    name: "futex_operations",
    choice: 0x7f,
    values: &[
        ("FUTEX_CLOCK_REALTIME", 256),
        ("FUTEX_PRIVATE_FLAG", 128),
        ("FUTEX_CMP_REQUEUE_PI", 12),
        ("FUTEX_WAIT_REQUEUE_PI", 11),
        ("FUTEX_WAKE_BITSET", 10),
        ("FUTEX_WAIT_BITSET", 9),
        ("FUTEX_TRYLOCK_PI", 8),
        ("FUTEX_UNLOCK_PI", 7),
        ("FUTEX_LOCK_PI", 6),
        ("FUTEX_WAKE_OP", 5),
        ("FUTEX_CMP_REQUEUE", 4),
        ("FUTEX_REQUEUE", 3),
        ("FUTEX_FD", 2),
        ("FUTEX_WAKE", 1),
        ("FUTEX_WAIT", 0),
    ],
};

/// Flags of `struct sembuf`.
pub(in crate::event) const SEMOP_FLAGS: &FlagTable =
    &FlagTable { name: "semop_flags", choice: 0, values: &[("IPC_NOWAIT", 0o4000), ("SEM_UNDO", 0o10000)] };

/// `semget`.
pub(in crate::event) const SEMGET_FLAGS: &FlagTable =
    &FlagTable { name: "semget_flags", choice: 0, values: &[("IPC_EXCL", 0o2000), ("IPC_CREAT", 0o1000)] };

/// Commands of `semctl`.
pub(in crate::event) const SEMCTL_COMMANDS: &FlagTable = &FlagTable {
    name: "semctl_commands",
    choice: 0,
    values: &[
        ("IPC_STAT", 2),
        ("IPC_SET", 1),
        ("IPC_RMID", 0),
        ("IPC_INFO", 3),
        ("SEM_INFO", 19),
        ("SEM_STAT", 18),
        ("GETALL", 13),
        ("GETNCNT", 14),
        ("GETPID", 11),
        ("GETVAL", 12),
        ("GETZCNT", 15),
        ("SETALL", 17),
        ("SETVAL", 16),
        ("SEM_STAT_ANY", 20),
    ],
};

/// `delete_module`.
pub(in crate::event) const DELETE_MODULE_FLAGS: &FlagTable =
    &FlagTable { name: "delete_module_flags", choice: 0, values: &[("O_NONBLOCK", 0o4000), ("O_TRUNC", 0o1000)] };

/// `finit_module`.
pub(in crate::event) const FINIT_MODULE_FLAGS: &FlagTable = &FlagTable {
    name: "finit_module_flags",
    choice: 0,
    values: &[
        ("MODULE_INIT_IGNORE_MODVERSIONS", 1),
        ("MODULE_INIT_IGNORE_VERMAGIC", 2),
        ("MODULE_INIT_COMPRESSED_FILE", 4),
    ],
};

/// Commands of `bpf`.
pub(in crate::event) const BPF_COMMANDS: &FlagTable = &FlagTable {
    name: "bpf_commands",
    choice: 0,
    values: &[
        ("BPF_MAP_CREATE", 0),
        ("BPF_MAP_LOOKUP_ELEM", 1),
        ("BPF_MAP_UPDATE_ELEM", 2),
        ("BPF_MAP_DELETE_ELEM", 3),
        ("BPF_MAP_GET_NEXT_KEY", 4),
        ("BPF_PROG_LOAD", 5),
        ("BPF_OBJ_PIN", 6),
        ("BPF_OBJ_GET", 7),
        ("BPF_PROG_ATTACH", 8),
        ("BPF_PROG_DETACH", 9),
        ("BPF_PROG_TEST_RUN", 10),
        ("BPF_PROG_GET_NEXT_ID", 11),
        ("BPF_MAP_GET_NEXT_ID", 12),
        ("BPF_PROG_GET_FD_BY_ID", 13),
        ("BPF_MAP_GET_FD_BY_ID", 14),
        ("BPF_OBJ_GET_INFO_BY_FD", 15),
        ("BPF_PROG_QUERY", 16),
        ("BPF_RAW_TRACEPOINT_OPEN", 17),
        ("BPF_BTF_LOAD", 18),
        ("BPF_BTF_GET_FD_BY_ID", 19),
        ("BPF_TASK_FD_QUERY", 20),
        ("BPF_MAP_LOOKUP_AND_DELETE_ELEM", 21),
        ("BPF_MAP_FREEZE", 22),
        ("BPF_BTF_GET_NEXT_ID", 23),
        ("BPF_MAP_LOOKUP_BATCH", 24),
        ("BPF_MAP_LOOKUP_AND_DELETE_BATCH", 25),
        ("BPF_MAP_UPDATE_BATCH", 26),
        ("BPF_MAP_DELETE_BATCH", 27),
        ("BPF_LINK_CREATE", 28),
        ("BPF_LINK_UPDATE", 29),
        ("BPF_LINK_GET_FD_BY_ID", 30),
        ("BPF_LINK_GET_NEXT_ID", 31),
        ("BPF_ENABLE_STATS", 32),
        ("BPF_ITER_CREATE", 33),
        ("BPF_LINK_DETACH", 34),
        ("BPF_PROG_BIND_MAP", 35),
        ("BPF_TOKEN_CREATE", 36),
    ],
};

/// Operations of `keyctl`.
pub(in crate::event) const KEYCTL_OPERATIONS: &FlagTable = &FlagTable {
    name: "keyctl_operations",
    choice: 0,
    values: &[
        ("KEYCTL_GET_KEYRING_ID", 0),
        ("KEYCTL_JOIN_SESSION_KEYRING", 1),
        ("KEYCTL_UPDATE", 2),
        ("KEYCTL_REVOKE", 3),
        ("KEYCTL_CHOWN", 4),
        ("KEYCTL_SETPERM", 5),
        ("KEYCTL_DESCRIBE", 6),
        ("KEYCTL_CLEAR", 7),
        ("KEYCTL_LINK", 8),
        ("KEYCTL_UNLINK", 9),
        ("KEYCTL_SEARCH", 10),
        ("KEYCTL_READ", 11),
        ("KEYCTL_INSTANTIATE", 12),
        ("KEYCTL_NEGATE", 13),
        ("KEYCTL_SET_REQKEY_KEYRING", 14),
        ("KEYCTL_SET_TIMEOUT", 15),
        ("KEYCTL_ASSUME_AUTHORITY", 16),
        ("KEYCTL_GET_SECURITY", 17),
        ("KEYCTL_SESSION_TO_PARENT", 18),
        ("KEYCTL_REJECT", 19),
        ("KEYCTL_INSTANTIATE_IOV", 20),
        ("KEYCTL_INVALIDATE", 21),
        ("KEYCTL_GET_PERSISTENT", 22),
        ("KEYCTL_DH_COMPUTE", 23),
        ("KEYCTL_PKEY_QUERY", 24),
        ("KEYCTL_PKEY_ENCRYPT", 25),
        ("KEYCTL_PKEY_DECRYPT", 26),
        ("KEYCTL_PKEY_SIGN", 27),
        ("KEYCTL_PKEY_VERIFY", 28),
        ("KEYCTL_RESTRICT_KEYRING", 29),
        ("KEYCTL_MOVE", 30),
        ("KEYCTL_CAPABILITIES", 31),
        ("KEYCTL_WATCH_KEY", 32),
    ],
};
