"""What a model reads and how its rows are split: the `data` and `split` parts of model.yaml."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from bot.errors import UserError
from bot.records.plan import DataFile
from bot.specs.base import Spec, wrong
from bot.specs.expression import condition_columns
from bot.specs.shorthand import ONE_OR_MORE, Column, Pattern

Format = Literal["parquet", "csv"]
ENDINGS: dict[Format, tuple[str, ...]] = {
    "parquet": (".parquet", ".pq"),
    "csv": tuple(f".{kind}{packed}" for kind in ("csv", "tsv") for packed in ("", ".gz", ".zst", ".bz2", ".lz4")),
}

CONTENT = "(content)"
MISSING = ("", "NA", "NaN", "null")

_SEGMENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.=@+ -]*")


def data_path(path: str) -> str:
    """A path of the repository in its one spelling. Raises a validation error for everything else."""
    parts = path.rstrip("/").split("/")
    if not all(_SEGMENT.fullmatch(part) for part in parts) or len(path) > 500:
        hint = "Write it from the root of the repository, like data/flights or data/flights/2013-01.parquet."
        raise wrong(f"{path!r} is not a path in this repository", hint)
    return path.rstrip("/")


class Csv(Spec):
    """How a CSV file is written, where that is not with commas, in UTF-8. `mlbot init` finds it out."""

    separator: Annotated[str, Field(pattern=r"^[^\"\r\n]$")] = ","
    """What stands between two values: one character, such as `;` or `"\\t"`."""
    decimal: Literal[".", ","] = "."
    """What stands before the decimals of a number."""
    thousands: Literal[",", ".", " ", "'", "_"] | None = None
    """What stands between the thousands of a number, such as in `12,063`."""
    encoding: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,30}$")] = "utf-8"
    """`utf-8`, `utf-16`, `latin-1`, `cp1252` or another that Python knows."""
    trim: bool = False
    """Blanks after a separator are no part of the value, nor of a name."""

    @field_validator("encoding")
    @classmethod
    def _known(cls, encoding: str) -> str:
        try:
            "".encode(encoding)
        except LookupError:
            raise wrong(f"{encoding!r} is not an encoding", "Write utf-8, utf-16, latin-1 or cp1252.") from None
        return encoding

    @model_validator(mode="after")
    def _apart(self) -> Csv:
        if self.thousands is not None and self.thousands == self.decimal:
            raise wrong("`thousands` and `decimal` are the same", 'Write `decimal: ","` beside `thousands: .`.')
        return self


class Data(Spec):
    """The table: one file, or a folder whose files of the format are read in name order as one table."""

    path: str
    """A file or a folder that DVC tracks: by `data.dvc`, by any other `.dvc` file, or as an output in `dvc.lock`."""
    format: Format | None = None
    """`parquet` or `csv`; left out, the file name says it."""
    target: Column
    """The column to predict. Rows whose target is missing are left out and counted."""
    row_id: Column
    """A column with a different value in each row: it decides which rows are test rows, for ever. Never an input.
    `(content)` where the table has none: the row's own values, so that equal rows fall on the same side."""
    content: Annotated[tuple[Pattern, ...], ONE_OR_MORE, Field(min_length=1)] = ("*",)
    """For `row_id: (content)`: the columns (or patterns) that make a row's content. The target is never one of them."""
    time: Column | None = None
    """When the row was observed (date, timestamp or sortable number). Never an input unless `features` names it."""
    group: Column | None = None
    """Rows with the same value never stand on both sides of a split, nor of a fold of search, selection, calibration,
    threshold or target encoding. A split by `time`, `random` or `stratified` leaves out the training rows of a group
    that has test rows; the report counts them. Never an input unless `features` names it."""
    weight: Column | None = None
    """Weight of the row in fitting, calibration included; search, threshold and test rows count rows alike. Refused
    when negative, missing, 0 everywhere, or beside an estimator that cannot be fitted with weights. Never an input."""
    where: Annotated[str, Field(max_length=2000)] | None = None
    """Only rows for which this holds, for example `distance > 0 and carrier != "XX"` or `seen >= "2026-06-01"`; the
    report counts the others. A missing value, null or NaN, makes a comparison not hold: write `is None`. Dates and
    times are ISO 8601; without a zone, text and columns are UTC. Booleans beside numbers count as 0 and 1. Refused when
    it names no column, or a number, text or time where a condition belongs."""
    missing: Annotated[tuple[str, ...], Field(max_length=100)] = MISSING
    """Spellings of a missing value in text, whatever the file; the same ones count in requests."""
    csv: Csv | None = None
    """How the CSV files are written. Left out: with commas (tabs in `.tsv`), in UTF-8."""

    @field_validator("path")
    @classmethod
    def _below_data(cls, path: str) -> str:
        return data_path(path)

    @field_validator("where")
    @classmethod
    def _readable(cls, where: str | None) -> str | None:
        if where is not None:
            condition_columns(where)
        return where

    @model_validator(mode="after")
    def _roles(self) -> Data:
        roles = {"target": self.target, "row_id": self.row_id, "weight": self.weight}
        seen: dict[str, str] = {}
        for role, column in roles.items():
            if column is None:
                continue
            if column in seen:
                raise wrong(f"{column!r} is already the {seen[column]}", "Name another column.", key=role)
            seen[column] = role
        return self

    @property
    def reserved(self) -> frozenset[str]:
        """Columns that can never be inputs."""
        return frozenset(column for column in (self.target, self.row_id, self.weight) if column)


def files_in(files: Sequence[DataFile]) -> dict[Format, list[DataFile]]:
    """The files of each known format that there are, by their endings."""
    by_format = {name: [file for file in files if file.path.endswith(ends)] for name, ends in ENDINGS.items()}
    return {name: found for name, found in by_format.items() if found}


def files_of(data: Data, files: Sequence[DataFile]) -> tuple[tuple[DataFile, ...], Format]:
    """The files that a model reads, in order, and their format; `files` are those at or below `data.path`.

    In a folder, files of another format are passed over. Raises UserError when none is left or the format is not clear.
    """
    by_format = files_in(files)
    if data.format:
        is_one = len(files) == 1 and files[0].path == data.path
        chosen = list(files) if is_one else by_format.get(data.format, [])
        found: Format = data.format
    else:
        present = list(by_format)
        if len(present) > 1:
            hint = "Add `format: parquet` or `format: csv` under `data`."
            raise UserError(f"{data.path} holds {' and '.join(present)} files", hint=hint, code="data_format_unclear")
        found = present[0] if present else "parquet"
        chosen = by_format.get(found, [])
    if not chosen:
        hint = f"Files end in {', '.join(end for ends in ENDINGS.values() for end in ends)}."
        raise UserError(f"{data.path} holds no file of a known format", hint=hint, code="data_path_missing")
    return tuple(sorted(chosen, key=lambda file: file.path)), found


class Split(Spec):
    """Which rows are test rows. A row's side depends on its own row id (or group, or time) alone, so that it stays."""

    method: Literal["random", "stratified", "group", "time"] | None = None
    """Left out: `group` with a group column, else `stratified` for classes and `random` for numbers. Both draw rows by
    the hash of their id, so that none changes sides when data grow: the test set has each class's share up to chance,
    and the folds of search and selection have it exactly."""
    test: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.25
    """Share of test rows. For `time` the newest ones."""
    test_from: str | None = None
    """For `time`: rows from here on are test rows, which keeps them fixed when data grow: a number, or a date or time
    as in `data.where`."""
    seed: Annotated[int, Field(ge=0, le=2**32 - 1)] = 0
    """Another seed draws other test rows, which starts a new test-set budget."""

    @model_validator(mode="after")
    def _only_time_starts(self) -> Split:
        if self.test_from is not None and self.method != "time":
            raise wrong("`test_from` needs `method: time`", "Add `method: time`, or remove it.", key="test_from")
        return self
