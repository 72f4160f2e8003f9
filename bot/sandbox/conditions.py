"""Does a job run? Its `if:`, its needs, and whether the run was cancelled.

https://docs.github.com/actions/reference/workflows-and-actions/expressions#status-check-functions
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bot.sandbox import expressions

STATUS = re.compile(r"\b(success|failure|cancelled|always)\s*\(", re.IGNORECASE)


def needs_of(job: Mapping[str, Any]) -> list[str]:
    """The keys of the jobs that a job waits for."""
    given = job.get("needs") or []
    return [given] if isinstance(given, str) else [str(one) for one in given]


def goes_on(job: Mapping[str, Any]) -> bool:
    """Whether a job may run in a run that was cancelled: only one whose condition names `always()` or `cancelled()`."""
    return bool(re.search(r"\balways\s*\(|(?<!!)\bcancelled\s*\(", str(job.get("if", "")), re.IGNORECASE))


def runs(
    job: Mapping[str, Any], contexts: Mapping[str, Any], results: Mapping[str, str], *, is_cancelled: bool = False
) -> bool:
    """Whether a job runs, whose needs ended with `results` (success, failure, cancelled, skipped) by key.

    A condition without a status function holds only when all needs succeeded. Raises UnknownError when it rests on
    what is not known here.
    """
    condition = str(job.get("if", "")).strip()
    text = condition.removeprefix("${{").removesuffix("}}") if condition.startswith("${{") else condition
    ended = [results.get(name, "skipped") for name in needs_of(job)]
    functions = {
        "always()": True,
        "cancelled()": is_cancelled,
        "failure()": not is_cancelled and "failure" in ended,
        "success()": not is_cancelled and all(one == "success" for one in ended),
    }
    if not STATUS.search(text):
        if not functions["success()"]:
            return False
        return not text or expressions.is_true(expressions.value(text, {**contexts, **functions}))
    return expressions.is_true(expressions.value(text, {**contexts, **functions}))
