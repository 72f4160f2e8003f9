"""Marks what is known to be wrong."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bot.errors import MlbotError


def wrong(finding: str, reason: str) -> pytest.MarkDecorator:
    """An expected failure with its number: only a failed assertion counts, and who mends it takes the mark away."""
    return pytest.mark.xfail(strict=True, raises=AssertionError, reason=f"{finding}: {reason}")


def given(is_so: bool, what: str) -> None:
    """What a test starts from; that it is not so is no expected failure. Raises RuntimeError."""
    if not is_so:
        raise RuntimeError(f"not given: {what}")


def refused(act: Callable[[], object]) -> str:
    """What the bot says of it, empty when it does it."""
    try:
        act()
    except MlbotError as error:
        return str(error)
    return ""
