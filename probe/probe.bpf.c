// SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
/*
 * sysreel's probe: one pair of programs for all system calls, driven by a table that user space fills from its event
 * table, and four programs for what happens to threads.
 *
 * One record per call, written when it returns, when the pages it worked on are mapped. What the entry knows
 * (time, number, arguments) waits in the task's storage. A call that blocks also gets a "late enter" record when its
 * task is switched out, so that it can be seen while it lasts.
 *
 * Records go to one ring per processor. The tracepoints' programs run with preemption off and in task context, so a
 * ring has one producer and needs no lock; `busy` proves that (a nested record is counted, never written).
 *
 * The layouts of `record`, `slot`, `op`, `desc` and `ring` are repeated in src/source/ebpf and src/sys/ring.rs.
 */
#include "vmlinux_min.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Stands for the size of one ring until the loader puts in the real one; found in the object by its value. */
#define RING_SENTINEL 0x51ee1b0cu
/* Room behind each ring, so that no record wraps; at least MAX_RECORD. */
#define SLACK 61440u
#define MAX_RECORD 58368u
/* No text or data item is longer. */
#define MAX_ITEM 4096u
/* An item may begin up to here. */
#define MAX_START 13248u
/* Most bytes of a new program's arguments, and of its environment. */
#define MAX_ARGV 32768u
#define MAX_ENV 16384u

enum record_type { CALL = 1, ENTER, FORK, EXEC, EXIT, CPUTIME, SIGNAL, SUBMIT, COMPLETE };
enum record_flags { COMPAT = 1, TRUNCATED = 2, LATE_ENTER = 4, LAST = 8 };
enum op_kind {
	NOTHING, STR, EARLY, BUF_RET, BUF_LEN, SOCK_IN, SOCK_OUT, IOV, MSG, FIELD, ARRAY8, TUPLE, FILE_FACTS, MEMORY, BACKLOG, ENDS,
	ELEMENTS,
};
/* ALWAYS: whoever makes it, for it changes the state. CHANGES: its thread may be another afterwards, by name, user or program. */
/* TELLS: names a thread, if it is about a file of procfs; then it is recorded in any case. */
enum desc_flags { SKIP = 1, ENTER_TOO = 2, EXECS = 4, ALWAYS = 8, CHANGES = 16, TELLS = 32 };

/* Then the arguments, 8 bytes each, then items: u16 length (MISSING: could not be read), u16 unused, bytes, padding to 4. */
struct record {
	u16 len;
	u8 type, flags;
	u16 nr, cpu;
	u32 tid, pid;
	u64 time, enter;
	s64 ret;
};
#define MISSING 0xffffu

/* Done only if argument `when` - 1 (as a u32, shifted right by `shift`, its low byte) is between `low` and `high`; 0: always. */
struct op {
	u8 kind, arg, lenarg, max;
	u8 when, shift, low, high;
};
#define MAX_OPS 7
/* early_len: bytes to keep of what argument `early` points to when the call is entered, because it writes over them. */
struct desc {
	u8 nargs, nops, flags, early;
	u8 early_len, unused[3];
	struct op op[MAX_OPS];
};

enum slot_state { IDLE, IN_CALL, ENTER_WRITTEN };
/* A thread that is recorded has one; in track mode others have none. */
struct slot {
	u64 enter;
	u16 nr;
	u8 state, flags;
	u32 early_len; /* 0: nothing was kept */
	u64 args[6];
	u64 cputime_at;
	u64 early[2];
	/* Who sent the last signal. */
	u32 sender_signal, sender, sender_uid, unused;
	/* When it was born (0: before us), plus one for each change of it. */
	u64 generation;
	u64 epoch;
	u64 denied;
};

/* In a generation that user space knows nothing about. */
#define FOREIGN (1ull << 63)

/* What user space found out about a thread as it was in one generation. */
struct verdict {
	u64 generation, denied;
};

/* head, drops, nested and events are ours, tail is user space's. */
struct ring {
	u64 head, busy, drops, nested, events, unused0[3];
	u64 tail, unused1[7];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1024); /* 512 native calls, 512 of 32-bit programs */
	__type(key, u32);
	__type(value, struct desc);
} calls SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct slot);
} slots SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, u32); /* thread */
	__type(value, struct verdict);
} verdicts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u64); /* changes whenever verdicts do */
} verdict_epoch SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1); /* processors: set by the loader */
	__type(key, u32);
	__type(value, struct ring);
} rings SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1); /* processors: set by the loader */
	__uint(key_size, 4);
	__uint(value_size, RING_SENTINEL);
} ring_data SEC(".maps");

/* Set before loading; the verifier removes what they rule out. */
const volatile u32 own_tgid = 0;  /* the recorder, never recorded */
const volatile u32 root_tgid = 0; /* track mode: only this process, from its execve on, and its descendants */
const volatile u32 ring_mask = 0; /* size of one ring - 1 */
const volatile u32 snap_len = 80; /* most bytes of data kept of a call */
const volatile u32 text_max = 256; /* most bytes of a path, its NUL included */
const volatile u32 judged = 0;    /* threads may be denied: then only their ALWAYS calls are recorded */
const volatile u32 inherited = 0; /* who is born of a denied thread is denied until it changes */

/* The compiler may not know the value any more, so it cannot leave out the check that the verifier wants to see. */
#define CAP(value, max)                     \
	do {                                \
		barrier_var(value);         \
		if ((value) > (max))        \
			(value) = (max);    \
	} while (0)

#define NR_EXECVE 59
#define NR_EXECVEAT 322
#define NR32_EXECVEAT 358
#define TS_COMPAT 2
#define PF_KTHREAD 0x00200000
#define TASK_DEAD 0x80
#define PROC_SUPER_MAGIC 0x9fa0 /* include/uapi/linux/magic.h */
#define CPUTIME_EVERY 1000000000ull

/* ---- rings ---- */

struct out {
	struct ring *ring;
	u64 head;
};

static __always_inline struct record *begin(struct out *out, u8 type, u32 tid, u32 pid, u64 time)
{
	u32 cpu = bpf_get_smp_processor_id();
	struct ring *ring = bpf_map_lookup_elem(&rings, &cpu);
	if (!ring)
		return 0;
	u8 *data = bpf_map_lookup_elem(&ring_data, &cpu);
	if (!data)
		return 0;
	if (ring->busy) {
		ring->nested++;
		return 0;
	}
	u64 head = ring->head;
	if (head - *(volatile u64 *)&ring->tail + SLACK > (u64)ring_mask + 1) {
		ring->drops++;
		return 0;
	}
	ring->busy = 1;
	out->ring = ring;
	out->head = head;
	u64 offset = head;
	barrier_var(offset);
	offset &= ring_mask;
	struct record *r = (void *)(data + offset);
	r->type = type;
	r->flags = 0;
	r->nr = 0;
	r->cpu = cpu;
	r->tid = tid;
	r->pid = pid;
	r->time = time;
	r->enter = 0;
	r->ret = 0;
	return r;
}

static __always_inline void finish(struct out *out, struct record *r, u32 len)
{
	struct ring *ring = out->ring;
	len = (len + 7) & ~7u;
	r->len = len;
	/* x86 stores become visible in order, so the compiler is all that has to be kept from moving the record past `head`. */
	asm volatile("" ::: "memory");
	*(volatile u64 *)&ring->head = out->head + len;
	ring->events++;
	ring->busy = 0;
}

/* ---- items ---- */

/*
 * The same place, but the verifier has forgotten what it knew of it: else it would look at everything that follows once
 * for each length that what came before can have. The record's own length is not yet in use.
 */
static __always_inline u32 forget(struct record *r, u32 at)
{
	*(volatile u16 *)&r->len = at;
	return *(volatile u16 *)&r->len;
}

/*
 * A record with all its room. Functions that are not static are looked at once by the verifier, for every value that
 * their arguments can have, and not again at each place that calls them.
 */
struct area {
	u8 bytes[SLACK];
};

static __always_inline u32 put_missing(void *r, u32 at)
{
	CAP(at, MAX_START);
	*(u32 *)(r + at) = MISSING;
	return at + 4;
}

static __always_inline u32 put_user(void *r, u32 at, u64 src, u64 len, u32 max)
{
	CAP(at, MAX_START);
	u32 n = len > max ? max : len;
	CAP(n, MAX_ITEM - 1);
	if (n && bpf_probe_read_user(r + at + 4, n, (void *)src)) {
		*(u32 *)(r + at) = MISSING;
		return at + 4;
	}
	*(u32 *)(r + at) = n;
	return at + 4 + ((n + 3) & ~3u);
}

static __always_inline u32 put_text(struct record *r, u32 at, const void *src, bool kernel)
{
	CAP(at, MAX_START);
	u32 max = text_max;
	CAP(max, MAX_ITEM);
	void *item = (void *)r + at;
	long len = kernel ? bpf_probe_read_kernel_str(item + 4, max, src) : bpf_probe_read_user_str(item + 4, max, src);
	if (len <= 0) {
		*(u32 *)item = MISSING;
		return at + 4;
	}
	u32 n = len;
	CAP(n, MAX_ITEM);
	if (n == max)
		r->flags |= TRUNCATED;
	*(u32 *)item = n - 1; /* without its NUL */
	return at + 4 + ((n + 2) & ~3u);
}

/* Both ends of the socket behind a descriptor: family u8, local address, local port LE, remote address, remote port LE. */
__noinline u32 put_tuple(struct area *area, u32 at, u32 fd)
{
	void *r = area;
	if (!r)
		return at;
	CAP(at, MAX_START);
	u8 *p = r + at + 4;
	struct task_struct *task = bpf_get_current_task_btf();
	struct fdtable *table = task->files->fdt;
	struct file **files = table->fd, *file = 0;
	if (fd >= table->max_fds || bpf_probe_read_kernel(&file, sizeof(file), files + fd) || !file)
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

/* ---- vectors and messages ---- */

#define AT_ONCE 8
/* Segments whose lengths are summed up. */
#define MOST_SEGMENTS 64

static __always_inline u64 segment(const u64 *v, u32 i, bool len, bool compat)
{
	return compat ? ((const u32 *)v)[2 * i + len] : v[2 * i + len];
}

/* Two items: the first bytes of what the segments hold, as many as were moved and at most the snap length, and the sum of their lengths (u64). */
__noinline u32 put_segments(struct area *area, u32 at, u64 src, u64 count, u64 moved)
{
	struct record *r = (void *)area;
	if (!r)
		return at;
	u64 v[2 * AT_ONCE] = {};
	bool compat = r->flags & COMPAT;
	u32 n = count > AT_ONCE ? AT_ONCE : count;
	u32 each = compat ? 8 : 16;
	u32 limit = moved > snap_len ? snap_len : moved, total = 0;
	u64 sum = 0;
	CAP(at, MAX_START);
	void *item = (void *)r + at;
	CAP(n, AT_ONCE);
	u32 bytes = n * each;
	CAP(bytes, sizeof(v));
	if (bytes && bpf_probe_read_user(v, bytes, (void *)src)) {
		at = put_missing(r, at);
		return put_missing(r, at);
	}
#pragma clang loop unroll(disable)
	for (u32 i = 0; i < AT_ONCE; i++) {
		u32 k = i;
		if (i >= n)
			break;
		CAP(k, AT_ONCE - 1);
		u64 len = segment(v, k, true, compat), base = segment(v, k, false, compat);
		sum += len;
		u32 part = limit - total;
		if (part > len)
			part = len;
		CAP(part, MAX_ITEM - 1);
		CAP(total, MAX_ITEM - 1);
		if (part && bpf_probe_read_user(item + 4 + total, part, (void *)base))
			limit = total;
		else
			total += part;
		limit = forget(r, limit);
		total = forget(r, total);
	}
#pragma clang loop unroll(disable)
	for (u32 i = AT_ONCE; i < MOST_SEGMENTS; i++) {
		if (i >= count)
			break;
		if (bpf_probe_read_user(v, each, (void *)(src + i * each)))
			break;
		sum += segment(v, 0, true, compat);
	}
	CAP(total, MAX_ITEM - 1);
	*(u32 *)item = total || !moved || !snap_len ? total : MISSING;
	at += 4 + ((total + 3) & ~3u);
	if (count > MOST_SEGMENTS)
		return put_missing(r, at);
	CAP(at, MAX_START);
	*(u32 *)((void *)r + at) = 8;
	__builtin_memcpy((void *)r + at + 4, &sum, 8);
	return at + 12;
}

/* What follows descriptors in a control message (SOL_SOCKET, SCM_RIGHTS); include/linux/socket.h. */
#define MAX_CONTROL 256
#define MAX_PASSED 16

struct passed {
	s32 fd;
	u32 dev;
	u64 ino;
};

/* The files behind the descriptors that the control item at `control` passes: struct passed each. */
__noinline u32 put_passed(struct area *area, u32 at, u32 control, u32 len)
{
	struct record *r = (void *)area;
	if (!r)
		return at;
	u32 off = 0, head = r->flags & COMPAT ? 12 : 16, word = r->flags & COMPAT ? 4 : 8, n = 0;
	u32 from = 0, upto = 0;
	CAP(control, MAX_START);
	CAP(at, MAX_START);
	void *c = (void *)r + control + 4;
	for (int i = 0; i < 4; i++) {
		CAP(off, MAX_CONTROL);
		if (off + head > len)
			break;
		u32 this = *(u32 *)(c + off);
		u64 *kind = c + off + word;
		if (this < head || this > MAX_CONTROL)
			break;
		if (*(u32 *)kind == 1 && *((u32 *)kind + 1) == 1) {
			from = off + head;
			upto = off + this;
			break;
		}
		off += (this + word - 1) & ~(word - 1);
	}
	void *out = (void *)r + at + 4;
	for (u32 i = 0; i < MAX_PASSED; i++) {
		CAP(from, MAX_CONTROL);
		if (from + 4 > upto || from + 4 > len)
			break;
		struct facts facts = {};
		s32 fd = *(s32 *)(c + from);
		u32 *to = out + i * sizeof(struct passed);
		read_facts(&facts, fd);
		to[0] = fd;
		to[1] = facts.dev;
		to[2] = facts.ino;
		to[3] = facts.ino >> 32;
		n = i + 1;
		from = forget(r, from + 4);
	}
	CAP(n, MAX_PASSED);
	if (!n)
		return put_missing(r, at);
	*(u32 *)((void *)r + at) = n * sizeof(struct passed);
	return at + 4 + n * sizeof(struct passed);
}

/* data, size, name, control, files */
#define MSG_ITEMS 5

static __always_inline u32 put_missings(void *r, u32 at, u32 n)
{
#pragma unroll
	for (u32 i = 0; i < MSG_ITEMS; i++)
		if (i < n)
			at = put_missing(r, at);
	return at;
}

/* Five items of a struct msghdr, or with `many` of the first struct mmsghdr: data, sum of the segments' lengths, name, control, files passed. */
__noinline u32 put_message(struct area *area, u32 at, u64 src, s64 ret, u32 many)
{
	struct record *r = (void *)area;
	if (!r)
		return at;
	struct user_msghdr m = {};
	u32 len = 0;
	if (r->flags & COMPAT) {
		struct user_msghdr32 small = {};
		if (ret < 0 || bpf_probe_read_user(&small, sizeof(small), (void *)src))
			return put_missings(r, at, MSG_ITEMS);
		m.name = small.name;
		m.namelen = small.namelen;
		m.iov = small.iov;
		m.iovlen = small.iovlen;
		m.control = small.control;
		m.controllen = small.controllen;
		len = small.msg_len;
	} else {
		/* The length that struct mmsghdr adds may lie on a page that is not there. */
		u32 size = many ? sizeof(m) : sizeof(m) - 8;
		if (ret < 0 || bpf_probe_read_user(&m, size, (void *)src))
			return put_missings(r, at, MSG_ITEMS);
		len = m.msg_len;
	}
	at = put_segments(area, at, m.iov, m.iovlen, many ? len : (u64)ret);
	at = m.name ? put_user(r, at, m.name, m.namelen, 128) : put_missing(r, at);
	at = forget(r, at);
	if (!m.control || !m.controllen)
		return put_missings(r, at, 2);
	u32 control = at;
	if (m.controllen > MAX_CONTROL)
		r->flags |= TRUNCATED;
	at = forget(r, put_user(r, at, m.control, m.controllen, MAX_CONTROL));
	return put_passed(area, at, control, m.controllen > MAX_CONTROL ? MAX_CONTROL : m.controllen);
}

/* Items that an op makes. */
static __always_inline u32 items_of(u8 kind)
{
	return kind == MSG ? MSG_ITEMS : kind == IOV ? 2 : 1;
}

/* As many items per op, whatever happens, so that the reader knows them by their place. */
__noinline u32 put_op(struct area *area, u32 at, const struct op *from, struct slot *slot, s64 ret)
{
	struct record *r = (void *)area;
	if (!r || !from || !slot)
		return at;
	struct op op = *from;
	u32 i = op.arg & 127, j = op.lenarg;
	CAP(i, 5);
	CAP(j, 5);
	u64 v = slot->args[i], len = slot->args[j];
	u32 max = snap_len;
	if (op.when) {
		u32 w = op.when - 1;
		CAP(w, 5);
		u8 value = (u32)slot->args[w] >> (op.shift & 31);
		if (value < op.low || value > op.high)
			return put_missings(r, at, items_of(op.kind));
	}
	switch (op.kind) {
	case STR:
		return put_text(r, at, (void *)v, false);
	case EARLY:
		CAP(at, MAX_START);
		*(u32 *)((void *)r + at) = slot->early_len ? sizeof(slot->early) : MISSING;
		if (!slot->early_len)
			return at + 4;
		__builtin_memcpy((void *)r + at + 4, slot->early, sizeof(slot->early));
		return at + 4 + sizeof(slot->early);
	case BUF_RET:
		if (ret < 0)
			return put_missing(r, at);
		len = ret;
		break;
	case BUF_LEN:
		if (op.max)
			max = op.max;
		break;
	case SOCK_IN:
		max = 128;
		break;
	case SOCK_OUT: {
		u32 n = 0;
		if (ret < 0 || !len || bpf_probe_read_user(&n, sizeof(n), (void *)len))
			return put_missing(r, at);
		len = n;
		max = 128;
		break;
	}
	case FIELD:
		if (ret < 0)
			return put_missing(r, at);
		len = max = op.max;
		break;
	case ELEMENTS:
		if (ret < 0)
			return put_missing(r, at);
		max = op.max * 2;
		len *= op.max;
		break;
	case ARRAY8:
		if (len > 31) {
			len = 31;
			r->flags |= TRUNCATED;
		}
		len *= 8;
		max = 248;
		break;
	case IOV:
		if (ret < 0)
			return put_missings(r, at, 2);
		return put_segments(area, at, v, len, ret);
	case MSG:
		return put_message(area, at, v, ret, op.max);
	case TUPLE:
		if (op.arg == 255)
			v = ret;
		return ret < 0 && op.arg == 255 ? put_missing(r, at) : put_tuple(area, at, v);
	case FILE_FACTS:
		return put_facts(r, at, fd_of_op(op, v, ret));
	case MEMORY:
		return put_memory(r, at);
	case BACKLOG:
		return put_backlog(area, at, v);
	case ENDS: {
		long fd = fd_of_op(op, v, ret);
		return fd < 0 ? put_missing(r, at) : put_ends(area, at, fd);
	}
	default:
		return put_missing(r, at);
	}
	if (!v)
		return put_missing(r, at);
	return put_user(r, at, v, len, max);
}

#define MOST_ARGUMENTS 64

/* The arguments of an exec that failed, as long as the old program still has them: one after the other, each with its NUL. */
__noinline u32 put_argv(struct area *area, u32 at, u64 src)
{
	struct record *r = (void *)area;
	if (!r)
		return at;
	u32 total = 0, width = r->flags & COMPAT ? 4 : 8;
	CAP(at, MAX_START);
	void *item = (void *)r + at;
	for (u32 i = 0; i < MOST_ARGUMENTS; i++) {
		u64 text = 0;
		CAP(total, MAX_ITEM);
		u32 room = MAX_ITEM - total;
		if (bpf_probe_read_user(&text, width, (void *)src + i * width) || !text)
			break;
		if (room < 2) {
			r->flags |= TRUNCATED;
			break;
		}
		CAP(room, MAX_ITEM);
		long len = bpf_probe_read_user_str(item + 4 + total, room, (void *)text);
		if (len <= 0)
			break;
		if (len == room)
			r->flags |= TRUNCATED;
		total = forget(r, total + len);
	}
	CAP(total, MAX_ITEM);
	*(u32 *)item = total;
	return at + 4 + ((total + 3) & ~3u);
}

/* ---- calls ---- */

static __always_inline struct slot *slot_of(struct task_struct *task, bool create)
{
	return bpf_task_storage_get(&slots, task, 0, create ? BPF_LOCAL_STORAGE_GET_F_CREATE : 0);
}

static __always_inline struct desc *desc_of(u32 nr, u8 flags)
{
	u32 i = flags & COMPAT ? 512 + (nr & 511) : nr > 511 ? 511 : nr;
	return bpf_map_lookup_elem(&calls, &i);
}

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

SEC("tp_btf/sys_enter")
int BPF_PROG(on_enter, struct pt_regs *regs, long nr)
{
	u64 pidtgid = bpf_get_current_pid_tgid();
	struct task_struct *task = bpf_get_current_task_btf();
	struct slot *slot;
	u8 compat = task->thread_info.status & TS_COMPAT ? COMPAT : 0;
	/* First of all, so that a call that nobody wants costs least; its thread's slot is idle already. */
	struct desc *d = desc_of(nr, compat);
	if (!d || (d->flags & SKIP && !tells(task, d, regs, compat)))
		return 0;
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

SEC("tp_btf/sys_exit")
int BPF_PROG(on_return, struct pt_regs *regs, long ret)
{
	struct slot *slot = slot_of(bpf_get_current_task_btf(), false);
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

/* ---- the scheduler ---- */

static __always_inline bool is_dead(struct task_struct *task)
{
	struct task_struct___state *old = (void *)task;
	if (bpf_core_field_exists(old->state))
		return BPF_CORE_READ(old, state) == TASK_DEAD;
	return task->__state == TASK_DEAD;
}

static __always_inline void write_cputime(struct task_struct *task, bool dead)
{
	struct out out;
	struct record *r = begin(&out, CPUTIME, task->pid, task->tgid, bpf_ktime_get_boot_ns());
	if (!r)
		return;
	if (dead)
		r->flags = LAST;
	*(u64 *)(r + 1) = task->se.sum_exec_runtime;
	finish(&out, r, sizeof(*r) + 8);
}

SEC("tp_btf/sched_switch")
int BPF_PROG(on_switch, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	bool dead = is_dead(prev);
	/* A thread that makes no calls burns time too, so whoever runs gets a slot. */
	bool create = !root_tgid && !dead;
	if (!root_tgid && (prev->flags & PF_KTHREAD || !prev->pid || prev->tgid == own_tgid))
		return 0;
	struct slot *slot = slot_of(prev, create);
	if (!slot)
		return 0;
	if (slot->state == IN_CALL && !preempt && !dead) {
		struct desc *d = desc_of(slot->nr, slot->flags);
		if (d)
			write_enter((u64)prev->tgid << 32 | (u32)prev->pid, slot, d, bpf_ktime_get_boot_ns(), LATE_ENTER);
	}
	/* The scheduler's own clock, read a moment ago, so that most switches need not read one. */
	u64 now = prev->se.exec_start;
	if (dead || (s64)(now - slot->cputime_at) >= (s64)CPUTIME_EVERY) {
		slot->cputime_at = now;
		write_cputime(prev, dead);
	}
	return 0;
}

/* ---- life and death ---- */

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
	return 0;
}

#define PF_EXITING 4
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

/* ---- signals ---- */

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

/* ---- io_uring ---- */

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
