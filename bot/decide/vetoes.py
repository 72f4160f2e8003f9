"""Rejections, holds and revoked artifacts: any of them rejects, whatever else says."""

from __future__ import annotations

from collections.abc import Iterable
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
    reason = next((f": {one.reason}" for one in standing if one.reason), "")
    command = "/unhold" if veto.when.held else "/unapprove or a new approval"
    releasers = case.members(veto.release_roles)
    also = f"; {listed(releasers)} may lift it with /unhold --reason" if releasers else ""
    sentence = f"{listed(logins)} {verb}{reason}. They take it back with {command}{also}."
    code = "held" if veto.when.held else "vetoed"
    return node(veto.name, "rejected", code, sentence, who=dict.fromkeys((*logins, *releasers)))


def _rejections(veto: Veto, case: Case) -> Standing:
    standing: dict[int, Opinion] = {}
    for one in case.opinions:
        if one.kind == "reject":
            standing[one.actor] = one
        elif one.kind in ("withdraw", "approve") and _takes_back(one, case):
            standing.pop(one.actor, None)
        elif one.kind == "unhold" and _may_release(one, veto, case):
            standing.clear()
    roles = veto.when.changes_requested_by or ()
    return _sorted(standing.values(), {id_: case.holds_any(id_, roles) for id_ in standing})


def _holds(veto: Veto, case: Case) -> Standing:
    standing: dict[int, Opinion] = {}
    for one in case.opinions:
        if one.kind == "hold":
            standing[one.actor] = one
        elif one.kind == "unhold" and _may_release(one, veto, case):
            standing.clear()
        elif one.kind == "unhold" and case.is_genuine(one):
            standing.pop(one.actor, None)
    return _sorted(standing.values(), {id_: may_use("hold", id_, case) for id_ in standing})


def _sorted(opinions: Iterable[Opinion], answers: dict[int, bool | None]) -> Standing:
    opinions = tuple(opinions)
    certain = tuple(one for one in opinions if answers[one.actor] is True)
    return Standing(certain, tuple(one for one in opinions if answers[one.actor] is None))


def _may_release(one: Opinion, veto: Veto, case: Case) -> bool:
    """Lifting what others said takes a role, a reason, and not having built the change."""
    if not (one.reason.strip() and case.is_genuine(one)):
        return False
    builders = excluded(("author", "committer", "co_author", "last_pusher"), case)
    return one.actor not in builders and case.holds_any(one.actor, veto.release_roles) is True


def _takes_back(one: Opinion, case: Case) -> bool:
    """A dismissed review takes nothing back but itself, whatever it was."""
    return case.is_genuine(one) and (one.method, one.kind) != ("review", "withdraw")


def _revoked(veto: Veto, case: Case) -> Node:
    revoked = [model.model for model in case.facts.models if model.artifact_digest in case.facts.revoked]
    if not revoked:
        return node(veto.name, "approved", "not_needed", "No artifact of this change was revoked.")
    sentence = f"The artifact of {listed(revoked)} was revoked: change the model and evaluate it again."
    return node(veto.name, "rejected", "revoked", sentence, who=(case.facts.pull_request.author.login,))
