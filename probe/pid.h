/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/* Numbers of processes. */
#ifndef PROBE_PID_H
#define PROBE_PID_H
#include "vmlinux_min.h"
#include <bpf/bpf_core_read.h>

/* A pid's number in the innermost namespace that knows it. */
static __always_inline u32 inner_nr(struct pid *pid)
{
	u32 level = BPF_CORE_READ(pid, level);
	int nr = 0;
	void *numbers = (void *)pid + bpf_core_field_offset(pid->numbers);
	bpf_probe_read_kernel(&nr, sizeof(nr), numbers + level * bpf_core_type_size(struct upid) + bpf_core_field_offset(struct upid, nr));
	return nr;
}

/* A pid's number on the host. */
static __always_inline u32 host_nr(struct pid *pid)
{
	int nr = 0;
	void *numbers = (void *)pid + bpf_core_field_offset(pid->numbers);
	bpf_probe_read_kernel(&nr, sizeof(nr), numbers + bpf_core_field_offset(struct upid, nr));
	return nr;
}

#endif
