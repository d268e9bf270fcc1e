"""Stops one thread of a process, by its name, until stdin ends: what a hanging shard looks like.

Says `stopped` when it has. Ends with status 77 where the system does not allow it.
"""

import ctypes
import os
import sys

SEIZE, INTERRUPT, DETACH = 0x4206, 0x4207, 17
WALL = 0x40000000


def main(pid, name):
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p]
    libc.ptrace.restype = ctypes.c_long
    thread = next(
        int(thread)
        for thread in os.listdir(f"/proc/{pid}/task")
        if open(f"/proc/{pid}/task/{thread}/comm").read().strip() == name
    )
    if libc.ptrace(SEIZE, thread, None, None) != 0 or libc.ptrace(INTERRUPT, thread, None, None) != 0:
        sys.exit(77)
    os.waitpid(thread, WALL)
    print("stopped", flush=True)
    sys.stdin.read()
    libc.ptrace(DETACH, thread, None, None)


main(int(sys.argv[1]), sys.argv[2])
