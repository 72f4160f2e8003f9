"""May it be merged? Facts and policy -> a verdict for each part of the change, and the tree."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from bot.decide.approvers import names
from bot.decide.case import Case, Scope
from bot.decide.combine import all_of, any_of
from bot.decide.powers import lenders
from bot.decide.quorum import Place, seating
from bot.decide.reasons import node
from bot.decide.rules import Judged, judge, places
from bot.decide.separation import separation_nodes
from bot.decide.state import state_nodes
from bot.decide.tampering import tampering_nodes
from bot.decide.vetoes import veto_nodes
from bot.decide.wording import listed
from bot.records.decision import Node
from bot.records.facts import Opinion
from bot.specs.policies.approvals import Group

MAX_CHOICES = 256


@dataclass(frozen=True)
class Voter:
    """Somebody who could approve: an account id (a negative number for nobody in particular), a name and roles."""

    id: int
    text: str
    roles: frozenset[str]


@dataclass(frozen=True)
class Part:
    """The verdict for one part of the change, and the approvals that count for it, by role."""

    scope: Scope
    node: Node
    approvals: tuple[tuple[Opinion, str], ...]
    judged: Mapping[str, Judged] = field(default_factory=dict, hash=False, compare=False)


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
        """Everybody whose approval counts, and in whose name it was given."""
        judged = [one for part in self.parts for one in part.judged.values() if one.node.status != "not_applicable"]
        lent = [lenders(one.ballot.powers) for one in judged if one.ballot is not None]
        return frozenset(opinion.actor for part in self.parts for opinion, _ in part.approvals).union(*lent)


def judge_merge(case: Case) -> Merge:
    """Default deny: a part to which no rule applies is an error."""
    parts = tuple(_part(scope, case) for scope in case.scopes)
    found = Merge((), parts)
    shared = (*state_nodes(case), *tampering_nodes(case), *veto_nodes(case), *separation_nodes(case, found.approvers))
    return Merge(shared, parts)


def _part(scope: Scope, case: Case) -> Part:
    judged = {rule.name: judge(rule, scope, case) for rule in case.approvals.rules}
    tree = _group(scope.name, case.approvals.merge, judged)
    if tree.status == "not_applicable":
        sentence = f"No rule applies to {scope.name}, and nothing is allowed by default."
        tree = node(scope.name, "error", "no_rule_matched", sentence, who=("policies/approvals.yaml",))
    elif case.approvals.merge.distinct_approvers == "across_rules":
        tree = all_of(scope.name, [*tree.children, *_across(judged, scope, case)])
    return Part(scope, tree, _approvals(list(judged.values())), judged)


def _group(name: str, group: Group, judged: dict[str, Judged]) -> Node:
    items = group.all_of if group.all_of is not None else group.any_of or ()
    children = [
        judged[item].node if isinstance(item, str) else _group("any of" if item.any_of else "all of", item, judged)
        for item in items
    ]
    return all_of(name, children) if group.all_of is not None else any_of(name, children)


def choices(group: Group, is_open: Callable[[str], bool | None]) -> list[frozenset[str]]:
    """Sets of rules that together satisfy a group. `is_open` says whether a rule may be in one; None: it drops out."""
    if group.any_of is not None:
        return [one for item in group.any_of for one in _item_choices(item, is_open) if one]
    found: list[frozenset[str]] = [frozenset()]
    for item in group.all_of or ():
        options = _item_choices(item, is_open)
        found = [one | option for one in found for option in options][:MAX_CHOICES]
    return found


def _item_choices(item: str | Group, is_open: Callable[[str], bool | None]) -> list[frozenset[str]]:
    if isinstance(item, str):
        answer = is_open(item)
        return [frozenset()] if answer is None else [frozenset((item,))] if answer else []
    names = [is_open(name) for name in item.names()]
    return [frozenset()] if all(answer is None for answer in names) else choices(item, is_open)


def _across(judged: dict[str, Judged], scope: Scope, case: Case) -> list[Node]:
    """One person fills one place of all rules together, for some choice of alternatives that is approved."""

    def is_open(name: str) -> bool | None:
        status = judged[name].node.status
        return None if status == "not_applicable" else status == "approved"

    found = [unfilled(choice, judged, (), scope, case) for choice in choices(case.approvals.merge, is_open)]
    return [_distinct(min(found, key=len), judged, case)] if found else []


def unfilled(
    choice: Collection[str], judged: Mapping[str, Judged], more: Sequence[Voter], scope: Scope, case: Case
) -> list[Place]:
    """Places of the chosen rules that stay empty, also with more voters; nobody is in two where the policy says so."""
    is_across = case.approvals.merge.distinct_approvers == "across_rules"
    ballots = {name: votes for name in sorted(choice) if (votes := judged[name].votes) is not None}
    wanted = [place for name in ballots for place in places(judged[name].rule, "all" if is_across else None)]
    extra = {one.id: one for one in more}

    def named(person: int, place: Place) -> frozenset[int | None]:
        rule, votes = judged[place.rule].rule, ballots[place.rule]
        if person in extra:
            is_able = not extra[person].roles.isdisjoint(rule.require.approvals[place.line].any_role)
            return frozenset({None}) if is_able else frozenset()
        if person not in votes.powers:
            return frozenset()
        return names(person, place, rule=rule, votes=votes, scope=scope, case=case)

    people = sorted({person for votes in ballots.values() for person in votes.people} | set(extra))
    return seating(wanted, people, named).empty


def _distinct(empty: Sequence[Place], votes: Mapping[str, Judged], case: Case) -> Node:
    name = "different people across rules"
    if not empty:
        return node(name, "approved", "approved", "Every place is filled by another person.")
    ballots = [one.ballot for one in votes.values() if one.ballot is not None]
    people = {person for ballot in ballots for person in ballot.people}
    lines = [votes[place.rule].rule.require.approvals[place.line] for place in empty]
    who = dict.fromkeys(login for line in lines for login in case.members(line.any_role, people))
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
