"""The nearest of some words, for hints."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(word: str, known: Iterable[str], *, short: int = 1, long: int = 2) -> str | None:
    """The known word closest to `word`, None when none is close: `short` edits up to six letters, else `long`.

    An edit inserts, drops, changes or swaps neighbouring letters. Only ASCII words are near anything, so a look-alike
    letter never becomes a suggestion (attack A22).
    """
    if not word.isascii():
        return None
    ranked = sorted((_distance(word, one), one) for one in known)
    if not ranked:
        return None
    distance, best = ranked[0]
    return best if distance <= (short if len(best) <= 6 else long) else None


def _distance(one: str, other: str) -> int:
    """Optimal string alignment distance."""
    before: list[int] = []
    last = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        row = [i]
        for j, b in enumerate(other, 1):
            cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        before, last = last, row
    return last[-1]
