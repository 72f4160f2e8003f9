"""Data and artifacts through DVC, by content: every byte that comes in is hashed again before anybody sees it.

The remote's configuration is that of the checkout (the default branch), never of the commit that is read.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import Any

from bot.errors import MlbotError, Place, UserError, WorldError
from bot.ports import Branch, Git
from bot.records.plan import DataFile
from bot.specs.pointer import read_listing, read_pointer, write_pointer

POINTER = "data.dvc"
JOBS = 8
_BLOCK = 1024 * 1024


class Store:
    """Objects by MD5: the local cache, objects committed with the repository, then the remote."""

    def __init__(self, root: Path, git: Git | None = None, branch: Branch | None = None) -> None:
        self.root = root
        self.git = git
        self.branch = branch if embedded_folder(root) else None
        self.commits: list[str] = []
        self._remote: Any = None
        self._lock = Lock()

    def read(self, oid: str) -> bytes | None:
        """An object's bytes, verified; None when nobody has it."""
        for candidate in self._near(oid):
            if hashlib.md5(candidate, usedforsecurity=False).hexdigest() == oid[:32]:
                return candidate
        import tempfile

        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "object")
            return file.read_bytes() if self._download(oid, file) else None

    def put(self, oid: str, at: Path) -> bool:
        """Write an object's verified bytes to a file; False when nobody has it."""
        at.parent.mkdir(parents=True, exist_ok=True)
        if at.is_file() and md5_of(at) == oid[:32]:
            return True
        for folder in self._folders():
            kept = folder / object_path(oid)
            if kept.is_file() and md5_of(kept) == oid[:32]:
                import shutil

                shutil.copyfile(kept, at)
                return True
        committed = next(self._committed(oid), None)
        if committed is not None and hashlib.md5(committed, usedforsecurity=False).hexdigest() == oid[:32]:
            at.write_bytes(committed)
            return True
        return self._download(oid, at)

    def size(self, oid: str) -> int:
        """Bytes of an object, 0 when nobody has it."""
        return len(self.read(oid) or b"")

    def _near(self, oid: str) -> Iterator[bytes]:
        for folder in self._folders():
            kept = folder / object_path(oid)
            if kept.is_file():
                yield kept.read_bytes()
        yield from self._committed(oid)

    def _folders(self) -> Iterator[Path]:
        """The cache, then the remote when it is a folder here: opening it through DVC costs a third of a second."""
        yield self.root / ".dvc/cache"
        url = default_url(self.root)
        if url and "://" not in url:
            yield self.root / ".dvc" / url

    def _committed(self, oid: str) -> Iterator[bytes]:
        """Objects that a commit carries in the embedded remote: a pull request may bring data that way."""
        if self.branch is not None and (found := self.branch.get(object_path(oid))) is not None:
            yield found
        folder = embedded_folder(self.root)
        for commit in self.commits if folder and self.git else ():
            found = self.git.read(commit, f"{folder}/{object_path(oid)}") if self.git else None
            if found is not None:
                yield found

    def _download(self, oid: str, at: Path) -> bool:
        remote = self.remote()
        partial = at.with_name(at.name + ".partial")
        try:
            remote.fs.get_file(remote.oid_to_path(oid), str(partial))
        except FileNotFoundError:
            partial.unlink(missing_ok=True)
            return False
        except Exception as error:  # each cloud's library raises its own
            raise _unreachable(error) from error
        if md5_of(partial) != oid[:32]:
            partial.unlink()
            message = f"the remote's object {oid} does not have the content that its name says"
            raise UserError(message, hint="Push it again: `dvc push --force`.", code="data_object_corrupt")
        partial.replace(at)
        return True

    def remote(self) -> Any:
        """DVC's object database of the default remote."""
        with self._lock:
            if self._remote is None:
                self._remote = _open_remote(self.root)
        return self._remote


class DvcData:
    """Port Data. `at` are commits whose embedded objects may be read, next to those that `files` is asked about."""

    def __init__(self, root: Path, git: Git, at: Sequence[str] = ()) -> None:
        self.git = git
        self.store = Store(root, git)
        self.store.commits.extend(at)
        self._listings: dict[str, tuple[DataFile, ...]] = {}

    def files(self, sha: str, path: str) -> tuple[DataFile, ...]:
        listing = self.listing(sha)
        found = tuple(file for file in listing if file.path == path or file.path.startswith(path + "/"))
        if not found:
            hint = "Check `data.path`, or add the file: `dvc add data && dvc push`, and commit data.dvc."
            raise UserError(f"{path} is not in {POINTER} at {sha[:10]}", hint=hint, code="data_path_missing")
        return found

    def listing(self, sha: str) -> tuple[DataFile, ...]:
        """Every file below data/ at a commit."""
        pointer = self.git.read(sha, POINTER)
        if pointer is None:
            hint = "Track the folder: `dvc add data && dvc push`, and commit data.dvc."
            raise UserError(
                f"there is no {POINTER} at {sha[:10]}", hint=hint, place=Place(POINTER), code="data_missing"
            )
        md5 = read_pointer(pointer, POINTER, path="data").md5
        if md5 not in self._listings:
            if sha not in self.store.commits:
                self.store.commits.append(sha)
            content = self.store.read(md5)
            if content is None:
                message = f"the remote does not hold the listing of data/ ({md5})"
                raise WorldError(
                    message, hint="Run `dvc push`, then try again.", place=Place(POINTER), code="data_object_missing"
                )
            self._listings[md5] = read_listing(content, md5, under="data", source=POINTER)
        return self._listings[md5]

    def fetch(self, files: Sequence[DataFile], into: Path) -> None:
        _fetch(self.store, [(file.md5, into / file.path) for file in files], "data_object_missing")

    def add(self, sha: str, files: Mapping[str, Path]) -> dict[str, bytes]:
        """The pointer, and the objects when the remote is embedded: a branch carries them as a pull request does."""
        kept = {file.path: file.md5 for file in self.listing(sha)}
        new = {md5_of(at): at for at in files.values()}
        entries = {**kept, **{path: md5_of(at) for path, at in files.items()}}
        content = _listing_bytes([{"md5": md5, "relpath": path[len("data/") :]} for path, md5 in entries.items()])
        oid = hashlib.md5(content, usedforsecurity=False).hexdigest() + ".dir"
        read_listing(content, oid, under="data", source=POINTER)  # what nobody could read is not written
        pointer = write_pointer(oid, self._size(sha, kept, files), len(entries), "data").encode()
        folder = embedded_folder(self.store.root)
        if folder:
            objects = {md5: at.read_bytes() for md5, at in new.items()} | {oid: content}
            return {POINTER: pointer, **{f"{folder}/{object_path(name)}": data for name, data in objects.items()}}
        push(self.store.remote(), list(new.items()), {oid: content})
        return {POINTER: pointer}

    def _size(self, sha: str, kept: Mapping[str, str], files: Mapping[str, Path]) -> int:
        """Bytes of all files: what the old pointer says, without the files that are replaced, and the new ones."""
        old = read_pointer(self.git.read(sha, POINTER) or b"", POINTER, path="data").size or 0
        replaced = sum(self.store.size(kept[path]) for path in files if path in kept)
        return max(old - replaced, 0) + sum(at.stat().st_size for at in files.values())


class DvcArtifacts:
    """Port Artifacts.

    `branch` (OBJECTS) keeps the bytes when the default remote is the folder embedded in the repository: what a job
    writes there is gone with the job's checkout. With any other remote it is not used.
    """

    def __init__(self, root: Path, branch: Branch | None = None) -> None:
        self.store_ = Store(root, branch=branch)

    def store(self, folder: Path) -> str:
        """Push the files, then the listing, so that a listing never names what is not there."""
        names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
        entries = [{"md5": md5_of(folder / name), "relpath": name} for name in names]
        listing = _listing_bytes(entries)
        oid = hashlib.md5(listing, usedforsecurity=False).hexdigest() + ".dir"
        objects = [(entry["md5"], folder / entry["relpath"]) for entry in entries]
        if self.store_.branch is not None:
            new = {object_path(md5): path.read_bytes() for md5, path in objects} | {object_path(oid): listing}
            self.store_.branch.commit(new, f"Keep {len(new)} objects")
        push(self.store_.remote(), objects, {oid: listing})
        size = sum((folder / name).stat().st_size for name in names)
        return write_pointer(oid, size, len(names), "artifact")

    def fetch(self, pointer: str, into: Path) -> None:
        """The files of a pointer."""
        md5 = read_pointer(pointer.encode(), "artifact.dvc").md5
        content = self.store_.read(md5) or self._read_again(md5)
        if content is None:
            raise UserError(f"the remote does not hold {md5}", hint="Was it removed?", code="artifact_missing")
        files = read_listing(content, md5, under=".", source="artifact.dvc")
        _fetch(self.store_, [(file.md5, into / file.path.removeprefix("./")) for file in files], "artifact_missing")

    def _read_again(self, md5: str) -> bytes | None:
        """Another job may have written to the branch since it was fetched."""
        refresh = getattr(self.store_.branch, "refresh", None)
        if refresh is None:
            return None
        refresh()
        return self.store_.read(md5)


def push(remote: Any, objects: Sequence[tuple[str, Path]], listings: Mapping[str, bytes] | None = None) -> None:
    """Files by their object id, then listings, so that a listing never names what is not there; WorldError if not."""
    import tempfile

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
        raise _unreachable(error) from error


def _open_remote(root: Path) -> Any:
    try:
        from dvc.repo import Repo

        return Repo(str(root)).cloud.get_remote_odb()
    except Exception as error:
        hint = "Set one: `dvc remote add --default NAME URL`, then commit .dvc/config."
        raise UserError(f"no usable DVC remote: {_first_line(error)}", hint=hint, code="remote_missing") from error


def object_path(oid: str) -> str:
    """Where DVC keeps an object below a remote's folder."""
    return f"files/md5/{oid[:2]}/{oid[2:]}"


def embedded_folder(root: Path) -> str | None:
    """The default remote's folder when it lies inside the repository, relative to it; None otherwise."""
    url = default_url(root)
    if not url or "://" in url or os.path.isabs(url):  # noqa: PTH117
        return None
    folder = os.path.normpath(os.path.join(".dvc", url))  # noqa: PTH118
    return None if folder.startswith("..") else folder


def default_url(root: Path) -> str | None:
    """Where `.dvc/config` says that the default remote is; a folder is relative to `.dvc`. None without one."""
    import configparser

    config = configparser.ConfigParser()
    try:
        config.read([root / ".dvc/config"], encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError):
        return None
    name = config.get("core", "remote", fallback=None)
    return config.get(f"'remote \"{name}\"'", "url", fallback=None)


def md5_of(path: Path) -> str:
    """MD5 of a file's bytes, in hexadecimal."""
    digest = hashlib.md5(usedforsecurity=False)
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _fetch(store: Store, objects: list[tuple[str, Path]], code: str) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(JOBS) as pool:
        found = list(pool.map(lambda one: store.put(*one), objects))
    missing = [f"{path.name} ({oid})" for (oid, path), ok in zip(objects, found, strict=True) if not ok]
    if missing:
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        message = f"the remote does not hold {', '.join(missing[:3])}{more}"
        raise UserError(message, hint="Whoever has the data runs `dvc push`, then try again.", code=code)


def _listing_bytes(entries: list[dict[str, str]]) -> bytes:
    import json

    # The form of dvc_data.hashfile.tree.Tree.as_bytes: DVC itself reads and verifies it.
    return json.dumps(sorted(entries, key=lambda entry: entry["relpath"]), sort_keys=True).encode()


def _unreachable(error: Exception) -> MlbotError:
    if isinstance(error, MlbotError):
        return error
    hint = "Check the remote's address and credentials (`dvc remote list`, `dvc status --cloud`), then try again."
    return WorldError(f"the DVC remote does not answer: {_first_line(error)}", hint=hint, code="remote_unreachable")


def _first_line(error: Exception) -> str:
    lines = str(error).splitlines()
    return (lines[0] if lines else type(error).__name__)[:300]
