"""Golden predictions: rows with the answers that training gave, to be reproduced before anything is served."""

from __future__ import annotations

from typing import Any

import numpy as np

from bot.records.training import Golden

SKOPS_TOLERANCE = 1e-6  # other processors differ in the last digits (rtol 1e-9 was seen); a wrong model differs at once
ONNX_TOLERANCE = 1e-4  # what the parity gate allows


def golden_columns(golden: Golden, names: tuple[str, ...]) -> dict[str, list[Any]]:
    """The rows as the columns of a request; a key that a row lacks is missing (None)."""
    return {name: [row.get(name) for row in golden.rows] for name in names}


def difference(expected: Any, found: Any, tolerance: float) -> str | None:
    """What differs between recorded and new predictions, None when nothing does beyond the tolerance.

    Numbers are compared relative to 1 or their size, whichever is larger; labels exactly.
    """
    one, two = np.asarray(expected), np.asarray(found)
    if one.shape != two.shape:
        return f"{two.shape} values instead of {one.shape}"
    if one.dtype.kind in "fiu" and two.dtype.kind in "fiu":
        gap = np.abs(one - two) / np.maximum(1.0, np.abs(one))
        worst = float(np.max(gap)) if gap.size else 0.0
        return None if worst <= tolerance else f"largest difference {worst:.2g}, allowed {tolerance:.0e}"
    n = int(np.sum(one.astype(str) != two.astype(str)))
    return f"{n} of {one.size} labels differ" if n else None
