"""Data files -> one pyarrow.Table, with columns projected, rows filtered, and what was left out counted."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from bot.adapters.csv_files import BLOCK_BYTES, form_of, head, read_csv
from bot.adapters.limits import Limits
from bot.errors import Problems, UserError
from bot.records.plan import DataFile
from bot.specs.content import content_columns, with_content_ids
from bot.specs.data import CONTENT, ENDINGS, Csv, Data, Format, files_of
from bot.specs.expression import columns_of, holds
from bot.specs.validation import did_you_mean
from bot.specs.values import plain_table

if TYPE_CHECKING:
    from bot.specs.contract import Contract
    from bot.specs.model import ModelSpec


class Form(Protocol):
    """What reading asks of `data` in a spec."""

    @property
    def path(self) -> str: ...
    @property
    def missing(self) -> tuple[str, ...]: ...
    @property
    def csv(self) -> Csv | None: ...


COUNTS = (b"rows_read", b"rows_filtered", b"rows_without_target")
_VALUES = re.compile(r"(got \d+): .*|(invalid value) '.*")  # Arrow says what the row held, which may be sensitive
LFS_POINTER = b"version https://git-lfs.github.com/spec/"


def read_table(
    spec: ModelSpec,
    data_dir: Path,
    columns: Sequence[str] | None = None,
    contract: Contract | None = None,
    *,
    limits: Limits | None = None,
) -> Any:
    """The rows of the model's data, in file order: those for which `data.where` holds and whose target is known.

    `data_dir` is the folder that holds `data/`. `columns` None means all columns; the target, row id, time, group and
    weight come along anyway. The schema's metadata counts the rows that were read and left out (COUNTS). The contract
    is checked on all columns and rows, before any is left out.
    Raises UserError (code `memory_exceeded`) before a file is read that is larger than `limits` allow once it is
    unpacked, UserError with the file's name when a file cannot be read, a column is not there or no row is left, and
    Problems (code `contract_broken`) when the contract does not hold.
    """
    files, kind = data_files(spec, data_dir)
    content = _content(spec, data_dir)
    wanted = None if columns is None or contract is not None else _wanted(spec, [*columns, *content])
    _check_memory(spec, files, kind, wanted, limits or Limits())
    table = read_files(files, kind, spec.data, data_dir, wanted)
    _check_roles(table, spec)
    if contract is not None:
        _check_contract(table, contract, spec)
        if columns is not None:
            table = table.select(_checked_columns(_wanted(spec, [*columns, *content]), table.column_names))
    table = with_content_ids(table, content) if content else table
    n_read = table.num_rows
    if spec.data.where:
        table = table.filter(_condition(spec, table))
    n_kept = table.num_rows
    if table[spec.data.target].null_count:
        table = table.filter(table[spec.data.target].is_valid())
    if table.num_rows == 0:
        why = f"{n_read} were read, {n_kept} pass `where`, none of these has a {spec.data.target}"
        raise UserError(f"{spec.data.path}: no row is left: {why}", hint="Look at `data.where`.", code="data_empty")
    counts = (n_read, n_read - n_kept, n_kept - table.num_rows)
    return table.replace_schema_metadata({name: str(n) for name, n in zip(COUNTS, counts, strict=True)})


def read_rows(file: Path, spec: ModelSpec, columns: Sequence[str]) -> Any:
    """Some columns of one file, in file order, whether or not it has the target.

    Raises UserError with the file's name when it cannot be read or a column is not there.
    """
    kind: Format = "csv" if file.name.endswith(ENDINGS["csv"]) else "parquet"
    if CONTENT not in columns:
        return read_files([file], kind, spec.data, file.parent, list(dict.fromkeys(columns)))
    table = read_files([file], kind, spec.data, file.parent)
    return with_content_ids(table, content_columns(spec.data, table.column_names))


def read_files(
    files: Sequence[Path], kind: Format, data: Form, data_dir: Path, columns: Sequence[str] | None = None
) -> Any:
    """Files of one format as one table, in their order, or some of their columns in the order asked for: no
    dictionaries, and null for every spelling of missing.

    Raises UserError with the file's name below `data_dir` when one cannot be read, lacks a column, or holds columns of
    other types than the rest.
    """
    parts = []
    for file in files:
        with named(file, data_dir):
            parts.append(_read_csv(file, data, columns) if kind == "csv" else _read_parquet(file, columns))
    if kind == "csv":  # the text 007 in one file makes the 7 of another one text
        for name in _of_two_kinds(parts):
            for position, file in enumerate(files):
                if not _is_textual(parts[position].schema.field(name).type):
                    with named(file, data_dir):
                        column = _read_csv(file, data, [name], as_text=True)[name]
                    at = parts[position].column_names.index(name)
                    parts[position] = parts[position].set_column(at, name, column)
    return plain_table(_concatenated(parts, data.path), None if kind == "csv" else data.missing)


def _of_two_kinds(parts: Sequence[Any]) -> list[str]:
    """Columns that are text in one file and anything else in another."""
    kinds: dict[str, set[bool]] = {}
    for field in (field for part in parts for field in part.schema):
        if str(field.type) != "null":
            kinds.setdefault(field.name, set()).add(_is_textual(field.type))
    return [name for name, found in kinds.items() if len(found) > 1]


def _is_textual(kind: Any) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_string(kind))


def _read_csv(file: Path, data: Form, columns: Sequence[str] | None, *, as_text: bool = False) -> Any:
    import pyarrow as pa

    form = form_of(file, data.csv)
    first = head(file, form)
    _check_columns(columns or [], first.names, form)
    types = {name: pa.string() for name in columns or ()} if as_text else None
    return read_csv(file, form, data.missing, columns, types, first)


def _content(spec: ModelSpec, data_dir: Path) -> tuple[str, ...]:
    """The columns that stand for a row id; none when a column is one."""
    if spec.data.row_id != CONTENT:
        return ()
    found = content_columns(spec.data, column_names(spec, data_dir))
    if not found:
        raise UserError(
            "`data.content` names no column of the data",
            hint='Leave it out, or write `content: "*"`.',
            code="column_missing",
        )
    return found


def data_files(spec: ModelSpec, data_dir: Path) -> tuple[list[Path], Format]:
    """The files that the model reads, in order, and their format, by the same rule as the plan."""
    path = data_dir / spec.data.path
    found = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    if not found:
        raise UserError(
            f"{spec.data.path}: there are no data files",
            hint="`dvc pull` fetches what data.dvc names; check `data.path`.",
            code="data_missing",
        )
    names = [DataFile(path=file.relative_to(data_dir).as_posix(), md5="") for file in found]
    chosen, kind = files_of(spec.data, names)
    return [data_dir / file.path for file in chosen], kind


def _check_memory(spec: ModelSpec, files: Sequence[Path], kind: str, columns: list[str] | None, limits: Limits) -> None:
    """Refuse what cannot fit: the table alone, unpacked, is larger than what is allowed."""
    limit = limits.table(spec.resources.memory_bytes)
    size = 0
    for file in files:
        size += _text_size(file, spec.data, columns, limit) if kind == "csv" else _unpacked(file, columns)
        if size > limit:
            raise UserError(
                f"{spec.data.path}: {size / 1e6:.0f} MB of columns do not fit into {_allowed(spec, limits, limit)}",
                hint="Name fewer inputs, or raise the limit and the runner with it.",
                code="memory_exceeded",
            )


def _allowed(spec: ModelSpec, limits: Limits, limit: int) -> str:
    if limit == spec.resources.memory_bytes:
        return f"`resources.memory: {spec.resources.memory}`"
    what = "policies/training.yaml allows" if limit in (limits.memory_bytes, limits.table_bytes) else "this machine has"
    return f"the {limit / 1e6:.0f} MB that {what}"


def _text_size(file: Path, data: Data, columns: Sequence[str] | None, most: int) -> int:
    """About the bytes of some columns: their share of the text, as if all were equally wide.

    Of a compressed file no more is unpacked than it takes to see that it is too large.
    """
    import pyarrow as pa

    try:
        n_columns = len(head(file, form_of(file, data.csv)).names)
        is_plain = file.suffix in (".csv", ".tsv")
        size = file.stat().st_size if is_plain else _text_bytes(file, most * max(1, n_columns))
        return size if columns is None else size * len(columns) // max(len(columns), n_columns)
    except (pa.ArrowInvalid, OSError, UnicodeError, UserError):
        return 0  # reading says what is wrong with it


def _text_bytes(file: Path, most: int) -> int:
    """Bytes of a compressed text, counted up to the first beyond `most`."""
    import pyarrow as pa

    found = 0
    with pa.input_stream(str(file), compression="detect") as opened:
        while found <= most and (part := opened.read(BLOCK_BYTES)):
            found += len(part)
    return found


# Bytes of a value in memory by Parquet's physical type; of text there are offsets at least.
_WIDTHS = {"BOOLEAN": 0.125, "INT32": 4, "FLOAT": 4, "INT64": 8, "DOUBLE": 8, "INT96": 8, "BYTE_ARRAY": 4}


def _unpacked(file: Path, columns: list[str] | None) -> int:
    """Bytes of some columns in memory, at least: values may be written once for millions of rows."""
    import pyarrow as pa
    import pyarrow.parquet

    try:
        metadata = pyarrow.parquet.read_metadata(file)
    except (pa.ArrowInvalid, OSError):
        return 0  # reading says what is wrong with it
    wanted = None if columns is None else set(columns)
    widths = [_WIDTHS.get(metadata.schema.column(i).physical_type, 1) for i in range(metadata.num_columns)]
    size = 0.0
    for group in (metadata.row_group(i) for i in range(metadata.num_row_groups)):
        for i, one in enumerate(group.column(i) for i in range(group.num_columns)):
            if wanted is None or one.path_in_schema in wanted:
                size += max(one.total_uncompressed_size, one.num_values * widths[i])
    return int(size)


def column_names(spec: ModelSpec, data_dir: Path) -> tuple[str, ...]:
    """Names of the columns of the first file; no row of a Parquet file is read."""
    import pyarrow.parquet

    files, kind = data_files(spec, data_dir)
    with named(files[0], data_dir):
        if kind == "parquet":
            return tuple(pyarrow.parquet.read_schema(files[0]).names)
        return head(files[0], form_of(files[0], spec.data.csv)).names


def _wanted(spec: ModelSpec, columns: Sequence[str]) -> list[str]:
    data = spec.data
    named = (data.target, data.row_id, data.time, data.group, data.weight)
    roles = [column for column in named if column and column != CONTENT]
    return list(dict.fromkeys([*roles, *(columns_of(data.where) if data.where else ()), *columns]))


def _read_parquet(file: Path, columns: Sequence[str] | None) -> Any:
    import pyarrow.parquet

    with pyarrow.parquet.ParquetFile(file) as opened:  # read_table would import pyarrow.dataset, a tenth of a second
        if columns is None:
            return opened.read()
        _check_columns(columns, opened.schema_arrow.names)
        return opened.read(columns=list(columns)).select(list(columns))


def _checked_columns(wanted: list[str], names: Sequence[str]) -> list[str]:
    _check_columns(wanted, names)
    return wanted


def _check_columns(wanted: Sequence[str], names: Sequence[str], form: Csv | None = None) -> None:
    doubled = sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
    if doubled:
        raise UserError(f"two columns are called {doubled[0]!r}", hint="Rename one.", code="column_doubled")
    for name in wanted:
        if name not in names:
            hint = _separator_hint(names, form) or did_you_mean(name, names, noun="columns")
            raise UserError(f"the column {name!r} is not there", hint=hint, code="column_missing")


def _separator_hint(names: Sequence[str], form: Csv | None) -> str | None:
    """What to write when a whole line was taken for one name."""
    others = [mark for mark in ";\t|," if form is not None and mark != form.separator and mark in names[0]]
    if len(names) > 1 or not others:
        return None
    return f"Line 1 is one name. Write `csv: {{separator: {json.dumps(others[0])}}}` under `data`."


def _concatenated(parts: list[Any], path: str) -> Any:
    import pyarrow as pa

    if len(parts) == 1:
        return parts[0]
    try:
        return pa.concat_tables(parts, promote_options="permissive")
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise UserError(
            f"{path}: the files do not fit together: {error}",
            hint="Give every file the same columns and types.",
            code="data_mismatch",
        ) from None


def _check_roles(table: Any, spec: ModelSpec) -> None:
    _check_columns(_wanted(spec, ()), table.column_names)
    if table.num_rows == 0:
        raise UserError(f"{spec.data.path}: there are no rows", hint="Look at the data files.", code="data_empty")


def _check_contract(table: Any, contract: Contract, spec: ModelSpec) -> None:
    from bot.specs.conformity import check_contract

    hint = "Mend the data, or change schema.yaml."
    errors = [
        UserError(f"{spec.data.path}: {violation}", hint=hint, code="contract_broken")
        for violation in check_contract(table, contract)
    ]
    if errors:
        raise errors[0] if len(errors) == 1 else Problems(errors)


def _condition(spec: ModelSpec, table: Any) -> Any:
    try:
        return holds(spec.data.where or "", table)
    except ValueError as error:
        hint, place = (getattr(error, "context", None) or {}).get("hint"), spec.place("data.where")
        raise UserError(f"`data.where`: {error}", hint=hint, place=place, code="where_invalid") from None


@contextmanager
def named(file: Path, data_dir: Path) -> Iterator[None]:
    """Errors of reading `file` become errors for people, with its name below `data_dir` and without its values."""
    import pyarrow as pa

    name = file.relative_to(data_dir).as_posix()
    with file.open("rb") as start:
        if start.read(len(LFS_POINTER)) == LFS_POINTER:
            hint = "`git lfs pull` fetches the file. Data that DVC tracks need no Git LFS."
            raise UserError(f"{name}: a pointer of Git LFS, not the data", hint=hint, code="data_pointer")
    try:
        yield
    except UserError as error:
        raise UserError(f"{name}: {error.message}", hint=error.hint, code=error.code) from None
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError, UnicodeError, EOFError) as error:
        if "utf" in str(error).lower():
            hint = "Write its `csv: {encoding: latin-1}` under `data`, or the file in UTF-8."
            raise UserError(f"{name}: the file is not UTF-8 text", hint=hint, code="data_encoding") from None
        raise UserError(
            f"{name}: cannot be read: {reason(error)}",
            hint="Is the file whole? `dvc pull` fetches it again.",
            code="data_unreadable",
        ) from None


def reason(error: Exception) -> str:
    """The first line of what Arrow says, without what a row held."""
    said = (str(error) or type(error).__name__).splitlines()[0]
    return _VALUES.sub(lambda match: match[1] or match[2], said)
