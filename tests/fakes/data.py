"""Port Data over files that a test writes as path -> bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bot.errors import MlbotError, UserError
from bot.records.plan import DataFile
from bot.specs.pointer import write_pointer


@dataclass
class FakeData:
    """`trees` by commit (`*`: every other commit); a path in `lost` is tracked, but its object is not in the remote.

    `broken` raises an error for a commit.
    """

    trees: dict[str, dict[str, bytes]] = field(default_factory=dict)
    lost: set[str] = field(default_factory=set)
    broken: dict[str, MlbotError] = field(default_factory=dict)
    fetched: list[str] = field(default_factory=list)

    def files(self, sha: str, path: str) -> tuple[DataFile, ...]:
        if sha in self.broken:
            raise self.broken[sha]
        tree = self.trees.get(sha, self.trees.get("*"))
        if tree is None:
            raise UserError("there is no data.dvc", code="data_missing")
        found = [name for name in sorted(tree) if name == path or name.startswith(path + "/")]
        if not found:
            raise UserError(f"{path} is not in data.dvc", hint="Add it: `dvc add data`.", code="data_path_missing")
        return tuple(DataFile(path=name, md5=_md5(tree[name]), size=None) for name in found)

    def tracked_by(self, sha: str, pointer: str) -> tuple[DataFile, ...]:
        has_none = pointer != "data.dvc" or (sha not in self.broken and sha not in self.trees and "*" not in self.trees)
        return () if has_none else self.files(sha, "data")

    def fetch(self, files: Sequence[DataFile], into: Path) -> None:
        contents = {_md5(data): (name, data) for tree in self.trees.values() for name, data in tree.items()}
        for file in files:
            if file.md5 not in contents or contents[file.md5][0] in self.lost:
                raise UserError(f"the remote does not hold {file.path}", hint="dvc push", code="data_object_missing")
            (into / file.path).parent.mkdir(parents=True, exist_ok=True)
            (into / file.path).write_bytes(contents[file.md5][1])
            self.fetched.append(file.path)

    def add(self, sha: str, files: Mapping[str, Path]) -> dict[str, bytes]:
        tree = {**self.trees.get(sha, self.trees.get("*", {})), **{name: at.read_bytes() for name, at in files.items()}}
        oid = _md5(repr(sorted(tree.items())).encode()) + ".dir"
        self.trees[oid] = tree
        return {"data.dvc": write_pointer(oid, sum(map(len, tree.values())), len(tree), "data").encode()}


def _md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()
