/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/* Items of a record: bytes and texts, from where they lie. */
#ifndef PROBE_ITEMS_H
#define PROBE_ITEMS_H
#include "maps.h"

/* The compiler may not know the value any more, so it cannot leave out the check that the verifier wants to see. */
#define CAP(value, max)                     \
	do {                                \
		barrier_var(value);         \
		if ((value) > (max))        \
			(value) = (max);    \
	} while (0)

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

#endif
