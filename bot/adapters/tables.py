"""Data files -> one pyarrow.Table, with columns projected, rows filtered, and what was left out counted."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.adapters.limits import Limits
from bot.errors import Problems, UserError
from bot.records.plan import DataFile
from bot.specs.data import ENDINGS, files_of
from bot.specs.expression import columns_of, holds
from bot.specs.validation import did_you_mean
from bot.specs.values import plain_table

if TYPE_CHECKING:
    from bot.specs.contract import Contract
    from bot.specs.model import ModelSpec

COUNTS = (b"rows_read", b"rows_filtered", b"rows_without_target")
_CSV_COLUMN = re.compile(r"CSV column #(\d+)")
_VALUES = re.compile(r"(got \d+): .*|(invalid value) '.*")  # Arrow says what the row held, which may be sensitive
LFS_POINTER = b"version https://git-lfs.github.com/spec/"
_BLOCK_BYTES = 8 * 1024 * 1024


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
    wanted = None if columns is None or contract is not None else _wanted(spec, columns)
    parts = []
    files, kind = data_files(spec, data_dir)
    _check_memory(spec, files, kind, wanted, limits or Limits())
    for file in files:
        with named(file, data_dir):
            parts.append((_read_csv if kind == "csv" else _read_parquet)(file, spec, wanted))
    table = plain_table(_concatenated(parts, spec), None if kind == "csv" else spec.data.missing)
    _check_roles(table, spec)
    if contract is not None:
        _check_contract(table, contract, spec)
        table = table if columns is None else table.select(_checked_columns(_wanted(spec, columns), table.column_names))
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
    is_csv = file.name.endswith(ENDINGS["csv"])
    with named(file, file.parent):
        table = (_read_csv if is_csv else _read_parquet)(file, spec, list(dict.fromkeys(columns)))
    return plain_table(table, None if is_csv else spec.data.missing)


def data_files(spec: ModelSpec, data_dir: Path) -> tuple[list[Path], str]:
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
        size += _text_size(file, columns, limit) if kind == "csv" else _unpacked(file, columns)
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


def _text_size(file: Path, columns: list[str] | None, most: int) -> int:
    """About the bytes of some columns: their share of the text, as if all were equally wide.

    Of a compressed file no more is unpacked than it takes to see that it is too large.
    """
    import pyarrow as pa

    try:
        size = file.stat().st_size if file.suffix == ".csv" else _text_bytes(file, most * max(1, len(_csv_names(file))))
        return size if columns is None else size * len(columns) // max(len(columns), len(_csv_names(file)))
    except (pa.ArrowInvalid, OSError, UnicodeDecodeError):
        return 0  # reading says what is wrong with it


def _text_bytes(file: Path, most: int) -> int:
    """Bytes of a compressed text, counted up to the first beyond `most`."""
    import pyarrow as pa

    found = 0
    with pa.input_stream(str(file), compression="detect") as opened:
        while found <= most and (part := opened.read(_BLOCK_BYTES)):
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
        return tuple(_csv_names(files[0]))


def _csv_names(file: Path) -> list[str]:
    from pyarrow import csv

    with csv.open_csv(file, read_options=csv.ReadOptions(block_size=_BLOCK_BYTES)) as reader:
        names: list[str] = reader.schema.names
        return names


def _wanted(spec: ModelSpec, columns: Sequence[str]) -> list[str]:
    data = spec.data
    roles = [column for column in (data.target, data.row_id, data.time, data.group, data.weight) if column]
    return list(dict.fromkeys([*roles, *(columns_of(data.where) if data.where else ()), *columns]))


def _read_parquet(file: Path, spec: ModelSpec, columns: list[str] | None) -> Any:  # noqa: ARG001 - as _read_csv
    import pyarrow.parquet

    with pyarrow.parquet.ParquetFile(file) as opened:  # read_table would import pyarrow.dataset, a tenth of a second
        if columns is None:
            return opened.read()
        _check_columns(columns, opened.schema_arrow.names)
        return opened.read(columns=columns).select(columns)


def _read_csv(file: Path, spec: ModelSpec, columns: list[str] | None) -> Any:
    """Types are inferred from the first block; a column that later turns out wider is read again as such."""
    import pyarrow as pa
    from pyarrow import csv

    options = csv.ReadOptions(block_size=_BLOCK_BYTES)
    with file.open("rb") as start:
        if start.read(2) in (b"\xff\xfe", b"\xfe\xff"):
            raise UnicodeDecodeError("utf-8", b"", 0, 1, "UTF-16")
    with csv.open_csv(file, read_options=options) as reader:
        names = reader.schema.names
    _check_columns(columns or [], names)
    types: dict[str, Any] = {}
    while True:
        convert = csv.ConvertOptions(
            null_values=list(spec.data.missing), strings_can_be_null=True, include_columns=columns, column_types=types
        )
        try:
            table = csv.read_csv(file, read_options=options, convert_options=convert)
            break
        except pa.ArrowInvalid as error:
            match = _CSV_COLUMN.search(str(error))
            name = names[int(match.group(1))] if match else None
            if name is None or types.get(name) == pa.string() or "UTF8" in str(error):
                raise
            types[name] = pa.string() if name in types else pa.float64()
    for field in table.schema:
        if pa.types.is_binary(field.type):
            raise UserError(
                f"the column {field.name!r} is not UTF-8 text",
                hint="Write the file in UTF-8, for example `iconv -f latin1 -t utf-8`.",
                code="data_encoding",
            )
    return table


def _checked_columns(wanted: list[str], names: Sequence[str]) -> list[str]:
    _check_columns(wanted, names)
    return wanted


def _check_columns(wanted: Sequence[str], names: Sequence[str]) -> None:
    doubled = sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
    if doubled:
        raise UserError(f"two columns are called {doubled[0]!r}", hint="Rename one.", code="column_doubled")
    for name in wanted:
        if name not in names:
            hint = did_you_mean(name, names, noun="columns")
            raise UserError(f"the column {name!r} is not there", hint=hint, code="column_missing")


def _concatenated(parts: list[Any], spec: ModelSpec) -> Any:
    import pyarrow as pa

    if len(parts) == 1:
        return parts[0]
    try:
        return pa.concat_tables(parts, promote_options="permissive")
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise UserError(
            f"{spec.data.path}: the files do not fit together: {error}",
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
        raise UserError(f"`data.where`: {error}", code="where_invalid") from None


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
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError, UnicodeDecodeError, EOFError) as error:
        if "utf" in str(error).lower():
            hint = "Write the file in UTF-8, for example `iconv -f latin1 -t utf-8`."
            raise UserError(f"{name}: the file is not UTF-8 text", hint=hint, code="data_encoding") from None
        raise UserError(
            f"{name}: cannot be read: {_reason(error)}",
            hint="Is the file whole? `dvc pull` fetches it again.",
            code="data_unreadable",
        ) from None


def _reason(error: Exception) -> str:
    said = (str(error) or type(error).__name__).splitlines()[0]
    return _VALUES.sub(lambda match: match[1] or match[2], said)
