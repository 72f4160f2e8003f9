"""A requirement such as one model owner -> who fills it, who does not and why, and who could."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bot.decide.case import Case, Scope
from bot.decide.exclusions import excluded
from bot.decide.powers import Power, electorate
from bot.decide.quorum import Place, Seating
from bot.decide.reasons import node
from bot.decide.voices import Refused, Voices, is_older, voices
from bot.decide.wording import REFUSALS, listed, plural
from bot.records.decision import Node
from bot.records.facts import Opinion
from bot.specs.policies.approvals import Requirement, Rule

MAX_SHOWN = 20
ENVIRONMENT_RULE = "approvals"  # the condition of that name judges an environment's own requirements
BUILDERS = ("self_approval", "contributor_approval")  # shown whatever the person's role is


@dataclass(frozen=True)
class Ballot:
    """Who approves in which roles; `banned` are those whose approval never counts here."""

    voices: Voices
    powers: dict[int, tuple[Power, ...]]
    banned: frozenset[int]

    @property
    def people(self) -> tuple[int, ...]:
        """Everybody whose approval counts, by id."""
        return tuple(self.powers)

    def seated(self, seats: Seating) -> Ballot:
        """With each lent role left to the one person who speaks for its lender."""
        powers = {
            person: tuple(one for one in found if seats.may_speak(person, one.lender))
            for person, found in self.powers.items()
        }
        return replace(self, powers=powers)


def ballot(rule: Rule, scope: Scope, case: Case) -> Ballot:
    """The approvals that count for a rule and a part of the change."""
    defaults = case.approvals.defaults
    names = defaults.exclude_approvers if rule.exclude_approvers is None else rule.exclude_approvers
    banned = excluded(names, case)
    found = voices(scope, case, rule.approval_methods or defaults.approval_methods, banned)
    return Ballot(found, electorate(found.counted, banned, case), frozenset(banned))


def names(person: int, place: Place, *, rule: Rule, votes: Ballot, scope: Scope, case: Case) -> frozenset[int | None]:
    """In whose name a person whose approval counts may fill a place of a rule: None for their own, else a lender."""
    return _fit(person, rule.require.approvals[place.line], rule, votes, scope, case)


def _fit(
    person: int, requirement: Requirement, rule: Rule, votes: Ballot, scope: Scope, case: Case
) -> frozenset[int | None]:
    able, within = _able(person, requirement, rule, votes), requirement.not_contributor_within
    opinion = votes.voices.counted[person]
    if requirement.valid_for and is_older(opinion.created_at, requirement.valid_for, case.now):
        return frozenset()
    return frozenset(
        power.lender for power in able if not (within and _built_lately({person, power.lender}, within, scope, case))
    )


def _able(person: int, requirement: Requirement, rule: Rule, votes: Ballot) -> list[Power]:
    """The person's powers that a requirement asks for."""
    then = votes.voices.counted[person].recorded_roles
    is_asked = rule.require.role_check == "at_approval_and_evaluation" and then is not None
    wanted = set(requirement.any_role) & set(then or ()) if is_asked else set(requirement.any_role)
    return [power for power in votes.powers[person] if power.role in wanted]


def _unfit(person: int, requirement: Requirement, rule: Rule, votes: Ballot, scope: Scope, case: Case) -> str | None:
    """Why a counted approval does not fill a requirement."""
    opinion = votes.voices.counted[person]
    if _fit(person, requirement, rule, votes, scope, case):
        return None
    if not _able(person, requirement, rule, votes):
        return _roleless(opinion, requirement, case)
    is_late = requirement.valid_for and is_older(opinion.created_at, requirement.valid_for, case.now)
    return "expired" if is_late else "recent_contributor"


def _roleless(opinion: Opinion, requirement: Requirement, case: Case) -> str:
    wanted = set(requirement.any_role)
    if wanted & case.holding(opinion.actor).unknown:
        return "role_unknown"
    return "role_lost" if wanted & set(opinion.recorded_roles or ()) else "role_missing"


def _built_lately(people: set[int | None], within: str, scope: Scope, case: Case) -> bool:
    """Whether the person built it, or the one who lent the role."""
    return any(
        one.actor in people and not is_older(one.at, within, case.now)
        for one in case.facts.contributions
        if scope.model is None or one.model == scope.model.model
    )


def requirement_nodes(rule: Rule, seats: Seating, votes: Ballot, scope: Scope, case: Case) -> list[Node]:
    """The verdict of each requirement line."""
    lines = range(len(rule.require.approvals))
    missing = [sum(place.line == index for place in seats.empty) for index in lines]
    return [_requirement(index, missing[index], rule, votes, scope, case) for index in lines]


def _requirement(index: int, missing: int, rule: Rule, votes: Ballot, scope: Scope, case: Case) -> Node:
    """The verdict of one requirement line, with a leaf for each approval that was given."""
    requirement = rule.require.approvals[index]
    roles = " or ".join(requirement.any_role)
    fits = [one for one in votes.people if _unfit(one, requirement, rule, votes, scope, case) is None]
    leaves = [*_counted(fits, votes, case), *_refused(requirement, rule, votes, scope, case)]
    what = f"approvals for {case.facts.subject}" if rule.name == ENVIRONMENT_RULE else "approvals"
    name = f"{what} by {roles}"
    if missing == 0:
        sentence = f"Approved as {roles} by {listed(case.login(one) for one in fits)}."
        return node(name, "approved", "approved", sentence, children=leaves)
    if any(leaf.reason_code == "role_unknown" for leaf in leaves):
        sentence = f"GitHub did not say whether those who approved hold {roles}."
        return node(name, "error", "role_unknown", sentence, children=leaves)
    able = could_approve(requirement, votes, case)
    if not able:
        return node(name, "pending", "quorum_unsatisfiable", _nobody_left(requirement, case), children=leaves)
    if fits and len(fits) >= requirement.count:
        sentence = f"{listed(case.login(one) for one in fits)} fills another place already: one more person is needed."
        return node(name, "pending", "duplicate_person", sentence, who=able, children=leaves)
    sentence = f"Missing: {plural(missing, roles)}. Who can: {listed(able)}."
    return node(name, "pending", _missing_code(leaves), sentence, who=able, children=leaves)


def _missing_code(leaves: list[Node]) -> str:
    """The one reason that explains all refusals, else plainly missing."""
    codes = {leaf.reason_code for leaf in leaves if leaf.status == "not_applicable"} - {"role_missing"}
    return codes.pop() if len(codes) == 1 else "approvals_missing"


def _nobody_left(requirement: Requirement, case: Case) -> str:
    members = listed(case.members(requirement.any_role))
    roles = " or ".join(requirement.any_role)
    return (
        f"Nobody is left who could approve as {roles}: {members} took part in this change, approved already "
        f"or may not any more. "
        f"Add a person to {roles} in policies/roles.yaml."
    )


def could_approve(requirement: Requirement, votes: Ballot, case: Case) -> tuple[str, ...]:
    """Who could still approve in a role, for people to read: known accounts that are not banned, teams, everybody."""
    return case.members(requirement.any_role, {*votes.banned, *votes.people})


def _counted(fits: list[int], votes: Ballot, case: Case) -> list[Node]:
    return [
        node(
            case.login(one),
            "approved",
            "approval_counted",
            f"Approved by {votes.voices.counted[one].method} {votes.voices.counted[one].id}{_lent(one, votes, case)}.",
        )
        for one in fits[:MAX_SHOWN]
    ]


def _lent(person: int, votes: Ballot, case: Case) -> str:
    lenders = sorted({power.lender for power in votes.powers[person] if power.lender is not None})
    return f" (also for {listed(case.login(one) for one in lenders)})" if lenders else ""


def _refused(requirement: Requirement, rule: Rule, votes: Ballot, scope: Scope, case: Case) -> list[Node]:
    unfit = (
        Refused(votes.voices.counted[one], code)
        for one in votes.people
        if (code := _unfit(one, requirement, rule, votes, scope, case)) is not None
    )
    known = set(requirement.any_role)
    against = [
        one
        for one in votes.voices.refused.values()
        if one.code != "role_missing" and (known & case.holding(one.opinion.actor).held or one.code in BUILDERS)
    ]
    return [_leaf(one, case) for one in [*against, *unfit][:MAX_SHOWN]]


def why_uncounted(opinion_id: str, rule: Rule, votes: Ballot, scope: Scope, case: Case) -> Node | None:
    """Why an approval fills no place of a rule, None when it could fill one or is not the last word of its giver."""
    for one in votes.voices.refused.values():
        if one.opinion.id == opinion_id:
            return _leaf(one, case)
    person = next((who for who, one in votes.voices.counted.items() if one.id == opinion_id), None)
    if person is None:
        return None
    codes = [_unfit(person, line, rule, votes, scope, case) for line in rule.require.approvals]
    code = next((one for one in codes if one is not None), None)
    return None if code is None or None in codes else _leaf(Refused(votes.voices.counted[person], code), case)


def _leaf(one: Refused, case: Case) -> Node:
    sentence = f"{one.opinion.method} {one.opinion.id}: {REFUSALS[one.code]}"
    return node(case.login(one.opinion.actor), "not_applicable", one.code, sentence)
