"""A verdict that is not green -> the smallest set of people and actions that would turn it green."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

from bot.decide.case import Case
from bot.decide.merge import Part, Voter, choices, unfilled
from bot.decide.wording import listed
from bot.records.decision import Node, Unblock

FOR_ENVIRONMENT = "approvals for "
MAX_PEOPLE = 5  # larger sets are found one requirement at a time
MAX_CANDIDATES = 12

# reason code -> what to do; who is what the node says
ACTIONS: dict[str, tuple[str, str | None]] = {
    "evaluation_missing": ("evaluate it", "/retrain"),
    "evaluation_outdated": ("evaluate it again", "/retrain"),
    "gates_changed": ("evaluate it again", "/retrain"),
    "needs_retrain": ("evaluate it again", "/retrain"),
    "stale_base": ("update the branch from its base", None),
    "metrics_failed": ("change the model so that the gate passes", None),
    "metrics_unknown": ("add labelled test rows, or change the model", None),
    "spec_invalid": ("mend the spec", None),
    "data_missing": ("bring the data with dvc add and dvc push, and commit the pointer", None),
    "draft": ("mark the pull request as ready for review", None),
    "closed": ("reopen the pull request", None),
    "base_not_allowed": ("retarget the pull request", None),
    "unattributed_commit": ("commit again with an e-mail address of an account", None),
    "plan_missing": ("wait for the run", None),
    "api_unavailable": ("try again", "/status"),
    "ref_changed": ("try again", "/status"),
    "role_unknown": ("try again", "/status"),
    "vetoed": ("take the rejection back", "/unapprove"),
    "held": ("lift the hold", "/unhold --reason ..."),
    "tampered": ("approve or withdraw again; a release role lifts it", "/unhold --reason ..."),
    "revoked": ("change the model and evaluate it again", None),
    "no_rule_matched": ("write a rule for such a change", None),
    "not_merged": ("merge the pull request", "/merge {target}"),
    "not_in_previous": ("promote to the environment before", None),
    "soaking": ("wait", None),
    "waiting": ("wait", None),
    "frozen": ("wait", None),
    "locked": ("unlock the environment", "/unlock {environment}"),
    "not_verified": ("verify the environment before", None),
    "reproduction_missing": ("wait for the run that trains it again", "/reproduce"),
    "not_reproduced": ("find out which run is wrong, then evaluate it again", "/retrain"),
    "promoter_missing": ("ask for the promotion", "/promote {target} to {environment}"),
    "sod_violation": ("let somebody else do it", None),
    "review_overdue": ("review the break-glass promotion", None),
    "break_glass_unconfirmed": ("confirm it", None),
    "check_failed": ("mend what the check found", None),
    "check_missing": ("wait for the check", None),
    "not_attested": ("evaluate it", "/retrain"),
}
APPROVALS = frozenset((
    "approvals_missing", "quorum_unsatisfiable", "duplicate_person", "stale_head", "self_approval", "edited",
    "tampered", "contributor_approval", "expired", "withdrawn", "voided", "target_missing", "target_unknown",
    "evaluation_unseen", "out_of_scope", "role_lost", "method_not_allowed", "app_not_listed", "recent_contributor",
    "future_dated",
))  # fmt: skip


# What another commit mends: approvals of the head would be void, or of nothing.
FIRST = frozenset((
    "spec_invalid", "data_missing", "metrics_failed", "metrics_unknown", "stale_base", "needs_retrain",
    "unattributed_commit", "base_not_allowed", "no_rule_matched", "check_failed",
))  # fmt: skip


def unblock(tree: Node, parts: Sequence[Part], case: Case, evaluation: str | None) -> tuple[Unblock, ...]:
    """What changes the head first, then approvals, then the rest; empty when the verdict is approved.

    `parts` are those of the merge gate.
    """
    if tree.status == "approved":
        return ()
    target = evaluation or case.facts.pull_request.head_sha
    others = dict.fromkeys(_others(tree, target, case))
    first = [one for is_first, one in others if is_first]
    return (*first, *_approvals(parts, case, target), *(one for is_first, one in others if not is_first))


def _others(tree: Node, target: str, case: Case) -> Iterator[tuple[bool, Unblock]]:
    """Each with whether it has to come before approvals."""
    subject = case.facts.subject
    if tree.status in ("approved", "not_applicable"):
        return
    blocking = [child for child in tree.children if child.status not in ("approved", "not_applicable")]
    if blocking:
        for child in blocking:
            yield from _others(child, target, case)
    elif tree.reason_code == "quorum_unsatisfiable":
        yield False, Unblock(who=("policies/roles.yaml",), action=tree.sentence, command=None)
    elif tree.who_can and tree.who_can[0].startswith("policies/"):
        yield tree.reason_code in FIRST, Unblock(who=tree.who_can, action=tree.sentence, command=None)
    elif tree.status == "error" or tree.reason_code not in APPROVALS:
        action, command = ACTIONS.get(tree.reason_code, (tree.sentence, None))
        filled = case.written(command.format(target=target, environment=subject)) if command else None
        yield tree.reason_code in FIRST, Unblock(who=tree.who_can, action=f"{tree.name}: {action}", command=filled)
    elif tree.name.startswith(FOR_ENVIRONMENT):
        yield (
            False,
            Unblock(who=tree.who_can, action=tree.name, command=case.written(f"/approve {target} to {subject}")),
        )


def _approvals(parts: Sequence[Part], case: Case, target: str) -> Iterator[Unblock]:
    """The fewest people whose approval of everything fills every place that can be filled."""
    wanted = [(part, options) for part in parts if (options := _options(part, case))]
    if not wanted:
        return
    lines = {
        role
        for part, options in wanted
        for name in frozenset().union(*options)
        for line in part.judged[name].rule.require.approvals
        for role in line.any_role
    }
    for one in _smallest(wanted, lines, case):
        action = f"approve as {listed(sorted(one.roles & lines))}"
        yield Unblock(who=(one.text,), action=action, command=case.written(f"/approve {target}"))


def _options(part: Part, case: Case) -> list[frozenset[str]]:
    """Sets of rules that would satisfy the part, all else granted; empty when approvals are not what is missing."""

    def is_open(name: str) -> bool | None:
        return None if part.judged[name].node.status == "not_applicable" else True

    found = choices(case.approvals.merge, is_open) if part.judged else []
    return [] if any(not unfilled(one, part.judged, (), part.scope, case) for one in found) else found


def _smallest(wanted: list[tuple[Part, list[frozenset[str]]]], roles: set[str], case: Case) -> tuple[Voter, ...]:
    """By size, people with more of the roles first; if no set fills every place, the one that leaves the fewest."""
    fewest = _missing(wanted, (), case)
    candidates = _candidates(wanted, roles, fewest, case)
    best: tuple[Voter, ...] = ()
    for size in range(1, min(MAX_PEOPLE, len(candidates)) + 1):
        for some in combinations(candidates, size):
            missing = _missing(wanted, some, case)
            if missing == 0:
                return some
            if missing < fewest:
                fewest, best = missing, some
    return best


def _missing(wanted: list[tuple[Part, list[frozenset[str]]]], more: tuple[Voter, ...], case: Case) -> int:
    return sum(
        min(len(unfilled(one, part.judged, more, part.scope, case)) for one in options) for part, options in wanted
    )


def _candidates(
    wanted: list[tuple[Part, list[frozenset[str]]]], roles: set[str], missing: int, case: Case
) -> list[Voter]:
    """Accounts of roles.yaml that are not excluded, then somebody of a team; of equals, as many as are needed."""
    ballots = [one.ballot for part, _ in wanted for one in part.judged.values() if one.ballot]
    banned = {person for ballot in ballots for person in (*ballot.banned, *ballot.people)}
    held: dict[int, tuple[str, set[str]]] = {}
    anonymous: list[Voter] = []
    for name in sorted(roles):
        role = case.policies.roles.roles[name]
        for account in role.accounts:
            if account.id not in banned and _may_hold(account.id, name, case):
                held.setdefault(account.id, (account.login, set()))[1].add(name)
        if role.teams or not role.accounts:
            text = next(text for text in case.members((name,)) if text.startswith(("team ", "anybody ")))
            anonymous += [Voter(-len(anonymous) - 1 - extra, text, frozenset((name,))) for extra in range(missing)]
    known = [Voter(id_, text, frozenset(names)) for id_, (text, names) in sorted(held.items())]
    kept: list[Voter] = []
    for one in sorted((*known, *anonymous), key=lambda one: -len(one.roles)):
        if sum(other.roles == one.roles for other in kept) < missing:
            kept.append(one)
    return kept[:MAX_CANDIDATES]


def _may_hold(person: int, role: str, case: Case) -> bool:
    """Whether a member holds the role as far as the facts say; of whom they say nothing, the policy is believed."""
    return person not in case.actors or role in case.holding(person).held
