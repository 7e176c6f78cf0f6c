/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/* Signals, as they are delivered. */
#ifndef PROBE_SIGNAL_H
#define PROBE_SIGNAL_H
#include "ring.h"
#include <bpf/bpf_core_read.h>

/* include/uapi/asm-generic/siginfo.h */
enum { SI_USER = 0, SI_QUEUE = -1, SI_TKILL = -6, SI_KERNEL = 0x80 };
/* Signals that are about an address: ILL, TRAP, BUS, FPE, SEGV (sigaction(2)). */
#define FAULTS (1u << 4 | 1u << 5 | 1u << 7 | 1u << 8 | 1u << 11)

/* What the kernel passes in place of the address of a siginfo: SEND_SIG_NOINFO and SEND_SIG_PRIV, include/linux/sched/signal.h. */
#define IS_SIGINFO(info) ((u64)(info) > 1)

static __always_inline bool has_sender(s32 code)
{
	return code == SI_USER || code == SI_QUEUE || code == SI_TKILL;
}

/*
 * Who sends: noted with the one who is to get it, because a SIGKILL is delivered without its siginfo, and because that
 * names the sender as the receiver's namespace does. It may run in an interrupt (a timer's signal), so it must not touch
 * the ring, where it could find a record half written.
 */
SEC("tp_btf/signal_generate")
int BPF_PROG(on_generate, int sig, void *info, struct task_struct *task, int group, int result)
{
	s32 code = SI_KERNEL;
	struct slot *slot;
	if (result) /* ignored, or pending already */
		return 0;
	if (IS_SIGINFO(info))
		code = BPF_CORE_READ((struct kernel_siginfo *)info, si_code);
	slot = slot_of(task, false);
	if (!slot)
		return 0;
	u64 sender = bpf_get_current_pid_tgid();
	slot->sender_signal = sig;
	slot->sender = has_sender(code) ? sender >> 32 : 0;
	slot->sender_uid = bpf_get_current_uid_gid();
	return 0;
}

/*
 * Runs as the receiver, on its way back to its program: after its call's record and outside the scheduler, so no other
 * record of this processor can be half written, and none can begin before it is done.
 */
SEC("tp_btf/signal_deliver")
int BPF_PROG(on_signal, int sig, void *info, void *action)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct slot *slot = slot_of(task, false);
	if (root_tgid ? !slot : task->tgid == own_tgid)
		return 0;
	struct out out;
	struct record *r = begin(&out, SIGNAL, task->pid, task->tgid, bpf_ktime_get_boot_ns());
	if (!r)
		return 0;
	u64 *v = (void *)(r + 1);
	s32 code = SI_USER;
	v[0] = v[1] = v[4] = 0;
	v[2] = sig;
	if (IS_SIGINFO(info)) {
		struct kernel_siginfo *from = info;
		code = BPF_CORE_READ(from, si_code);
		if (has_sender(code)) {
			v[0] = BPF_CORE_READ(from, _sifields._kill._pid);
			v[1] = BPF_CORE_READ(from, _sifields._kill._uid);
		} else if (code > 0 && code < SI_KERNEL && sig < 32 && (FAULTS >> sig & 1)) {
			v[4] = (u64)BPF_CORE_READ(from, _sifields._sigfault._addr);
		}
	}
	/* A signal to a process is noted with its first thread. */
	if (!slot || slot->sender_signal != sig)
		slot = slot_of(task->group_leader, false);
	if (slot && slot->sender_signal == sig && (has_sender(code) || !IS_SIGINFO(info))) {
		v[0] = slot->sender;
		v[1] = slot->sender_uid;
		slot->sender_signal = 0;
	} else if (!IS_SIGINFO(info)) {
		code = SI_KERNEL;
	}
	v[3] = code;
	v[5] = (u64)BPF_CORE_READ((struct k_sigaction *)action, sa.sa_handler);
	finish(&out, r, sizeof(*r) + 6 * 8);
	return 0;
}

#endif
