"""A data file that nobody described yet -> the `data.csv` and `data.missing` that read it."""

from __future__ import annotations

import codecs
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from bot.adapters.csv_files import BLOCK_BYTES, HEAD_BYTES, check_encoding, records, text_of
from bot.errors import UserError
from bot.specs.data import MISSING, Csv

SEPARATORS = (",", ";", "\t", "|")
ROWS = 2_000
ALWAYS = ("N/A", "n/a", "#N/A", "NULL", "<NA>", "NaT", "nan", "?")  # never a word of its own
AMONG_NUMBERS = (
    "None",
    "none",
    "null",
    "missing",
    "unknown",
    " ",
    "-",
    "--",
    ".",
    "na",
    "n.a.",
    "N.A.",
    "#VALUE!",
    "#DIV/0!",
)

_COMMA = re.compile(r"[+-]?\d+,\d+")
_GROUPS = {mark: re.compile(rf"[+-]?\d{{1,3}}({re.escape(mark)}\d{{3}})+([.,]\d+)?") for mark in ",. '"}


def sniffed(file: Path) -> Csv:
    """How a CSV file is written. Raises UserError when it is empty or in no encoding that can be told."""
    encoding = _encoding(file)
    with text_of(file, encoding) as opened:
        text = opened.read(HEAD_BYTES)
        is_whole = not opened.read(1)
    if not text.strip():
        raise UserError("line 1: the file is empty", hint="It needs a line of column names.", code="data_unreadable")
    separator, trim = _separator(text)
    if separator == "," and ".tsv" in file.suffixes:
        separator = "\t"
    found = Csv(separator=separator, encoding=encoding, trim=trim)
    rows = [row for row, _ in zip(records(io.StringIO(text, newline=""), found), range(ROWS), strict=False)]
    body = rows[1:] if is_whole else rows[1:-1]
    return found.model_copy(update=_marks([row for row in body if len(row) - len(rows[0]) in (0, 1)], separator))


def _encoding(file: Path) -> str:
    """UTF-16 by its mark, UTF-8 when all of the file is, else the Western one that has all its bytes."""
    import pyarrow as pa

    decoder = codecs.getincrementaldecoder("utf-8")()
    is_utf8, rest = True, set[int]()
    with pa.input_stream(str(file), compression="detect") as opened:
        start = True
        while part := opened.read(BLOCK_BYTES):
            if start:
                try:
                    check_encoding(part[:4], "utf-8")
                except UserError:
                    return "utf-16"
            start = False
            try:
                decoder.decode(part) if is_utf8 else None
            except UnicodeDecodeError:
                is_utf8 = False
            if not is_utf8:
                rest |= set(part)
    if is_utf8:
        return "utf-8"
    return "cp1252" if rest & set(range(0x80, 0xA0)) and not rest & {0x81, 0x8D, 0x8F, 0x90, 0x9D} else "latin-1"


def _separator(text: str) -> tuple[str, bool]:
    """The separator that cuts the first records into the most columns of one number, and whether blanks follow it."""
    best, most = (",", False), 1.0
    for mark in SEPARATORS:
        trim = _is_padded(text, mark)
        rows = records(io.StringIO(text, newline=""), Csv(separator=mark, trim=trim))
        widths = Counter(len(row) for row, _ in zip(rows, range(200), strict=False) if row)
        width, n = widths.most_common(1)[0] if widths else (1, 1)
        worth = width * n / max(1, widths.total())
        if width > 1 and worth > most:
            best, most = (mark, trim), worth
    return best


def _is_padded(text: str, mark: str) -> bool:
    """Whether a blank follows nearly every separator of the first lines."""
    if mark == "\t":
        return False
    start = text[:20_000]
    return start.count(f"{mark} ") >= 0.8 * max(1, start.count(mark))


def _marks(rows: Sequence[Sequence[str]], separator: str) -> dict[str, Any]:
    """`decimal` and `thousands`, by the columns whose cells are nothing but such numbers."""
    columns = [[cell.strip() for cell in cells if cell.strip()] for cells in zip(*rows, strict=False)]
    commas, groups = 0, Counter[str]()
    for cells in columns:
        if not cells or not all(re.fullmatch(r"[+-]?[\d.,' ]+|[A-Za-z/#?.-]{1,8}", cell) for cell in cells):
            continue
        numbers = [cell for cell in cells if any(digit.isdigit() for digit in cell)]
        is_decimal = any(_COMMA.fullmatch(one) and not _GROUPS[","].fullmatch(one) for one in numbers)
        commas += is_decimal or (separator != "," and any(map(_COMMA.fullmatch, numbers)))
        for mark, pattern in _GROUPS.items():
            grouped = [one for one in numbers if mark in one]
            if grouped and all(map(pattern.fullmatch, grouped)):
                groups[mark] += 1 if mark != "." or any("," in one for one in grouped) else 0
    decimal = "," if commas and separator != "," else "."
    groups = Counter(
        {mark: n for mark, n in groups.items() if n and mark not in (decimal, separator if separator != "," else "")}
    )
    return {"decimal": decimal, "thousands": groups.most_common(1)[0][0] if groups else None}


def spellings(table: Any) -> tuple[str, ...]:
    """`data.missing` for a table read with the usual one: also what stands where others write nothing."""
    return (*MISSING, *dict.fromkeys(spelling for column in table.columns for spelling in _spelled(column)))


def _spelled(values: Any) -> Iterator[str]:
    import pyarrow as pa
    import pyarrow.compute as pc

    if not pa.types.is_string(values.type):
        return
    different = pc.unique(values.drop_null())
    yield from (one for one in ALWAYS if pc.any(pc.equal(different, one)).as_py())
    rest = different.filter(pc.invert(pc.is_in(different, pa.array([*ALWAYS, *AMONG_NUMBERS]))))
    if len(rest) and len(rest) < len(different) and _are_numbers(rest):
        yield from (one for one in AMONG_NUMBERS if pc.any(pc.equal(different, one)).as_py())


def _are_numbers(texts: Any) -> bool:
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        pc.cast(pc.utf8_trim_whitespace(texts), pa.float64())
    except pa.ArrowInvalid:
        return False
    return True
