"""`author_roles: [data-scientist]` holds when one of the roles is the author's own; a lent one is for speaking."""

from __future__ import annotations

from bot.decide.case import Case, Scope


def holds(wanted: tuple[str, ...], _scope: Scope, case: Case) -> bool:
    """Whether it holds for this part of the change."""
    return not case.holding(case.facts.pull_request.author.id).held.isdisjoint(wanted)
