/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * The few kernel types that the probe reads.
 *
 * preserve_access_index makes each field access a relocation: the loader puts in the offset of the running kernel
 * (from its BTF), so only the names and types must be right here, not the order nor the size of a structure.
 * A `___suffix` in a type's name is left out when the loader looks for it.
 */
#ifndef VMLINUX_MIN_H
#define VMLINUX_MIN_H

typedef signed char __s8;
typedef unsigned char __u8;
typedef short __s16;
typedef unsigned short __u16;
typedef int __s32;
typedef unsigned int __u32;
typedef long long __s64;
typedef unsigned long long __u64;
typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __s32 s32;
typedef __s64 s64;
typedef __u64 u64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;
typedef int pid_t;
typedef u32 dev_t;
typedef u16 umode_t;
typedef _Bool bool;
enum { false, true };

/* include/uapi/linux/bpf.h */
enum {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_RINGBUF = 27,
	BPF_MAP_TYPE_TASK_STORAGE = 29,
};
enum {
	BPF_F_NO_PREALLOC = 1u << 0,
	BPF_F_MMAPABLE = 1u << 10,
	BPF_LOCAL_STORAGE_GET_F_CREATE = 1u << 0,
	BPF_RB_FORCE_WAKEUP = 1u << 1,
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct pt_regs {
	unsigned long r10, r9, r8, bp, bx, ax, cx, dx, si, di, orig_ax;
};

typedef struct {
	u32 val;
} kuid_t;
typedef struct {
	u32 val;
} kgid_t;
typedef struct {
	u64 val;
} kernel_cap_t;
typedef struct {
	int counter;
} atomic_t;

struct cred {
	kuid_t uid;
	kgid_t gid;
	kuid_t euid;
	kgid_t egid;
	kernel_cap_t cap_inheritable;
	kernel_cap_t cap_permitted;
	kernel_cap_t cap_effective;
};

struct task_struct;
struct pid_namespace {
	struct task_struct *child_reaper;
};
struct upid {
	int nr;
	struct pid_namespace *ns;
};
struct pid {
	unsigned int level;
	struct upid numbers[0];
};

struct super_block {
	dev_t s_dev;
	unsigned long s_magic;
};
struct inode {
	umode_t i_mode;
	kuid_t i_uid;
	kgid_t i_gid;
	struct super_block *i_sb;
	unsigned long i_ino;
	unsigned int i_nlink;
	s64 i_mtime_sec, i_ctime_sec;
	u32 i_mtime_nsec, i_ctime_nsec;
};
struct timespec64 {
	s64 tv_sec;
	long tv_nsec;
};
/* before 6.11, and before 6.6 */
struct inode___underscore {
	struct timespec64 __i_mtime, __i_ctime;
};
struct inode___timespec {
	struct timespec64 i_mtime, i_ctime;
};
struct qstr {
	const unsigned char *name;
};
struct dentry {
	struct qstr d_name;
};
struct path {
	struct dentry *dentry;
};
struct ovl_inode {
	struct inode vfs_inode;
	struct dentry *__upperdentry;
};
struct file {
	unsigned int f_mode;
	void *private_data;
	struct inode *f_inode;
	struct path f_path;
};
struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};
struct files_struct {
	struct fdtable *fdt;
};
struct fs_struct;
struct sighand_struct;

struct tty_driver {
	int major;
	int minor_start;
};
struct tty_struct {
	struct tty_driver *driver;
	int index;
};
struct rlimit {
	unsigned long rlim_cur;
};
struct signal_struct {
	atomic_t live;
	unsigned int is_child_subreaper : 1;
	unsigned int has_child_subreaper : 1;
	u64 utime, stime;
	unsigned long nvcsw, nivcsw, min_flt, maj_flt, maxrss;
	unsigned long long sum_sched_runtime;
	struct pid *pids[4];
	struct tty_struct *tty;
	struct rlimit rlim[16];
};

struct percpu_counter {
	s64 count;
};
struct mm_struct {
	struct percpu_counter rss_stat[4];
	unsigned long total_vm;
	unsigned long arg_start, arg_end, env_start, env_end;
	struct file *exe_file;
};

/* before 6.2 */
struct atomic_long_rss {
	long counter;
};
struct mm_rss_stat {
	struct atomic_long_rss count[4];
};
struct mm_struct___old {
	struct mm_rss_stat rss_stat;
};

struct thread_info {
	u32 status;
};
struct sched_entity {
	u64 exec_start;
	u64 sum_exec_runtime;
};
struct list_head {
	struct list_head *next;
};
struct task_struct {
	struct thread_info thread_info;
	struct list_head children;
	u64 utime, stime;
	unsigned long nvcsw, nivcsw;
	unsigned int __state;
	unsigned int flags;
	struct sched_entity se;
	struct mm_struct *mm;
	int exit_code;
	pid_t pid;
	pid_t tgid;
	struct task_struct *real_parent;
	struct task_struct *group_leader;
	struct pid *thread_pid;
	unsigned long min_flt;
	unsigned long maj_flt;
	u64 start_boottime;
	const struct cred *cred;
	char comm[16];
	kuid_t loginuid;
	struct fs_struct *fs;
	struct files_struct *files;
	struct signal_struct *signal;
	struct sighand_struct *sighand;
};
/* before 5.14 */
struct task_struct___state {
	long state;
};

struct sigaction {
	void *sa_handler;
};
struct k_sigaction {
	struct sigaction sa;
};
union __sifields {
	struct {
		pid_t _pid;
		u32 _uid;
	} _kill;
	struct {
		void *_addr;
	} _sigfault;
};
struct kernel_siginfo {
	int si_signo;
	int si_errno;
	int si_code;
	union __sifields _sifields;
};

struct io_uring_cqe {
	u64 user_data;
	s32 res;
	u32 flags;
};
struct io_cqe {
	u64 user_data;
	s32 res;
	int fd;
};
struct io_uring_task {
	struct task_struct *task;
};
struct io_kiocb {
	struct file *file;
	u8 opcode;
	u64 flags;
	struct io_cqe cqe;
	struct io_uring_task *tctx;
	void *async_data;
};
/* before 6.9 */
struct io_kiocb___u32 {
	u32 flags;
};

/* What a request holds once it was taken in, by its operation (io_uring/); each lies where its struct io_kiocb begins. */
struct filename {
	const char *name;
};
struct open_how {
	u64 flags, mode;
};
struct io_open {
	int dfd;
	u32 file_slot;
	struct filename *filename;
	struct open_how how;
};
struct io_close {
	int fd;
	u32 file_slot;
};
struct kiocb {
	s64 ki_pos;
};
struct io_rw {
	struct kiocb kiocb;
	u64 addr;
	u32 len;
};
struct io_sr_msg {
	void *buf;
	int len;
};
struct io_connect {
	void *addr;
	int addr_len;
};
struct io_accept {
	int flags;
	u32 file_slot;
};
struct io_socket {
	int domain, type, protocol, flags;
	u32 file_slot;
};
struct io_bind {
	int addr_len;
};
struct io_async_msghdr {
	u8 addr[128];
};
struct io_statx {
	int dfd;
	unsigned int flags;
	struct filename *filename;
};
struct io_unlink {
	int dfd, flags;
	struct filename *filename;
};
struct io_mkdir {
	int dfd;
	umode_t mode;
	struct filename *filename;
};
struct io_rename {
	int old_dfd, new_dfd;
	struct filename *oldpath, *newpath;
	int flags;
};
struct io_link {
	int old_dfd, new_dfd;
	struct filename *oldpath, *newpath;
	int flags;
};
struct io_epoll {
	int fd;
};

struct linux_binprm {
	const char *filename;
	const char *interp;
};

struct in6_addr {
	u8 bytes[16];
};
struct sock_common {
	__be32 skc_daddr;
	__be32 skc_rcv_saddr;
	__be16 skc_dport;
	u16 skc_num;
	u16 skc_family;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
};
struct socket;
struct sock {
	struct sock_common __sk_common;
	struct socket *sk_socket;
	u32 sk_ack_backlog;
	u32 sk_max_ack_backlog;
};
struct unix_sock {
	struct sock *peer;
};
struct socket {
	struct sock *sk;
};
struct socket_alloc {
	struct socket socket;
	struct inode vfs_inode;
};

#pragma clang attribute pop

/* User space's structures: fixed by the kernel's ABI, not relocated. The last field is struct mmsghdr's. */
struct user_msghdr {
	u64 name;
	u32 namelen, pad;
	u64 iov, iovlen;
	u64 control, controllen;
	u32 msg_flags, pad2;
	u32 msg_len, pad3;
};
struct user_msghdr32 {
	u32 name, namelen, iov, iovlen, control, controllen, msg_flags, msg_len;
};

#endif
