"""Approvals whose text somebody else changed or deleted: an error, of which the people with the release role are told.

They count for nothing until their maker speaks again, or a release role says /unhold --reason.
"""

from __future__ import annotations

from collections.abc import Iterator

from bot.decide.case import Case, moment
from bot.decide.reasons import node
from bot.decide.vetoes import may_release
from bot.decide.wording import listed
from bot.records.decision import Alert, Node
from bot.records.facts import Opinion


def tampering_nodes(case: Case) -> Iterator[Node]:
    """One error an approval."""
    releasers = case.members(_release_roles(case))
    for one in _tampered(case):
        maker = case.login(one.actor)
        also = f", or {listed(releasers)} lift it with {case.written('/unhold --reason')}" if releasers else ""
        sentence = f"{_sentence(one, case)} {maker} must say it again{also}."
        yield node(f"word {one.id}", "error", "tampered", sentence, who=dict.fromkeys((maker, *releasers)))


def alerts(case: Case) -> tuple[Alert, ...]:
    """What the people with the release role are told, once an approval."""
    roles = [case.policies.roles.roles[name] for name in _release_roles(case)]
    who = dict.fromkeys(name for role in roles for name in (*(one.login for one in role.accounts), *role.teams))
    line = case.written("/unhold --reason")
    what = f"Nothing here is approved until it is said again, or until one of you writes `{line}`."
    return tuple(Alert(id=one.id, who=tuple(who), sentence=f"{_sentence(one, case)} {what}") for one in _tampered(case))


def _release_roles(case: Case) -> tuple[str, ...]:
    return tuple(dict.fromkeys(role for veto in case.approvals.vetoes for role in veto.release_roles))


def _sentence(one: Opinion, case: Case) -> str:
    known = one.changed_by is not None
    who = case.login(one.changed_by) if one.changed_by is not None else "somebody"
    what = "edited or deleted" if one.tampered else "edited"
    unsure = "" if known else " GitHub does not say who, so it may have been its maker."
    return f"The approval {one.id} of {case.login(one.actor)} is not as it was posted: {who} {what} it.{unsure}"


def _tampered(case: Case) -> tuple[Opinion, ...]:
    changed = [one for one in case.opinions if one.kind == "approve" and not one.voided and _is_changed(one)]
    return tuple(one for one in changed if _had_a_role(one, case) and not _is_over(one, case))


def _is_changed(one: Opinion) -> bool:
    """By somebody else, or by nobody knows whom where the text was recorded."""
    is_told = one.tampered or (one.edited and one.changed_by is not None)
    return one.method == "command" and is_told and one.changed_by != one.actor


def _had_a_role(one: Opinion, case: Case) -> bool:
    """What somebody without any role says approves nothing, whoever edits it."""
    return bool(one.recorded_roles or case.holding(one.actor).held)


def _is_over(one: Opinion, case: Case) -> bool:
    later = [other for other in case.opinions if moment(other.created_at) > moment(one.created_at)]
    return any(
        (other.actor == one.actor and other.kind in ("approve", "withdraw", "reject") and case.is_genuine(other))
        or (other.kind == "unhold" and may_release(other, _release_roles(case), case))
        for other in later
    )
