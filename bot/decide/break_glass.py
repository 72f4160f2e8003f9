"""Break-glass: several people together go past some conditions, with a reason, for a short time."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from datetime import timedelta

from bot.decide.binding import unbound
from bot.decide.case import Case, Scope, moment
from bot.decide.exclusions import excluded
from bot.decide.powers import electorate
from bot.decide.quorum import Place, seating
from bot.decide.reasons import node
from bot.decide.wording import listed
from bot.records.decision import Node
from bot.records.facts import Opinion
from bot.specs.policies.environments import BreakGlass
from bot.specs.policies.words import seconds


def request_id(number: int, opinion_id: str) -> str:
    """The name by which a second person confirms: `B-` and 10 base32 characters."""
    digest = hashlib.sha256(f"{number}/{opinion_id}".encode()).digest()
    return "B-" + base64.b32encode(digest)[:10].decode().lower()


@dataclass(frozen=True)
class Glass:
    """A break-glass request for the subject: who stands behind it, and its verdict."""

    request: str
    people: tuple[int, ...]
    node: Node

    @property
    def is_broken(self) -> bool:
        """Whether it lets conditions be passed."""
        return self.node.status == "approved"


def glass(scope: Scope, case: Case) -> Glass | None:
    """The newest request that is for this model and environment, None when there is none that could ever count."""
    rule = case.policies.environments.break_glass
    subject = case.facts.subject
    if rule is None or subject not in rule.environments:
        return None
    requests = [one for one in case.opinions if one.kind == "break_glass" and one.environment == subject]
    found = [judged for one in requests if (judged := _judge(one, rule, scope, case)) is not None]
    return max(found, key=lambda one: one.is_broken, default=None) if found else None


def _judge(request: Opinion, rule: BreakGlass, scope: Scope, case: Case) -> Glass | None:
    if _is_spoilt(request, case) or request.target is None or unbound(request, scope, case) is not None:
        return None
    if request.actor in _withdrawn(request, case):
        return None
    name = request_id(case.facts.pull_request.number, request.id)
    if not request.reason.strip():
        sentence = "Break-glass needs --reason."
        return Glass(name, (), node("break_glass", "pending", "reason_missing", sentence))
    people = _people(request, name, rule, case)
    members = case.members(rule.roles)
    if _n_voices(people, rule, case) < rule.min_people:
        line = case.written(f"/break-glass confirm {name}")
        sentence = f"{name} needs {rule.min_people} people who may: {line}. Who can: {listed(members)}."
        return Glass(name, people, node("break_glass", "pending", "break_glass_unconfirmed", sentence, who=members))
    if case.now >= moment(request.created_at) + timedelta(seconds=seconds(rule.max_duration)):
        sentence = f"{name} was good for {rule.max_duration} and has run out."
        return Glass(name, people, node("break_glass", "pending", "break_glass_expired", sentence, who=members))
    sentence = f"{name} by {listed(map(case.login, people))}: {request.reason}"
    return Glass(name, people, node("break_glass", "approved", "approved", sentence))


def _people(request: Opinion, name: str, rule: BreakGlass, case: Case) -> tuple[int, ...]:
    """The requester and who confirmed in time; nobody who built the change, nobody without the role."""
    begin = moment(request.created_at)
    end = begin + timedelta(seconds=seconds(rule.confirm_within))
    confirms = [
        one.actor
        for one in case.opinions
        if one.kind == "break_glass_confirm" and one.request == name and not _is_spoilt(one, case)
        if begin <= moment(one.created_at) <= end and one.actor not in _withdrawn(one, case)
    ]
    people = (request.actor, *confirms)
    return tuple(dict.fromkeys(one for one in people if case.holds_any(one, rule.roles, builders(case)) is True))


def _withdrawn(one: Opinion, case: Case) -> set[int]:
    """Who said /unapprove or /reject after an opinion, in whatever state the comment is."""
    later = [other for other in case.opinions[case.opinions.index(one) + 1 :] if other.method == "command"]
    return {other.actor for other in later if other.kind in ("withdraw", "reject")}


def _n_voices(people: tuple[int, ...], rule: BreakGlass, case: Case) -> int:
    """How many principals stand behind it, up to those needed: who lent the role and who borrowed it are one."""
    powers = electorate(people, builders(case), case)
    wanted = [Place("break_glass", 0, "break_glass")] * rule.min_people

    def names(person: int, _place: Place) -> set[int | None]:
        return {power.lender for power in powers[person] if power.role in rule.roles}

    return rule.min_people - len(seating(wanted, people, names).empty)


def builders(case: Case) -> set[int]:
    """Who made the change, however: nobody of them takes part in a break-glass promotion of it."""
    return excluded(("author", "committer", "co_author", "last_pusher", "training_initiator"), case)


def _is_spoilt(one: Opinion, case: Case) -> bool:
    return bool(one.voided) or not case.is_genuine(one)
