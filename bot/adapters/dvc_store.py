"""Objects of DVC by content, from wherever they are near: the cache, the repository itself, then the remote.

Every byte that comes in is hashed again before anybody sees it. The remote's configuration is that of the checkout (the
default branch), never of the commit that is read.
"""

from __future__ import annotations

import configparser
import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

from bot.errors import MlbotError, UserError, WorldError
from bot.ports import Branch, Git
from bot.specs.pointer import ARTIFACT_REMOTE

_BLOCK = 1024 * 1024
_REMOTE = re.compile(r"'remote \"(.+)\"'")


@dataclass(frozen=True)
class Layout:
    """Where DVC keeps an object, and by which hash it knows it."""

    folder: str
    hash_name: str

    def path(self, oid: str) -> str:
        """Where an object lies below a remote's folder."""
        return f"{self.folder}{oid[:2]}/{oid[2:]}"

    def hash_of(self, data: bytes) -> str:
        """The hash of bytes, in hexadecimal."""
        if self.hash_name == "md5":
            return hashlib.md5(data, usedforsecurity=False).hexdigest()
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "object")
            file.write_bytes(data)
            return self.hash_of_file(file)

    def hash_of_file(self, file: Path) -> str:
        """The hash of a file's bytes, in hexadecimal."""
        if self.hash_name == "md5":
            return md5_of(file)
        from dvc_data.hashfile.hash import file_md5
        from dvc_objects.fs.local import localfs

        digest: str = file_md5(str(file), localfs, name=self.hash_name)
        return digest


LAYOUTS = (Layout("files/md5/", "md5"), Layout("", "md5-dos2unix"))
"""Of DVC 3, then of DVC 2. https://dvc.org/doc/user-guide/upgrade"""


class Store:
    """Objects by MD5: the local cache, objects committed with the repository, then the remote.

    `remote` is the remote's name in `.dvc/config`, None for the default. What DVC 2 kept lies elsewhere and is known by
    the MD5 of its text with the line ends of Unix; it is found where the present form is not.
    """

    def __init__(
        self, root: Path, git: Git | None = None, branch: Branch | None = None, remote: str | None = None
    ) -> None:
        self.root = root
        self.git = git
        self.name = remote
        self.branch = branch if embedded_folder(root, remote) else None
        self.commits: list[str] = []
        self._remotes: dict[Layout, Any] = {}
        self._lock = Lock()

    def read(self, oid: str) -> bytes | None:
        """An object's bytes, verified; None when nobody has it."""
        for candidate, layout in self._near(oid):
            if layout.hash_of(candidate) == oid[:32]:
                return candidate
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "object")
            return file.read_bytes() if self._download(oid, file) else None

    def put(self, oid: str, at: Path) -> bool:
        """Write an object's verified bytes to a file; False when nobody has it."""
        at.parent.mkdir(parents=True, exist_ok=True)
        if at.is_file() and md5_of(at) == oid[:32]:
            return True
        for layout in LAYOUTS:
            for folder in self._folders():
                kept = folder / layout.path(oid)
                if kept.is_file() and layout.hash_of_file(kept) == oid[:32]:
                    shutil.copyfile(kept, at)
                    return True
        for committed, layout in self._committed(oid):
            if layout.hash_of(committed) == oid[:32]:
                at.write_bytes(committed)
                return True
        return self._download(oid, at)

    def size(self, oid: str) -> int:
        """Bytes of an object, 0 when nobody has it."""
        return len(self.read(oid) or b"")

    def _near(self, oid: str) -> Iterator[tuple[bytes, Layout]]:
        for layout in LAYOUTS:
            for folder in self._folders():
                kept = folder / layout.path(oid)
                if kept.is_file():
                    yield kept.read_bytes(), layout
        yield from self._committed(oid)

    def _folders(self) -> Iterator[Path]:
        """The cache, then the remote when it is a folder here: opening it through DVC costs a third of a second."""
        yield self.root / ".dvc/cache"
        url = remote_url(self.root, self.name)
        if url and "://" not in url:
            yield self.root / ".dvc" / url

    def _committed(self, oid: str) -> Iterator[tuple[bytes, Layout]]:
        """Objects that a commit carries in the embedded remote: a pull request may bring data that way."""
        if self.branch is not None and (found := self.branch.get(object_path(oid))) is not None:
            yield found, LAYOUTS[0]
        folder = embedded_folder(self.root, self.name)
        for commit in self.commits if folder and self.git else ():
            for layout in LAYOUTS:
                found = self.git.read(commit, f"{folder}/{layout.path(oid)}") if self.git else None
                if found is not None:
                    yield found, layout

    def _download(self, oid: str, at: Path) -> bool:
        partial = at.with_name(at.name + ".partial")
        for layout in LAYOUTS:
            remote = self.remote(layout)
            try:
                remote.fs.get_file(remote.oid_to_path(oid), str(partial))
            except FileNotFoundError:
                partial.unlink(missing_ok=True)
                continue
            except Exception as error:  # each cloud's library raises its own
                raise unreachable(error) from error
            if layout.hash_of_file(partial) != oid[:32]:
                partial.unlink()
                message = f"the remote's object {oid} does not have the content that its name says"
                raise UserError(message, hint="Push it again: `dvc push --force`.", code="data_object_corrupt")
            partial.replace(at)
            return True
        return False

    def remote(self, layout: Layout | None = None) -> Any:
        """DVC's object database of the remote."""
        layout = layout or LAYOUTS[0]
        with self._lock:
            if layout not in self._remotes:
                self._remotes[layout] = _open_remote(self.root, self.name, layout.hash_name)
        return self._remotes[layout]


def push(remote: Any, objects: Sequence[tuple[str, Path]], listings: Mapping[str, bytes] | None = None) -> None:
    """Files by their object id, then listings, so that a listing never names what is not there; WorldError if not."""
    try:
        from dvc_objects.fs.local import localfs

        with tempfile.TemporaryDirectory() as folder:
            written = [(oid, Path(folder, oid)) for oid in listings or ()]
            for oid, path in written:
                path.write_bytes((listings or {})[oid])
            for oid, path in (*objects, *written):
                if not remote.exists(oid):
                    remote.add(str(path), localfs, oid)
    except Exception as error:
        raise unreachable(error) from error


def _open_remote(root: Path, name: str | None, hash_name: str) -> Any:
    try:
        from dvc.repo import Repo

        return Repo(str(root)).cloud.get_remote_odb(name or remote_name(root), hash_name=hash_name)
    except Exception as error:
        hint = "Set one: `dvc remote add --default NAME URL`, then commit .dvc/config."
        raise UserError(f"no usable DVC remote: {first_line(error)}", hint=hint, code="remote_missing") from error


def object_path(oid: str) -> str:
    """Where DVC keeps an object below a remote's folder."""
    return LAYOUTS[0].path(oid)


def artifact_remote(root: Path) -> str | None:
    """The name of the remote that keeps artifacts, None for the default."""
    return ARTIFACT_REMOTE if ARTIFACT_REMOTE in _remotes(_config(root)) else None


def embedded_folder(root: Path, name: str | None = None) -> str | None:
    """The remote's folder when it lies inside the repository, relative to it; None otherwise. Without a name, the
    default's."""
    url = remote_url(root, name)
    if not url or "://" in url or os.path.isabs(url):  # noqa: PTH117
        return None
    folder = os.path.normpath(os.path.join(".dvc", url))  # noqa: PTH118
    return None if folder.startswith("..") else folder


def remote_url(root: Path, name: str | None = None) -> str | None:
    """Where `.dvc/config` says that a remote is; a folder is relative to `.dvc`. None without one."""
    config = _config(root)
    found = name or _default(config)
    return config.get(f"'remote \"{found}\"'", "url", fallback=None)


def remote_name(root: Path) -> str | None:
    """The default remote: the one that `.dvc/config` names, or the only one that it has; None otherwise."""
    return _default(_config(root))


def _default(config: configparser.RawConfigParser) -> str | None:
    named = config.get("core", "remote", fallback=None)
    others = [name for name in _remotes(config) if name != ARTIFACT_REMOTE]
    return named or (others[0] if len(others) == 1 else None)


def _remotes(config: configparser.RawConfigParser) -> list[str]:
    return [match[1] for section in config.sections() if (match := _REMOTE.fullmatch(section))]


def _config(root: Path) -> configparser.RawConfigParser:
    config = configparser.RawConfigParser()
    try:
        config.read([root / ".dvc/config"], encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError):
        return configparser.RawConfigParser()
    return config


def md5_of(path: Path) -> str:
    """MD5 of a file's bytes, in hexadecimal."""
    digest = hashlib.md5(usedforsecurity=False)
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def unreachable(error: Exception) -> MlbotError:
    """A library's exception as an error that says what to look at."""
    if isinstance(error, MlbotError):
        return error
    hint = "Check the remote's address and credentials (`dvc remote list`, `dvc status --cloud`), then try again."
    return WorldError(f"the DVC remote does not answer: {first_line(error)}", hint=hint, code="remote_unreachable")


def first_line(error: Exception) -> str:
    """The first line of what an exception says."""
    lines = str(error).splitlines()
    return (lines[0] if lines else type(error).__name__)[:300]
