"""`paths: ["docs/**"]` holds when any changed path, a deleted one too, fits."""

from __future__ import annotations

from bot.decide.case import Case, Scope
from bot.decide.globs import fits


def holds(wanted: tuple[str, ...], _scope: Scope, case: Case) -> bool:
    """Whether it holds for this part of the change."""
    return any(fits(path, wanted) for path in case.facts.changed_paths)
