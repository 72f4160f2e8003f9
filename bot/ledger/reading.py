"""Reading records of a branch, and writing files to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar

from bot.errors import UserError
from bot.ports import Branch
from bot.records.base import Part, Record

Kind = TypeVar("Kind", bound=Record)
Piece = TypeVar("Piece", bound=Part)


@dataclass(frozen=True)
class Records(Generic[Piece]):
    """Records by path, in the order of their paths, and what could not be read, by path."""

    by_path: dict[str, Piece] = field(default_factory=dict)
    unreadable: dict[str, UserError] = field(default_factory=dict)

    @property
    def readable(self) -> list[Piece]:
        """Those that can be read: what cannot concerns nothing else."""
        return list(self.by_path.values())

    @property
    def whole(self) -> list[Piece]:
        """All of them. Raises UserError, with the path, when one cannot be read: for questions that need every one."""
        for error in self.unreadable.values():
            raise error
        return self.readable


def collected(paths: Iterable[str], read: Callable[[str], Piece | None]) -> Records[Piece]:
    """What `read` gives for each path, None left out; what raises UserError is kept as unreadable."""
    found, unreadable = dict[str, Piece](), dict[str, UserError]()
    for path in paths:
        try:
            record = read(path)
        except UserError as error:
            unreadable[path] = error
        else:
            if record is not None:
                found[path] = record
    return Records(found, unreadable)


@dataclass(frozen=True)
class Reader:
    """A branch that only the bot writes, as last fetched."""

    branch: Branch

    def read(self, kind: type[Kind], path: str) -> Kind | None:
        """The record at a path, None when nothing is there. Raises UserError when it cannot be read."""
        data = self.branch.get(path)
        return None if data is None else kind.parse(data, source=path)

    def read_part(self, kind: type[Piece], path: str) -> Piece | None:
        """Like `read`, of a fact that is no record by itself."""
        data = self.branch.get(path)
        try:
            return None if data is None else kind.model_validate_json(data)
        except ValueError as error:
            raise UserError(f"{path}: not a {kind.__name__}: {error}", code="record_invalid") from None

    def read_all(self, kind: type[Kind], paths: Iterable[str]) -> Records[Kind]:
        """The records at paths that are there."""
        wanted = list(paths)
        self.branch.prefetch(wanted)
        return collected(wanted, lambda path: self.read(kind, path))

    def first_written(self, path: str) -> datetime:
        """When a file that is there was first written, by the bot's own time."""
        return min(when for _, when, _ in self.branch.log(path))

    def rewritten(self, paths: Iterable[str]) -> list[str]:
        """Those of the paths that were written more than once."""
        return [path for path in paths if len(self.branch.log(path)) > 1]

    def write(
        self, files: Mapping[str, bytes | None], message: str, *, expect: Mapping[str, bytes | None] | None = None
    ) -> str | None:
        """All of it in one commit; the commit's id, None when everything is there already. See `Branch.commit`."""
        return self.branch.commit(files, message, expect=expect) if files else None

    def add(self, files: Mapping[str, bytes], message: str) -> str | None:
        """Like `write`, but what is there stays as it is."""
        return self.write(self.missing(files), message)

    def missing(self, files: Mapping[str, bytes]) -> dict[str, bytes]:
        """Those of the files that are not there."""
        return {path: data for path, data in files.items() if self.branch.get(path) is None}

    def changed(self, files: Mapping[str, bytes]) -> dict[str, bytes]:
        """Those of the files that are not there as they are to be."""
        return {path: data for path, data in files.items() if self.branch.get(path) != data}
