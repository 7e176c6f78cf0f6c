/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Requests to io_uring, and their results.
 *
 * What a request is about is read where the kernel keeps it once it was taken in: the program may have written something
 * else over its own by then. Structures that another kernel lacks are told as missing.
 */
#ifndef PROBE_URING_H
#define PROBE_URING_H
#include "message.h"
#include "ring.h"

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

/* enum io_uring_op, include/uapi/linux/io_uring.h */
enum {
	OP_READV = 1,
	OP_WRITEV = 2,
	OP_READ_FIXED = 4,
	OP_WRITE_FIXED = 5,
	OP_SENDMSG = 9,
	OP_RECVMSG = 10,
	OP_ACCEPT = 13,
	OP_CONNECT = 16,
	OP_OPENAT = 18,
	OP_CLOSE = 19,
	OP_STATX = 21,
	OP_READ = 22,
	OP_WRITE = 23,
	OP_SEND = 26,
	OP_RECV = 27,
	OP_OPENAT2 = 28,
	OP_EPOLL_CTL = 29,
	OP_RENAMEAT = 35,
	OP_UNLINKAT = 36,
	OP_MKDIRAT = 37,
	OP_SYMLINKAT = 38,
	OP_LINKAT = 39,
	OP_SOCKET = 45,
	OP_SEND_ZC = 47,
	OP_SENDMSG_ZC = 48,
	OP_BIND = 56,
};

/* The numbers of a request's record; UNKNOWN where its operation has none. */
enum {
	R_OPCODE,
	R_FD,
	R_USER_DATA,
	R_FLAGS,
	R_ADDRESS,
	R_DIRFD,
	R_NEWDIRFD,
	R_OPEN_FLAGS,
	R_MODE,
	R_POS,
	R_SIZE,
	R_DOMAIN,
	R_TYPE,
	R_PROTO,
	R_DIRECT,
	R_OP_FLAGS,
	REQUEST_NUMBERS,
};

static __always_inline u32 put_name(struct record *r, u32 at, struct filename *name)
{
	return name ? put_text(r, at, BPF_CORE_READ(name, name), true) : put_missing(r, at);
}

#define HAS(type, field) (bpf_core_type_exists(struct type) && bpf_core_field_exists(((struct type *)0)->field))
#define OF(req, type, field) BPF_CORE_READ((struct type *)(req), field)

/* Numbers and names of requests on paths and descriptors. Both names are items, missing where there is none. */
__noinline u32 put_request_names(struct area *area, u32 at, u64 req, u32 opcode)
{
	struct record *r = (void *)area;
	if (!r)
		return at;
	u64 *v = (void *)(r + 1);
	struct filename *first = 0, *second = 0;
	switch (opcode) {
	case OP_OPENAT:
	case OP_OPENAT2:
		if (!HAS(io_open, filename))
			break;
		v[R_DIRFD] = OF(req, io_open, dfd);
		v[R_OPEN_FLAGS] = OF(req, io_open, how.flags);
		v[R_MODE] = OF(req, io_open, how.mode);
		v[R_DIRECT] = HAS(io_open, file_slot) && OF(req, io_open, file_slot);
		first = OF(req, io_open, filename);
		break;
	case OP_CLOSE:
		if (!HAS(io_close, fd))
			break;
		v[R_DIRECT] = HAS(io_close, file_slot) && OF(req, io_close, file_slot);
		v[R_FD] = v[R_DIRECT] ? UNKNOWN : (u64)OF(req, io_close, fd);
		break;
	case OP_STATX:
		if (!HAS(io_statx, filename))
			break;
		v[R_DIRFD] = OF(req, io_statx, dfd);
		v[R_OP_FLAGS] = OF(req, io_statx, flags);
		first = OF(req, io_statx, filename);
		break;
	case OP_UNLINKAT:
		if (!HAS(io_unlink, filename))
			break;
		v[R_DIRFD] = OF(req, io_unlink, dfd);
		v[R_OP_FLAGS] = OF(req, io_unlink, flags);
		first = OF(req, io_unlink, filename);
		break;
	case OP_MKDIRAT:
		if (!HAS(io_mkdir, filename))
			break;
		v[R_DIRFD] = OF(req, io_mkdir, dfd);
		v[R_MODE] = OF(req, io_mkdir, mode);
		first = OF(req, io_mkdir, filename);
		break;
	case OP_RENAMEAT:
		if (!HAS(io_rename, oldpath))
			break;
		v[R_DIRFD] = OF(req, io_rename, old_dfd);
		v[R_NEWDIRFD] = OF(req, io_rename, new_dfd);
		v[R_OP_FLAGS] = OF(req, io_rename, flags);
		first = OF(req, io_rename, oldpath);
		second = OF(req, io_rename, newpath);
		break;
	case OP_LINKAT:
	case OP_SYMLINKAT:
		if (!HAS(io_link, oldpath))
			break;
		/* The target of a symbolic link is relative to nothing yet. */
		if (opcode == OP_LINKAT) {
			v[R_DIRFD] = OF(req, io_link, old_dfd);
			v[R_OP_FLAGS] = OF(req, io_link, flags);
		}
		v[R_NEWDIRFD] = OF(req, io_link, new_dfd);
		first = OF(req, io_link, oldpath);
		second = OF(req, io_link, newpath);
		break;
	case OP_EPOLL_CTL:
		if (HAS(io_epoll, fd))
			v[R_FD] = OF(req, io_epoll, fd);
		break;
	}
	at = put_name(r, at, first);
	at = forget(r, at);
	return put_name(r, at, second);
}

static __always_inline bool is_vector(u32 opcode)
{
	return opcode == OP_READV || opcode == OP_WRITEV;
}

static __always_inline bool is_write(u32 opcode)
{
	return opcode == OP_WRITE || opcode == OP_WRITE_FIXED || opcode == OP_SEND || opcode == OP_SEND_ZC;
}

static __always_inline bool is_read(u32 opcode)
{
	return opcode == OP_READ || opcode == OP_READ_FIXED || opcode == OP_RECV;
}

/* Five items as of a message, of which only the first is there. */
static __always_inline u32 put_data(struct record *r, u32 at, u64 from, u64 len)
{
	at = from ? put_user(r, at, from, len, snap_len) : put_missing(r, at);
	return put_missings(r, forget(r, at), MSG_ITEMS - 1);
}

/* Five items, of which only the third is there: an address. */
static __always_inline u32 put_address(struct record *r, u32 at, u64 from, u32 len, bool kernel)
{
	u8 address[128] = {};
	CAP(len, sizeof(address));
	at = put_missings(r, at, 2);
	if (!len || !from || (kernel ? bpf_probe_read_kernel(address, len, (void *)from) : bpf_probe_read_user(address, len, (void *)from)))
		return put_missings(r, at, MSG_ITEMS - 2);
	CAP(at, MAX_START);
	*(u32 *)((void *)r + at) = len;
	__builtin_memcpy((void *)r + at + 4, address, sizeof(address));
	return put_missings(r, forget(r, at + 4 + ((len + 3) & ~3u)), 2);
}

/* More than any message holds: what a request will move is not known before. */
#define ALL_OF_IT 0x7fffffff

/* Numbers of requests that move data or are about sockets, and five items as of a message. */
__noinline u32 put_request_data(struct area *area, u32 at, u64 req, u32 opcode)
{
	struct record *r = (void *)area;
	if (!r)
		return at;
	u64 *v = (void *)(r + 1);
	switch (opcode) {
	case OP_READ:
	case OP_WRITE:
	case OP_READ_FIXED:
	case OP_WRITE_FIXED:
	case OP_READV:
	case OP_WRITEV:
		if (!HAS(io_rw, addr))
			break;
		v[R_POS] = OF(req, io_rw, kiocb.ki_pos);
		if (is_vector(opcode)) {
			at = put_segments(area, at, OF(req, io_rw, addr), OF(req, io_rw, len), opcode == OP_WRITEV ? ALL_OF_IT : 0);
			return put_missings(r, forget(r, at), MSG_ITEMS - 2);
		}
		v[R_SIZE] = OF(req, io_rw, len);
		return put_data(r, at, is_write(opcode) ? OF(req, io_rw, addr) : 0, v[R_SIZE]);
	case OP_SEND:
	case OP_SEND_ZC:
	case OP_RECV:
		if (!HAS(io_sr_msg, buf))
			break;
		v[R_SIZE] = (u32)OF(req, io_sr_msg, len);
		return put_data(r, at, is_write(opcode) ? (u64)OF(req, io_sr_msg, buf) : 0, v[R_SIZE]);
	case OP_SENDMSG:
	case OP_SENDMSG_ZC:
		if (!HAS(io_sr_msg, buf))
			break;
		return put_message(area, at, (u64)OF(req, io_sr_msg, buf), ALL_OF_IT, 0);
	case OP_CONNECT:
		if (!HAS(io_connect, addr))
			break;
		return put_address(r, at, (u64)OF(req, io_connect, addr), OF(req, io_connect, addr_len), false);
	case OP_BIND: {
		if (!HAS(io_bind, addr_len) || !HAS(io_async_msghdr, addr))
			break;
		u64 kept = (u64)OF(req, io_kiocb, async_data);
		if (kept)
			kept += bpf_core_field_offset(struct io_async_msghdr, addr);
		return put_address(r, at, kept, OF(req, io_bind, addr_len), true);
	}
	case OP_ACCEPT:
		if (!HAS(io_accept, flags))
			break;
		v[R_OPEN_FLAGS] = (u32)OF(req, io_accept, flags);
		v[R_DIRECT] = HAS(io_accept, file_slot) && OF(req, io_accept, file_slot);
		break;
	case OP_SOCKET:
		if (!HAS(io_socket, domain))
			break;
		v[R_DOMAIN] = OF(req, io_socket, domain);
		v[R_TYPE] = (u32)(OF(req, io_socket, type) | OF(req, io_socket, flags));
		v[R_PROTO] = OF(req, io_socket, protocol);
		v[R_DIRECT] = HAS(io_socket, file_slot) && OF(req, io_socket, file_slot);
		break;
	}
	return put_missings(r, at, MSG_ITEMS);
}

/* A pointer that was written, read as a number: functions that the verifier looks at by themselves take no pointers to the kernel's. */
static __always_inline u64 number_of(u64 *written)
{
	return *(volatile u64 *)written;
}

SEC("tp_btf/io_uring_submit_req")
int BPF_PROG(on_submit, struct io_kiocb *req)
{
	struct out out;
	struct record *r = begin_uring(&out, SUBMIT, req);
	if (!r)
		return 0;
	u64 *v = (void *)(r + 1);
	u32 opcode = BPF_CORE_READ(req, opcode);
#pragma unroll
	for (int i = R_DIRFD; i < REQUEST_NUMBERS; i++)
		v[i] = UNKNOWN;
	v[R_OPCODE] = opcode;
	v[R_FD] = BPF_CORE_READ(req, cqe.fd);
	v[R_USER_DATA] = BPF_CORE_READ(req, cqe.user_data);
	v[R_FLAGS] = request_flags(req);
	v[R_ADDRESS] = (u64)req;
	if (bpf_get_current_task_btf()->thread_info.status & TS_COMPAT)
		r->flags = COMPAT;
	u32 at = sizeof(*r) + REQUEST_NUMBERS * 8;
	u64 address = number_of(v + R_ADDRESS);
	at = put_request_names((void *)r, at, address, opcode);
	at = put_request_data((void *)r, forget(r, at), address, opcode);
	finish(&out, r, forget(r, at));
	return 0;
}

/* Whether what a request made is an entry of its ring's own table, and no descriptor. */
static __always_inline bool is_direct(u64 req, u32 opcode)
{
	switch (opcode) {
	case OP_OPENAT:
	case OP_OPENAT2:
		return HAS(io_open, file_slot) && OF(req, io_open, file_slot);
	case OP_ACCEPT:
		return HAS(io_accept, file_slot) && OF(req, io_accept, file_slot);
	case OP_SOCKET:
		return HAS(io_socket, file_slot) && OF(req, io_socket, file_slot);
	}
	return true;
}

/* Items of a result: both ends of a socket, facts about the descriptor made, and five as of a message: what was read. */
__noinline u32 put_result(struct area *area, u32 at, u64 req, u32 opcode, s32 res)
{
	struct record *r = (void *)area;
	if (!r)
		return at;
	u64 *v = (void *)(r + 1), from = 0;
	bool made = res >= 0 && !is_direct(req, opcode), mapped = !(bpf_get_current_task_btf()->flags & PF_KTHREAD);
	if (made)
		v[5] = res;
	if (made && opcode == OP_ACCEPT)
		at = put_tuple(area, at, res);
	else if (opcode == OP_CONNECT || opcode == OP_BIND)
		at = put_tuple_of(area, at, (u64)OF(req, io_kiocb, file));
	else
		at = put_missing(r, at);
	at = put_facts(r, forget(r, at), made ? res : -1);
	at = forget(r, at);
	if (res < 0 || !mapped)
		return put_missings(r, at, MSG_ITEMS);
	switch (opcode) {
	case OP_READ:
	case OP_READ_FIXED:
		if (HAS(io_rw, addr))
			from = OF(req, io_rw, addr);
		break;
	case OP_RECV:
		if (HAS(io_sr_msg, buf))
			from = (u64)OF(req, io_sr_msg, buf);
		break;
	case OP_READV:
		if (!HAS(io_rw, addr))
			break;
		at = put_segments(area, at, OF(req, io_rw, addr), OF(req, io_rw, len), res);
		return put_missings(r, forget(r, at), MSG_ITEMS - 2);
	case OP_RECVMSG:
		if (HAS(io_sr_msg, buf))
			return put_message(area, at, (u64)OF(req, io_sr_msg, buf), res, 0);
		break;
	}
	return put_data(r, at, from, res);
}

SEC("tp_btf/io_uring_complete")
int BPF_PROG(on_complete, void *ring, struct io_kiocb *req, struct io_uring_cqe *cqe)
{
	struct out out;
	struct record *r = begin_uring(&out, COMPLETE, req);
	if (!r)
		return 0;
	u64 *v = (void *)(r + 1);
	u32 opcode = req ? BPF_CORE_READ(req, opcode) : 255;
	s32 res = BPF_CORE_READ(cqe, res);
	v[0] = opcode;
	v[1] = (s64)res;
	v[2] = BPF_CORE_READ(cqe, user_data);
	v[3] = BPF_CORE_READ(cqe, flags);
	v[4] = (u64)req;
	v[5] = UNKNOWN;
	if (bpf_get_current_task_btf()->thread_info.status & TS_COMPAT)
		r->flags = COMPAT;
	u32 at = sizeof(*r) + 6 * 8;
	at = put_result((void *)r, at, number_of(v + 4), opcode, res);
	finish(&out, r, forget(r, at));
	return 0;
}

#endif
