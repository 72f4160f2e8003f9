"""Tensors of the protocol -> columns: lists from JSON, arrays from binary data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

# A column is a list (JSON: None means missing) or a numpy array (binary data).
Column = Any

DTYPES = {
    "BOOL": "?",
    "UINT8": "<u1",
    "UINT16": "<u2",
    "UINT32": "<u4",
    "UINT64": "<u8",
    "INT8": "<i1",
    "INT16": "<i2",
    "INT32": "<i4",
    "INT64": "<i8",
    "FP16": "<f2",
    "FP32": "<f4",
    "FP64": "<f8",
}
_TYPES: dict[str, tuple[type, ...]] = {
    "BOOL": (bool,),
    "BYTES": (str,),
    "FP16": (float, int),
    "FP32": (float, int),
    "FP64": (float, int),
}
_NONE = type(None)


def column_of(data: Any, datatype: str, shape: Sequence[int]) -> list[Any]:
    """The values of a JSON tensor, flat in row order; null means missing. Raises ValueError."""
    if not isinstance(data, list):
        raise ValueError("`data` must be a list")
    values: list[Any] = data
    if values and isinstance(values[0], list):
        values = [value for row in values for value in (row if isinstance(row, list) else [row])]
    n = shape[0] if len(shape) == 1 else shape[0] * shape[1]
    if len(values) != n:
        raise ValueError(f"{len(values)} values do not fill the shape {list(shape)}")
    allowed = _TYPES.get(datatype, (int,))
    for kind in set(map(type, values)):
        if kind is not _NONE and kind not in allowed:
            raise ValueError(f"{datatype} holds a {kind.__name__}")
    return values


def take_binary(tail: memoryview, size: Any, datatype: str, shape: Sequence[int]) -> tuple[Column, memoryview]:
    """A tensor from the front of the binary data, and the rest. Raises ValueError."""
    if type(size) is not int or not 0 <= size <= len(tail):
        raise ValueError(f"binary_data_size {size!r} is not what follows")
    n = shape[0] if len(shape) == 1 else shape[0] * shape[1]
    raw, rest = tail[:size], tail[size:]
    if datatype == "BYTES":
        return _texts(raw, n), rest
    values = np.frombuffer(raw, dtype=DTYPES[datatype])
    if len(values) != n:
        raise ValueError(f"{len(values)} values do not fill the shape {list(shape)}")
    return values, rest


def _texts(raw: memoryview, n: int) -> list[str]:
    texts, at = [], 0
    for _ in range(n):
        end = at + 4 + int.from_bytes(raw[at : at + 4], "little")
        if len(raw) < at + 4 or end > len(raw):
            raise ValueError("the binary data ends inside an element")
        texts.append(bytes(raw[at + 4 : end]).decode("utf-8"))
        at = end
    if at != len(raw):
        raise ValueError("the binary data is longer than its elements")
    return texts


def split_matrix(values: Column, shape: Sequence[int], names: Sequence[str]) -> dict[str, Column]:
    """One tensor of all inputs, (n, number of inputs) in their order, as a column each. Raises ValueError."""
    width = shape[1]
    if width != len(names):
        raise ValueError(f"{width} columns, but the model reads {len(names)}: {', '.join(names)}")
    return {name: values[index::width] for index, name in enumerate(names)}
