"""Data that no spec describes yet -> the table, and what a spec has to say so that training reads the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from bot.adapters.csv_sniff import sniffed, spellings
from bot.adapters.tables import named, read_files
from bot.errors import UserError
from bot.records.plan import DataFile
from bot.specs.data import ENDINGS, Csv, files_in
from bot.specs.draft import Described


def described(root: Path, data: str) -> tuple[Any, Described]:
    """(pyarrow.Table, how it was read) of a file or folder below `root`.

    Raises UserError when there is no Parquet or CSV file, one cannot be read, or CSV files are written in two ways.
    """
    path = root / data
    found = sorted(one for one in (path.rglob("*") if path.is_dir() else [path]) if one.is_file())
    known = files_in([DataFile(path=one.relative_to(root).as_posix(), md5="") for one in found])
    if not known:
        said = "holds no file that ends" if path.is_dir() else "is not there" if not path.exists() else "does not end"
        endings = ", ".join(end for ends in ENDINGS.values() for end in ends)
        raise UserError(f"{data} {said} in {endings}", hint="Name a file or a folder of such files.")
    kind = next(iter(known))
    files = [root / one.path for one in known[kind]]
    how = Described(data.rstrip("/"), _form(files, root) if kind == "csv" else None)
    table = read_files(files, kind, how, root)
    missing = spellings(table)
    if missing == how.missing:
        return table, how
    how = replace(how, missing=missing)
    return read_files(files, kind, how, root), how


def _form(files: Sequence[Path], root: Path) -> Csv:
    """How all of them are written; what one of them alone shows, such as thousands, holds for all."""
    forms: dict[str, Csv] = {}
    for file in files:
        with named(file, root):
            forms[file.relative_to(root).as_posix()] = sniffed(file)
    names = list(forms)
    first = forms[names[0]]
    for name in names[1:]:
        if (forms[name].separator, forms[name].encoding) != (first.separator, first.encoding):
            hint = "Give all files one separator and one encoding."
            raise UserError(f"{name}: written in another way than {names[0]}", hint=hint, code="data_mismatch")
    found = [form.model_dump(exclude_defaults=True) for form in forms.values()]
    return first.model_copy(update={key: value for form in found for key, value in form.items()})
