"""Rows of the log, batch by batch: of one release and one window, each once, in the types that it was tested on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from bot.errors import UserError
from bot.records.log import AT, DIGEST, REQUEST, ROW
from bot.specs.split import row_hashes

SKEW = timedelta(minutes=5)  # clocks of two machines differ; a row further ahead is not believed


@dataclass(frozen=True)
class Window:
    """Rows at `since` (aware) or later and before `until`, of the artifact with this digest."""

    since: datetime
    until: datetime
    digest: str


@dataclass
class Count:
    """What one pass over the log saw: rows kept, and rows left out by reason. Times are aware, None without a row.

    `words` are columns whose values do not have the type that the reference has; `there` the columns that came.
    """

    rows: int = 0
    duplicates: int = 0
    future: int = 0
    other_releases: int = 0
    first: datetime | None = None
    last: datetime | None = None
    words: set[str] = field(default_factory=set)
    there: set[str] = field(default_factory=set)


class Once:
    """Which rows came before, by 64-bit hashes of request and row: eight bytes a row."""

    def __init__(self) -> None:
        self.parts: list[Any] = []

    def fresh(self, keys: Any) -> Any:
        """Boolean (n,): rows whose key was not there yet; the first of several within the batch."""
        hashes = row_hashes(keys, 0)
        _, first = np.unique(hashes, return_index=True)
        fresh = np.zeros(len(hashes), dtype=bool)
        fresh[first] = True
        for part in self.parts:
            fresh &= part[np.minimum(np.searchsorted(part, hashes), len(part) - 1)] != hashes
        if fresh.any():
            self.parts.append(np.sort(hashes[fresh]))
        if len(self.parts) > 8:
            self.parts = [np.sort(np.concatenate(self.parts))]
        return fresh


def within(
    batches: Iterable[Any],
    window: Window,
    types: Mapping[str, Any],
    count: Count,
    *,
    as_words: Iterable[str] = (),
    is_unique: bool = False,
) -> Iterator[Any]:
    """Record batches with the request, row and time, and the columns of `types` (name -> Arrow type) that are there.

    What is left out and seen goes into `count`. `is_unique`: an earlier pass found no row twice. Raises UserError when
    a batch has no request id or time.
    """
    once, text = Once(), frozenset(as_words)
    for batch in batches:
        at = times_of(batch)
        future = at >= _us(window.until + SKEW)
        inside = (at >= _us(window.since)) & (at < _us(window.until))  # a little ahead: the next window has it
        mine = _is_of(batch, window.digest)
        count.future += int(future.sum())
        count.other_releases += int((inside & ~mine).sum())
        picked = batch.filter(_mask(inside & mine))
        fresh = np.ones(picked.num_rows, dtype=bool)
        if picked.num_rows and not is_unique:
            fresh = once.fresh(keys_of(picked))
        count.duplicates += len(fresh) - int(fresh.sum())
        if fresh.any():
            picked = picked.filter(_mask(fresh))
            _note_times(times_of(picked), count)
            count.rows += picked.num_rows
            yield _typed(picked, types, text, count)


def keys_of(batch: Any) -> Any:
    """Request and row as one text a row; a table without `_row` means row 0, a row without a request id itself."""
    import pyarrow as pa
    import pyarrow.compute as pc

    names = batch.schema.names
    requests = pc.cast(_flat(batch.column(REQUEST)), pa.string())
    own = pa.array([f"\x1e{number}" for number in range(batch.num_rows)]) if requests.null_count else None
    rows = pc.cast(_flat(batch.column(ROW)), pa.string()) if ROW in names else pa.array(["0"] * batch.num_rows)
    joined = pc.binary_join_element_wise(requests, pc.fill_null(rows, "0"), "\x1f")
    return joined if own is None else pc.coalesce(joined, own)


def times_of(batch: Any) -> Any:
    """int64 (n,) microseconds since 1970 UTC; a time without a zone is in UTC. Raises UserError (`column_missing`,
    `column_type`).
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    for name in (REQUEST, AT):
        if name not in batch.schema.names:
            hint = f"A log has the columns {REQUEST} and {AT}, as `mlbot serve --log` writes them."
            raise UserError(f"the log has no column {name}", hint=hint, code="column_missing")
    try:
        stamps = pc.cast(_flat(batch.column(AT)), pa.timestamp("us", tz="UTC"))
        return pc.fill_null(pc.cast(stamps, pa.int64()), 0).to_numpy(zero_copy_only=False)
    except pa.ArrowException:
        kind = batch.schema.field(AT).type
        hint = "Write timestamps, or text such as 2026-03-01T00:00:00Z."
        raise UserError(f"{AT} is no time but {kind}", hint=hint, code="column_type") from None


def _is_of(batch: Any, digest: str) -> Any:
    """Rows that this artifact answered; a table that does not name artifacts is believed to be of it."""
    import pyarrow.compute as pc

    if DIGEST not in batch.schema.names:
        return np.ones(batch.num_rows, dtype=bool)
    return pc.fill_null(pc.equal(_flat(batch.column(DIGEST)), digest), False).to_numpy(zero_copy_only=False)


def _typed(batch: Any, types: Mapping[str, Any], text: frozenset[str], count: Count) -> Any:
    """The columns in the reference's types; as words where that cannot be, which the next pass does for all rows."""
    import pyarrow as pa

    names = [name for name in (REQUEST, ROW, AT) if name in batch.schema.names]
    columns = [_flat(batch.column(name)) for name in names]
    for name, kind in types.items():
        if name in batch.schema.names:
            count.there.add(name)
            values, fits = converted(_flat(batch.column(name)), pa.string() if name in text else kind)
            if not fits:
                count.words.add(name)
            names.append(name)
            columns.append(values)
    return pa.RecordBatch.from_arrays(columns, names=names)


def converted(values: Any, kind: Any) -> tuple[Any, bool]:
    """Values in a type, and whether all of them could be; else as text."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if values.type == kind:
        return values, True
    try:
        return pc.cast(values, kind, safe=not pa.types.is_floating(kind)), True
    except (pa.ArrowException, NotImplementedError):
        return _as_text(values), False


def _as_text(values: Any) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        return pc.cast(values, pa.string())
    except (pa.ArrowException, NotImplementedError):  # lists and the like
        return pa.array([None if one is None else str(one) for one in values.to_pylist()], pa.string())


def comparable(kind: Any) -> Any:
    """The type in which logged values and test rows are compared: numbers as double, words as text, times as they are.

    JSON has one kind of number and no time, so that the log's own types say little.
    """
    import pyarrow as pa

    types = pa.types
    if types.is_dictionary(kind):
        kind = kind.value_type
    if types.is_boolean(kind) or types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind):
        return pa.float64()
    if types.is_timestamp(kind) or types.is_date(kind) or types.is_time(kind):
        return kind
    return pa.string()


def _note_times(at: Any, count: Count) -> None:
    first, last = _moment(int(at.min())), _moment(int(at.max()))
    count.first = first if count.first is None else min(count.first, first)
    count.last = last if count.last is None else max(count.last, last)


def _moment(us: int) -> datetime:
    return datetime.fromtimestamp(us / 1_000_000, UTC)


def _us(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000_000)


def _mask(rows: Any) -> Any:
    import pyarrow as pa

    return pa.array(rows)


def _flat(column: Any) -> Any:
    return column.combine_chunks() if hasattr(column, "combine_chunks") else column
