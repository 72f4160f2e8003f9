"""`base_branches: [main]` holds for pull requests against these branches."""

from __future__ import annotations

from bot.decide.case import Case, Scope
from bot.decide.globs import fits


def holds(wanted: tuple[str, ...], _scope: Scope, case: Case) -> bool:
    """Whether it holds for this part of the change."""
    return fits(case.facts.pull_request.base_ref, wanted)
