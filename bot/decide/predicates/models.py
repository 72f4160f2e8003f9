"""`models: ["credit/*"]` holds for models whose name fits."""

from __future__ import annotations

from bot.decide.case import Case, Scope
from bot.decide.globs import fits


def holds(wanted: tuple[str, ...], scope: Scope, _case: Case) -> bool:
    """Whether it holds for this part of the change."""
    return scope.model is not None and fits(scope.model.model, wanted)
