// SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
/*
 * sysreel's probe: one pair of programs for all system calls, driven by a table that user space fills from its event
 * table, and four programs for what happens to threads.
 *
 * Its parts, from the ground up: layout.h and maps.h (what user space knows too), ring.h and items.h (writing a record), facts.h,
 * message.h and op.h (data of calls), filter.h; then the programs, a file for each theme.
 *
 * One record per call, written when it returns, when the pages it worked on are mapped. What the entry knows
 * (time, number, arguments) waits in the task's storage. A call that blocks also gets a "late enter" record when its
 * task is switched out, so that it can be seen while it lasts.
 *
 * Records go to one ring per processor. The tracepoints' programs run with preemption off and in task context, so a
 * ring has one producer and needs no lock; `busy` proves that (a nested record is counted, never written).
 */
#include "vmlinux_min.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#include "call.h"
#include "switch.h"
#include "fork.h"
#include "exec.h"
#include "exit.h"
#include "signal.h"
#include "uring.h"
