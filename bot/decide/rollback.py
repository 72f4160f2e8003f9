"""May it be taken back? A rollback goes only to what was live there, by whom the policy names, through any freeze."""

from __future__ import annotations

from collections.abc import Iterator

from bot.decide.case import Case, Scope
from bot.decide.conditions import freeze_windows, lock, revoked
from bot.decide.reasons import node
from bot.decide.wording import listed, short
from bot.records.decision import Node
from bot.specs.policies.environments import Environment, Rollback


def rollback_nodes(environment: Environment, scope: Scope, case: Case) -> list[Node]:
    """What a rollback must meet."""
    rule = environment.rollback
    if rule is None:
        sentence = f"policies/environments.yaml declares no rollback for {case.facts.subject}."
        return [node("rollback", "rejected", "rollback_not_declared", sentence)]
    found = [_who(rule, case), *_target(scope, case), revoked.judge(environment, scope, case)]
    found.append(lock.judge(environment, scope, case))
    if "freeze_windows" not in rule.exempt_from:
        found.append(freeze_windows.judge(environment, scope, case))
    return [one for one in found if one is not None]


def _who(rule: Rollback, case: Case) -> Node:
    members = case.members(rule.roles)
    asked = case.facts.asked
    if asked.by is None:
        return node("rollback", "approved", "approved", "The bot takes it back after a failed verification.")
    answer = case.holds_any(asked.by, rule.roles)
    if answer is None:
        sentence = f"GitHub did not say whether {case.login(asked.by)} may roll back."
        return node("rollback", "error", "role_unknown", sentence, who=members)
    if not answer:
        sentence = f"{case.login(asked.by)} may not roll {case.facts.subject} back. Who can: {listed(members)}."
        return node("rollback", "rejected", "promoter_missing", sentence, who=members)
    if not asked.reason.strip():
        return node("rollback", "pending", "reason_missing", "A rollback needs --reason.", who=members)
    return node("rollback", "approved", "approved", f"{case.login(asked.by)} asked for it: {asked.reason}")


def _target(scope: Scope, case: Case) -> Iterator[Node]:
    target = case.facts.asked.artifact_digests.get(scope.name)
    was_live = {one for place in case.facts.environments if place.name == case.facts.subject for one in place.was_live}
    if target is not None and target not in was_live:
        sentence = f"{short(target)} was never live in {case.facts.subject}."
        yield node("target", "rejected", "never_live", sentence)
