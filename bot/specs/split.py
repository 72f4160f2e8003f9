"""A table's row ids -> which rows are test rows: a seeded hash of each id, so that growing data moves no row."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bot.errors import UserError
from bot.specs.data import CONTENT
from bot.specs.moments import is_moment, moment, moments

if TYPE_CHECKING:
    from bot.specs.model import ModelSpec

Mask = NDArray[np.bool_]
Hashes = NDArray[np.uint64]

_CHUNK = 65_536
_LONG_ID_BYTES = 256


def split_rows(spec: ModelSpec, table: Any) -> tuple[Mask, Mask]:
    """(train, test) boolean arrays (n,). A row is on neither side when its group has rows on the other side of a
    split by time, or when it would be a test row of a class that no training row has. `table` is a pyarrow.Table with
    the row id, the target and the columns that the split names.

    Raises UserError when one side is empty.
    """
    method = spec.split_method
    if method == "time":
        test = _newest(spec, table)
    else:
        column = spec.data.group if method == "group" and spec.data.group else spec.data.row_id
        values = table[column]
        if column == CONTENT:
            from bot.specs.content import contents

            values = contents(values)
        test = share(row_hashes(values, spec.split.seed), spec.split.test)
    train = ~test
    if spec.data.group and method != "group":
        train &= ~_in_groups_of(table[spec.data.group], test)
    test &= ~unlearnt(spec, table, train, test)
    for side, name in ((train, "training"), (test, "test")):
        if not side.any():
            raise UserError(
                f"the split by {method} leaves no {name} row of {len(test)}",
                hint="Change `split` in the spec, or add rows.",
                code="split_empty",
            )
    return train, test


def unlearnt(spec: ModelSpec, table: Any, train: Mask, test: Mask) -> Mask:
    """Test rows of a class that no training row has: nobody could have learnt it."""
    if spec.task == "regression" or not train.any() or spec.data.target not in table.column_names:
        return np.zeros(len(test), dtype=bool)
    target = table[spec.data.target]
    return test & ~_in_groups_of(target, train)


def test_rows_digest(table: Any, row_id: str, test: Mask) -> str:
    """`sha256:<hex>` of the test rows' ids in sorted order: the identity of a test set, whatever the row order."""
    import pyarrow.compute as pc

    ids = _texts(table[row_id].filter(test))
    digest = hashlib.sha256()
    for text in ids.take(pc.sort_indices(ids)).to_pylist():
        digest.update(f"{len(text)}:{text}\n".encode())
    return "sha256:" + digest.hexdigest()


test_rows_digest.__test__ = False  # type: ignore[attr-defined]  # the name is not a pytest test's


def share(hashes: Hashes, of: float) -> Mask:
    """Boolean (n,): the rows whose hash falls into the first share of the range."""
    return hashes < np.uint64(min(int(of * 2.0**64), 2**64 - 1))


def row_hashes(column: Any, seed: int) -> Hashes:
    """uint64 (n,), uniform and independent of order and neighbours. Numbers hash as their digits, so a file may move
    from CSV to Parquet. `column` is a pyarrow array without missing values.

    Each 8 bytes of the text go through the finalizer of splitmix64 (https://prng.di.unimi.it/splitmix64.c), keyed by
    SHA-256 of the seed.
    """
    key = np.frombuffer(hashlib.sha256(f"mlbot split {seed}".encode()).digest()[:8], dtype="<u8")[0]
    texts = _texts(column)
    parts = [_hash_chunk(texts.slice(start, _CHUNK), key) for start in range(0, len(texts), _CHUNK)]
    return np.concatenate(parts) if parts else np.empty(0, np.uint64)


def _texts(column: Any) -> Any:
    import pyarrow as pa

    if column.null_count:
        raise UserError("a row id or group is missing", hint="Each row needs one.", code="row_id_missing")
    column = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    return column.cast(pa.large_string())


def _hash_chunk(texts: Any, key: np.uint64) -> Hashes:
    _, offset_buffer, data_buffer = texts.buffers()
    offsets = np.frombuffer(offset_buffer, dtype=np.int64)[texts.offset : texts.offset + len(texts) + 1]
    data = np.frombuffer(data_buffer or b"\0", dtype=np.uint8)
    starts, lengths = offsets[:-1], np.diff(offsets)
    result: Hashes = _mixed(key ^ lengths.astype(np.uint64))
    short = lengths <= _LONG_ID_BYTES
    for word in range(0, int(lengths[short].max(initial=0)), 8):
        inside = word + np.arange(8) < lengths[:, None]
        where = np.where(inside, starts[:, None] + word + np.arange(8), 0)
        values = np.where(inside, data[where], np.uint8(0)).astype(np.uint8).view("<u8")[:, 0]
        result = np.where(word < lengths, _mixed(result ^ values), result)
    for row in np.flatnonzero(~short):
        result[row] = _hash_long(data[starts[row] : starts[row] + lengths[row]].tobytes(), key)
    return result


def _hash_long(text: bytes, key: np.uint64) -> np.uint64:
    digest = hashlib.sha256(int(key).to_bytes(8, "little") + text).digest()
    return np.uint64(int.from_bytes(digest[:8], "little"))


def _mixed(values: Any) -> Any:
    with np.errstate(over="ignore"):
        values = values + np.uint64(0x9E3779B97F4A7C15)
        values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _in_groups_of(groups: Any, rows: Mask) -> Mask:
    import pyarrow.compute as pc

    return np.asarray(pc.is_in(groups, value_set=pc.unique(groups.filter(rows))).to_numpy(), dtype=bool)


def _newest(spec: ModelSpec, table: Any) -> Mask:
    import pyarrow.compute as pc

    times = table[spec.data.time].combine_chunks()
    if times.null_count:
        raise UserError(
            f"{times.null_count} rows have no {spec.data.time}",
            hint="A split by time needs one in each row: filter with `where`, or split by another method.",
            code="time_missing",
        )
    if is_moment(times.type):
        times = moments(times)
    if spec.split.test_from is None:
        first = times[pc.sort_indices(times)[min(len(times) - 1, int(len(times) * (1 - spec.split.test)))].as_py()]
    else:
        first = _start(spec, spec.split.test_from, times.type)
    return np.asarray(pc.greater_equal(times, first).to_numpy(zero_copy_only=False), dtype=bool)


def _start(spec: ModelSpec, text: str, kind: Any) -> Any:
    import pyarrow as pa

    try:
        return moment(text, kind) if is_moment(kind) else pa.scalar(text).cast(kind)
    except (ValueError, pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise UserError(
            f"`split.test_from`: {text!r} is not a {kind}, the type of {spec.data.time}",
            hint="Write it like 2026-06-01, 2026-06-01T12:30:00Z, or the number.",
            place=spec.place("split.test_from"),
            code="split_invalid",
        ) from None
