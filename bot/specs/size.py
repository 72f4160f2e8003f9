"""Amounts of memory as people write them: `4 GB` -> 4,000,000,000 bytes."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

Size = Annotated[str, Field(pattern=r"^[1-9][0-9]{0,5}(\.[0-9])? ?(MB|GB)$")]


def size_bytes(size: str | None) -> int | None:
    """Bytes of a checked Size, None for None."""
    if size is None:
        return None
    number, unit = size[:-2].strip(), size[-2:]
    return int(float(number) * (10**9 if unit == "GB" else 10**6))
