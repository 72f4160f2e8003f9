"""Two tables -> columns added, removed or of another type, missing values, duplicates and the shift of the label."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from bot.evaluate.change.drift import chi_square
from bot.evaluate.fingerprint import fingerprints, n_duplicates
from bot.evaluate.tables import texts
from bot.records.evaluation import Section


def columns_section(before: Any, after: Any) -> Section:
    """Columns that came, went or changed their type."""
    old = {name: str(before.schema.field(name).type) for name in before.column_names}
    new = {name: str(after.schema.field(name).type) for name in after.column_names}
    rows = [
        (
            name,
            "added" if name not in old else "removed" if name not in new else "type",
            old.get(name, ""),
            new.get(name, ""),
        )
        for name in sorted(old | new)
        if old.get(name) != new.get(name)
    ]
    note = f"{len(old.keys() & new.keys()):,} columns in both."
    head = ("Column", "Change", "Before", "After")
    return Section(id="data_columns", heading="Columns and types", columns=head, rows=tuple(rows), note=note)


def quality_section(before: Any, after: Any, columns: Sequence[str], row_id: str) -> Section:
    """Missing values by column where their share moved, and repeated rows (row id aside)."""
    rows = []
    for column in columns:
        was, now = (_missing(table[column]) for table in (before, after))
        if was != now:
            rows.append((f"missing in {column}", f"{was:.2%}", f"{now:.2%}"))
    rest = [column for column in columns if column != row_id]
    repeated = [n_duplicates(fingerprints(table, rest)) for table in (before, after)]
    rows.append(("rows that repeat another", f"{repeated[0]:,}", f"{repeated[1]:,}"))
    head = ("Quality", "Before", "After")
    return Section(id="data_quality", heading="Missing values and duplicates", columns=head, rows=tuple(rows))


def label_section(before: Any, after: Any, target: str, is_class: bool) -> Section:
    """Shares of the classes, or mean and quartiles of a number, before and after."""
    if is_class:
        old, new = texts(before[target]), texts(after[target])
        names = np.union1d(old, new)
        counts = np.array([[int((side == name).sum()) for name in names] for side in (old, new)], dtype=np.float64)
        shares = counts / counts.sum(axis=1, keepdims=True)
        rows = [(str(name), f"{a:.2%}", f"{b:.2%}") for name, a, b in zip(names, *shares, strict=True)]
        note = f"Chi-square p = {chi_square(counts):.3g} if the labels of both were drawn alike."
    else:
        sides = [np.asarray(table[target].to_numpy(), dtype=np.float64) for table in (before, after)]
        words = (("mean", np.nanmean), *((f"{q:.0%} quantile", _quantile(q)) for q in (0.25, 0.5, 0.75)))
        rows = [(word, f"{of(sides[0]):.4g}", f"{of(sides[1]):.4g}") for word, of in words]
        note = ""
    head = (target, "Before", "After")
    return Section(id="label_shift", heading="Label", columns=head, rows=tuple(rows), note=note)


def _quantile(q: float) -> Any:
    return lambda values: np.nanquantile(values, q)


def _missing(column: Any) -> float:
    import pyarrow.compute as pc

    return pc.sum(pc.is_null(column, nan_is_null=True)).as_py() / len(column) if len(column) else 0.0
