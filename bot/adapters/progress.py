"""Progress for people: a bar in a terminal, one line a minute in a log, nothing with `--json`."""

from __future__ import annotations

import os
import sys
import time
from types import TracebackType
from typing import Any, Self

EVERY_S = 60.0


class Progress:
    """A callable for `LocalWorkbench.tell`; use it as a context, so that the bar is taken away at the end."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._bar: Any = None
        self._tasks: dict[str, Any] = {}
        self._quiet, self._last = quiet, -EVERY_S

    def __enter__(self) -> Self:
        # some runners give a job a terminal, though all it writes goes to a log
        if not self._quiet and sys.stderr.isatty() and os.environ.get("CI") != "true":
            from rich.console import Console
            from rich.progress import Progress as Bar

            self._bar = Bar(console=Console(stderr=True), transient=True)
            self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, phase: str, done: int, total: int) -> None:
        """Show that `done` of `total` are done; `total` 0 when it is not known."""
        if self._bar is not None:
            if phase not in self._tasks:
                self._tasks[phase] = self._bar.add_task(phase, total=total or None)
            self._bar.update(self._tasks[phase], completed=done, total=total or None)
        elif not self._quiet and time.monotonic() - self._last >= EVERY_S:
            self._last = time.monotonic()
            print(f"{phase}: {done}{f' of {total}' if total else ''}", file=sys.stderr, flush=True)
