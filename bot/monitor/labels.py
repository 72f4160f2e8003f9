"""Labels that come later, and the logged rows that they belong to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from bot.errors import UserError
from bot.monitor.logged import keys_of
from bot.records.log import AT, REQUEST, ROW


@dataclass(frozen=True)
class Labels:
    """One label a row: `keys` as `keys_of` gives them, `table` with the target and whatever else came along.

    `duplicates` said the same again; `corrected` were replaced by a newer one of the same row; `conflicting` are rows
    of which two labels differ and neither is newer: those rows have no label.
    """

    keys: Any
    table: Any
    duplicates: int
    corrected: int
    conflicting: int

    def __len__(self) -> int:
        return len(self.keys)


def labels_of(batches: Iterable[Any], target: str, missing: str) -> Labels | None:
    """Labels from tables with the request id, the target and, where there is one, `_row` and a time `_at`.

    None without a single label. A missing target is no label. Of two labels of one row the one with the later `_at`
    holds. Raises UserError (code `column_missing`) naming `missing`, the place, when a column is not there.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    tables = [pa.Table.from_batches([one]) for one in batches if one.num_rows]
    if not tables:
        return None
    table = _together(tables)
    for name in (REQUEST, target):
        if name not in table.column_names:
            hint = f"Labels need {REQUEST}, {target} and, for requests of several rows, {ROW}."
            raise UserError(f"{missing} has no column {name}", hint=hint, code="column_missing")
    table = table.filter(pc.and_(pc.is_valid(table[target]), pc.is_valid(table[REQUEST])))
    if table.num_rows == 0:
        return None
    return _one_a_row(table, target)


def _together(tables: list[Any]) -> Any:
    import pyarrow as pa

    try:
        return pa.concat_tables(tables, promote_options="permissive").combine_chunks()
    except pa.ArrowException:  # a column that is a number here and a word there
        texts = [one.cast(pa.schema([(name, pa.string()) for name in one.column_names])) for one in tables]
        return pa.concat_tables(texts, promote_options="permissive").combine_chunks()


def _one_a_row(table: Any, target: str) -> Labels:
    """Walks the labels once; a later time wins, then what came first stays unless another differs."""
    import pyarrow as pa
    import pyarrow.compute as pc

    keys = keys_of(table).to_pylist()
    said = pc.cast(table[target], pa.string()).to_pylist()
    said_at = pc.cast(table[AT], pa.string()).to_pylist() if AT in table.column_names else [""] * len(keys)
    times = [one or "" for one in said_at]
    chosen: dict[str, int] = {}
    unclear: set[str] = set()
    duplicates = corrected = 0
    for number, key in enumerate(keys):
        before = chosen.setdefault(key, number)
        if before == number:
            continue
        if times[number] > times[before]:
            chosen[key] = number
        if times[number] == times[before] and said[number] != said[before]:
            unclear.add(key)
        elif said[number] == said[before] and key not in unclear:
            duplicates += 1
        elif times[number] != times[before]:
            corrected += 1
            unclear -= {key} if times[number] > times[before] else set()
    kept = [number for key, number in chosen.items() if key not in unclear]
    picked = pa.array(kept, pa.int64())
    names = [name for name in table.column_names if name not in (REQUEST, ROW, AT)]
    return Labels(
        pa.array([keys[number] for number in kept], pa.string()), table.select(names).take(picked), duplicates,
        corrected, len(unclear),
    )  # fmt: skip


def joined(batches: Iterable[Any], labels: Labels, found: set[int]) -> Iterator[Any]:
    """Of the logged batches, the rows that have a label, with the columns of `labels.table` beside them.

    A column of both is the log's, and the label's own is called `<name> (label)`. `found` collects which labels were
    used, by position.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    for batch in batches:
        at = pc.index_in(keys_of(batch), value_set=labels.keys)
        used = at.drop_null()
        if not len(used):
            continue
        found.update(used.to_pylist())
        rows = pa.Table.from_batches([batch]).filter(pc.is_valid(at))
        for name in labels.table.column_names:
            column = labels.table[name].take(used)
            rows = rows.append_column(f"{name} (label)" if name in rows.column_names else name, column)
        yield from rows.combine_chunks().to_batches()
