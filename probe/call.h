/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/* System calls. */
#ifndef PROBE_CALL_H
#define PROBE_CALL_H
#include "filter.h"
#include "op.h"
#include "ring.h"

#define NR_EXECVE 59
#define NR_EXECVEAT 322
#define NR32_EXECVE 11
#define NR32_EXECVEAT 358

static __always_inline u32 put_args(struct record *r, struct slot *slot, u32 n)
{
	u64 *args = (void *)(r + 1);
	/* Writing all six is cheaper than a loop; what is behind the n-th is overwritten. */
#pragma unroll
	for (int i = 0; i < 6; i++)
		args[i] = slot->args[i];
	return sizeof(*r) + (n > 6 ? 6 : n) * 8;
}

static __always_inline void write_enter(u64 pidtgid, struct slot *slot, struct desc *d, u64 now, u8 flags)
{
	struct out out;
	struct record *r = begin(&out, ENTER, pidtgid, pidtgid >> 32, now);
	if (!r)
		return;
	r->nr = slot->nr;
	r->flags = slot->flags | flags;
	r->enter = slot->enter;
	finish(&out, r, put_args(r, slot, d->nargs));
	slot->state = ENTER_WRITTEN;
}

/* 32-bit programs' calls that are many calls in one. The numbers that stand for them here are the last of their table. */
#define NR32_SOCKETCALL 102
#define NR32_IPC 117
#define FIRST_SOCKETCALL 479 /* + 1..20: SYS_SOCKET.. in include/uapi/linux/net.h */
#define FIRST_IPC 500        /* semop semget semctl semtimedop msgsnd msgrcv msgget msgctl shmat shmdt shmget shmctl */

/* The number that stands for the call meant; the arguments of socketcall are in memory, those of ipc stay where they are. */
static __always_inline u16 take_apart(struct slot *slot, long nr)
{
	u32 which = slot->args[0], words[6] = {};
	if (nr == NR32_IPC) {
		which &= 0xffff;
		if (which >= 1 && which <= 4)
			return FIRST_IPC + which - 1;
		if (which >= 11 && which <= 14)
			return FIRST_IPC + which - 7;
		return which >= 21 && which <= 24 ? FIRST_IPC + which - 13 : NR32_IPC;
	}
	if (which < 1 || which > 20)
		return NR32_SOCKETCALL;
	/* As many as each has (nargs[] in net/socket.c): what is behind them may not be there. */
	u32 count = which < 16 ? 0x5526644433323330ull >> (4 * which) & 15 : 0x45433 >> (4 * (which - 16)) & 15;
	CAP(count, 6);
	if (bpf_probe_read_user(words, count * 4, (void *)slot->args[1]))
		return NR32_SOCKETCALL;
#pragma unroll
	for (int i = 0; i < 6; i++)
		slot->args[i] = words[i];
	return FIRST_SOCKETCALL + which;
}

static __always_inline void keep_early(struct slot *slot, struct desc *d)
{
	u32 i = d->early, len = d->early_len;
	CAP(i, 5);
	CAP(len, sizeof(slot->early));
	slot->early[0] = slot->early[1] = 0;
	slot->early_len = slot->args[i] && !bpf_probe_read_user(slot->early, len, (void *)slot->args[i]) ? len : 0;
}

SEC("tp_btf/sys_enter")
int BPF_PROG(on_enter, struct pt_regs *regs, long nr)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct slot *slot;
	u8 compat = task->thread_info.status & TS_COMPAT ? COMPAT : 0;
	/* First of all, so that a call that nobody wants costs least; its thread's slot is idle already. */
	struct desc *d = desc_of(nr, compat);
	if (!d || (d->flags & SKIP && !tells(task, d, regs, compat)))
		return 0;
	u64 pidtgid = bpf_get_current_pid_tgid();
	if (root_tgid) {
		slot = slot_of(task, false);
		if (!slot && pidtgid >> 32 == root_tgid && nr == NR_EXECVE) {
			slot = slot_of(task, true);
			if (slot)
				slot->cputime_at = task->se.exec_start;
		}
	} else {
		if (pidtgid >> 32 == own_tgid)
			return 0;
		slot = slot_of(task, true);
	}
	if (!slot)
		return 0;
	if (judged && !(d->flags & ALWAYS)) {
		if (tells(task, d, regs, compat)) {
			/* User space does not count these, so no verdict about the thread holds any more. */
			slot->generation |= FOREIGN;
			slot->denied = 0;
		} else if (is_denied(slot, pidtgid)) {
			slot->state = IDLE;
			return 0;
		}
	}
	slot->enter = bpf_ktime_get_boot_ns();
	slot->nr = nr;
	slot->flags = compat;
	slot->state = IN_CALL;
	if (compat) {
		slot->args[0] = (u32)regs->bx;
		slot->args[1] = (u32)regs->cx;
		slot->args[2] = (u32)regs->dx;
		slot->args[3] = (u32)regs->si;
		slot->args[4] = (u32)regs->di;
		slot->args[5] = (u32)regs->bp;
		if (nr == NR32_SOCKETCALL || nr == NR32_IPC) {
			slot->nr = take_apart(slot, nr);
			d = desc_of(slot->nr, compat);
			if (!d)
				return 0;
		}
	} else {
		slot->args[0] = regs->di;
		slot->args[1] = regs->si;
		slot->args[2] = regs->dx;
		slot->args[3] = regs->r10;
		slot->args[4] = regs->r8;
		slot->args[5] = regs->r9;
	}
	if (d->early_len)
		keep_early(slot, d);
	if (d->flags & ENTER_TOO)
		write_enter(pidtgid, slot, d, slot->enter, 0);
	return 0;
}

/*
 * Whether nobody wanted a call, told without its thread's slot. Its number and mode are those that it was entered with,
 * but for an exec, which may change the mode, and a return from a signal handler, whose number becomes -1.
 */
static __always_inline bool is_skipped(struct task_struct *task, struct pt_regs *regs)
{
	u64 nr = regs->orig_ax;
	if (nr > 510 || nr == NR_EXECVE || nr == NR_EXECVEAT || nr == NR32_EXECVE || nr == NR32_EXECVEAT)
		return false;
	struct desc *d = desc_of(nr, task->thread_info.status & TS_COMPAT ? COMPAT : 0);
	return d && (d->flags & (SKIP | TELLS)) == SKIP;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(on_return, struct pt_regs *regs, long ret)
{
	struct task_struct *task = bpf_get_current_task_btf();
	if (selective && is_skipped(task, regs))
		return 0;
	struct slot *slot = slot_of(task, false);
	/* No entry seen: it was in the call when we attached, or it is a child that returns from its parent's fork. */
	if (!slot || slot->state == IDLE)
		return 0;
	slot->state = IDLE;
	struct desc *d = desc_of(slot->nr, slot->flags);
	if (!d)
		return 0;
	if (judged && d->flags & CHANGES)
		changed(slot);
	struct out out;
	u64 pidtgid = bpf_get_current_pid_tgid();
	struct record *r = begin(&out, CALL, pidtgid, pidtgid >> 32, bpf_ktime_get_boot_ns());
	if (!r)
		return 0;
	r->nr = slot->nr;
	r->flags = slot->flags;
	r->enter = slot->enter;
	r->ret = ret;
	u32 at = put_args(r, slot, d->nargs);
	/* A new program's memory holds nothing that the old one's pointers point to. */
	bool gone = d->flags & EXECS && ret == 0;
#pragma clang loop unroll(disable)
	for (u32 i = 0; i < MAX_OPS; i++) {
		if (i >= d->nops)
			break;
		at = gone ? put_missing(r, at) : put_op((void *)r, at, &d->op[i], slot, ret);
	}
	if (d->flags & EXECS && ret < 0)
		at = put_argv((void *)r, at, slot->args[slot->nr == NR_EXECVEAT || slot->nr == NR32_EXECVEAT ? 2 : 1]);
	finish(&out, r, at);
	return 0;
}

#endif
