"""Ending a process with everything below it: the engine gives each step a session of its own, out of its group."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterable
from pathlib import Path


def family(pid: int) -> list[int]:
    """The process and all below it, children last; only itself where there is no /proc."""
    parents: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            # pid (name, which may hold spaces and brackets) state ppid
            parent = int(path.read_text().rpartition(")")[2].split()[1])
            parents.setdefault(parent, []).append(int(path.parent.name))
    found, index = [pid], 0
    while index < len(found):
        found += parents.get(found[index], [])
        index += 1
    return found


def end(pid: int, number: int) -> None:
    """Send a signal to the whole family; any other than SIGKILL goes to the head only, which ends its own."""
    if number == signal.SIGKILL:
        end_each(family(pid))
        return
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def end_each(pids: Iterable[int]) -> None:
    """SIGKILL to these processes."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def end_job(pid: int, key: str) -> None:
    """SIGKILL to what runs for one job below an engine. Entries of one matrix have the same key, and end together."""
    end_each(one for one in family(pid)[1:] if _variable(one, "GITHUB_JOB") == key)


def _variable(pid: int, name: str) -> str | None:
    with contextlib.suppress(OSError):
        for pair in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
            key, _, value = pair.partition(b"=")
            if key.decode(errors="replace") == name:
                return value.decode(errors="replace")
    return None


def end_if_alive(process: subprocess.Popen[str]) -> None:
    """SIGKILL, when it has not ended by itself."""
    if process.poll() is None:
        end(process.pid, signal.SIGKILL)


def end_in(folder: Path) -> int:
    """SIGKILL to every process that works in the folder or below it, which a killed sandbox leaves; how many."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cwd"):
        with contextlib.suppress(OSError):
            if path.readlink().is_relative_to(folder):
                found.append(int(path.parent.name))
    for pid in found:
        end(pid, signal.SIGKILL)
    return len(found)
