"""Which `.dvc` file or `dvc.lock` of a commit tracks a path: only those are read that may, nearest first."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator

from bot.errors import MlbotError, Place, UserError
from bot.ports import Git
from bot.specs.tracked import LOCK, PIPELINE, Tracked, is_pointer, read_tracked


class TrackedPaths:
    """What DVC tracks at commits, each pointer read once."""

    def __init__(self, git: Git) -> None:
        self.git = git
        self._read: dict[tuple[str, str], tuple[Tracked, ...] | MlbotError] = {}

    def by(self, sha: str, pointer: str) -> tuple[Tracked, ...]:
        """What one pointer tracks, nothing when it is not there. Raises UserError when it cannot be read."""
        key = (sha, pointer)
        if key not in self._read:
            try:
                self._read[key] = self._parse(sha, pointer)
            except MlbotError as error:
                self._read[key] = error
        found = self._read[key]
        if isinstance(found, MlbotError):
            raise found
        return found

    def of(self, sha: str, path: str) -> tuple[Tracked, ...]:
        """What tracks a path: the one that it is or lies in, or those that lie below it.

        Raises UserError when nothing does (`data_missing` without any pointer, else `data_path_missing`), or when a
        pointer that might cannot be read.
        """
        there = False
        for pointers in (self._by_convention(path), self._around(sha, path), self.all(sha)):
            found, errors, seen = self._among(sha, pointers, path)
            if errors:
                raise errors[0]
            if found:
                return found
            there = there or seen
        raise _not_tracked(sha, path) if there else _no_pointer(sha)

    def all(self, sha: str) -> Iterator[str]:
        """Every pointer of a commit."""
        return (path for path in self._walk(sha, "") if is_pointer(path))

    def _among(
        self, sha: str, pointers: Iterable[str], path: str
    ) -> tuple[tuple[Tracked, ...], list[MlbotError], bool]:
        """(what tracks the path, errors of pointers that cannot be read, whether there was any)."""
        below: list[Tracked] = []
        errors: list[MlbotError] = []
        seen = False
        for pointer in pointers:
            try:
                tracked = self.by(sha, pointer)
            except MlbotError as error:
                errors.append(error)
                continue
            seen = seen or bool(tracked)
            for one in tracked:
                if one.covers(path):
                    return (one,), [], True
                if one.path.startswith(f"{path}/"):
                    below.append(one)
        return tuple(below), errors, seen

    @staticmethod
    def _by_convention(path: str) -> Iterator[str]:
        """`dvc add PATH` writes `PATH.dvc`."""
        while path:
            yield f"{path}.dvc"
            path = posixpath.dirname(path)

    def _around(self, sha: str, path: str) -> Iterator[str]:
        """Pointers in the folders above the path, the nearest first, and in those below it."""
        folder = path
        while folder:
            folder = posixpath.dirname(folder)
            for name, entry in self.git.entries(sha, folder).items():
                if entry.kind == "blob" and is_pointer(name):
                    yield posixpath.join(folder, name)
        yield from (below for below in self._walk(sha, path) if is_pointer(below))

    def _walk(self, sha: str, folder: str) -> Iterator[str]:
        for name, entry in self.git.entries(sha, folder).items():
            at = posixpath.join(folder, name)
            if entry.kind == "tree" and at != ".dvc":
                yield from self._walk(sha, at)
            elif entry.kind == "blob":
                yield at

    def _parse(self, sha: str, pointer: str) -> tuple[Tracked, ...]:
        content = self.git.read(sha, pointer)
        if content is None:
            return ()
        is_lock = posixpath.basename(pointer) == LOCK
        pipeline = self.git.read(sha, pointer.removesuffix(LOCK) + PIPELINE) if is_lock else None
        return read_tracked(content, pointer, pipeline)


def _not_tracked(sha: str, path: str) -> UserError:
    hint = f"Check `data.path`, or track it: `dvc add {path} && dvc push`, and commit the `.dvc` file."
    return UserError(f"DVC does not track {path} at {sha[:10]}", hint=hint, code="data_path_missing")


def _no_pointer(sha: str) -> UserError:
    hint = "Track the data: `dvc add data && dvc push`, and commit data.dvc."
    message = f"DVC tracks nothing at {sha[:10]}: there is no data.dvc, no other `.dvc` file, and no dvc.lock"
    return UserError(message, hint=hint, place=Place("data.dvc"), code="data_missing")
