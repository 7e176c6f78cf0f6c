/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/* What the kernel knows about a descriptor, a socket or the memory of a process. */
#ifndef PROBE_FACTS_H
#define PROBE_FACTS_H
#include "items.h"
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>

/* Both ends of an open socket: family u8, local address, local port LE, remote address, remote port LE. */
__noinline u32 put_tuple_of(struct area *area, u32 at, u64 open)
{
	void *r = area;
	struct file *file = (void *)open;
	if (!r)
		return at;
	CAP(at, MAX_START);
	u8 *p = r + at + 4;
	if (!file)
		return put_missing(r, at);
	struct inode *inode = BPF_CORE_READ(file, f_inode);
	if ((BPF_CORE_READ(inode, i_mode) & 0170000) != 0140000)
		return put_missing(r, at);
	struct socket *socket = BPF_CORE_READ(file, private_data);
	struct sock *sk = BPF_CORE_READ(socket, sk);
	if (!sk)
		return put_missing(r, at);
	u16 family = BPF_CORE_READ(sk, __sk_common.skc_family);
	u16 local = BPF_CORE_READ(sk, __sk_common.skc_num), remote = BPF_CORE_READ(sk, __sk_common.skc_dport);
	u32 len;
	p[0] = family;
	if (family == 2) {
		bpf_core_read(p + 1, 4, &sk->__sk_common.skc_rcv_saddr);
		p[5] = local, p[6] = local >> 8;
		bpf_core_read(p + 7, 4, &sk->__sk_common.skc_daddr);
		p[11] = remote >> 8, p[12] = remote; /* big endian there */
		len = 13;
	} else if (family == 10) {
		bpf_core_read(p + 1, 16, &sk->__sk_common.skc_v6_rcv_saddr);
		p[17] = local, p[18] = local >> 8;
		bpf_core_read(p + 19, 16, &sk->__sk_common.skc_v6_daddr);
		p[35] = remote >> 8, p[36] = remote;
		len = 37;
	} else if (family == 1) {
		struct unix_sock *unix_sk = (void *)sk;
		u64 ends[2] = { (u64)sk, (u64)BPF_CORE_READ(unix_sk, peer) };
		__builtin_memcpy(p + 1, ends, sizeof(ends));
		len = 17;
	} else {
		return put_missing(r, at);
	}
	*(u32 *)(r + at) = len;
	return at + 4 + ((len + 3) & ~3u);
}

/* A device's number as programs see it: new_encode_dev(), include/linux/kdev_t.h. */
static __always_inline u32 encode_dev(u32 dev)
{
	u32 major = dev >> 20, minor = dev & 0xfffff;
	return (minor & 0xff) | major << 8 | (minor & ~0xffu) << 12;
}

static __always_inline struct file *file_of(u32 fd)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct fdtable *table = task->files->fdt;
	struct file **files = table->fd, *file = 0;
	if (fd >= table->max_fds || bpf_probe_read_kernel(&file, sizeof(file), files + fd))
		return 0;
	return file;
}

static __always_inline u32 put_tuple(struct area *area, u32 at, u32 fd)
{
	return put_tuple_of(area, at, (u64)file_of(fd));
}

#define FMODE_CREATED 0x100000 /* include/linux/fs.h */
struct facts {
	u32 dev, created;
	u64 ino;
};
/* Each read costs as much as a whole branch of this program, so the heads of both structures are read at once. */
#define HEAD_BYTES 96

__noinline int read_facts(struct facts *facts, u32 fd)
{
	if (!facts)
		return -1;
	u8 head[HEAD_BYTES];
	u32 at_inode = bpf_core_field_offset(struct file, f_inode), at_mode = bpf_core_field_offset(struct file, f_mode);
	u32 at_ino = bpf_core_field_offset(struct inode, i_ino), at_sb = bpf_core_field_offset(struct inode, i_sb);
	struct file *file = file_of(fd);
	dev_t dev = 0;
	facts->dev = facts->created = facts->ino = 0;
	if (at_inode > HEAD_BYTES - 8 || at_mode > HEAD_BYTES - 8 || at_ino > HEAD_BYTES - 8 || at_sb > HEAD_BYTES - 8)
		return -1;
	if (!file || bpf_probe_read_kernel(head, sizeof(head), file))
		return -1;
	facts->created = !!(*(u32 *)(head + at_mode) & FMODE_CREATED);
	struct inode *inode = *(struct inode **)(head + at_inode);
	if (bpf_probe_read_kernel(head, sizeof(head), inode))
		return -1;
	facts->ino = *(u64 *)(head + at_ino);
	struct super_block *sb = *(struct super_block **)(head + at_sb);
	bpf_core_read(&dev, sizeof(dev), &sb->s_dev);
	facts->dev = encode_dev(dev);
	return 0;
}

/* The descriptor that an op is about: an argument, the one returned (255), or the first int that argument n - 128 points to. */
static __always_inline long fd_of_op(struct op op, u64 v, s64 ret)
{
	if (op.arg == 255)
		return ret;
	if (op.arg < 128)
		return (u32)v;
	s32 fd = -1;
	if (ret < 0 || bpf_probe_read_user(&fd, sizeof(fd), (void *)v))
		return -1;
	return fd;
}

/* dev u32, created u32, ino u64. */
static __always_inline u32 put_facts(void *r, u32 at, long fd)
{
	struct facts facts;
	if (fd < 0 || read_facts(&facts, fd))
		return put_missing(r, at);
	CAP(at, MAX_START);
	*(u32 *)(r + at) = sizeof(facts);
	__builtin_memcpy(r + at + 4, &facts, sizeof(facts));
	return at + 4 + sizeof(facts);
}

/* Sizes of the calling process's memory, KiB: all, resident, swapped out (u32 each). The kernel's sums lack what its processors have not yet handed in. */
static __always_inline void read_memory(u32 *kib, struct mm_struct *mm)
{
	s64 pages[4] = {};
	struct mm_struct___old *old = (void *)mm;
	if (bpf_core_type_exists(struct mm_rss_stat)) {
		pages[0] = old->rss_stat.count[0].counter;
		pages[1] = old->rss_stat.count[1].counter;
		pages[2] = old->rss_stat.count[2].counter;
		pages[3] = old->rss_stat.count[3].counter;
	} else {
		pages[0] = mm->rss_stat[0].count;
		pages[1] = mm->rss_stat[1].count;
		pages[2] = mm->rss_stat[2].count;
		pages[3] = mm->rss_stat[3].count;
	}
	s64 resident = pages[0] + pages[1] + pages[3]; /* MM_FILEPAGES, MM_ANONPAGES, MM_SHMEMPAGES */
	kib[0] = mm->total_vm * 4;
	kib[1] = resident < 0 ? 0 : resident * 4;
	kib[2] = pages[2] < 0 ? 0 : pages[2] * 4; /* MM_SWAPENTS */
}

static __always_inline u32 put_memory(void *r, u32 at)
{
	struct task_struct *task = bpf_get_current_task_btf();
	u32 kib[3];
	read_memory(kib, task->mm);
	CAP(at, MAX_START);
	*(u32 *)(r + at) = sizeof(kib);
	__builtin_memcpy(r + at + 4, kib, sizeof(kib));
	return at + 4 + sizeof(kib);
}

static __always_inline struct sock *sock_of(u32 fd)
{
	struct file *file = file_of(fd);
	if (!file)
		return 0;
	struct inode *inode = BPF_CORE_READ(file, f_inode);
	if ((BPF_CORE_READ(inode, i_mode) & 0170000) != 0140000)
		return 0;
	struct socket *socket = BPF_CORE_READ(file, private_data);
	return BPF_CORE_READ(socket, sk);
}

/* A listening socket's queue of connections to be accepted: percent, length, most (u32 each). */
__noinline u32 put_backlog(struct area *area, u32 at, u32 fd)
{
	void *r = area;
	if (!r)
		return at;
	struct sock *sk = sock_of(fd);
	if (!sk)
		return put_missing(r, at);
	CAP(at, MAX_START);
	u32 len = BPF_CORE_READ(sk, sk_ack_backlog), most = BPF_CORE_READ(sk, sk_max_ack_backlog);
	u32 *v = r + at;
	v[0] = 12;
	v[1] = most ? (u64)len * 100 / most : 0;
	v[2] = len;
	v[3] = most;
	return at + 16;
}

static __always_inline u64 inode_of(struct sock *sk)
{
	struct socket *socket = sk ? BPF_CORE_READ(sk, sk_socket) : 0;
	if (!socket)
		return 0;
	struct inode *inode = (void *)socket + bpf_core_field_offset(struct socket_alloc, vfs_inode);
	return BPF_CORE_READ(inode, i_ino);
}

/* A socket and, if it is a Unix one, its peer: their addresses in the kernel, then their inodes (u64 each; 0: has none). */
__noinline u32 put_ends(struct area *area, u32 at, u32 fd)
{
	void *r = area;
	if (!r)
		return at;
	struct sock *sk = sock_of(fd), *peer = 0;
	if (!sk)
		return put_missing(r, at);
	if (BPF_CORE_READ(sk, __sk_common.skc_family) == 1)
		peer = BPF_CORE_READ((struct unix_sock *)sk, peer);
	CAP(at, MAX_START);
	u64 ends[4] = { (u64)sk, (u64)peer, inode_of(sk), inode_of(peer) };
	*(u32 *)(r + at) = sizeof(ends);
	__builtin_memcpy(r + at + 4, ends, sizeof(ends));
	return at + 4 + sizeof(ends);
}

#endif
