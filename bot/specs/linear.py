"""Regular expressions that people write in a contract: RE2, whose time grows with the text alone, for any of them.

Python's own engine takes years for some patterns, and whoever may write a spec may write those.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot.specs.base import wrong

MAX_LENGTH = 500
HINT = "Patterns are RE2: https://github.com/google/re2/wiki/Syntax. Look-around and back references are not in it."


def begin_with(pattern: str, names: Sequence[str]) -> list[str]:
    """Those of the names that the pattern fits from the first character. Raises ValueError for what RE2 refuses."""
    fits = _compiled(pattern).match
    return [name for name in names if fits(name)]


def _compiled(pattern: str) -> Any:
    import re2

    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        said = error.args[0]
        raise ValueError(said.decode(errors="replace") if isinstance(said, bytes) else str(said)) from None


def check(pattern: str, *, key: str | None = None) -> None:
    """Raises PydanticCustomError unless RE2 takes the pattern."""
    try:
        if len(pattern) > MAX_LENGTH:
            raise ValueError(f"longer than {MAX_LENGTH} characters")
        _compiled(pattern)
    except ValueError as error:
        raise wrong(f"not a pattern: {str(error)[:200]}", HINT, key=key) from None
