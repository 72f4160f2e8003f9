"""DVC pointer files, as strictly as the trust line asks: bytes -> the one folder that is meant, and its listing.

A pointer of a pull request may name content only: nothing that makes DVC fetch from elsewhere (`deps`, `remote`,
`wdir`, cloud versions) or write outside its place (absolute paths, `..`).
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Annotated, Any, Literal

from pydantic import Field

from bot.errors import Place, UserError
from bot.records.plan import DataFile
from bot.specs.base import Spec
from bot.specs.validation import validate
from bot.specs.yaml import read_yaml

MAX_LISTING_BYTES = 64 * 1024 * 1024
MAX_FILES = 200_000

ARTIFACT_REMOTE = "mlbot"
"""The remote that keeps artifacts where `.dvc/config` has one of this name: the team's own may be read-only."""

_OF_GIT = frozenset((".gitkeep", ".gitignore", ".gitattributes"))
_MD5 = re.compile(r"[0-9a-f]{32}")
_USUAL = re.compile(r"(?:[A-Za-z0-9_][A-Za-z0-9_.=@+ -]*/)*[A-Za-z0-9_][A-Za-z0-9_.=@+ -]*")


class Out(Spec):
    """The content of one folder."""

    md5: Annotated[str, Field(pattern=r"^[0-9a-f]{32}\.dir$")]
    """MD5 of the folder's listing, with `.dir`."""
    size: Annotated[int, Field(ge=0)] | None = None
    nfiles: Annotated[int, Field(ge=0)] | None = None
    hash: Literal["md5"]
    path: Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$")]


class Pointer(Spec):
    """A `.dvc` file that tracks one folder beside it."""

    outs: Annotated[tuple[Out, ...], Field(min_length=1, max_length=1)]
    desc: str = ""

    @property
    def out(self) -> Out:
        """The folder."""
        return self.outs[0]


def read_pointer(data: bytes, file: str, *, path: str | None = None) -> Out:
    """The folder that a pointer tracks; with `path`, it must be that one.

    Raises UserError (code `spec_invalid` or `pointer_invalid`) or Problems.
    """
    out = validate(read_yaml(data, file), Pointer).out
    if path is not None and out.path != path:
        hint = f"Track the folder by `dvc add {path}`."
        raise UserError(f"tracks {out.path!r}, not {path!r}", hint=hint, place=Place(file), code="pointer_invalid")
    return out


def write_pointer(md5: str, size: int, files: int, path: str) -> str:
    """The text of a pointer, as DVC itself writes it."""
    return f"outs:\n- md5: {md5}\n  size: {size}\n  nfiles: {files}\n  hash: md5\n  path: {path}\n"


def read_listing(data: bytes, md5: str, *, under: str, source: str) -> tuple[DataFile, ...]:
    """Files of a `.dir` object, each path below `under`, sorted. `md5` is the object's name, with or without `.dir`.

    Raises UserError (code `listing_invalid`) when the bytes are not what `md5` names or a path leaves the folder.
    """
    if len(data) > MAX_LISTING_BYTES or hashlib.md5(data, usedforsecurity=False).hexdigest() != md5[:32]:
        raise _invalid(source, "the listing's content is not what its name says")
    try:
        entries = json.loads(data)
    except (ValueError, RecursionError):
        raise _invalid(source, "the listing is not JSON") from None
    if not isinstance(entries, list) or len(entries) > MAX_FILES:
        raise _invalid(source, f"the listing is not a list of at most {MAX_FILES:,} files")
    shown = (entry for entry in entries if not is_hidden_entry(entry))
    files = sorted((_file(entry, under, source) for entry in shown), key=lambda file: file.path)
    _no_clash(files, source)
    return tuple(files)


def is_hidden_entry(entry: Any) -> bool:
    """Whether an entry of a listing is a file of Git's own (`.gitkeep`), which `dvc add FOLDER` takes along."""
    relpath = entry.get("relpath") if isinstance(entry, dict) else None
    return isinstance(relpath, str) and relpath.rpartition("/")[2] in _OF_GIT


def _file(entry: Any, under: str, source: str) -> DataFile:
    if not isinstance(entry, dict) or set(entry) != {"md5", "relpath"}:
        raise _invalid(source, "an entry of the listing is not {md5, relpath}")
    md5, relpath = entry["md5"], entry["relpath"]
    if not isinstance(md5, str) or not _MD5.fullmatch(md5):
        raise _invalid(source, f"not an MD5: {str(md5)[:60]!r}")
    if not isinstance(relpath, str) or not is_plain_path(relpath):
        raise _invalid(source, f"not a path below {under}/: {str(relpath)[:80]!r}")
    return DataFile(path=f"{under}/{relpath}", md5=md5)


def is_plain_path(path: str) -> bool:
    """Whether a relative path stays in its folder and has one spelling."""
    if len(path) > 500:
        return False
    if _USUAL.fullmatch(path):  # a listing may have 200,000 of them
        return True
    parts = path.split("/")
    return (
        path.isprintable()
        and "\\" not in path
        and all(part not in ("", ".", "..") and not part.startswith(".git") for part in parts)
    )


def _no_clash(files: list[DataFile], source: str) -> None:
    paths = {file.path for file in files}
    if len(paths) != len(files):
        raise _invalid(source, "the listing names a file twice")
    folders = {path.rpartition("/")[0] for path in paths}
    for folder in folders:
        parts = folder.split("/")
        if any("/".join(parts[:length]) in paths for length in range(1, len(parts) + 1)):
            raise _invalid(source, f"{folder!r} is both a folder and a file")


def _invalid(source: str, message: str) -> UserError:
    hint = "Run `dvc add` and `dvc push` again, and commit the pointer that they write."
    return UserError(message, hint=hint, place=Place(source), code="listing_invalid")
