"""Commands that nobody answered, since their run was lost or died -> carried out as if it had come, and answered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from functools import partial

from bot.chatops.parse import parse
from bot.decide.heard import is_slow
from bot.decide.roles import at_least, roles_of
from bot.errors import Parts
from bot.ledger import Ledger
from bot.pipeline.answer import MARK
from bot.pipeline.chatops_job import ACTS, leave, run
from bot.pipeline.job import Job
from bot.ports import Said
from bot.records.event import CommentCreated
from bot.records.facts import Actor
from bot.specs.policies import Policies
from bot.words import Markdown

LOOKS_BACK = timedelta(days=3)
STALE = timedelta(days=1)  # nobody expects a command to act after that
LATE = "Nothing was started: the run of this comment was lost, and a day has passed."
TOO_LATE = Markdown("{}\n\n    Write it again in a new comment.").format(LATE)
GRACE = timedelta(minutes=5)  # a younger comment has a run of its own
MOST = 20  # of one run


def answer_unanswered(policies: Policies, job: Job, parts: Parts) -> None:
    """Carry out and answer what somebody wrote who holds a role or may write here, and whose run was lost.

    What a run has noted is not done again, only answered; so is what would act more than a day later. Requests: one for
    a hundred comments of the repository, one for permissions, and those of each command.
    """
    now = job.ports.clock.now()
    listed = parts.attempt("comments", lambda: job.ports.pull_requests.said(now - LOOKS_BACK)) or []
    answered = {_about(one.comment.body) for one in listed if one.is_own}
    for number, body in _twice(listed):
        said = Markdown(body)  # noqa: S704 - the bot's own comment
        marker = Markdown(body.partition("\n")[0])  # noqa: S704 - its first line
        parts.attempt(f"answer on #{number}", partial(job.ports.conversation.upsert_comment, number, marker, said))
    prefix = policies.commands.prefix
    waiting = [
        one for one in listed
        if not one.is_own and not one.has_thumb and one.comment.author.kind == "User"
        and one.comment.updated_at == one.comment.created_at and now - one.comment.created_at >= GRACE
        and one.comment.id not in answered and "/" in one.comment.body
    ]  # fmt: skip
    quick = [one for one in waiting if not is_slow(one.comment.body) and _asks(one.comment.body, prefix)][:MOST]
    slow = _owed([one for one in waiting if is_slow(one.comment.body)][:MOST], policies, job, parts)
    asking = [one for one in slow if _asks(one.comment.body, prefix)]
    for one in [*_owed(quick, policies, job, parts), *asking]:
        event = CommentCreated(
            number=one.number, comment_id=one.comment.id, body=one.comment.body, author=one.comment.author,
            sender=one.comment.author,
        )  # fmt: skip
        is_stale = now - one.comment.created_at >= STALE and _acts(one.comment.body, prefix)
        act = partial(leave, event, TOO_LATE, prefix, job) if is_stale else partial(run, event, job)
        parts.attempt(f"comment {one.comment.id} on #{one.number}", act)


def _twice(listed: Iterable[Said]) -> Iterator[tuple[int, str]]:
    """(pull request, body) of answers that two runs gave at the same moment: written again, one of them stays."""
    seen: set[tuple[int, int]] = set()
    for one in listed:
        key = (one.number, _about(one.comment.body))
        if one.is_own and key[1] and key in seen:
            yield one.number, one.comment.body
        seen |= {key} if one.is_own else set()


def _owed(waiting: list[Said], policies: Policies, job: Job, parts: Parts) -> list[Said]:
    """Of people who are owed an answer, where none stands in a status, as in a locked conversation."""
    if not waiting:
        return []
    authors = list({one.comment.author.id: one.comment.author for one in waiting}.values())
    roles = parts.attempt("permissions", lambda: job.ports.pull_requests.permissions(authors)) or {}
    people = [Actor(account=one, permission=roles.get(one.id), teams=(), unknown_teams=()) for one in authors]
    known = {one.account.id for one in people if _is_known(one, policies)}
    mine = [one for one in waiting if one.comment.author.id in known]
    ledger = Ledger(job.ports.ledger)
    return [one for one in mine if not ledger.is_told(one.number, one.comment.id)]


def _is_known(actor: Actor, policies: Policies) -> bool:
    """Whether somebody holds a role by name or permission, or may write; members of teams that hold one may."""
    return bool(at_least(actor.permission, "write") or roles_of(actor, policies.roles).held)


def _asks(body: str, prefix: str | None) -> bool:
    parsed = parse(body, prefix)
    return bool(parsed.commands or parsed.hints)


def _acts(body: str, prefix: str | None) -> bool:
    """Whether a command of it starts or changes something; opinions are read live, whenever they were written."""
    return any(one.verb in ACTS for one in parse(body, prefix).commands)


def _about(body: str) -> int:
    """The comment that a reply of the bot's answers, 0 for what answers none."""
    word = body.removeprefix(f"{MARK} ").partition(" ")[0] if body.startswith(f"{MARK} ") else ""
    return int(word) if word.isdecimal() else 0
