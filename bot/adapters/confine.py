"""This process from now on reads what it is given and nothing else: Linux's Landlock, which needs no privilege.

https://docs.kernel.org/userspace-api/landlock.html. Used where an artifact is opened, so that whatever it could make a
library do, there is no file to read, no other process to look into and nobody to tell.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterable
from pathlib import Path

_CREATE, _ADD, _RESTRICT = 444, 445, 446  # system calls, the same numbers on x86-64 and arm64
_NO_NEW_PRIVS = 38
# Rights over files by the version of Landlock that first knew them, as bits of `handled_access_fs`.
_FILE_RIGHTS = {1: (1 << 13) - 1, 2: 1 << 13, 3: 1 << 14, 5: 1 << 15}
_READ, _READ_FOLDER = (1 << 2), (1 << 3)
_TCP, _SCOPES = 0b11, 0b11  # bind and connect (version 4); abstract sockets and signals (version 6)

# Where libraries of a Python process look: shared objects, time zones, the processor. No process but its own.
_SYSTEM = (
    "/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/localtime", "/dev/null", "/dev/urandom", "/proc/self",
    "/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/sys/vm/overcommit_memory", "/sys/devices/system/cpu",
    "/sys/fs/cgroup",
)  # fmt: skip


class _Ruleset(ctypes.Structure):
    _fields_ = (("fs", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("access", ctypes.c_uint64), ("folder", ctypes.c_int32))


def python_folders() -> tuple[Path, ...]:
    """What the running Python imports from."""
    found = [Path(sys.prefix), Path(sys.base_prefix), Path(__file__).parents[1], *map(Path, filter(None, sys.path))]
    return tuple(dict.fromkeys(folder.resolve() for folder in found if folder.exists()))


def confine(readable: Iterable[Path]) -> bool:
    """Whether it worked. From now on this thread, and what it starts, opens files below `readable`, Python's and the
    system's libraries to read, and no other; it writes none, and connects to nobody by TCP where the kernel can say so.

    False on a kernel without Landlock: nothing has changed then. Call it before other threads start; it is final.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    version = libc.syscall(_CREATE, None, 0, 1)
    if version < 1:
        return False
    rights = sum(bits for since, bits in _FILE_RIGHTS.items() if since <= version)
    wanted = _Ruleset(rights, _TCP if version >= 4 else 0, _SCOPES if version >= 6 else 0)
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    ruleset = libc.syscall(_CREATE, ctypes.byref(wanted), size, 0)
    if ruleset < 0:
        return False
    try:
        for path in (*(Path(one) for one in _SYSTEM), *python_folders(), *readable):
            _allow(libc, ruleset, path)
        libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0)
        return bool(libc.syscall(_RESTRICT, ruleset, 0) == 0)
    finally:
        os.close(ruleset)


def _allow(libc: ctypes.CDLL, ruleset: int, path: Path) -> None:
    try:
        opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # not on this machine
    try:
        rule = _Beneath(_READ | (_READ_FOLDER if path.is_dir() else 0), opened)
        libc.syscall(_ADD, ruleset, 1, ctypes.byref(rule), 0)
    finally:
        os.close(opened)
