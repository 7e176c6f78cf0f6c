/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * What the probe and user space agree on: limits, records, the table of calls, what is kept of a thread.
 *
 * The layouts of `record`, `slot`, `op`, `desc` and `ring` are repeated in src/source/ebpf and src/sys/ring.rs.
 */
#ifndef PROBE_LAYOUT_H
#define PROBE_LAYOUT_H
#include "vmlinux_min.h"

/* Stands for the size of one ring until the loader puts in the real one; found in the object by its value. */
#define RING_SENTINEL 0x51ee1b0cu
/* Room behind each ring, so that no record wraps; at least MAX_RECORD. */
#define SLACK 61440u
#define MAX_RECORD 58368u
/* No text or data item is longer. */
#define MAX_ITEM 4096u
/* An item may begin up to here. */
#define MAX_START 13248u
/* Most bytes of a new program's arguments, and of its environment. */
#define MAX_ARGV 32768u
#define MAX_ENV 16384u

enum record_type { CALL = 1, ENTER, FORK, EXEC, EXIT, CPUTIME, SIGNAL, SUBMIT, COMPLETE, SWITCH };
enum record_flags { COMPAT = 1, TRUNCATED = 2, LATE_ENTER = 4, LAST = 8 };
enum op_kind {
	NOTHING, STR, EARLY, BUF_RET, BUF_LEN, SOCK_IN, SOCK_OUT, IOV, MSG, FIELD, ARRAY8, TUPLE, FILE_FACTS, MEMORY, BACKLOG, ENDS,
	ELEMENTS, BITS,
};
/* ALWAYS: whoever makes it, for it changes the state. CHANGES: its thread may be another afterwards, by name, user or program. */
/* TELLS: names a thread, if it is about a file of procfs; then it is recorded in any case. */
enum desc_flags { SKIP = 1, ENTER_TOO = 2, EXECS = 4, ALWAYS = 8, CHANGES = 16, TELLS = 32 };

/* Then the arguments, 8 bytes each, then items: u16 length (MISSING: could not be read), u16 unused, bytes, padding to 4. */
struct record {
	u16 len;
	u8 type, flags;
	u16 nr, cpu;
	u32 tid, pid;
	u64 time, enter;
	s64 ret;
};
#define MISSING 0xffffu
/* A number that is not there. */
#define UNKNOWN (1ull << 63)

/* Done only if argument `when` - 1 (as a u32, shifted right by `shift`, its low byte) is between `low` and `high`; 0: always. */
struct op {
	u8 kind, arg, lenarg, max;
	u8 when, shift, low, high;
};
#define MAX_OPS 7
/* early_len: bytes to keep of what argument `early` points to when the call is entered, because it writes over them. */
struct desc {
	u8 nargs, nops, flags, early;
	u8 early_len, unused[3];
	struct op op[MAX_OPS];
};

enum slot_state { IDLE, IN_CALL, ENTER_WRITTEN };
/* A thread that is recorded has one; in track mode others have none. */
struct slot {
	u64 enter;
	u16 nr;
	u8 state, flags;
	u32 early_len; /* 0: nothing was kept */
	u64 args[6];
	u64 cputime_at;
	u64 early[2];
	/* Who sent the last signal. */
	u32 sender_signal, sender, sender_uid, unused;
	/* When it was born (0: before us), plus one for each change of it. */
	u64 generation;
	u64 epoch;
	u64 denied;
};

/* In a generation that user space knows nothing about. */
#define FOREIGN (1ull << 63)

/* What user space found out about a thread as it was in one generation. */
struct verdict {
	u64 generation, denied;
};

enum asleep { AWAKE, ASLEEP, QUIET };
/* head, drops, nested, events and groups (those that programs were last executed in) are ours, tail is user space's; it sets `sleep` before it sleeps, and we clear that when we wake it. */
struct ring {
	u64 head, busy, drops, nested, events, groups[3];
	u64 tail, sleep, unused1[6];
};

#endif
