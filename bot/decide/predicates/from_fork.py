"""`from_fork: true` holds for pull requests from another repository."""

from __future__ import annotations

from bot.decide.case import Case, Scope


def holds(wanted: bool, _scope: Scope, case: Case) -> bool:
    """Whether it holds for this part of the change."""
    return case.facts.pull_request.from_fork == wanted
