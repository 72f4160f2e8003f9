"""CSV files in any dialect that `data.csv` says -> pyarrow tables; what cannot be read is named with its line.

Arrow reads; Python's own `csv` looks at the first lines, finds the broken line afterwards, and rewrites the one dialect
that Arrow does not know (blanks after separators).
"""

from __future__ import annotations

import csv as lines
import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.errors import UserError
from bot.specs.data import Csv

HEAD_BYTES = 64 * 1024  # looked at by Python: names, codes
BLOCK_BYTES = 8 * 1024 * 1024
MOST_BLOCK_BYTES = 2**31 - 1
_CSV_COLUMN = re.compile(r"CSV column #(\d+)")
_CODE = re.compile(r"0\d+|[+-]?\d{19,}")  # 007 is no 7, and nothing holds 20 digits exactly
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_COMPRESSED = (".gz", ".bz2", ".zst", ".lz4", ".br")


@dataclass(frozen=True)
class Head:
    """The first record: names of the columns, as they are called here, the lines that it takes, and which columns hold
    codes (digits that are no number) in the first rows. `is_renamed`: a name differs from what the file says.
    """

    names: tuple[str, ...]
    n_lines: int
    codes: frozenset[str]
    is_renamed: bool


def form_of(file: Path, form: Csv | None) -> Csv:
    """What the spec says, or the rules for a file without: a comma, a tab in `.tsv`."""
    if form is not None:
        return form
    return Csv(separator="\t") if ".tsv" in file.suffixes else Csv()


def read_csv(
    file: Path,
    form: Csv,
    missing: Sequence[str],
    columns: Sequence[str] | None = None,
    types: dict[str, Any] | None = None,
    first: Head | None = None,
) -> Any:
    """The table, or some of its columns in the order asked for. A type is that of the first block; a column that turns
    out wider later is read again as such. `types` are known beforehand, and so may be the `first` record.

    Raises UserError with the line of what cannot be read, and pyarrow's errors for broken compression.
    """
    import pyarrow as pa
    from pyarrow import csv

    first = first or head(file, form)
    known = {name: pa.string() for name in first.codes} | (types or {})
    block, newlines = BLOCK_BYTES, False
    while True:
        convert = _conversion(form, missing, columns, known)
        try:
            with _source(file, form) as source:
                table = csv.read_csv(source, _reading(form, first, block), _parsing(form, newlines=newlines), convert)
            break
        except pa.ArrowInvalid as error:
            name = _wider(error, first, known)
            if name is not None:
                known[name] = pa.string() if name in known else pa.float64()
            elif not newlines:  # a line break in quotes costs speed to allow, so only where there is one
                newlines = True
            elif "straddl" in str(error) and block < MOST_BLOCK_BYTES:
                block = min(8 * block, MOST_BLOCK_BYTES)
            else:
                raise _broken(file, form, len(first.names)) or error from None
    return _finished(table, form)


def batches(file: Path, form: Csv, missing: Sequence[str]) -> Iterator[Any]:
    """The same as record batches of bounded size; a file of more than one block is gone through twice, since a type is
    known only when all of it was seen.
    """
    import pyarrow as pa
    from pyarrow import csv

    first = head(file, form)
    known = {name: pa.string() for name in first.codes}
    is_certain = _is_small(file)
    while True:
        convert = _conversion(form, missing, None, known)
        try:
            with _source(file, form) as source:
                options = _reading(form, first, BLOCK_BYTES), _parsing(form, newlines=True)
                with csv.open_csv(source, *options, convert) as reader:
                    for batch in reader:
                        if is_certain:
                            yield _finished(batch, form)
            if is_certain:
                return
            is_certain = True
        except pa.ArrowInvalid as error:
            name = _wider(error, first, known)
            if name is None:
                raise _broken(file, form, len(first.names)) or error from None
            known[name] = pa.string() if name in known else pa.float64()


def _is_small(file: Path) -> bool:
    return not file.name.endswith(_COMPRESSED) and file.stat().st_size < BLOCK_BYTES // 2


def head(file: Path, form: Csv) -> Head:
    """The first record of a file. Raises UserError when there is none, or two columns have one name."""
    with text_of(file, form.encoding) as text:
        start = text.read(HEAD_BYTES)
        while (
            start
            and "\n" not in start.rstrip("\n")
            and len(start) < MOST_BLOCK_BYTES
            and (more := text.read(HEAD_BYTES))
        ):
            start += more
    reader = records(io.StringIO(start, newline=""), form)
    raw = next((row for row in reader if row), None)
    if raw is None:
        raise UserError("line 1: the file is empty", hint="It needs a line of column names.", code="data_unreadable")
    n_lines = reader.line_num
    rows = [row for row in reader if row]
    rows = rows[:-1] if len(start) >= HEAD_BYTES else rows  # the last one may be cut
    if rows and all(len(row) == len(raw) + 1 and row[-1] for row in rows):
        names = named_columns(["", *raw], form)  # as R writes row names, without a name above them
    else:
        names = named_columns(raw, form)
    cells = zip(*(row for row in rows if len(row) == len(names)), strict=True)
    codes = {name for name, column in zip(names, cells, strict=False) if is_code(column)}
    return Head(tuple(names), n_lines, frozenset(codes), list(names) != raw)


def named_columns(raw: Sequence[str], form: Csv) -> list[str]:
    """A column without a name is called by its place: `DataFrame.to_csv` and R write such a first column."""
    found = [name.strip() if form.trim else name for name in raw]
    found = [name or f"column_{place}" for place, name in enumerate(found, 1)]
    doubled = sorted({name for name in found if found.count(name) > 1}) if len(set(found)) < len(found) else []
    if doubled:
        raise UserError(f"line 1: two columns are called {doubled[0]!r}", hint="Rename one.", code="column_doubled")
    return found


def is_code(cells: Sequence[str]) -> bool:
    """Whether digits in a column are no numbers: some begin with 0, or are longer than a whole number can be."""
    return any(_CODE.fullmatch(cell.strip()) for cell in cells)


def records(text: Any, form: Csv) -> Any:
    """Python's own reader of the dialect."""
    lines.field_size_limit(MOST_BLOCK_BYTES)
    return lines.reader(text, delimiter=form.separator, skipinitialspace=form.trim)


@contextmanager
def text_of(file: Path, encoding: str) -> Iterator[Any]:
    """The file as text, unpacked, line ends as they are. Raises UserError (`data_encoding`) for the wrong encoding."""
    import pyarrow as pa

    with pa.input_stream(str(file), compression="detect") as opened:
        buffered = io.BufferedReader(opened, HEAD_BYTES)
        check_encoding(buffered.peek(4)[:4], encoding)
        name = "utf-8-sig" if encoding.lower() in ("utf-8", "utf8") else encoding
        with io.TextIOWrapper(buffered, encoding=name, newline="") as text:
            yield text


def check_encoding(start: bytes, encoding: str) -> None:
    """Refuse UTF-16 that nobody said. Raises UserError (`data_encoding`)."""
    if start[:2] in _UTF16 and not encoding.lower().startswith("utf-16"):
        raise UserError(
            "line 1: the file is UTF-16, not UTF-8 text",
            hint="Write `csv: {encoding: utf-16}` under `data`, or the file in UTF-8.",
            code="data_encoding",
        )


@contextmanager
def _source(file: Path, form: Csv) -> Iterator[Any]:
    """What Arrow reads: the path, or the file rewritten without blanks after separators."""
    if not form.trim:
        yield str(file)
        return
    with text_of(file, form.encoding) as text:
        yield io.BufferedReader(_Rewritten(records(text, form), form.separator), BLOCK_BYTES)


class _Rewritten(io.RawIOBase):
    """Records as CSV in UTF-8, a chunk at a time."""

    def __init__(self, rows: Any, separator: str) -> None:
        self.rows, self.separator, self.left = rows, separator, b""

    def readable(self) -> bool:
        """It is for reading."""
        return True

    def readinto(self, buffer: Any) -> int:
        """The next bytes; 0 at the end."""
        while len(self.left) < len(buffer):
            rows = [row for row, _ in zip(self.rows, range(10_000), strict=False)]
            if not rows:
                break
            text = io.StringIO(newline="")
            lines.writer(text, delimiter=self.separator).writerows(rows)
            self.left += text.getvalue().encode()
        n = min(len(buffer), len(self.left))
        buffer[:n], self.left = self.left[:n], self.left[n:]
        return n


def _reading(form: Csv, first: Head, block: int) -> Any:
    from pyarrow import csv

    encoding = "utf8" if form.trim or form.encoding.lower() in ("utf-8", "utf8") else form.encoding
    names = {"column_names": list(first.names), "skip_rows": first.n_lines} if first.is_renamed else {}
    return csv.ReadOptions(block_size=block, encoding=encoding, **names)


def _parsing(form: Csv, *, newlines: bool) -> Any:
    from pyarrow import csv

    return csv.ParseOptions(delimiter=form.separator, newlines_in_values=newlines)


def _conversion(form: Csv, missing: Sequence[str], columns: Sequence[str] | None, types: dict[str, Any]) -> Any:
    from pyarrow import csv

    return csv.ConvertOptions(
        null_values=list(missing),
        strings_can_be_null=True,
        include_columns=None if columns is None else list(columns),
        column_types=types,
        decimal_point=form.decimal,
    )


def _wider(error: Exception, first: Head, known: dict[str, Any]) -> str | None:
    """The column that turned out wider than its type; None when something else is wrong."""
    import pyarrow as pa

    match = _CSV_COLUMN.search(str(error))
    name = first.names[int(match[1])] if match else None
    return None if name is None or known.get(name) == pa.string() or "UTF8" in str(error) else name


def _broken(file: Path, form: Csv, width: int) -> UserError | None:
    """The first line that is no record of the file, as an error for people; None when Python finds none."""
    with text_of(file, form.encoding) as text:
        reader, line = records(text, form), 1
        for row in reader:
            if row and len(row) != width:
                is_open = any("\n" in cell for cell in row)
                why = "; a quote may have been left open" if is_open else ""
                return UserError(
                    f"line {line}: {len(row)} values, but there are {width} columns{why}",
                    hint="Mend that line. A value with a separator or a line break stands in quotes.",
                    code="data_unreadable",
                )
            line = reader.line_num + 1
    return None


def _finished(table: Any, form: Csv) -> Any:
    """Checked for text that is none, and with numbers that have thousands separators."""
    import pyarrow as pa

    for position, field in enumerate(table.schema):
        if pa.types.is_binary(field.type):
            raise UserError(
                f"the column {field.name!r} is not UTF-8 text",
                hint="Write the file in UTF-8, or its `encoding` under `data.csv`, for example `latin-1`.",
                code="data_encoding",
            )
        if form.thousands and pa.types.is_string(field.type):
            numbers = _without_thousands(table.column(position), form)
            if numbers is not None:
                table = table.set_column(position, field.name, numbers)
    return table


def _without_thousands(values: Any, form: Csv) -> Any:
    """The numbers of a column of text such as 12,063; None when it holds anything else."""
    import pyarrow as pa
    import pyarrow.compute as pc

    mark, point = re.escape(form.thousands or ""), re.escape(form.decimal)
    pattern = rf"^[+-]?(\d{{1,3}}({mark}\d{{3}})+|\d+)({point}\d+)?$"
    if values.null_count == len(values) or not pc.all(pc.match_substring_regex(values, pattern)).as_py():
        return None
    plain = pc.replace_substring(pc.replace_substring(values, form.thousands, ""), form.decimal, ".")
    try:
        return pc.cast(plain, pa.int64())
    except pa.ArrowInvalid:
        return pc.cast(plain, pa.float64())
