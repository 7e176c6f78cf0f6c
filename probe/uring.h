/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/* Requests to io_uring, and their results. */
#ifndef PROBE_URING_H
#define PROBE_URING_H
#include "ring.h"
#include <bpf/bpf_core_read.h>

/*
 * Workers of a ring, and the thread that polls for it, are threads of the process that owns the ring, so whoever runs
 * tells whose it is; but they are not born by a fork that is told, so that in track mode their process's first thread says
 * whether they are recorded. Completions that a kernel thread makes (of a ring that is torn down) are its owner's.
 */
static __always_inline struct record *begin_uring(struct out *out, u8 type, struct io_kiocb *req)
{
	struct task_struct *task = bpf_get_current_task_btf();
	u32 tid = task->pid, pid = task->tgid;
	if (task->flags & PF_KTHREAD) {
		struct task_struct *owner = bpf_core_field_exists(req->tctx) && req ? BPF_CORE_READ(req, tctx, task) : 0;
		if (root_tgid || !owner)
			return 0;
		tid = BPF_CORE_READ(owner, pid);
		pid = BPF_CORE_READ(owner, tgid);
	} else if (root_tgid && !slot_of(task, false) && !slot_of(task->group_leader, false)) {
		return 0;
	}
	if (pid == own_tgid)
		return 0;
	return begin(out, type, tid, pid, bpf_ktime_get_boot_ns());
}

static __always_inline u64 request_flags(struct io_kiocb *req)
{
	struct io_kiocb___u32 *old = (void *)req;
	return bpf_core_field_size(req->flags) == 8 ? BPF_CORE_READ(req, flags) : BPF_CORE_READ(old, flags);
}

SEC("tp_btf/io_uring_submit_req")
int BPF_PROG(on_submit, struct io_kiocb *req)
{
	struct out out;
	struct record *r = begin_uring(&out, SUBMIT, req);
	if (!r)
		return 0;
	u64 *v = (void *)(r + 1);
	v[0] = BPF_CORE_READ(req, opcode);
	v[1] = BPF_CORE_READ(req, cqe.fd);
	v[2] = BPF_CORE_READ(req, cqe.user_data);
	v[3] = request_flags(req);
	finish(&out, r, sizeof(*r) + 4 * 8);
	return 0;
}

SEC("tp_btf/io_uring_complete")
int BPF_PROG(on_complete, void *ring, struct io_kiocb *req, struct io_uring_cqe *cqe)
{
	struct out out;
	struct record *r = begin_uring(&out, COMPLETE, req);
	if (!r)
		return 0;
	u64 *v = (void *)(r + 1);
	v[0] = req ? BPF_CORE_READ(req, opcode) : 255;
	v[1] = (s64)BPF_CORE_READ(cqe, res);
	v[2] = BPF_CORE_READ(cqe, user_data);
	v[3] = BPF_CORE_READ(cqe, flags);
	finish(&out, r, sizeof(*r) + 4 * 8);
	return 0;
}

#endif
