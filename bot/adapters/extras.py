"""Libraries that a job needs seldom, installed at the moment when it does."""

from __future__ import annotations

import importlib
import importlib.util
import os
import subprocess

from bot.errors import missing_extra


def bring(library: str) -> None:
    """Have a library that can be imported: in a job of GitHub Actions uv installs its extra, from the lock.

    Raises UserError (code `extra_missing`) anywhere else, and when uv cannot.
    """
    if importlib.util.find_spec(library) is not None:
        return
    missing = missing_extra(library)
    if os.environ.get("GITHUB_ACTIONS") != "true":
        raise missing
    extra = missing.message.split("`")[1]
    done = subprocess.run(["uv", "sync", "--frozen", "--inexact", "--extra", extra], capture_output=True, check=False)
    importlib.invalidate_caches()
    if done.returncode or importlib.util.find_spec(library) is None:
        raise missing
