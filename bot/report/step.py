"""Ask what is there, render, write the difference: the two statuses, and then the sticky comment."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from bot.errors import MlbotError, Parts
from bot.ledger import Ledger
from bot.ports import Ports
from bot.records.report import Report
from bot.report.markdown import MARKED, comment
from bot.report.status import DESCRIPTION_LIMIT, EVALUATION, VERDICT, Shared, Status, statuses
from bot.words import Markdown, Plain, shown

NO_REPORT = Plain(" | No report: ")  # what follows it in a description says why the comment is not what it should be
MOST_WORDS = 70


def publish(
    report: Report,
    number: int,
    head_sha: str,
    ports: Ports,
    *,
    templates: Mapping[str, str] | None = None,
    contexts: Collection[str] = (EVALUATION, VERDICT),
    base: str | None = None,
    shared: Sequence[Shared] = (),
) -> bool:
    """Bring the head's statuses and the pull request's comment up to `report`; False when a newer run was there first.

    `contexts` are those that the report can speak of. `base` is a base branch other than the default one: a status
    belongs to a commit, and what is right for that branch must not open the other. `shared` are this pull request and
    then others with the same head and base, if there are any: the statuses are of all of them.

    At most five requests, besides further pages of comments; a run killed between any two is healed by the next one,
    and an unchanged report writes nothing. A comment that GitHub refuses (a locked conversation) raises nothing:
    `ports.views` and the verdict's description say so. Raises WorldError or UserError when a status cannot be set.
    """
    if _is_overtaken(number, ports):
        return False
    body = comment(report, templates=templates)
    evaluation, verdict = statuses(report, shared)
    wanted = [_named(one, base) for one in (evaluation, verdict) if one.context in contexts]
    there = Parts().attempt("statuses", lambda: ports.conversation.statuses(head_sha)) or {}
    effects = Parts()
    for one in sorted(wanted, key=lambda one: not one.context.startswith(VERDICT)):
        if not _says(there.get(one.context), one):
            effects.attempt(one.context, lambda one=one: _set(one, head_sha, ports))  # type: ignore[misc]
            there[one.context] = (one.state, one.description)
    why_not = _written(body, number, ports)
    for one in wanted:
        final = _with_reason(one, why_not) if one.context.startswith(VERDICT) else one
        if there[one.context] != (final.state, final.description):
            effects.attempt(one.context, lambda final=final: _set(final, head_sha, ports))  # type: ignore[misc]
    effects.finish()
    return True


def _named(one: Status, base: str | None) -> Status:
    return one if base is None else replace(one, context=f"{one.context}: {base}")


def _set(one: Status, head_sha: str, ports: Ports) -> None:
    ports.conversation.set_status(head_sha, one.context, one.state, one.description, one.url)


def _says(there: tuple[str, str] | None, one: Status) -> bool:
    """Whether a status says this already, whatever it adds about the comment."""
    if there is None or there[0] != one.state:
        return False
    said, added, _ = there[1].partition(NO_REPORT)
    return said == one.description or (bool(added) and one.description.startswith(said.removesuffix("…")))


def _written(body: Markdown, number: int, ports: Ports) -> MlbotError | None:
    """Write the comment; why it could not be written."""
    before = len(ports.views.failed)
    ports.views.attempt("report comment", lambda: ports.conversation.upsert_comment(number, MARKED, body))
    return ports.views.failed[before][1] if len(ports.views.failed) > before else None


def _with_reason(one: Status, error: MlbotError | None) -> Status:
    if error is None:
        return one
    added = NO_REPORT + shown(error.message, MOST_WORDS)
    return replace(one, description=shown(one.description, DESCRIPTION_LIMIT - len(added)) + added)


def _is_overtaken(number: int, ports: Ports) -> bool:
    """Whether the ledger holds a head of the pull request that a later run, or attempt of this run, has written."""
    heads = Ledger(ports.ledger).heads(number).readable
    return any((one.run_id, one.run_attempt) > (ports.run.id, ports.run.attempt) for one in heads)
