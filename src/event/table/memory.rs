//! Calls on memory.

use super::entry::{NO, PLAIN, RES, RES_HEX, call, choice, fd, flags, hex, int, memory, plain, uint};
use crate::event::flags::{MADVISE_ADVICE, MLOCK2_FLAGS, MLOCKALL_FLAGS, MMAP_FLAGS, PROT_FLAGS};
use crate::event::spec::Category::Memory;
use crate::event::spec::Spec;

/// Memory maps, locks and policies.
#[rustfmt::skip] // a table: one kind, one line
pub(super) const MEMORY: &[Spec] = &[
    call("brk", 12, 214, Memory, RES_HEX, PLAIN, &[hex("addr", 0), memory("vm_size", 0), memory("vm_rss", 1), memory("vm_swap", 2)]),
    call("mmap", 9, 222, Memory, RES_HEX, PLAIN, &[hex("addr", 0), uint("length", 1), flags("prot", 2, PROT_FLAGS), flags("flags", 3, MMAP_FLAGS), fd("fd", 4), uint("offset", 5), memory("vm_size", 0), memory("vm_rss", 1), memory("vm_swap", 2)]).on(4),
    call("mmap2", NO, NO, Memory, RES_HEX, PLAIN, &[hex("addr", 0), uint("length", 1), flags("prot", 2, PROT_FLAGS), flags("flags", 3, MMAP_FLAGS), fd("fd", 4), uint("pgoffset", 5), memory("vm_size", 0), memory("vm_rss", 1), memory("vm_swap", 2)]).on(4),
    call("munmap", 11, 215, Memory, RES, PLAIN, &[hex("addr", 0), uint("length", 1), memory("vm_size", 0), memory("vm_rss", 1), memory("vm_swap", 2)]),
    call("mprotect", 10, 226, Memory, RES, PLAIN, &[hex("addr", 0), uint("length", 1), flags("prot", 2, PROT_FLAGS)]),
    call("pkey_mprotect", 329, 288, Memory, RES, PLAIN, &[hex("addr", 0), uint("length", 1), flags("prot", 2, PROT_FLAGS), int("pkey", 3)]),
    call("mremap", 25, 216, Memory, RES_HEX, PLAIN, &[hex("addr", 0), uint("old_len", 1), uint("new_len", 2), hex("flags", 3), hex("new_addr", 4)]),
    call("mlock", 149, 228, Memory, RES, PLAIN, &[hex("addr", 0), uint("len", 1)]),
    call("mlock2", 325, 284, Memory, RES, PLAIN, &[hex("addr", 0), uint("len", 1), flags("flags", 2, MLOCK2_FLAGS)]),
    call("munlock", 150, 229, Memory, RES, PLAIN, &[hex("addr", 0), uint("len", 1)]),
    call("mlockall", 151, 230, Memory, RES, PLAIN, &[flags("flags", 0, MLOCKALL_FLAGS)]),
    call("munlockall", 152, 231, Memory, RES, PLAIN, &[]),
    plain("msync", 26, 227, Memory, 3),
    plain("mincore", 27, 232, Memory, 3),
    call("madvise", 28, 233, Memory, RES, PLAIN, &[hex("addr", 0), uint("length", 1), choice("advice", 2, MADVISE_ADVICE)]),
    plain("mseal", 462, 462, Memory, 3),
    plain("remap_file_pages", 216, 234, Memory, 5),
    plain("mbind", 237, 235, Memory, 6),
    plain("set_mempolicy", 238, 237, Memory, 3),
    plain("get_mempolicy", 239, 236, Memory, 5),
    plain("set_mempolicy_home_node", 450, 450, Memory, 4),
    plain("migrate_pages", 256, 238, Memory, 4),
    plain("move_pages", 279, 239, Memory, 6),
    plain("pkey_alloc", 330, 289, Memory, 2),
    plain("pkey_free", 331, 290, Memory, 1),
    plain("membarrier", 324, 283, Memory, 3),
    plain("map_shadow_stack", 453, 453, Memory, 3),
];
