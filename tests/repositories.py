"""Small real Git repositories for tests, written through libgit2 (no process, no checkout)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pygit2

LINK, SUBMODULE, FILE = 0o120000, 0o160000, 0o100644
WHO = pygit2.Signature("Test", "test@example.com", 1_700_000_000, 0)


class Repository:
    """A repository at `path`; each `commit` adds to the files of `main`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.git = pygit2.init_repository(str(path), initial_head="main")
        self._index = pygit2.Index()

    def commit(self, files: Mapping[str, bytes | str | None], *, links: Mapping[str, str] | None = None) -> str:
        """Write files (None removes) and links in one commit on the tip; its SHA."""
        for name, data in files.items():
            if data is None:
                self._index.remove(name)
            else:
                self._add(name, data.encode() if isinstance(data, str) else data, FILE)
        for name, target in (links or {}).items():
            self._add(name, target.encode(), LINK)
        tree = self._index.write_tree(self.git)
        parents = [] if self.git.head_is_unborn else [self.git.head.target]
        return str(self.git.create_commit("refs/heads/main", WHO, WHO, "change", tree, parents))

    def submodule(self, name: str) -> None:
        """Stage a submodule at a path."""
        self._index.add(pygit2.IndexEntry(name, pygit2.Oid(hex="1" * 40), pygit2.enums.FileMode.COMMIT))

    def _add(self, name: str, data: bytes, mode: int) -> None:
        oid = self.git.create_blob(data)
        self._index.add(pygit2.IndexEntry(name, oid, pygit2.enums.FileMode(mode)))
