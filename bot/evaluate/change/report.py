"""Two versions of a model's data -> every section of the data change report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.evaluate.change.columns import columns_section, label_section, quality_section
from bot.evaluate.change.drift import drift_section, drifts
from bot.evaluate.change.files import files_section
from bot.evaluate.change.rows import row_change, rows_section
from bot.records.evaluation import Section
from bot.records.plan import DataFile
from bot.specs.model import ModelSpec

ENOUGH_ROWS = 50


@dataclass(frozen=True)
class Version:
    """One version of the data: its files as DVC lists them, and all rows as a pyarrow.Table."""

    files: Sequence[DataFile]
    table: Any


def data_change(
    before: Version, after: Version, spec: ModelSpec, readers: Mapping[str, Sequence[str]]
) -> tuple[Section, ...]:
    """Sections in the order to show them; only the listing when no file of the model changed.

    `readers`: model -> columns that it reads, for all models that read these data. Drift compares the rows before with
    the rows that were added or changed, since the others are the same rows.
    """
    listing = files_section(before.files, after.files)
    if not listing.rows:
        return (listing,)
    row_id, target = spec.data.row_id, spec.data.target
    shared = [name for name in after.table.column_names if name in before.table.column_names]
    same_type = [one for one in shared if before.table.schema.field(one).type == after.table.schema.field(one).type]
    change = row_change(before.table, after.table, row_id, [one for one in shared if one != row_id])
    sections = [
        listing,
        columns_section(before.table, after.table),
        rows_section(change),
        quality_section(before.table, after.table, shared, row_id),
        label_section(before.table, after.table, target, spec.task != "regression"),
    ]
    new = after.table.filter(change.added | change.changed)
    if new.num_rows >= ENOUGH_ROWS:
        found = drifts(before.table, new, [one for one in same_type if one != row_id])
        sections.append(drift_section(found, before.table.num_rows, new.num_rows, _by_column(readers)))
    sections.append(_readers_section(readers))
    return tuple(sections)


def _by_column(readers: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    out: dict[str, list[str]] = {}
    for model, columns in sorted(readers.items()):
        for column in columns:
            out.setdefault(column, []).append(model)
    return out


def _readers_section(readers: Mapping[str, Sequence[str]]) -> Section:
    rows = tuple((model, f"{len(columns):,}") for model, columns in sorted(readers.items()))
    return Section(id="data_readers", heading="Models that read these data", columns=("Model", "Columns"), rows=rows)
