"""How much memory a training may take: what its spec says, else what the team says, and never more than there is."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_SHARE = 0.9  # of the machine, so that a training ends with an error and not the machine


@dataclass(frozen=True)
class Limits:
    """In bytes: of each process whose spec names none, and of a table once it is read. None: the team names none."""

    memory_bytes: int | None = None
    table_bytes: int | None = None

    def process(self, asked: int | None) -> int:
        """Of a process, when its spec asks for so many (None: for none)."""
        return min(asked or self.memory_bytes or machine_bytes(), machine_bytes())

    def table(self, asked: int | None) -> int:
        """Of a model's data in memory: as much as the process may take, or less."""
        return min(self.table_bytes or self.process(asked), self.process(asked))


def machine_bytes() -> int:
    """Nine tenths of the memory of the machine, or of the control group that this process is in."""
    found = [_total()]
    with suppress(OSError, ValueError):
        found.append(int(Path("/sys/fs/cgroup/memory.max").read_text()))
    return int(_SHARE * min(found))


def _total() -> int:
    """MemTotal of /proc/meminfo (https://man7.org/linux/man-pages/man5/proc_meminfo.5.html), which counts KiB."""
    lines = Path("/proc/meminfo").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith("MemTotal:"))
