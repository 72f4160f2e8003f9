"""Two trees of `models/` -> which models must be read, and the entries of those that need not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bot.plan.entries import UNAFFECTED, invalid, removed
from bot.plan.facts import no_file
from bot.ports import TreeEntry
from bot.records.plan import Entry, Skipped

Tree = Mapping[str, TreeEntry]


@dataclass(frozen=True)
class Candidates:
    """`changed`: models whose folder differs. `same`: models whose folder does not. `settled`: entries for the rest."""

    changed: tuple[str, ...]
    same: tuple[str, ...]
    settled: tuple[Entry, ...]


def candidates(base: Tree, head: Tree) -> Candidates:
    """Sort the children of `models/` at two commits; files directly below it are not models."""
    changed: list[str] = []
    same: list[str] = []
    settled: list[Entry] = []
    arrivals = {entry.oid: name for name, entry in head.items() if entry.kind == "tree" and name not in base}
    for name, entry in sorted(head.items()):
        if entry.kind in ("link", "commit"):
            settled.append(invalid(name, no_file(f"models/{name}", entry)))
        elif entry.kind == "tree":
            (same if base.get(name) == entry else changed).append(name)
    for name, entry in sorted(base.items()):
        if entry.kind == "tree" and name not in head:
            settled.append(removed(name, entry, arrivals))
    return Candidates(tuple(changed), tuple(same), tuple(settled))


def untouched(name: str) -> Entry:
    """The entry of a model whose folder and data do not differ."""
    return Skipped(model=name, reason=UNAFFECTED)


def n_models(head: Tree) -> int:
    """Number of models at the head."""
    return sum(entry.kind in ("tree", "link", "commit") for entry in head.values())
