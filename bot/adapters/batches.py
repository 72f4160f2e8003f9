"""A Parquet or CSV file, or a folder of them, as record batches of bounded size."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bot.adapters.csv_files import batches as csv_batches
from bot.adapters.csv_sniff import sniffed
from bot.adapters.tables import reason
from bot.errors import Place, UserError
from bot.specs.data import MISSING
from bot.specs.values import plain_table

ROWS = 64 * 1024
SUFFIXES = (".parquet", ".csv", ".tsv")


def batches(path: Path) -> Iterator[Any]:
    """Record batches in order of file names.

    Raises UserError: `data_missing` when there is no such file, `data_unreadable` when one is cut short or broken.
    """
    import pyarrow as pa

    for file in _files(path):
        try:
            if file.suffix == ".parquet":
                with pa.OSFile(str(file)) as stream:
                    yield from read(stream, file.name)
            else:
                yield from csv_batches(file, sniffed(file), MISSING)
        except UserError as error:
            raise UserError(error.message, hint=error.hint, place=Place(str(file)), code=error.code) from None
        except (pa.ArrowException, OSError, UnicodeError) as error:
            said = reason(error)
            hint = "The file may have been cut short while it was copied; copy it again, or leave it out."
            raise UserError(
                f"cannot be read: {said}", hint=hint, place=Place(str(file)), code="data_unreadable"
            ) from None


def _files(path: Path) -> list[Path]:
    found = [path] if path.is_file() else sorted(one for one in path.rglob("*") if one.suffix in SUFFIXES)
    if not found or found[0].suffix not in SUFFIXES:
        hint = "Give a file that ends in .parquet, .csv or .tsv, or a folder of them."
        raise UserError("there is no table", hint=hint, place=Place(str(path)), code="data_missing")
    return found


def read(stream: Any, name: str) -> Iterator[Any]:
    """Record batches of an open Parquet or CSV file (pyarrow's own or Python's), by the ending of its name."""
    for batch in (_parquet if name.endswith(".parquet") else _csv)(stream):
        yield plain_table(batch, MISSING)


def _parquet(stream: Any) -> Iterator[Any]:
    import pyarrow.parquet

    # What is read ahead stays in memory until the file is closed: with it a file of any size would be held whole.
    with pyarrow.parquet.ParquetFile(stream, pre_buffer=False) as opened:
        yield from opened.iter_batches(ROWS)


def _csv(stream: Any) -> Iterator[Any]:
    from pyarrow import csv

    convert = csv.ConvertOptions(null_values=list(MISSING), strings_can_be_null=True)
    parse = csv.ParseOptions(newlines_in_values=True)
    with csv.open_csv(stream, parse_options=parse, convert_options=convert) as reader:
        yield from reader
