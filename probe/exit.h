/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/* Death, and what was used until then. */
#ifndef PROBE_EXIT_H
#define PROBE_EXIT_H
#include "ring.h"
#include <bpf/bpf_core_read.h>

#define TASK_NUMBERS 8

/* What a thread used: user and system time (ns), page faults without and with reading, switches of its own will and not. */
static __always_inline void put_used(u64 *v, struct task_struct *task)
{
	v[0] = task->utime;
	v[1] = task->stime;
	v[2] = task->min_flt;
	v[3] = task->maj_flt;
	v[4] = task->nvcsw;
	v[5] = task->nivcsw;
	v[6] = task->se.sum_exec_runtime;
}

/*
 * The same for its whole process, when it is the last of its threads: those that went before have been added up, but
 * for the first one, which is kept until its parent has waited for it.
 */
static __always_inline void put_group_used(u64 *v, struct task_struct *task)
{
	struct signal_struct *signal = task->signal;
	struct task_struct *leader = task->group_leader;
	v[0] = signal->utime + task->utime;
	v[1] = signal->stime + task->stime;
	v[2] = signal->min_flt + task->min_flt;
	v[3] = signal->maj_flt + task->maj_flt;
	v[4] = signal->nvcsw + task->nvcsw;
	v[5] = signal->nivcsw + task->nivcsw;
	v[6] = signal->sum_sched_runtime + task->se.sum_exec_runtime;
	if (leader->pid == task->pid)
		return;
	v[0] += leader->utime;
	v[1] += leader->stime;
	v[2] += leader->min_flt;
	v[3] += leader->maj_flt;
	v[4] += leader->nvcsw;
	v[5] += leader->nivcsw;
	v[6] += leader->se.sum_exec_runtime;
}

/* Who becomes the parent of its children; 0: it has none. find_new_reaper(), kernel/exit.c. */
static __always_inline u32 reaper_of(struct task_struct *task, bool last)
{
	u64 list = (u64)task + bpf_core_field_offset(struct task_struct, children);
	if ((u64)BPF_CORE_READ(task, children.next) == list)
		return 0;
	if (!last)
		return task->group_leader->pid;
	struct pid *pid = task->thread_pid;
	struct pid_namespace *ns = 0;
	u32 level = BPF_CORE_READ(pid, level);
	void *numbers = (void *)pid + bpf_core_field_offset(pid->numbers);
	bpf_probe_read_kernel(&ns, sizeof(ns), numbers + level * bpf_core_type_size(struct upid) + bpf_core_field_offset(struct upid, ns));
	struct task_struct *init = BPF_CORE_READ(ns, child_reaper), *parent = BPF_CORE_READ(task, real_parent);
	if (BPF_CORE_READ_BITFIELD_PROBED(task->signal, has_child_subreaper)) {
#pragma clang loop unroll(disable)
		for (int i = 0; i < 32; i++) {
			if (!parent || parent == init)
				break;
			struct signal_struct *signal = BPF_CORE_READ(parent, signal);
			if (BPF_CORE_READ_BITFIELD_PROBED(signal, is_child_subreaper))
				return BPF_CORE_READ(parent, pid);
			parent = BPF_CORE_READ(parent, real_parent);
		}
	}
	return BPF_CORE_READ(init, pid);
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_exit, struct task_struct *task)
{
	if (root_tgid ? !slot_of(task, false) : task->tgid == own_tgid || task->flags & PF_KTHREAD)
		return 0;
	bool last = task->signal->live.counter == 0;
	struct out out;
	struct record *r = begin(&out, EXIT, task->pid, task->tgid, bpf_ktime_get_boot_ns());
	if (!r)
		return 0;
	r->ret = task->exit_code;
	u64 *v = (void *)(r + 1);
	put_used(v, task);
	v[7] = reaper_of(task, last);
	u32 len = sizeof(*r) + TASK_NUMBERS * 8;
	if (last) {
		r->flags = LAST;
		put_group_used(v + TASK_NUMBERS, task);
		v[TASK_NUMBERS + 7] = task->signal->maxrss * 4; /* pages to KiB */
		len += TASK_NUMBERS * 8;
	}
	finish(&out, r, len);
	return 0;
}

#endif
