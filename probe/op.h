/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/* The operations of the table of calls. */
#ifndef PROBE_OP_H
#define PROBE_OP_H
#include "message.h"

/* Descriptors in a set that is told. */
#define MAX_BITS 1024

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
		if (op.max) {
			len *= op.max;
			max = op.max;
		}
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
	case BITS:
		if (ret < 0)
			return put_missing(r, at);
		/* A set is made of words. */
		len = len > MAX_BITS ? MAX_BITS / 8 : (len + 63) / 64 * 8;
		max = MAX_BITS / 8;
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

#endif
