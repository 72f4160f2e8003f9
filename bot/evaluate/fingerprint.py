"""Rows as 64-bit fingerprints, so that equal rows are found by sorting numbers. A chance collision of two rows among a
million has a probability of 3e-8."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Prints = NDArray[np.uint64]


def fingerprints(table: Any, columns: Sequence[str]) -> Prints:
    """uint64 (n,) of these columns of a pyarrow.Table; missing equals missing, 1 equals 1.0."""
    out = np.zeros(table.num_rows, dtype=np.uint64)
    with np.errstate(over="ignore"):
        for column in columns:
            out += column_prints(table[column], column)
    return out


def column_prints(column: Any, name: str) -> Prints:
    """uint64 (n,), salted with the column's name; the sum over columns is the row's fingerprint."""
    import pyarrow as pa
    import pyarrow.compute as pc

    salt = np.uint64(int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little"))
    kind = column.type
    if pa.types.is_integer(kind) and (pc.max(pc.abs(pc.cast(column, pa.int64()))).as_py() or 0) >= 2**53:
        column = pc.cast(column, pa.string())  # float64 would make neighbours equal
    elif pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        numbers = pc.cast(column, pa.float64(), safe=False).to_numpy() + 0.0  # -0.0 becomes 0.0
        numbers = np.where(np.isnan(numbers), np.nan, numbers)
        return _mixed(np.ascontiguousarray(numbers).view(np.uint64) ^ salt)
    encoded = pc.cast(column, pa.string()).combine_chunks().dictionary_encode()
    words = [*encoded.dictionary.to_pylist(), "\0missing"]
    each = np.array([int.from_bytes(hashlib.sha256(word.encode()).digest()[:8], "little") for word in words], np.uint64)
    codes = encoded.indices.fill_null(len(words) - 1).to_numpy(zero_copy_only=False)
    return _mixed(each[codes.astype(np.int64)] ^ salt)


def _mixed(values: Prints) -> Prints:
    # the finalizer of splitmix64: https://prng.di.unimi.it/splitmix64.c
    with np.errstate(over="ignore"):
        values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return values ^ (values >> np.uint64(31))


def n_duplicates(prints: Prints) -> int:
    """Rows that repeat an earlier row."""
    return len(prints) - len(np.unique(prints))
