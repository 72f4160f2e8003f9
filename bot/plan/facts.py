"""What the plan judges: both sides of a change, read and parsed; an error is a value here, it becomes an Invalid."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.errors import MlbotError, Place, UserError
from bot.plan.digest import inputs_digest
from bot.ports import TreeEntry
from bot.records.plan import DataFile
from bot.specs.agreement import disagreements
from bot.specs.contract import Contract
from bot.specs.data import files_of
from bot.specs.model import ModelSpec, check_name, read_model_spec
from bot.specs.validation import validate
from bot.specs.yaml import read_yaml, together

SPEC, SCHEMA = "model.yaml", "schema.yaml"

# A path -> the files at or below it that DVC tracks on one side; raises MlbotError as the port does.
Files = Callable[[str], Sequence[DataFile]]
Versions = Mapping[str, str]


@dataclass(frozen=True)
class Folder:
    """A model's folder at a commit: its entries, and the bytes of the two files that count (None: not there)."""

    name: str
    entries: Mapping[str, TreeEntry]
    spec: bytes | None
    schema: bytes | None


@dataclass(frozen=True)
class Inputs:
    """A model's inputs at a commit."""

    spec: ModelSpec
    data_files: tuple[DataFile, ...]
    digest: str


def spec_path(name: str) -> str:
    """Where a model's spec lies."""
    return f"models/{name}/{SPEC}"


def schema_path(name: str) -> str:
    """Where a model's data contract lies."""
    return f"models/{name}/{SCHEMA}"


def inputs_of(folder: Folder, data: Files, versions: Versions) -> Inputs:
    """A model's spec, files and digest. Raises MlbotError with the place when one of them cannot be read."""
    spec = spec_of(folder)
    contract = _contract(folder, spec)
    files, _ = files_of(spec.data, _tracked(data, spec.data.path, spec_path(folder.name)))
    return Inputs(spec, files, inputs_digest(spec, files, contract, versions))


def _contract(folder: Folder, spec: ModelSpec) -> Any:
    """The contract as plain data, None without one."""
    if folder.schema is None:
        return None
    document = read_yaml(folder.schema, schema_path(folder.name))
    contract = validate(document, Contract, schema="contract")
    spec_document = read_yaml(folder.spec or b"", spec_path(folder.name))
    errors = disagreements(spec, spec_document, contract)
    if errors:
        raise together(errors)
    return document.value


def spec_of(folder: Folder) -> ModelSpec:
    """A model's spec. Raises MlbotError when it is not there, is a link, or cannot be read."""
    path = spec_path(folder.name)
    check_name(folder.name, path)
    for name in (SPEC, SCHEMA):
        entry = folder.entries.get(name)
        if entry is not None and entry.kind != "blob":
            raise no_file(f"models/{folder.name}/{name}", entry)
    if folder.spec is None:
        raise UserError("there is no model.yaml", hint="Add one, or remove the folder.", place=Place(path))
    return read_model_spec(folder.spec, path)


def no_file(path: str, entry: TreeEntry) -> UserError:
    """The error for a symbolic link, submodule or folder where a file or folder of a model should be."""
    words = {"link": "a symbolic link", "commit": "a submodule", "tree": "a folder", "blob": "a file"}
    hint = "Commit the content itself; links and submodules are never followed."
    return UserError(f"this is {words[entry.kind]}", hint=hint, place=Place(path), code="not_a_file")


def _tracked(data: Files, path: str, spec: str) -> Sequence[DataFile]:
    try:
        return data(path)
    except MlbotError as error:
        if error.code == "data_path_missing":  # the spec names it, so that the spec is the place
            raise UserError(error.message, hint=error.hint, place=Place(spec), code=error.code) from error
        raise


def changed_data(base: Sequence[DataFile], head: Sequence[DataFile]) -> dict[str, str]:
    """Data files that differ, each with `added`, `changed` or `removed`."""
    old, new = ({file.path: file.md5 for file in side} for side in (base, head))
    words = {}
    for path in sorted(old.keys() | new.keys()):
        if old.get(path) != new.get(path):
            words[path] = "added" if path not in old else "removed" if path not in new else "changed"
    return words


def may_read(spec: bytes, changed: Mapping[str, str]) -> bool:
    """Whether the text of a spec could name one of the changed files: a quick look that never misses.

    A path is a plain word of the text, unless an escape in it is written with a backslash. A folder of one word
    (`data`) is looked for behind `path:` only, since that word is everywhere.
    """
    if b"\\" in spec or any(part in spec for part in _spellings(changed)):
        return True
    roots = "|".join(sorted({re.escape(path.partition("/")[0]) for path in changed}))
    read = rf"path[\"']?\s*:(?:\s|#[^\n]*\n|[|>][+-]?\s)*[\"']?(?:{roots})(?![\w./-])"
    return re.search(read.encode(), spec) is not None


def _spellings(changed: Mapping[str, str]) -> set[bytes]:
    found: set[bytes] = set()
    for path in changed:
        parts = path.split("/")
        found.update("/".join(parts[:length]).encode() for length in range(2, len(parts) + 1))
    return found
