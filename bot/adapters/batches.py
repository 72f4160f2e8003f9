"""A Parquet or CSV file, or a folder of them, as record batches of bounded size."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bot.errors import Place, UserError

ROWS = 64 * 1024
SUFFIXES = (".parquet", ".csv")


def batches(path: Path) -> Iterator[Any]:
    """Record batches in order of file names.

    Raises UserError: `data_missing` when there is no such file, `data_unreadable` when one is cut short or broken.
    """
    import pyarrow as pa

    for file in _files(path):
        try:
            with pa.OSFile(str(file)) as stream:
                yield from read(stream, file.name)
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
            said = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
            hint = "The file may have been cut short while it was copied; copy it again, or leave it out."
            raise UserError(
                f"cannot be read: {said}", hint=hint, place=Place(str(file)), code="data_unreadable"
            ) from None


def _files(path: Path) -> list[Path]:
    found = [path] if path.is_file() else sorted(one for one in path.rglob("*") if one.suffix in SUFFIXES)
    if not found or found[0].suffix not in SUFFIXES:
        hint = "Give a file that ends in .parquet or .csv, or a folder of them."
        raise UserError("there is no table", hint=hint, place=Place(str(path)), code="data_missing")
    return found


def read(stream: Any, name: str) -> Iterator[Any]:
    """Record batches of an open Parquet or CSV file (pyarrow's own or Python's), by the ending of its name."""
    yield from (_parquet if name.endswith(".parquet") else _csv)(stream)


def _parquet(stream: Any) -> Iterator[Any]:
    import pyarrow.parquet

    # What is read ahead stays in memory until the file is closed: with it a file of any size would be held whole.
    with pyarrow.parquet.ParquetFile(stream, pre_buffer=False) as opened:
        yield from opened.iter_batches(ROWS)


def _csv(stream: Any) -> Iterator[Any]:
    from pyarrow import csv

    convert = csv.ConvertOptions(strings_can_be_null=True)
    with csv.open_csv(stream, convert_options=convert) as reader:
        yield from reader
