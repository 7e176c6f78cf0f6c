/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/* Birth. */
#ifndef PROBE_FORK_H
#define PROBE_FORK_H
#include "pid.h"
#include "ring.h"

/* include/uapi/linux/sched.h */
enum {
	CLONE_VM = 0x100,
	CLONE_FS = 0x200,
	CLONE_FILES = 0x400,
	CLONE_SIGHAND = 0x800,
	CLONE_PARENT = 0x8000,
	CLONE_THREAD = 0x10000,
};

static __always_inline u64 clone_flags(struct task_struct *parent, struct task_struct *child)
{
	u64 flags = 0;
	if (parent->mm == child->mm)
		flags |= CLONE_VM;
	if (parent->fs == child->fs)
		flags |= CLONE_FS;
	if (parent->files == child->files)
		flags |= CLONE_FILES;
	if (parent->sighand == child->sighand)
		flags |= CLONE_SIGHAND;
	if (parent->tgid == child->tgid)
		flags |= CLONE_THREAD;
	else if (child->real_parent->tgid != parent->tgid)
		flags |= CLONE_PARENT;
	return flags;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct *parent, struct task_struct *child)
{
	if (root_tgid ? !slot_of(parent, false) : child->tgid == own_tgid || child->flags & PF_KTHREAD)
		return 0;
	/* The only way into track mode is to be born there. */
	struct slot *slot = slot_of(child, true);
	if (slot) {
		slot->cputime_at = parent->se.exec_start;
		slot->generation = child->start_boottime;
		struct slot *from = inherited ? slot_of(parent, false) : 0;
		if (from)
			slot->denied = from->denied;
	}
	struct out out;
	struct record *r = begin(&out, FORK, parent->pid, parent->tgid, bpf_ktime_get_boot_ns());
	if (!r)
		return 0;
	u64 *v = (void *)(r + 1);
	v[0] = child->pid;
	v[1] = child->tgid;
	v[2] = inner_nr(child->thread_pid);
	v[3] = inner_nr(child->group_leader->thread_pid);
	v[4] = child->real_parent->tgid;
	v[5] = child->start_boottime;
	v[6] = clone_flags(parent, child);
	finish(&out, r, sizeof(*r) + 7 * 8);
	return 0;
}

#endif
