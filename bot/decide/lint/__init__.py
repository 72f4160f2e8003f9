"""The written list of lint rules. A rule is a file that is named for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from bot.decide.lint import (
    author_may_approve,
    break_glass_too_strong,
    check_by_name_only,
    environment_cycle,
    gate_not_asked,
    guarded_change_uncovered,
    promoter_cannot_exist,
    quorum_cannot_be_met,
    role_unused,
    rule_unreachable,
    tier_unreachable,
    veto_without_release,
    window_never_opens,
)
from bot.decide.lint.finding import Finding
from bot.specs.policies import Policies

RULES: dict[str, Callable[[Policies, datetime], Iterator[Finding]]] = {
    "author_may_approve": author_may_approve.find,
    "break_glass_too_strong": break_glass_too_strong.find,
    "check_by_name_only": check_by_name_only.find,
    "environment_cycle": environment_cycle.find,
    "gate_not_asked": gate_not_asked.find,
    "guarded_change_uncovered": guarded_change_uncovered.find,
    "promoter_cannot_exist": promoter_cannot_exist.find,
    "quorum_cannot_be_met": quorum_cannot_be_met.find,
    "role_unused": role_unused.find,
    "rule_unreachable": rule_unreachable.find,
    "tier_unreachable": tier_unreachable.find,
    "veto_without_release": veto_without_release.find,
    "window_never_opens": window_never_opens.find,
}


def lint(policies: Policies, now: datetime) -> list[Finding]:
    """Everything that the rules find, in file order."""
    found = [finding for find in RULES.values() for finding in find(policies, now)]
    return sorted(found, key=lambda one: (one.place.file, one.place.line or 0, one.rule))
