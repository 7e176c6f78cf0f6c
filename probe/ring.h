/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/* Writing a record: room for it in the ring of this processor, and handing it over. */
#ifndef PROBE_RING_H
#define PROBE_RING_H
#include "maps.h"

struct out {
	struct ring *ring;
	u64 head;
};

/* Wakes user space, once for each sleep. */
static __noinline int ring_bell(struct ring *ring)
{
	u64 nothing = 0;
	if (!ring)
		return 0;
	ring->sleep = AWAKE;
	return bpf_ringbuf_output(&bell, &nothing, sizeof(nothing), BPF_RB_FORCE_WAKEUP);
}

static __always_inline struct record *begin(struct out *out, u8 type, u32 tid, u32 pid, u64 time)
{
	u32 cpu = bpf_get_smp_processor_id();
	struct ring *ring = bpf_map_lookup_elem(&rings, &cpu);
	if (!ring)
		return 0;
	u8 *data = bpf_map_lookup_elem(&ring_data, &cpu);
	if (!data)
		return 0;
	if (ring->busy) {
		ring->nested++;
		return 0;
	}
	u64 head = ring->head, waiting = head - *(volatile u64 *)&ring->tail;
	if (waiting > ring_mask / 4 && *(volatile u64 *)&ring->sleep)
		ring_bell(ring);
	if (waiting + SLACK > (u64)ring_mask + 1) {
		ring->drops++;
		return 0;
	}
	ring->busy = 1;
	out->ring = ring;
	out->head = head;
	u64 offset = head;
	barrier_var(offset);
	offset &= ring_mask;
	struct record *r = (void *)(data + offset);
	r->type = type;
	r->flags = 0;
	r->nr = 0;
	r->cpu = cpu;
	r->tid = tid;
	r->pid = pid;
	r->time = time;
	r->enter = 0;
	r->ret = 0;
	return r;
}

static __always_inline void finish(struct out *out, struct record *r, u32 len)
{
	struct ring *ring = out->ring;
	len = (len + 7) & ~7u;
	r->len = len;
	/* x86 stores become visible in order, so the compiler is all that has to be kept from moving the record past `head`. */
	asm volatile("" ::: "memory");
	*(volatile u64 *)&ring->head = out->head + len;
	ring->events++;
	ring->busy = 0;
}

#endif
