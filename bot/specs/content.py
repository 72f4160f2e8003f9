"""A row id for tables that have none: the row's own content, the same wherever the row stands and whatever is added.

The id is a 64-bit hash of the values of the row's columns, written as digits; rows with the same content are told apart
by `-2`, `-3`, ... in the order in which they are read. The split goes by the hash alone, so that they stay together.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence
from typing import Any

import numpy as np

from bot.specs.data import CONTENT, Data
from bot.specs.split import row_hashes

_ABSENT = "\0missing"
_REPEATED = r"-\d+$"


def content_columns(data: Data, names: Sequence[str]) -> tuple[str, ...]:
    """The columns that make the content: those that `data.content` names, without the target, by name in order."""
    chosen = {
        name
        for name in names
        if name not in (data.target, CONTENT)
        and any(name == pattern or fnmatch.fnmatchcase(name, pattern) for pattern in data.content)
    }
    return tuple(sorted(chosen))


def with_content_ids(table: Any, columns: Sequence[str]) -> Any:
    """The pyarrow.Table with the ids as the column CONTENT."""
    import pyarrow as pa
    import pyarrow.compute as pc

    mixed = np.zeros(table.num_rows, dtype=np.uint64)
    for name in columns:
        texts = pc.fill_null(pc.cast(_spelled(table[name]), pa.large_string()), _ABSENT)
        with np.errstate(over="ignore"):
            mixed = mixed * np.uint64(0x9E3779B97F4A7C15) + row_hashes(texts, 0)
    digits = pa.array(mixed).cast(pa.string())
    nth = _nth(mixed)
    repeats = pc.binary_join_element_wise(digits, pa.array(nth).cast(pa.string()), "-")
    return table.append_column(CONTENT, pc.if_else(pa.array(nth > 1), repeats, digits))


def contents(ids: Any) -> Any:
    """The ids without what tells rows of the same content apart."""
    import pyarrow.compute as pc

    return pc.replace_substring_regex(ids, _REPEATED, "")


def _spelled(values: Any) -> Any:
    """Times in one unit: a file may be written again in another one."""
    import pyarrow as pa

    return values.cast(pa.timestamp("us", values.type.tz), safe=False) if pa.types.is_timestamp(values.type) else values


def _nth(hashes: Any) -> Any:
    """int64 (n,): 1 for the first row of a content, 2 for the next one, in the order of the rows."""
    order = np.argsort(hashes, kind="stable")
    ordered = hashes[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]]) if len(ordered) else np.empty(0, np.int64)
    lengths = np.diff(np.r_[starts, len(ordered)])
    nth = np.empty(len(hashes), dtype=np.int64)
    nth[order] = np.arange(len(ordered)) - np.repeat(starts, lengths) + 1
    return nth
