"""`only_paths: ["docs/**"]` holds when every changed path fits, and there is one."""

from __future__ import annotations

from bot.decide.case import Case, Scope
from bot.decide.globs import fits


def holds(wanted: tuple[str, ...], _scope: Scope, case: Case) -> bool:
    """Whether it holds for this part of the change."""
    paths = case.facts.changed_paths
    return bool(paths) and all(fits(path, wanted) for path in paths)
