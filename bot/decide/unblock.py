"""A verdict that is not green -> the smallest set of people and actions that would turn it green."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from bot.decide.approvers import may_fill
from bot.decide.case import Case, Scope
from bot.decide.exclusions import excluded
from bot.decide.merge import Part
from bot.decide.quorum import Place, empty_places
from bot.decide.rules import Judged, places
from bot.decide.wording import listed
from bot.records.decision import Node, Unblock

MAX_PEOPLE = 5  # larger sets are found one requirement at a time
MAX_CANDIDATES = 24

# reason code -> what to do; who is what the node says
ACTIONS: dict[str, tuple[str, str | None]] = {
    "evaluation_missing": ("evaluate it", "/retrain"),
    "evaluation_outdated": ("evaluate it again", "/retrain"),
    "needs_retrain": ("evaluate it again", "/retrain"),
    "stale_base": ("update the branch from its base", None),
    "metrics_failed": ("change the model so that the gate passes", None),
    "metrics_unknown": ("add labelled test rows, or change the model", None),
    "spec_invalid": ("mend the spec", None),
    "draft": ("mark the pull request as ready for review", None),
    "closed": ("reopen the pull request", None),
    "base_not_allowed": ("retarget the pull request", None),
    "unattributed_commit": ("commit again with an e-mail address of an account", None),
    "plan_missing": ("wait for the run", None),
    "api_unavailable": ("try again", "/status"),
    "ref_changed": ("try again", "/status"),
    "role_unknown": ("try again", "/status"),
    "vetoed": ("take the rejection back", "/unapprove"),
    "held": ("lift the hold", "/unhold"),
    "revoked": ("change the model and evaluate it again", None),
    "no_rule_matched": ("write a rule for such a change", None),
    "not_merged": ("merge the pull request", "/merge"),
    "not_in_previous": ("promote to the environment before", None),
    "soaking": ("wait", None),
    "waiting": ("wait", None),
    "frozen": ("wait", None),
    "locked": ("unlock the environment", "/unlock"),
    "not_verified": ("verify the environment before", None),
    "promoter_missing": ("ask for the promotion", "/promote"),
    "sod_violation": ("let somebody else do it", None),
    "review_overdue": ("review the break-glass promotion", None),
    "break_glass_unconfirmed": ("confirm it", "/break-glass confirm"),
    "check_failed": ("mend what the check found", None),
    "check_missing": ("wait for the check", None),
    "not_attested": ("evaluate it", "/retrain"),
}
APPROVALS = frozenset((
    "approvals_missing", "quorum_unsatisfiable", "duplicate_person", "stale_head", "self_approval", "edited",
    "tampered", "contributor_approval", "expired", "withdrawn", "voided", "target_missing", "target_unknown",
    "evaluation_unseen", "out_of_scope", "role_lost", "method_not_allowed", "app_not_listed", "recent_contributor",
))  # fmt: skip


@dataclass(frozen=True)
class _Candidate:
    """Somebody who could approve: an account id (or a negative number for a member of a team) and roles."""

    id: int
    text: str
    roles: frozenset[str]


def unblock(tree: Node, parts: Sequence[Part], case: Case, evaluation: str | None) -> tuple[Unblock, ...]:
    """Approvals first, then what else; empty when the verdict is approved."""
    if tree.status == "approved":
        return ()
    return (*_approvals(parts, case, evaluation), *dict.fromkeys(_others(tree)))


def _others(tree: Node) -> Iterator[Unblock]:
    if tree.status in ("approved", "not_applicable"):
        return
    blocking = [child for child in tree.children if child.status not in ("approved", "not_applicable")]
    if blocking:
        for child in blocking:
            yield from _others(child)
    elif tree.reason_code not in APPROVALS:
        action, command = ACTIONS.get(tree.reason_code, (tree.sentence, None))
        yield Unblock(who=tree.who_can, action=f"{tree.name}: {action}", command=command)
    elif tree.reason_code == "quorum_unsatisfiable":
        yield Unblock(who=("policies/roles.yaml",), action=tree.sentence, command=None)


def _approvals(parts: Sequence[Part], case: Case, evaluation: str | None) -> Iterator[Unblock]:
    """The fewest people whose approval of everything fills every empty place that can be filled."""
    wanted = [
        (part.scope, one)
        for part in parts
        for one in part.judged
        if one.ballot is not None and one.node.status not in ("approved", "not_applicable")
    ]
    if not wanted:
        return
    candidates = _candidates(wanted, case)
    chosen = _smallest(wanted, candidates, case)
    target = evaluation or case.facts.pull_request.head_sha
    for one in chosen:
        roles = {role for _, judged in wanted for line in judged.rule.require.approvals for role in line.any_role}
        action = f"approve as {listed(sorted(one.roles & roles))}"
        yield Unblock(who=(one.text,), action=action, command=f"/approve {target}")


def _smallest(wanted: list[tuple[Scope, Judged]], candidates: list[_Candidate], case: Case) -> tuple[_Candidate, ...]:
    fewest = _missing(wanted, (), case)
    best: tuple[_Candidate, ...] = ()
    for size in range(1, min(MAX_PEOPLE, len(candidates)) + 1):
        for some in combinations(candidates, size):
            missing = _missing(wanted, some, case)
            if missing == 0:
                return some
            if missing < fewest:
                fewest, best = missing, some
    return best


def _missing(wanted: list[tuple[Scope, Judged]], more: tuple[_Candidate, ...], case: Case) -> int:
    extra = {one.id: one for one in more}
    total = 0
    for scope, judged in wanted:
        rule, votes = judged.rule, judged.ballot
        assert votes is not None

        def fills(person: int, place: Place, rule=rule, votes=votes, scope=scope) -> bool:  # type: ignore[no-untyped-def]
            if person in extra:
                return not extra[person].roles.isdisjoint(rule.require.approvals[place.line].any_role)
            return may_fill(person, place, rule=rule, votes=votes, scope=scope, case=case)

        group = "all" if case.approvals.merge.distinct_approvers == "across_rules" else None
        total += len(empty_places(places(rule, group), [*votes.people, *extra], fills))
    return total


def _candidates(wanted: list[tuple[Scope, Judged]], case: Case) -> list[_Candidate]:
    """Accounts that roles.yaml names and that are not excluded; then members of teams, as many as are needed."""
    banned = {person for _, one in wanted if one.ballot for person in (*one.ballot.banned, *one.ballot.people)}
    banned |= excluded(case.approvals.defaults.exclude_approvers, case)
    roles = {role for _, one in wanted for line in one.rule.require.approvals for role in line.any_role}
    named: dict[int, tuple[str, set[str]]] = {}
    anonymous: list[_Candidate] = []
    for name in sorted(roles):
        role = case.policies.roles.roles[name]
        for account in role.accounts:
            if account.id not in banned:
                named.setdefault(account.id, (account.login, set()))[1].add(name)
        if role.teams or not role.accounts:
            texts = case.members((name,))
            text = next((text for text in texts if text.startswith(("team ", "anybody "))), texts[0])
            anonymous += [_Candidate(-len(anonymous) - 1 - extra, text, frozenset((name,))) for extra in range(2)]
    known = [_Candidate(id_, text, frozenset(held)) for id_, (text, held) in sorted(named.items())]
    known.sort(key=lambda one: -len(one.roles))
    return [*known, *anonymous][:MAX_CANDIDATES]
