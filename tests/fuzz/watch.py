"""One input at a time: no other error than one for people, two seconds at most, no write, no process, no connection."""

from __future__ import annotations

import os
import resource
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any

from bot.errors import MlbotError
from tests.fuzz.targets import Target

HANG_S = 2.0
_WRITES = frozenset((
    "os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate", "os.system", "os.exec",
    "os.posix_spawn", "os.fork", "subprocess.Popen", "socket.connect", "socket.bind", "shutil.rmtree", "pty.spawn",
))  # fmt: skip
_armed: list[bool] = []


class WroteError(Exception):
    """Something outside of the process was touched."""


class HangError(BaseException):
    """It took longer than `HANG_S`; no `except Exception` hides it."""


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if not _armed:
        return
    is_write = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
    if is_write or event in _WRITES:
        raise WroteError(f"{event} {arguments[:2]}")


@contextmanager
def guarded() -> Iterator[None]:
    """Inside, writes raise and so does whatever takes too long."""
    if not getattr(sys, "_mlbot_audited", False):
        sys.addaudithook(_audit)
        sys._mlbot_audited = True  # type: ignore[attr-defined]

    def late(*_: object) -> None:
        raise HangError(f"longer than {HANG_S:.0f} s")

    before = signal.signal(signal.SIGPROF, late)
    signal.setitimer(signal.ITIMER_PROF, HANG_S)  # of the processor's time: other work on the machine does not count
    _armed.append(True)
    try:
        yield
    finally:
        _armed.pop()
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


@dataclass
class Found:
    """What a round found: `wrong` are error -> (input, where), the first of each place."""

    inputs: int = 0
    refused: int = 0
    wrong: dict[str, tuple[bytes, str]] = field(default_factory=dict)

    @property
    def peak_mb(self) -> int:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def tried(act: Callable[[bytes], object], data: bytes) -> BaseException | None:
    """What is wrong with how an input is taken; None for an answer and for an error that tells people."""
    given = getattr(act, "before", lambda data: data)(data)
    try:
        with guarded():
            act(given)
    except MlbotError as error:
        return error if error.exit_code != 1 else None
    except (Exception, HangError) as error:
        return error
    return None


def fuzz(target: Target, seconds: float, seed: int, *, stop_at: str | None = None) -> Found:
    """Try inputs for so long; the samples themselves first. `stop_at` is a word of an error that ends it."""
    samples, act = target.samples(), target.act()
    random, found, until = Random(seed), Found(), time.monotonic() + seconds
    while time.monotonic() < until:
        data = samples[found.inputs] if found.inputs < len(samples) else target.mutate(random.choice(samples), random)
        found.inputs += 1
        error = tried(act, data)
        if error is not None:
            last = traceback.extract_tb(error.__traceback__)[-1]
            place = f"{type(error).__name__} at {last.filename.rpartition('/')[2]}:{last.lineno}"
            told = "".join(traceback.format_exception(error))[-3000:]
            found.wrong.setdefault(place, (data, told))
            if stop_at is not None and stop_at in told:
                return found
    return found
