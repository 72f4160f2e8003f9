"""Loaded by Python itself in the runs of a sandbox whose clock was moved: there the bot's clock is ahead as well.

Times of Git commits stay those of the machine.
"""

import contextlib
import os
from datetime import datetime, timedelta

with contextlib.suppress(ImportError):
    from bot.adapters.clock import SystemClock

    _machine = SystemClock.now

    def _now(self: SystemClock) -> datetime:
        return _machine(self) + timedelta(seconds=float(os.environ.get("SANDBOX_AHEAD_S", "0")))

    SystemClock.now = _now  # type: ignore[method-assign]
