"""What fits into a limit: whole lines from the top, whole sections by importance; never a part of either."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

COMMENT_LIMIT = 65_536  # a comment's body; counted in UTF-16 code units, which are never fewer than characters
SUMMARY_LIMIT = 1024 * 1024  # bytes, a step's job summary
OVERSIZE = 4  # a piece larger than this part of the room keeps out only its owner's other pieces
Measure = Callable[[str], int]
T = TypeVar("T")


@dataclass(frozen=True)
class Piece:
    """A finished section: whose it is, what it costs, and how long it should stay."""

    owner: str
    id: str
    importance: int
    size: int


def units(text: str) -> int:
    """UTF-16 code units: what GitHub's editor counts, and at least as many as there are characters."""
    return len(text) + sum(char > "\uffff" for char in text)


def utf8(text: str) -> int:
    """Bytes of UTF-8."""
    return len(text.encode("utf-8", "replace"))


def first_that_fit(items: Sequence[T], room: int, cost: Callable[[T], int]) -> list[T]:
    """Items from the first on, whole, until one does not fit."""
    chosen: list[T] = []
    for item in items:
        room -= cost(item)
        if room < 0:
            break
        chosen.append(item)
    return chosen


def kept(pieces: Sequence[Piece], room: int) -> set[tuple[str, str]]:
    """(owner, id) of the pieces that fit, the most important first; among equals in the order given.

    Once a piece does not fit, nothing less important is kept, of anybody; a piece that is itself far too large keeps
    out only what is less important of its owner.
    """
    chosen: set[tuple[str, str]] = set()
    closed: set[str] = set()
    stop, oversize = -1, room // OVERSIZE
    for piece in sorted(pieces, key=lambda one: -one.importance):
        if piece.importance < stop or piece.owner in closed:
            continue
        if piece.size <= room:
            chosen.add((piece.owner, piece.id))
            room -= piece.size
            continue
        closed.add(piece.owner)
        stop = stop if piece.size > oversize else max(stop, piece.importance)
    return chosen
