"""May it be merged? Facts and policy -> a verdict for each part of the change, and the tree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.decide.approvers import may_fill
from bot.decide.case import Case, Scope
from bot.decide.combine import all_of, any_of
from bot.decide.quorum import Place, empty_places
from bot.decide.reasons import node
from bot.decide.rules import Judged, judge, places
from bot.decide.separation import separation_nodes
from bot.decide.state import state_nodes
from bot.decide.vetoes import veto_nodes
from bot.decide.wording import listed
from bot.records.decision import Node
from bot.records.facts import Opinion
from bot.specs.policies.approvals import Group


@dataclass(frozen=True)
class Part:
    """The verdict for one part of the change, and the approvals that count for it, by role."""

    scope: Scope
    node: Node
    approvals: tuple[tuple[Opinion, str], ...]
    judged: tuple[Judged, ...] = ()


@dataclass(frozen=True)
class Merge:
    """The whole: `shared` is about the pull request, `parts` about each model and the rest."""

    shared: tuple[Node, ...]
    parts: tuple[Part, ...]

    @property
    def tree(self) -> Node:
        """The verdict tree."""
        return all_of("merge", [*self.shared, *(part.node for part in self.parts)])

    @property
    def approvers(self) -> frozenset[int]:
        """Everybody whose approval counts."""
        return frozenset(opinion.actor for part in self.parts for opinion, _ in part.approvals)


def judge_merge(case: Case) -> Merge:
    """Default deny: a part to which no rule applies is an error."""
    parts = tuple(_part(scope, case) for scope in case.scopes)
    found = Merge((), parts)
    shared = (*state_nodes(case), *veto_nodes(case), *separation_nodes(case, found.approvers))
    return Merge(shared, parts)


def _part(scope: Scope, case: Case) -> Part:
    judged = {rule.name: judge(rule, scope, case) for rule in case.approvals.rules}
    tree = _group(scope.name, case.approvals.merge, judged)
    if tree.status == "not_applicable":
        sentence = f"No rule applies to {scope.name}, and nothing is allowed by default."
        tree = node(scope.name, "error", "no_rule_matched", sentence, who=("policies/approvals.yaml",))
    elif case.approvals.merge.distinct_approvers == "across_rules":
        tree = all_of(scope.name, [*tree.children, *_across(list(judged.values()), scope, case)])
    return Part(scope, tree, _approvals(list(judged.values())), tuple(judged.values()))


def _group(name: str, group: Group, judged: dict[str, Judged]) -> Node:
    items = group.all_of if group.all_of is not None else group.any_of or ()
    children = [
        judged[item].node if isinstance(item, str) else _group("any of" if item.any_of else "all of", item, judged)
        for item in items
    ]
    return all_of(name, children) if group.all_of is not None else any_of(name, children)


def _across(judged: Sequence[Judged], scope: Scope, case: Case) -> list[Node]:
    """One person fills one place of all rules together: matched over the rules that are approved one by one."""
    votes = {one.rule.name: one for one in judged if one.ballot and one.node.status != "not_applicable"}
    if not votes or any(one.node.status != "approved" for one in votes.values()):
        return []
    wanted = [place for one in votes.values() for place in places(one.rule, "all")]
    people = sorted({person for one in votes.values() if one.ballot for person in one.ballot.people})

    def fills(person: int, place: Place) -> bool:
        ballot = votes[place.rule].ballot
        if ballot is None or person not in ballot.powers:
            return False
        return may_fill(person, place, rule=votes[place.rule].rule, votes=ballot, scope=scope, case=case)

    return [_distinct(empty_places(wanted, people, fills), votes, people, case)]


def _distinct(empty: Sequence[Place], votes: dict[str, Judged], people: Sequence[int], case: Case) -> Node:
    name = "different people across rules"
    if not empty:
        return node(name, "approved", "approved", "Every place is filled by another person.")
    logins = {case.login(person) for person in people}
    lines = [votes[place.rule].rule.require.approvals[place.line] for place in empty]
    who = dict.fromkeys(login for line in lines for login in case.members(line.any_role) if login not in logins)
    rules = listed(dict.fromkeys(place.rule for place in empty))
    sentence = f"One person counts once over all rules: {len(empty)} more needed for {rules}."
    return node(name, "pending", "duplicate_person", sentence, who=who)


def _approvals(judged: Sequence[Judged]) -> tuple[tuple[Opinion, str], ...]:
    """Counted approvals with the role in which each fills a requirement; those that fill none are left out."""
    found: dict[tuple[str, str], tuple[Opinion, str]] = {}
    for one in judged:
        if one.ballot is None or one.node.status == "not_applicable":
            continue
        wanted = {role for line in one.rule.require.approvals for role in line.any_role}
        for person, powers in one.ballot.powers.items():
            for power in powers:
                if power.role in wanted:
                    opinion = one.ballot.voices.counted[person]
                    found[(opinion.id, power.role)] = (opinion, power.role)
    return tuple(found[key] for key in sorted(found))
