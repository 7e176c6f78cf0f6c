/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/* Vectors and messages: the data in their segments, the descriptors that they pass. */
#ifndef PROBE_MESSAGE_H
#define PROBE_MESSAGE_H
#include "facts.h"

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

#endif
