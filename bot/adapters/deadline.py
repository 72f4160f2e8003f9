"""A time limit on what the process does itself, by the machine's own alarm."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from bot.errors import WorldError

AGAIN_S = 30.0  # after a limit that somebody on the way took for a failure of their own


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raises WorldError (code `timeout`) from whatever is done inside when it takes longer.

    In the main thread only, where alarms are delivered; elsewhere, and on systems without them, nothing is limited.
    """
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return

    def ring(_number: int, _frame: FrameType | None) -> None:
        raise WorldError(f"it took longer than {seconds:.0f} s", hint="The next run tries it again.", code="timeout")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
