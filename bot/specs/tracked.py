"""What DVC keeps at the paths of a commit: the bytes of `*.dvc` files and of `dvc.lock` -> paths with content ids.

A file of a pull request may name content only. What would make DVC fetch from elsewhere is passed over (`deps` of an
import: mlbot reads its content from the team's own remote) or refused where the path is needed (`remote`, versions of a
cloud), and a path that leaves the repository is an error. https://dvc.org/doc/user-guide/project-structure/dvc-files
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from bot.errors import MlbotError, Place, UserError
from bot.specs.pointer import is_plain_path
from bot.specs.yaml import Document, read_yaml

LOCK, PIPELINE = "dvc.lock", "dvc.yaml"
MAX_LOCK_BYTES = 8 * 1024 * 1024

_POINTER_PATTERN = r"(?:.*/)?(?:[^/]+\.dvc|dvc\.lock)"
DATA_PATTERN = rf"{_POINTER_PATTERN}|\.dvc/embedded/.*|data/.*"
"""Paths of the files that are data, or by which DVC tracks data."""

_POINTER = re.compile(_POINTER_PATTERN, re.DOTALL)
_ID = re.compile(r"[0-9a-f]{32}(\.dir)?")
_PLACES = ("remote", "cloud", "files", "version_id", "etag", "checksum", "fs_config")
_OF_POINTER = frozenset(("outs", "deps", "md5", "wdir", "frozen", "locked", "always_changed", "desc", "meta"))
_CONTENT = ("path", "md5", "size", "nfiles", "hash", "isexec")
_SAID = ("desc", "type", "labels", "meta", "cache", "persist", "push", "metric", "plot")
_OF_OUT = frozenset((*_CONTENT, *_SAID, *_PLACES))


@dataclass(frozen=True)
class Tracked:
    """A path that DVC tracks: a file, or a folder when `md5` ends in `.dir` and names the folder's listing.

    `stage` is the stage of `dvc.lock` that makes it, None for a `.dvc` file; an import comes from another place. `size`
    is in bytes, None when it is not said. DVC 2 hashed text with the line ends of Unix. With a `refusal` its content
    cannot be read, and why.
    """

    path: str
    md5: str
    pointer: str
    stage: str | None = None
    is_import: bool = False
    size: int | None = None
    is_dvc2: bool = False
    refusal: MlbotError | None = None

    def covers(self, path: str) -> bool:
        """Whether the path is this one or lies in this folder."""
        return path == self.path or (self.is_folder and path.startswith(f"{self.path}/"))

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder, with a listing."""
        return self.md5.endswith(".dir")


def is_pointer(path: str) -> bool:
    """Whether DVC tracks data by a file of this path."""
    return _POINTER.fullmatch(path) is not None


def pointers_among(paths: Collection[str]) -> list[str]:
    """The pointers whose content a change of these paths may move: `dvc.yaml` says where outputs of its lock lie."""
    locks = {path.removesuffix(PIPELINE) + LOCK for path in paths if posixpath.basename(path) == PIPELINE}
    return sorted({path for path in paths if is_pointer(path)} | locks)


def read_tracked(data: bytes, file: str, pipeline: bytes | None = None) -> tuple[Tracked, ...]:
    """The paths that a `.dvc` file or a `dvc.lock` tracks; `pipeline` is the `dvc.yaml` beside a `dvc.lock`.

    Raises UserError (codes `yaml_invalid`, `pointer_invalid`) with the place.
    """
    document = read_yaml(data, file, max_bytes=MAX_LOCK_BYTES, is_text=True)
    if posixpath.basename(file) == LOCK:
        return tuple(_of_lock(document, pipeline))
    value = _mapping(document, (), document.value)
    for key in value:
        if key not in _OF_POINTER:
            raise _invalid(document, (key,), f"unknown key `{key}`", "A `.dvc` file is written by `dvc add`.")
    outs = value.get("outs")
    if not isinstance(outs, list) or not outs:
        raise _invalid(document, ("outs",), "it tracks nothing: there is no `outs`", "Run `dvc add` again.")
    folder = _folder(document, ("wdir",), posixpath.dirname(file), value.get("wdir"))
    is_import = bool(value.get("deps"))
    return tuple(_out(document, ("outs", n), out, folder, is_import=is_import) for n, out in enumerate(outs))


def with_content(data: bytes, one: Tracked, *, md5: str, size: int, files: int | None) -> bytes:
    """A `.dvc` file whose output has another content; `files` is the number of a folder's files, None for a file.

    What else the file says stays.
    """
    value = yaml.safe_load(data)
    folder = posixpath.normpath(posixpath.join(posixpath.dirname(one.pointer), value.get("wdir") or "."))
    for out in value["outs"]:
        if posixpath.normpath(posixpath.join(folder, out["path"])) == one.path:
            new = {"md5": md5, "size": size, "nfiles": files, "hash": "md5"}
            out.update({key: word for key, word in new.items() if word is not None})
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True).encode()


def _of_lock(document: Document, pipeline: bytes | None) -> Iterator[Tracked]:
    stages = _mapping(document, (), document.value).get("stages") or {}
    folders = _folders(pipeline, posixpath.join(posixpath.dirname(document.file), PIPELINE))
    for name, stage in _mapping(document, ("stages",), stages).items():
        wdir = folders.get(name, folders.get(name.partition("@")[0]))
        folder = _folder(document, ("stages", name), posixpath.dirname(document.file), wdir)
        for n, out in enumerate(_mapping(document, ("stages", name), stage).get("outs") or ()):
            yield _out(document, ("stages", name, "outs", n), out, folder, stage=name)


def _folders(pipeline: bytes | None, file: str) -> dict[str, str]:
    """Stage -> its `wdir`, where it has one: `dvc.lock` keeps the paths below it and not the folder itself."""
    if pipeline is None:
        return {}
    value = read_yaml(pipeline, file, max_bytes=MAX_LOCK_BYTES, is_text=True).value
    stages = value.get("stages") if isinstance(value, dict) else None
    found = {}
    for name, stage in stages.items() if isinstance(stages, dict) else ():
        body = stage.get("do", stage) if isinstance(stage, dict) else {}
        if isinstance(body, dict) and isinstance(body.get("wdir"), str):
            found[name] = body["wdir"]
    return found


def _out(
    document: Document, at: tuple[str | int, ...], value: Any, folder: str, *, stage: str | None = None,
    is_import: bool = False,
) -> Tracked:  # fmt: skip
    out = _mapping(document, at, value)
    for key in out:
        if key not in _OF_OUT:
            raise _invalid(document, (*at, key), f"unknown key `{key}`", "A `.dvc` file is written by `dvc add`.")
    path = _inside(document, (*at, "path"), folder, out.get("path"))
    refusal = _refusal(document, at, out, path)
    size = int(out["size"]) if str(out.get("size", "")).isdecimal() else None
    is_dvc2 = out.get("hash") is None
    return Tracked(path, out.get("md5") or "", document.file, stage, is_import, size, is_dvc2, refusal)


def _refusal(document: Document, at: tuple[str | int, ...], out: Mapping[str, Any], path: str) -> UserError | None:
    """Why the content of an output cannot be read, None when it can."""
    for key in _PLACES:
        if out.get(key):
            hint = "mlbot reads by content from the default remote: track a copy with `dvc add`, then `dvc push`."
            return _invalid(document, (*at, key), f"{path} is kept by `{key}`, not by its content alone", hint)
    if out.get("cache") == "false":
        hint = "Remove `cache: false`, then `dvc commit` and `dvc push`."
        return _invalid(document, at, f"{path} is kept in Git, not by DVC", hint)
    if out.get("hash") not in (None, "md5"):
        return _invalid(document, (*at, "hash"), f"{path} is kept by another hash than md5", "Run `dvc add` again.")
    if not isinstance(out.get("md5"), str) or not _ID.fullmatch(out["md5"]):
        hint = "Bring the content here (`dvc update` for an import), `dvc add` it, then `dvc push`."
        return _invalid(document, at, f"the content of {path} is not known: there is no MD5", hint)
    return None


def _folder(document: Document, at: tuple[str | int, ...], folder: str, wdir: Any) -> str:
    if wdir in (None, "", "."):
        return folder
    if not isinstance(wdir, str) or not _is_relative(wdir) or "${" in wdir:
        raise _invalid(document, at, f"`wdir: {str(wdir)[:80]}` is not a folder of this repository", _STAY)
    return posixpath.normpath(posixpath.join(folder, wdir))


def _inside(document: Document, at: tuple[str | int, ...], folder: str, path: Any) -> str:
    """The path from the root of the repository."""
    if not isinstance(path, str) or not _is_relative(path):
        raise _invalid(document, at, f"{str(path)[:80]!r} is not a path of this repository", _STAY)
    found = posixpath.normpath(posixpath.join(folder, path))
    if not is_plain_path(found) or found.startswith(".dvc/"):
        raise _invalid(document, at, f"{str(path)[:80]!r} leaves the repository", _STAY)
    return found


_STAY = "Track data by a path below the root of the repository: `dvc add PATH`."


def _is_relative(path: str) -> bool:
    return bool(path) and path.isprintable() and not path.startswith(("/", "~")) and not set(path) & set("\\:")


def _mapping(document: Document, at: tuple[str | int, ...], value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _invalid(document, at, "this must be a mapping", "`dvc add` writes the file anew.")
    return value


def _invalid(document: Document, at: tuple[str | int, ...], message: str, hint: str) -> UserError:
    place = document.place(at) if document.value is not None else Place(document.file)
    return UserError(message, hint=hint, place=place, code="pointer_invalid")
