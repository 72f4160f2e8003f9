"""May it go to an environment? Facts and policy -> a verdict for each model, and the tree."""

from __future__ import annotations

from dataclasses import dataclass

from bot.decide.break_glass import Glass, glass
from bot.decide.case import Case, Scope
from bot.decide.combine import all_of, worst
from bot.decide.conditions import CONDITIONS, approvals
from bot.decide.merge import Merge, Part, judge_merge
from bot.decide.powers import lenders
from bot.decide.reasons import node
from bot.decide.rollback import rollback_nodes
from bot.decide.separation import separation_nodes
from bot.records.decision import Node
from bot.records.facts import Opinion
from bot.specs.policies.environments import Environment


@dataclass(frozen=True)
class Promotion:
    """The whole: `gate` are the parts of the merge gate judged again; `flags` say when break-glass was needed."""

    tree: Node
    parts: tuple[Part, ...]
    flags: tuple[str, ...]
    gate: tuple[Part, ...] = ()


def judge_promotion(environment: Environment, case: Case) -> Promotion:
    """A promotion or a rollback, as asked."""
    scopes = _scopes(case)
    if case.facts.asked.action == "rollback":
        return _rollback(environment, scopes, case)
    merge = judge_merge(case)
    broken = {scope.name: found for scope in scopes if (found := glass(scope, case)) is not None}
    parts = tuple(_part(environment, scope, merge, broken.get(scope.name), case) for scope in scopes)
    shared = [_gate(merge, scopes)] if environment.requires_gates else list(merge.shared)
    approvers = merge.approvers | {opinion.actor for part in parts for opinion, _ in part.approvals}
    approvers |= {one for scope in scopes for one in lenders(approvals.votes_for(environment, scope, case).powers)}
    duties = [one for one in separation_nodes(case, approvers) if one not in merge.shared]
    tree = all_of(case.facts.subject, [*shared, *duties, *(part.node for part in parts), *_nothing(parts)])
    is_passed = tree.status == "approved" and "bypassed" in _codes(tree)
    return Promotion(tree, parts, ("break_glass",) if is_passed else (), merge.parts)


def _scopes(case: Case) -> tuple[Scope, ...]:
    wanted = case.facts.asked.models
    return tuple(one for one in case.scopes if one.model and (not wanted or one.name in wanted))


def _gate(merge: Merge, scopes: tuple[Scope, ...]) -> Node:
    """The merge gate for the models that are asked for, and for the rest of the change."""
    names = {scope.name for scope in scopes}
    parts = [part.node for part in merge.parts if part.scope.name in names or part.scope.model is None]
    return all_of("merge", [*merge.shared, *parts])


def _part(environment: Environment, scope: Scope, merge: Merge, broken: Glass | None, case: Case) -> Part:
    nodes = [found for judge in CONDITIONS.values() if (found := judge(environment, scope, case)) is not None]
    if broken is not None and broken.is_broken:
        nodes = [*(_bypass(one, broken, case) for one in nodes), broken.node]
    elif broken is not None and worst(one.status for one in nodes) not in ("approved", "not_applicable"):
        nodes = [*nodes, broken.node]  # what it still waits for; a promotion that needs no break-glass waits for none
    given = approvals.votes_for(environment, scope, case)
    roles = {role for line in environment.approvals for role in line.any_role}
    own: list[tuple[Opinion, str]] = [
        (given.voices.counted[person], power.role)
        for person, powers in given.powers.items()
        for power in powers
        if power.role in roles
    ]
    before = next((part.approvals for part in merge.parts if part.scope == scope), ())
    return Part(scope, all_of(scope.name, nodes), (*before, *own))


def _bypass(one: Node, broken: Glass, case: Case) -> Node:
    rule = case.policies.environments.break_glass
    if rule is None or one.status in ("approved", "not_applicable"):
        return one
    if one.name not in rule.bypasses and not (one.name == "promoters" and case.facts.asked.by in broken.people):
        return one
    sentence = f"Passed by break-glass {broken.request}: {one.sentence}"
    return node(one.name, "approved", "bypassed", sentence, children=())


def _rollback(environment: Environment, scopes: tuple[Scope, ...], case: Case) -> Promotion:
    known = {scope.name for scope in scopes}
    named = (*scopes, *(Scope(None, name) for name in case.facts.asked.models if name not in known))
    parts = tuple(Part(scope, all_of(scope.name, rollback_nodes(environment, scope, case)), ()) for scope in named)
    return Promotion(all_of(case.facts.subject, [*(part.node for part in parts), *_nothing(parts)]), parts, ())


def _nothing(parts: tuple[Part, ...]) -> list[Node]:
    """Nothing is asked for: that is not a yes."""
    return [] if parts else [node("models", "error", "no_rule_matched", "There is no model to promote.")]


def _codes(tree: Node) -> set[str]:
    return {tree.reason_code}.union(*(_codes(child) for child in tree.children))
