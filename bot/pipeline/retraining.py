"""Labelled rows of the log -> a pull request that moves the data pointer and the spec's window."""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.adapters.tables import data_files, read_table
from bot.errors import UserError
from bot.monitor.retrain import moved_window, new_rows
from bot.ports import Ports
from bot.specs.data import CONTENT, Csv
from bot.specs.model import ModelSpec, read_model_spec


@dataclass(frozen=True)
class Draft:
    """What a retraining pull request would change: `files` of the commit, rows that come new, keys that move."""

    model: str
    base: str
    files: dict[str, bytes]
    rows: int
    path: str
    moved: tuple[tuple[str, str, str], ...]

    @property
    def branch(self) -> str:
        """Named after its content and where it starts, so that the same change is the same branch."""
        digest = hashlib.sha256(repr((self.base, sorted(self.files.items()))).encode()).hexdigest()[:12]
        return f"mlbot-retrain/{self.model}-{digest}"


def draft(model: str, labelled: Any, least: int, ports: Ports) -> Draft:
    """The change on the default branch. Raises UserError (codes `rows_too_few`, `rows_unfit`, `format_unfit`) when
    there is nothing to train on, saying why.
    """
    base, file = ports.git.resolve("HEAD"), f"models/{model}/model.yaml"
    text = ports.git.read(base, file)
    if text is None:
        raise UserError(f"{file} is not on the default branch any more", code="spec_missing")
    spec = read_model_spec(text, file)
    if spec.data.row_id == CONTENT:
        hint = "Give the data a column of row ids, and let callers send it as the request's id."
        raise UserError("served rows have no id by which the data know them", hint=hint, code="rows_unfit")
    with tempfile.TemporaryDirectory(prefix="mlbot-") as name:
        folder = Path(name)
        ports.data.fetch(ports.data.files(base, spec.data.path), folder)
        everything = spec.model_copy(update={"data": spec.data.model_copy(update={"where": None})})
        data = read_table(everything, folder)
        rows = new_rows(labelled, data, spec)
        if rows.num_rows < least:
            raise UserError(
                f"{rows.num_rows} labelled rows are new to the data, {least} are needed", code="rows_too_few"
            )
        path, at = _written(rows, spec, folder)
        files = ports.data.add(base, {path: at})
    window = moved_window(text, file, rows, data)
    if window.moved:
        files[file] = window.spec
    return Draft(model, base, files, rows.num_rows, path, window.moved)


def _written(rows: Any, spec: ModelSpec, folder: Path) -> tuple[str, Path]:
    """(path below data/, file): a new file in a folder of files, the one file with the rows appended otherwise."""
    import pyarrow.parquet as pq

    found, kind = data_files(spec, folder)
    ending = ".parquet" if kind == "parquet" else ".csv"
    if found[0] != folder / spec.data.path:
        key = hashlib.sha256(str(rows[spec.data.row_id].to_pylist()).encode()).hexdigest()[:12]
        path = f"{spec.data.path}/served-{key}{ending}"
        at = folder / path
        _csv(rows, at, header=True) if kind == "csv" else pq.write_table(rows, at)
        return path, at
    at = found[0]
    if kind == "parquet":
        import pyarrow as pa

        pq.write_table(pa.concat_tables([pq.read_table(at), rows], promote_options="permissive"), at)
    elif at.suffix == ".csv" and spec.data.csv in (None, Csv()):
        old = at.read_bytes()
        at.write_bytes(old if old.endswith(b"\n") else old + b"\n")
        more = at.with_name("more.csv")
        _csv(rows, more, header=False)
        with at.open("ab") as file:
            file.write(more.read_bytes())
    else:
        hint = "Make it a folder of files, or plain CSV with commas."
        raise UserError(
            f"{spec.data.path}: rows cannot be appended to such a {at.suffix} file", hint=hint, code="format_unfit"
        )
    return spec.data.path, at


def _csv(rows: Any, at: Path, *, header: bool) -> None:
    from pyarrow import csv

    csv.write_csv(rows, at, csv.WriteOptions(include_header=header))
