"""Git's tree objects, read as bytes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Literal

_ENTRY = re.compile(rb"([0-7]+) ([^\0]+)\0(.{20})", re.DOTALL)
LINK, SUBMODULE, BLOB, FOLDER = 0o120000, 0o160000, 0o100644, 0o040000


def entries_of(tree: Any) -> dict[bytes, tuple[int, str]]:
    """Name -> (mode, object id) of a tree, None has no entries; a fifth of the time of making an object of each entry.

    The format: https://git-scm.com/book/en/v2/Git-Internals-Git-Objects
    """
    entries = _ENTRY.findall(tree.read_raw()) if tree is not None else ()
    return {name: (int(mode, 8), oid.hex()) for mode, name, oid in entries}


def place_of(entry: tuple[bytes, tuple[int, str]]) -> bytes:
    """Where Git sorts an entry: a folder as if its name ended with a slash."""
    name, (mode, _) = entry
    return name + b"/" if mode == FOLDER else name


def beside(tree: Any) -> Iterator[str]:
    """What else a folder holds, by id; nothing is read before somebody asks."""
    yield from (oid for mode, oid in entries_of(tree).values() if mode != SUBMODULE)


def text_of(name: bytes) -> str:
    """A path as text that any record can hold; one that is not UTF-8 names nothing that the bot would read."""
    return name.decode(errors="backslashreplace")


def kind_of(mode: int) -> Literal["blob", "tree", "link", "commit"]:
    if mode == LINK:
        return "link"
    if mode == SUBMODULE:
        return "commit"
    return "tree" if mode == FOLDER else "blob"


def oids_of(paths: Iterable[str], folder: Callable[[str], Any | None]) -> list[str]:
    """Object ids of the files at these paths that are there; `folder` gives the tree at a path."""
    names: dict[str, list[str]] = {}
    for path in paths:
        at, _, name = path.rpartition("/")
        names.setdefault(at, []).append(name)
    trees = {at: entries_of(folder(at)) for at in names}
    found = (trees[at].get(name.encode()) for at in names for name in names[at])
    return [entry[1] for entry in found if entry is not None]
