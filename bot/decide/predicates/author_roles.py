"""`author_roles: [data-scientist]` holds when the author surely holds one of the roles."""

from __future__ import annotations

from bot.decide.case import Case, Scope


def holds(wanted: tuple[str, ...], _scope: Scope, case: Case) -> bool:
    """Whether it holds for this part of the change."""
    return case.holds_any(case.facts.pull_request.author.id, wanted) is True
