"""Port Git over trees that a test writes as path -> bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bot.errors import UserError
from bot.ports import Change, Tag, TreeEntry


@dataclass
class FakeGit:
    """`trees` by SHA, `parents` for ancestry, `refs` for names."""

    trees: dict[str, dict[str, bytes]] = field(default_factory=dict)
    parents: dict[str, tuple[str, ...]] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)
    made_tags: list[Tag] = field(default_factory=list)
    stamps: dict[str, datetime] = field(default_factory=dict)

    def resolve(self, rev: str) -> str:
        found = self.refs.get(rev, rev)
        if found not in self.trees:
            raise UserError(f"there is no revision {rev}")
        return found

    def entries(self, sha: str, path: str = "") -> dict[str, TreeEntry]:
        start = f"{path}/" if path else ""
        found: dict[str, TreeEntry] = {}
        for name, data in sorted(self._tree(sha).items()):
            if name.startswith(start):
                first, _, rest = name.removeprefix(start).partition("/")
                before = found[first].oid if first in found else ""
                oid = _oid(f"{before} {rest} {_oid(data)}".encode()) if rest else _oid(data)
                found[first] = TreeEntry(first, "tree" if rest else "blob", oid)
        return found

    def read(self, sha: str, path: str) -> bytes | None:
        return self._tree(sha).get(path)

    def changes(self, base: str, head: str, *, under: Sequence[str] = ()) -> list[Change]:
        one, two = self._tree(base), self._tree(head)
        names = sorted(name for name in {*one, *two} if one.get(name) != two.get(name))
        folders = [folder.rstrip("/") for folder in under]
        wanted = [name for name in names if not under or any(f"{name}/".startswith(f"{one}/") for one in folders)]
        return [Change(name, _oid(one.get(name)) or None, _oid(two.get(name)) or None) for name in wanted]

    def merge_base(self, one: str, two: str) -> str | None:
        self._tree(one), self._tree(two)
        ours = self._ancestors(one)
        return next((sha for sha in self._ancestors(two) if sha in ours), None)

    def is_ancestor(self, ancestor: str, descendant: str) -> bool:
        return ancestor in self._ancestors(descendant)

    def line(self, old: str, new: str) -> list[str]:
        found, one = [], new
        while one != old:
            found.append(one)
            if not self.parents.get(one):
                return [new]
            one = self.parents[one][0]
        return found[::-1]

    def fetch(self, *refspecs: str) -> None:
        return None

    def tags(self, model: str | None = None) -> list[Tag]:
        return sorted(self.made_tags, key=lambda tag: (tag.at, tag.name))

    def stamp(self, name: str) -> datetime | None:
        return self.stamps.get(name)

    def set_stamp(self, name: str, at: datetime) -> bool:
        self.stamps[name] = at
        return True

    def push_tag(self, name: str, sha: str, message: str, *, at: datetime) -> None:
        if not any(tag.name == name and tag.commit == sha for tag in self.made_tags):
            self.made_tags.append(Tag(name, sha, message, at))

    def _ancestors(self, sha: str) -> list[str]:
        found = [sha]
        for one in found:
            found.extend(parent for parent in self.parents.get(one, ()) if parent not in found)
        return found

    def _tree(self, sha: str) -> dict[str, bytes]:
        if sha not in self.trees:
            raise UserError(f"there is no commit {sha}")
        return self.trees[sha]


def _oid(data: bytes | None) -> str:
    return "" if data is None else hashlib.sha1(data).hexdigest()
