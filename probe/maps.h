/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/* The maps, and the numbers that the loader sets. */
#ifndef PROBE_MAPS_H
#define PROBE_MAPS_H
#include "layout.h"
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1024); /* 512 native calls, 512 of 32-bit programs */
	__type(key, u32);
	__type(value, struct desc);
} calls SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct slot);
} slots SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, u32); /* thread */
	__type(value, struct verdict);
} verdicts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u64); /* changes whenever verdicts do */
} verdict_epoch SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1); /* processors: set by the loader */
	__type(key, u32);
	__type(value, struct ring);
} rings SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1); /* processors: set by the loader */
	__uint(key_size, 4);
	__uint(value_size, RING_SENTINEL);
} ring_data SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096); /* a page: it holds nothing but wake-ups */
} bell SEC(".maps");

/* Set before loading; the verifier removes what they rule out. */
const volatile u32 own_tgid = 0;  /* the recorder, never recorded */
const volatile u32 root_tgid = 0; /* track mode: only this process, from its execve on, and its descendants */
const volatile u32 ring_mask = 0; /* size of one ring - 1 */
const volatile u32 snap_len = 80; /* most bytes of data kept of a call */
const volatile u32 text_max = 256; /* most bytes of a path, its NUL included */
const volatile u32 judged = 0;    /* threads may be denied: then only their ALWAYS calls are recorded */
const volatile u32 selective = 0; /* there are calls that nobody wants */
const volatile u32 inherited = 0; /* who is born of a denied thread is denied until it changes */
const volatile u32 switches = 0;  /* each switch from one thread to another is recorded */

#define TS_COMPAT 2
#define PF_KTHREAD 0x00200000

static __always_inline struct slot *slot_of(struct task_struct *task, bool create)
{
	return bpf_task_storage_get(&slots, task, 0, create ? BPF_LOCAL_STORAGE_GET_F_CREATE : 0);
}

static __always_inline struct desc *desc_of(u32 nr, u8 flags)
{
	u32 i = flags & COMPAT ? 512 + (nr & 511) : nr > 511 ? 511 : nr;
	return bpf_map_lookup_elem(&calls, &i);
}

#endif
