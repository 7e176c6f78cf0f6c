/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/* A new program. */
#ifndef PROBE_EXEC_H
#define PROBE_EXEC_H
#include "facts.h"
#include "pid.h"
#include "ring.h"

/* arg_start..arg_end and env_start..env_end were written by exec itself, so they are resident and cannot be forged yet. */
static __always_inline u32 put_blob(struct record *r, u32 at, u32 most_at, u64 start, u64 end, u32 max)
{
	u64 len = end - start;
	CAP(at, most_at);
	if (len > max - 1)
		r->flags |= TRUNCATED;
	u32 n = len > max - 1 ? max - 1 : len;
	CAP(n, max - 1);
	if (n && bpf_probe_read_user((void *)r + at + 4, n, (void *)start)) {
		/* Some page of it is not there: the first one is the likeliest to be. */
		r->flags |= TRUNCATED;
		return put_user(r, at, start, n, MAX_ITEM - 1);
	}
	*(u32 *)((void *)r + at) = n;
	return at + 4 + ((n + 3) & ~3u);
}

#define TMPFS_MAGIC 0x01021994 /* include/uapi/linux/magic.h */
#define OVERLAYFS_MAGIC 0x794c7630
enum exe_flags { EXE_WRITABLE = 1, EXE_UPPER_LAYER = 2, EXE_FROM_MEMFD = 4, EXE_LOWER_LAYER = 8 };

/* Whether its user may write to a file, by owner, group (the effective one only), others and CAP_DAC_OVERRIDE. */
static __always_inline bool writable(const struct cred *cred, struct inode *inode)
{
	u64 caps = 0;
	u32 mode = BPF_CORE_READ(inode, i_mode);
	bpf_core_read(&caps, 8, &cred->cap_effective);
	if (caps & 1 << 1)
		return true;
	if (BPF_CORE_READ(inode, i_uid.val) == cred->euid.val)
		return mode & 0200;
	if (BPF_CORE_READ(inode, i_gid.val) == cred->egid.val)
		return mode & 0020;
	return mode & 0002;
}

static __always_inline u64 exe_flags(const struct cred *cred, struct file *file, struct inode *inode)
{
	u64 flags = writable(cred, inode) ? EXE_WRITABLE : 0, magic = BPF_CORE_READ(inode, i_sb, s_magic);
	if (magic == TMPFS_MAGIC) {
		char name[8] = {};
		bpf_probe_read_kernel(name, 7, BPF_CORE_READ(file, f_path.dentry, d_name.name));
		/* A memfd has no link; its name's prefix cannot be that of a file that has none but by being deleted. */
		if (*(u64 *)name == 0x003a64666d656dull && !BPF_CORE_READ(inode, i_nlink)) /* "memfd:" */
			flags |= EXE_FROM_MEMFD;
	} else if (magic == OVERLAYFS_MAGIC && bpf_core_type_exists(struct ovl_inode)) {
		struct ovl_inode *layered = (void *)inode - bpf_core_field_offset(struct ovl_inode, vfs_inode);
		flags |= BPF_CORE_READ(layered, __upperdentry) ? EXE_UPPER_LAYER : EXE_LOWER_LAYER;
	}
	return flags;
}

static __always_inline u64 nanoseconds(s64 seconds, u32 rest)
{
	return seconds * 1000000000ull + rest;
}

/* Says that somebody has asked for the time; include/linux/fs.h, since 6.13. */
#define I_CTIME_QUERIED 0x80000000u

/* When an inode was changed, and its content. */
static __always_inline void inode_times(u64 *ctime, u64 *mtime, struct inode *inode)
{
	struct inode___timespec *old = (void *)inode;
	struct inode___underscore *older = (void *)inode;
	if (bpf_core_field_exists(inode->i_ctime_sec))
		*ctime = nanoseconds(BPF_CORE_READ(inode, i_ctime_sec), BPF_CORE_READ(inode, i_ctime_nsec) & ~I_CTIME_QUERIED);
	else if (bpf_core_field_exists(older->__i_ctime))
		*ctime = nanoseconds(BPF_CORE_READ(older, __i_ctime.tv_sec), BPF_CORE_READ(older, __i_ctime.tv_nsec));
	else
		*ctime = nanoseconds(BPF_CORE_READ(old, i_ctime.tv_sec), BPF_CORE_READ(old, i_ctime.tv_nsec));
	if (bpf_core_field_exists(inode->i_mtime_sec))
		*mtime = nanoseconds(BPF_CORE_READ(inode, i_mtime_sec), BPF_CORE_READ(inode, i_mtime_nsec));
	else if (bpf_core_field_exists(older->__i_mtime))
		*mtime = nanoseconds(BPF_CORE_READ(older, __i_mtime.tv_sec), BPF_CORE_READ(older, __i_mtime.tv_nsec));
	else
		*mtime = nanoseconds(BPF_CORE_READ(old, i_mtime.tv_sec), BPF_CORE_READ(old, i_mtime.tv_nsec));
}

static __always_inline void put_exec_numbers(u64 *v, struct task_struct *task, pid_t old_tid)
{
	const struct cred *cred = task->cred;
	struct signal_struct *signal = task->signal;
	struct tty_struct *tty = signal->tty;
	struct file *exe = BPF_CORE_READ(task, mm, exe_file);
	struct inode *inode = BPF_CORE_READ(exe, f_inode);
	v[0] = cred->uid.val;
	v[1] = cred->euid.val;
	v[2] = cred->gid.val;
	v[3] = cred->egid.val;
	v[4] = bpf_get_current_cgroup_id();
	v[5] = task->real_parent->tgid;
	v[6] = old_tid;
	v[7] = host_nr(signal->pids[2]); /* PIDTYPE_PGID */
	v[8] = host_nr(signal->pids[3]); /* PIDTYPE_SID */
	v[9] = 0;
	if (tty) {
		struct tty_driver *driver = BPF_CORE_READ(tty, driver);
		u32 minor = BPF_CORE_READ(driver, minor_start) + BPF_CORE_READ(tty, index);
		/* as in /proc/PID/stat: new_encode_dev(), include/linux/kdev_t.h */
		v[9] = (minor & 0xff) | BPF_CORE_READ(driver, major) << 8 | (minor & ~0xffu) << 12;
	}
	v[10] = bpf_core_field_exists(task->loginuid) ? task->loginuid.val : (u32)-1;
	v[11] = v[12] = v[13] = 0;
	bpf_core_read(v + 11, 8, &cred->cap_inheritable);
	bpf_core_read(v + 12, 8, &cred->cap_permitted);
	bpf_core_read(v + 13, 8, &cred->cap_effective);
	v[14] = BPF_CORE_READ(inode, i_ino);
	v[15] = encode_dev(BPF_CORE_READ(inode, i_sb, s_dev));
	v[16] = BPF_CORE_READ(signal, rlim[7].rlim_cur); /* RLIMIT_NOFILE */
	v[17] = task->maj_flt;
	v[18] = task->min_flt;
	v[19] = task->mm->total_vm * 4; /* pages to KiB */
	v[20] = host_nr(task->thread_pid) ? inner_nr(signal->pids[2]) : 0;
	v[21] = exe_flags(cred, exe, inode);
	inode_times(v + 22, v + 23, inode);
	u32 kib[3];
	read_memory(kib, task->mm);
	v[24] = kib[1];
	v[25] = kib[2];
}
#define EXEC_NUMBERS 26

/* Whether none of the last programs on this processor was executed in a control group. */
static __always_inline bool is_new_group(struct ring *ring, u64 group)
{
	u64 *last = ring->groups;
	if (last[0] == group || last[1] == group || last[2] == group)
		return false;
	last[2] = last[1];
	last[1] = last[0];
	last[0] = group;
	return true;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *task, pid_t old_tid, struct linux_binprm *bprm)
{
	if (root_tgid ? !slot_of(task, false) : task->tgid == own_tgid)
		return 0;
	struct mm_struct *mm = task->mm;
	if (judged && old_tid != task->pid) {
		/* It takes over the number of another thread, whose changes user space counts: no verdict is about it any more. */
		struct slot *slot = slot_of(task, false);
		if (slot)
			slot->generation |= FOREIGN;
	}
	struct out out;
	struct record *r = begin(&out, EXEC, task->pid, task->tgid, bpf_ktime_get_boot_ns());
	if (!r)
		return 0;
	u64 *v = (void *)(r + 1);
	put_exec_numbers(v, task, old_tid);
	u64 group = v[4];
	bpf_get_current_comm(v + EXEC_NUMBERS, 16);
	u32 at = sizeof(*r) + EXEC_NUMBERS * 8 + 16;
	at = put_text(r, at, BPF_CORE_READ(bprm, filename), true);
	at = put_text(r, at, BPF_CORE_READ(bprm, interp), true);
	if (mm) {
		at = put_blob(r, at, MAX_START, mm->arg_start, mm->arg_end, MAX_ARGV);
		at = put_blob(r, at, MAX_RECORD - MAX_ENV - 8, mm->env_start, mm->env_end, MAX_ENV);
	} else {
		at = put_missing(r, at);
		at = put_missing(r, at);
	}
	finish(&out, r, at);
	/* What /proc says of a new program is asked for at once: it may not be there for long. Where much happens, only what is
	 * new there: the name of a control group. */
	u64 sleep = *(volatile u64 *)&out.ring->sleep;
	if (is_new_group(out.ring, group) ? sleep : sleep == QUIET)
		ring_bell(out.ring);
	return 0;
}

#endif
