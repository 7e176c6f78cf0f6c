"""Holds a BPF program at each of the tracepoints of all calls, until its input ends: empty ones; `clock`: ones that read the clock;
`record`: ones that keep a call's time, thread, duration, result and the first byte of its data, in one place for all of them.

Nothing that sees calls there costs less than the first, nothing that tells how long they take less than the second, and nothing
that records them less than the third, which finds no room for a record, knows no call from another and hands nothing to anyone.
"""
import ctypes
import os
import struct
import sys

BPF, MAP_CREATE, PROG_LOAD, RAW_TRACEPOINT_OPEN, RAW_TRACEPOINT, ARRAY = 321, 0, 5, 17, 17, 2  # bpf(2), x86-64
MAP_LOOKUP, KTIME_GET_NS, CURRENT_PID_TGID, PROBE_READ_USER, PROBE_READ_KERNEL = 1, 5, 14, 112, 113  # of <linux/bpf.h>
ARGUMENT = 13 * 8  # of the second argument, in struct pt_regs of x86-64

libc = ctypes.CDLL(None, use_errno=True)


def instruction(code, to=0, of=0, offset=0, immediate=0):
    return struct.pack("<BBhi", code, to | of << 4, offset, immediate)


def call(helper):
    return instruction(0x85, immediate=helper)


def move(to, of):
    return instruction(0xBF, to, of)


def number(to, value):
    return instruction(0xB7, to, immediate=value)


def add(to, value):
    return instruction(0x07, to, immediate=value)


def store(to, offset, of):
    return instruction(0x7B, to, of, offset)


def load(to, of, offset):
    return instruction(0x79, to, of, offset)


EXIT = number(0, 0) + instruction(0x95)


def place(fd):
    """The record in register 9; ends the program where there is none."""
    key = instruction(0x62, 10, offset=-4) + instruction(0x18, 1, 1, immediate=fd) + instruction(0)
    found = instruction(0x55, 0, offset=2) + EXIT
    return key + move(2, 10) + add(2, -4) + call(MAP_LOOKUP) + found + move(9, 0)


def entry(fd):
    return call(KTIME_GET_NS) + move(7, 0) + place(fd) + store(9, 0, 7) + EXIT


def exit_(fd):
    facts = move(6, 1) + call(KTIME_GET_NS) + move(7, 0) + call(CURRENT_PID_TGID) + move(8, 0) + place(fd)
    kept = store(9, 8, 7) + store(9, 16, 8) + load(1, 6, 8) + store(9, 24, 1)
    duration = load(1, 9, 0) + instruction(0x1F, 7, 1) + store(9, 32, 7)
    buffer = move(1, 10) + add(1, -16) + number(2, 8) + load(3, 6, 0) + add(3, ARGUMENT) + call(PROBE_READ_KERNEL)
    data = move(1, 9) + add(1, 40) + number(2, 1) + load(3, 10, -16) + call(PROBE_READ_USER)
    return facts + kept + duration + buffer + data + EXIT


def bpf(command, attributes):
    attributes = attributes.ljust(128, b"\0")
    buffer = ctypes.create_string_buffer(attributes, len(attributes))
    got = libc.syscall(BPF, command, buffer, len(attributes))
    if got < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return got


def programs(option):
    if option == "record":
        fd = bpf(MAP_CREATE, struct.pack("<IIII", ARRAY, 4, 64, 1))
        return entry(fd), exit_(fd)
    return (call(KTIME_GET_NS) + EXIT,) * 2 if option == "clock" else (EXIT,) * 2


license, held = ctypes.create_string_buffer(b"GPL"), []
for tracepoint, program in zip((b"sys_enter", b"sys_exit"), programs("".join(sys.argv[1:]))):
    code = ctypes.create_string_buffer(program)
    attributes = struct.pack("<IIQQ", RAW_TRACEPOINT, len(program) // 8, ctypes.addressof(code), ctypes.addressof(license))
    loaded = bpf(PROG_LOAD, attributes)
    name = ctypes.create_string_buffer(tracepoint)
    held += [loaded, bpf(RAW_TRACEPOINT_OPEN, struct.pack("<QI", ctypes.addressof(name), loaded))]
print("ready", flush=True)
sys.stdin.read()
