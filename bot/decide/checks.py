"""Required status checks -> their verdicts; a check counts by who reports it, not by its name."""

from __future__ import annotations

from collections.abc import Sequence

from bot.decide.case import Case
from bot.decide.reasons import node
from bot.records.decision import Node
from bot.records.facts import Check
from bot.specs.policies.approvals import CheckRequirement


def check_nodes(wanted: Sequence[CheckRequirement], case: Case) -> list[Node]:
    """One node a required check."""
    return [_one(check, case) for check in wanted]


def _one(wanted: CheckRequirement, case: Case) -> Node:
    name = f"check {wanted.name}"
    if case.facts.checks is None:
        return node(name, "error", "checks_unknown", "The checks of the head were not read.")
    named = [check for check in case.facts.checks if check.name == wanted.name]
    trusted = [check for check in named if _is_from(check, wanted)]
    if named and not trusted:
        sentence = f"A check {wanted.name} is there, but it is not reported by the source that the policy names."
        return node(name, "pending", "check_untrusted_source", sentence)
    if not trusted:
        return node(name, "pending", "check_missing", f"The check {wanted.name} has not been reported.")
    failed = [check for check in trusted if check.conclusion not in wanted.conclusions]
    if failed:
        sentence = f"The check {wanted.name} ended with {failed[0].conclusion or 'nothing yet'}."
        return node(name, "pending", "check_failed", sentence)
    return node(name, "approved", "approved", f"The check {wanted.name} is there.")


def _is_from(check: Check, wanted: CheckRequirement) -> bool:
    if wanted.reported_by is not None:
        return check.app_id is None and check.reporter_id == int(wanted.reported_by.rpartition("#")[2])
    return (
        check.app_id == wanted.app_id
        and wanted.workflow in (None, check.workflow)
        and wanted.ref in (None, check.ref)
        and (wanted.events is None or check.event in wanted.events)
    )
