"""Holds a BPF program at each of the tracepoints of all calls, until its input ends: empty, or (`clock`) one that reads the clock.

Nothing that sees calls there costs less than the first, nothing that tells how long they take less than the second.
"""
import ctypes
import os
import struct
import sys

BPF, PROG_LOAD, RAW_TRACEPOINT_OPEN, RAW_TRACEPOINT = 321, 5, 17, 17  # bpf(2), x86-64

libc = ctypes.CDLL(None, use_errno=True)
CALL, MOVE, EXIT, KTIME_GET_NS = 0x85, 0xB7, 0x95, 5  # of <linux/bpf.h>


def instruction(code, immediate=0):
    return struct.pack("<BBhi", code, 0, 0, immediate)


EMPTY = instruction(MOVE) + instruction(EXIT)
PROGRAM = instruction(CALL, KTIME_GET_NS) + EMPTY if sys.argv[1:] == ["clock"] else EMPTY


def bpf(command, attributes):
    attributes = attributes.ljust(128, b"\0")
    buffer = ctypes.create_string_buffer(attributes, len(attributes))
    got = libc.syscall(BPF, command, buffer, len(attributes))
    if got < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return got


program, license = ctypes.create_string_buffer(PROGRAM), ctypes.create_string_buffer(b"GPL")
held = []
for tracepoint in (b"sys_enter", b"sys_exit"):
    load = struct.pack("<IIQQ", RAW_TRACEPOINT, len(PROGRAM) // 8, ctypes.addressof(program), ctypes.addressof(license))
    loaded = bpf(PROG_LOAD, load)
    name = ctypes.create_string_buffer(tracepoint)
    held += [loaded, bpf(RAW_TRACEPOINT_OPEN, struct.pack("<QI", ctypes.addressof(name), loaded))]
print("ready", flush=True)
sys.stdin.read()
