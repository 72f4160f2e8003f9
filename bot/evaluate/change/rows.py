"""Two tables -> rows added, removed and changed by row id, and the columns that changed in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bot.evaluate.fingerprint import column_prints
from bot.evaluate.rows import Mask
from bot.records.evaluation import Section


@dataclass(frozen=True)
class RowChange:
    """`removed` is over the rows before; `added` and `changed` over the rows after. `columns`: rows changed in each."""

    removed: Mask
    added: Mask
    changed: Mask
    columns: dict[str, int]
    repeated_ids: int


def row_change(before: Any, after: Any, row_id: str, columns: Sequence[str]) -> RowChange:
    """`before` and `after` are pyarrow.Tables; `columns` are compared in the rows that both have.

    A row id that is there twice counts by its last row.
    """
    old, new = column_prints(before[row_id], row_id), column_prints(after[row_id], row_id)
    order = np.argsort(old, kind="stable")
    place = np.searchsorted(old[order], new, side="right") - 1
    found = np.zeros(len(new), dtype=bool)
    if len(old):
        found = (place >= 0) & (old[order][np.maximum(place, 0)] == new)
    at = order[place[found]] if len(old) else np.zeros(0, dtype=np.int64)
    changed, by_column = np.zeros(len(new), dtype=bool), {}
    for column in columns:
        differs = column_prints(before[column], column)[at] != column_prints(after[column], column)[found]
        if differs.any():
            by_column[column] = int(differs.sum())
            changed[np.flatnonzero(found)[differs]] = True
    repeated = len(new) - len(np.unique(new))
    return RowChange(~np.isin(old, new), ~found, changed, by_column, repeated)


def rows_section(change: RowChange) -> Section:
    """Counts, then the changed columns, the most changed first."""
    same = int((~change.added & ~change.changed).sum())
    rows = [
        ("added", f"{int(change.added.sum()):,}", ""),
        ("removed", f"{int(change.removed.sum()):,}", ""),
        ("changed", f"{int(change.changed.sum()):,}", _columns(change)),
        ("unchanged", f"{same:,}", ""),
    ]
    if change.repeated_ids:
        rows.append(("row ids there twice", f"{change.repeated_ids:,}", ""))
    head = ("Rows", "Count", "Columns that changed")
    return Section(id="data_rows", heading="Rows by row id", columns=head, rows=tuple(rows))


def _columns(change: RowChange) -> str:
    ordered = sorted(change.columns.items(), key=lambda one: -one[1])
    return ", ".join(f"{name} ({count:,})" for name, count in ordered[:12])
