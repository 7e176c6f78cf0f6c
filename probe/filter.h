/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/* What a recording filter leaves out of a thread. */
#ifndef PROBE_FILTER_H
#define PROBE_FILTER_H
#include "facts.h"

#define PROC_SUPER_MAGIC 0x9fa0 /* include/uapi/linux/magic.h */

/* Whether only what changes the state is recorded of a thread. A verdict about it as it was before its last change says
 * nothing, so nothing is left out that user space could not know about. */
static __always_inline bool is_denied(struct slot *slot, u32 tid)
{
	u32 zero = 0;
	u64 *epoch = bpf_map_lookup_elem(&verdict_epoch, &zero);
	if (epoch && slot->epoch != *epoch) {
		slot->epoch = *epoch;
		struct verdict *verdict = bpf_map_lookup_elem(&verdicts, &tid);
		if (verdict && verdict->generation == slot->generation)
			slot->denied = verdict->denied;
	}
	return slot->denied;
}

/* Whether the descriptor in a call's first argument is a file of procfs. */
static __always_inline bool tells(struct task_struct *task, struct desc *d, struct pt_regs *regs, u8 compat)
{
	if (!(d->flags & TELLS))
		return false;
	u32 fd = compat ? regs->bx : regs->di;
	struct fdtable *table = task->files->fdt;
	struct file **files = table->fd, *file = 0;
	if (fd >= table->max_fds || bpf_probe_read_kernel(&file, sizeof(file), files + fd) || !file)
		return false;
	return BPF_CORE_READ(file, f_inode, i_sb, s_magic) == PROC_SUPER_MAGIC;
}

static __always_inline void changed(struct slot *slot)
{
	slot->generation++;
	slot->denied = 0;
	slot->epoch = 0;
}

#endif
