"""Ask what is there, render, write the difference: the sticky comment and the two statuses."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from bot.ports import Ports
from bot.records.ledger import Head
from bot.records.report import Report
from bot.report.markdown import comment, marker
from bot.report.status import EVALUATION, VERDICT, statuses


def publish(
    report: Report,
    number: int,
    head_sha: str,
    ports: Ports,
    *,
    key: str | None = None,
    templates: Mapping[str, str] | None = None,
    contexts: Collection[str] = (EVALUATION, VERDICT),
    base: str | None = None,
) -> bool:
    """Bring the pull request's comment and the head's statuses up to `report`; False when a newer run was there first.

    `key` sets two bots of one account in one repository apart; None is the repository's name. `base` is a base branch
    other than the default one: a status belongs to a commit, and what is right for that branch must not open the other.
    At most four requests, besides further pages of comments. A changed comment means changed statuses: those of
    `contexts` (an opinion changes the verdict only) are then set without asking. Under an unchanged comment whatever is
    missing is set, so a run killed between the two is healed and an unchanged report writes nothing. Raises WorldError
    when GitHub does not answer.
    """
    if _is_overtaken(number, ports):
        return False
    key = key or ports.run.repository
    body, first = comment(report, key=key, templates=templates), marker(key)
    is_unchanged = [one.body for one in ports.conversation.own(number, first)][:1] == [body]
    ports.conversation.upsert_comment(number, first, body)
    there = ports.conversation.statuses(head_sha) if is_unchanged else {}
    for one in statuses(report):
        context = one.context if base is None else f"{one.context}: {base}"
        if (is_unchanged or one.context in contexts) and there.get(context) != (one.state, one.description):
            ports.conversation.set_status(head_sha, context, one.state, one.description, one.url)
    return True


def _is_overtaken(number: int, ports: Ports) -> bool:
    """Whether the ledger holds a head of the pull request that a later run, or attempt of this run, has written."""
    paths = ports.ledger.paths(f"heads/{number}/")
    heads = [Head.parse(ports.ledger.get(path) or b"", source=path) for path in paths]
    return any((one.run_id, one.run_attempt) > (ports.run.id, ports.run.attempt) for one in heads)
