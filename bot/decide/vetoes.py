"""Rejections, holds and revoked artifacts: any of them rejects, whatever else says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bot.decide.allowed import may_use
from bot.decide.case import Case
from bot.decide.exclusions import excluded
from bot.decide.reasons import node
from bot.decide.wording import listed
from bot.records.decision import Node
from bot.records.facts import Opinion
from bot.specs.policies.approvals import Veto


@dataclass(frozen=True)
class Standing:
    """What stands against the change: opinions of people who may veto, and of those of whom that is not known."""

    certain: tuple[Opinion, ...]
    unknown: tuple[Opinion, ...]


def veto_nodes(case: Case) -> list[Node]:
    """One node a veto of the policy."""
    return [_judge(veto, case) for veto in case.approvals.vetoes]


def _judge(veto: Veto, case: Case) -> Node:
    if veto.when.artifact_revoked:
        return _revoked(veto, case)
    standing = _holds(veto, case) if veto.when.held else _rejections(veto, case)
    people = listed(dict.fromkeys(case.login(one.actor) for one in (*standing.certain, *standing.unknown)))
    if standing.certain:
        return _says_no(veto, standing.certain, case)
    if standing.unknown:
        sentence = f"GitHub did not say whether {people} may veto."
        return node(veto.name, "error", "role_unknown", sentence)
    return node(veto.name, "approved", "not_needed", "Nobody objects.")


def _says_no(veto: Veto, standing: tuple[Opinion, ...], case: Case) -> Node:
    logins = tuple(dict.fromkeys(case.login(one.actor) for one in standing))
    verb = "put it on hold" if veto.when.held else "rejected it"
    reason = next((f": {one.reason}" for one in reversed(standing) if one.reason), "")
    command = case.written("/unhold") if veto.when.held else f"{case.written('/unapprove')} or a new approval"
    releasers = case.members(veto.release_roles)
    also = f"; {listed(releasers)} may lift it with {case.written('/unhold --reason')}" if releasers else ""
    sentence = f"{listed(logins)} {verb}{reason}. They take it back with {command}{also}."
    code = "held" if veto.when.held else "vetoed"
    return node(veto.name, "rejected", code, sentence, who=dict.fromkeys((*logins, *releasers)))


def _rejections(veto: Veto, case: Case) -> Standing:
    standing: dict[int, list[Opinion]] = {}
    for one in case.opinions:
        if one.kind == "reject":
            standing.setdefault(one.actor, []).append(one)
        elif one.kind in ("withdraw", "approve") and _takes_back(one, case):
            standing.pop(one.actor, None)
        elif one.kind == "unhold" and may_release(one, veto.release_roles, case):
            standing.clear()
    return _sorted(standing, veto, case)


def _holds(veto: Veto, case: Case) -> Standing:
    standing: dict[int, list[Opinion]] = {}
    for one in case.opinions:
        if one.kind == "hold":
            standing.setdefault(one.actor, []).append(one)
        elif one.kind == "unhold" and may_release(one, veto.release_roles, case):
            standing.clear()
        elif one.kind == "unhold" and case.is_genuine(one):
            standing.pop(one.actor, None)
    return _sorted(standing, veto, case)


def _sorted(standing: Mapping[int, Sequence[Opinion]], veto: Veto, case: Case) -> Standing:
    answers = [(one, _stands(one, veto, case)) for said in standing.values() for one in said]
    return Standing(*(tuple(one for one, answer in answers if answer is wanted) for wanted in (True, None)))


def _stands(one: Opinion, veto: Veto, case: Case) -> bool | None:
    """Whether its maker may object, or could when the bot first saw it: an objection outlives the role."""
    roles = veto.when.changes_requested_by
    if one.stood or (roles is not None and set(roles) & set(one.recorded_roles or ())):
        return True
    return may_use("hold", one.actor, case) if roles is None else case.holds_any(one.actor, roles)


def stands(one: Opinion, case: Case) -> bool:
    """Whether somebody who may object says it: for certain, by a veto of the policy."""
    vetoes = [veto for veto in case.approvals.vetoes if not veto.when.artifact_revoked]
    mine = [veto for veto in vetoes if one.kind == ("hold" if veto.when.held else "reject")]
    return any(_stands(one, veto, case) is True for veto in mine)


def may_release(one: Opinion, roles: Iterable[str], case: Case) -> bool:
    """Lifting what others said takes a role, a reason, and not having built the change."""
    if not (one.reason.strip() and case.is_genuine(one)):
        return False
    builders = excluded(("author", "committer", "co_author", "last_pusher"), case)
    return case.holds_any(one.actor, roles, builders) is True


def _takes_back(one: Opinion, case: Case) -> bool:
    """A dismissed review takes nothing back but itself, whatever it was."""
    return case.is_genuine(one) and (one.method, one.kind) != ("review", "withdraw")


def _revoked(veto: Veto, case: Case) -> Node:
    revoked = [model.model for model in case.facts.models if model.artifact_digest in case.facts.revoked]
    if not revoked:
        return node(veto.name, "approved", "not_needed", "No artifact of this change was revoked.")
    sentence = f"The artifact of {listed(revoked)} was revoked: change the model and evaluate it again."
    return node(veto.name, "rejected", "revoked", sentence, who=(case.facts.pull_request.author.login,))
