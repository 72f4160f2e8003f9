"""A sketch of a set of row ids: enough to tell which share of its rows another set holds, in 256 numbers.

The bottom-k sketch of Cohen and Kaplan (2007): the smallest hashes of a set are a random sample of it, and two sets
sample what they share alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from bot.specs.split import row_hashes

SIZE = 256
FEWEST = 8
SEED = -1  # no split has it: a split keeps rows of small hashes, of which a sketch by the same hash would be no sample


def sketch_of(ids: Any) -> tuple[str, ...]:
    """The smallest hashes of a column of row ids, as 16 hexadecimal digits each, in order."""
    hashes = np.unique(row_hashes(ids, SEED))[:SIZE]
    return tuple(f"{int(one):016x}" for one in hashes)


def share_held(rows: Sequence[str], by: Sequence[str]) -> float:
    """About which share of the rows of the first sketch the set of the second one holds: within 0.06 of it.

    Of few rows beside very many it cannot be told, and then all of them count as held.
    """
    if not rows or not by:
        return 0.0
    # below the smaller of the two ends both samples are complete
    ends = [max(one) for one in (rows, by) if len(one) >= SIZE]
    end = min(ends) if ends else "g"
    inside = [one for one in rows if one <= end]
    held = set(by)
    return sum(one in held for one in inside) / len(inside) if len(inside) >= min(FEWEST, len(rows)) else 1.0
