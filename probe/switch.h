/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/* The scheduler: processor time, and calls that block. */
#ifndef PROBE_SWITCH_H
#define PROBE_SWITCH_H
#include "call.h"

#define TASK_DEAD 0x80
#define CPUTIME_EVERY 1000000000ull

static __always_inline bool is_dead(struct task_struct *task)
{
	struct task_struct___state *old = (void *)task;
	if (bpf_core_field_exists(old->state))
		return BPF_CORE_READ(old, state) == TASK_DEAD;
	return task->__state == TASK_DEAD;
}

static __always_inline void write_cputime(struct task_struct *task, bool dead)
{
	struct out out;
	struct record *r = begin(&out, CPUTIME, task->pid, task->tgid, bpf_ktime_get_boot_ns());
	if (!r)
		return;
	if (dead)
		r->flags = LAST;
	*(u64 *)(r + 1) = task->se.sum_exec_runtime;
	finish(&out, r, sizeof(*r) + 8);
}

/* A processor goes over to another thread: which one, and what the old one has had so far: page faults with reading and without, its memory. */
static __always_inline void write_switch(struct task_struct *prev, struct task_struct *next)
{
	struct out out;
	struct record *r = begin(&out, SWITCH, prev->pid, prev->tgid, bpf_ktime_get_boot_ns());
	if (!r)
		return;
	u64 *v = (void *)(r + 1);
	u32 kib[3] = {};
	struct mm_struct *mm = prev->mm;
	/* Threads of the kernel, and those that have ended, have none. */
	if (mm)
		read_memory(kib, mm);
	v[0] = next->pid;
	v[1] = prev->maj_flt;
	v[2] = prev->min_flt;
	v[3] = kib[0];
	v[4] = kib[1];
	v[5] = kib[2];
	finish(&out, r, sizeof(*r) + 6 * 8);
}

SEC("tp_btf/sched_switch")
int BPF_PROG(on_switch, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	bool dead = is_dead(prev);
	/* A thread that makes no calls burns time too, so whoever runs gets a slot. */
	bool create = !root_tgid && !dead;
	if (!root_tgid && (!prev->pid || prev->tgid == own_tgid))
		return 0;
	if (!root_tgid && prev->flags & PF_KTHREAD) {
		if (switches)
			write_switch(prev, next);
		return 0;
	}
	struct slot *slot = slot_of(prev, create);
	if (!slot)
		return 0;
	if (slot->state == IN_CALL && !preempt && !dead) {
		struct desc *d = desc_of(slot->nr, slot->flags);
		if (d)
			write_enter((u64)prev->tgid << 32 | (u32)prev->pid, slot, d, bpf_ktime_get_boot_ns(), LATE_ENTER);
	}
	if (switches)
		write_switch(prev, next);
	/* The scheduler's own clock, read a moment ago, so that most switches need not read one. */
	u64 now = prev->se.exec_start;
	if (dead || (s64)(now - slot->cputime_at) >= (s64)CPUTIME_EVERY) {
		slot->cputime_at = now;
		write_cputime(prev, dead);
	}
	return 0;
}

#endif
