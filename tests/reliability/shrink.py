"""A schedule that breaks a promise -> a short one that breaks it in the same way."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tests.reliability.play import play
from tests.reliability.schedule import Step

MOST_PLAYS = 120


def smallest(steps: Sequence[Step], name: str, *, most: int = MOST_PLAYS) -> list[Step]:
    """Drop steps, halves first, as long as a violation of this name is still there. At most so many plays."""
    left = [most]

    def fails(tried: Sequence[Step]) -> bool:
        left[0] -= 1
        return any(one.name == name for one in play(tried, until=lambda one: one.name == name).violations)

    found, size = list(steps), max(1, len(steps) // 2)
    while size and left[0] > 0:
        found, dropped = _without(found, size, fails, left)
        size = size if dropped and size == 1 else size // 2
    return found


def _without(
    steps: list[Step], size: int, fails: Callable[[Sequence[Step]], bool], left: list[int]
) -> tuple[list[Step], bool]:
    """Without every piece of this size that is not needed, from the end; and whether there was one."""
    start, dropped = len(steps) - size, False
    while start > -size and left[0] > 0:
        low = max(0, start)
        tried = steps[:low] + steps[low + size :]
        if tried != steps and fails(tried):
            steps, dropped = tried, True
        start -= size
    return steps, dropped
