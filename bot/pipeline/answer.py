"""The one answer to a comment: a reply, or a thumb where the report shows what was done; else summary and status.

Who holds a role, or may write here, gets one for each comment; anybody else one a pull request and day, so that nobody
can make the bot talk. A reply begins with a hidden line that names the comment: given again, it stays one.
"""

from __future__ import annotations

from datetime import timedelta

from bot.chatops.answers import with_prefix
from bot.decide.case import Case
from bot.decide.roles import at_least
from bot.errors import MlbotError, Parts
from bot.ledger import Ledger
from bot.pipeline.job import Job
from bot.records.base import canonical_json
from bot.records.event import CommentCreated
from bot.records.ledger import told_path
from bot.words import Markdown, literal, prose, shown

MARK = "<!-- mlbot:answer"
STATUS = "mlbot/answer"  # where an answer stands that the conversation does not take; nobody requires it
DONE = Markdown("done, the report shows it")
NEXT = Markdown("\n")
DAY = timedelta(days=1)


def answer(event: CommentCreated, text: Markdown, case: Case | None, job: Job) -> None:
    """Give it. `text` empty: everything was done. `case` None: nothing could be judged."""
    login = event.author.login
    job.say(text or f"{login}: {DONE}")
    job.summarize(Markdown("Answer to a comment of {}:\n\n{}\n").format(login, text or DONE))
    if not _is_due(event, case, job):
        job.say(f"{login} holds no role here and had an answer within a day; this one stands in the summary only")
        return
    talk, views, marker = job.ports.conversation, job.ports.views, _marker(event)
    before = len(views.failed)
    if text:
        views.attempt("answer", lambda: talk.upsert_comment(event.number, marker, marker + NEXT + text))
    else:
        views.attempt("reaction", lambda: talk.react(event.comment_id, "+1"))
    if len(views.failed) > before:
        views.attempt("answer as a status", lambda: _as_status(event, text or DONE, job))


def refusal(verb: str, error: MlbotError, prefix: str | None) -> Markdown:
    """What was refused, the reason code, and the next step, never at the start of a line a slash.

    Commands in the next step, which is ours, get the prefix; the message may hold words of people, and stays.
    """
    steps = with_prefix(error.next_step, prefix)
    hint = Markdown("\n\n{}").format(literal(steps)) if steps else Markdown("")
    said = Markdown("{} was refused ({}): {}{}")
    return said.format(_verb(verb), error.code or "refused", prose(error.message), hint)


def failure(verb: str, error: MlbotError) -> Markdown:
    """What could not be done although it was allowed; nobody tries it again by himself."""
    said = Markdown("{} failed: {}\n\n    Write it again in a new comment.")
    return said.format(_verb(verb), prose(error.message))


def _verb(verb: str) -> Markdown:
    return Markdown(f"`{verb}`")  # noqa: S704 - a word of the grammar


def _marker(event: CommentCreated) -> Markdown:
    return Markdown(f"{MARK} {event.comment_id} to {event.author.id} -->")  # noqa: S704 - numbers


def _is_due(event: CommentCreated, case: Case | None, job: Job) -> bool:
    if _is_known(event, case, job) is not False:
        return True
    to, now = f" to {event.author.id} -->", job.ports.clock.now()
    given = [one for one in job.ports.conversation.own(event.number, MARK) if to in one.body.partition("\n")[0]]
    others = [one for one in given if not one.body.startswith(_marker(event))]
    return not any(now - one.created_at < DAY for one in others)


def _is_known(event: CommentCreated, case: Case | None, job: Job) -> bool | None:
    """Whether somebody holds a role or may write here; None when GitHub does not say."""
    author = event.author
    if case is not None:
        found = case.actors.get(author.id)
        answers = [case.holds_any(author.id, case.policies.roles.roles)]
        answers.append(at_least(found.permission if found else None, "write"))
        return True if True in answers else None if None in answers else False
    asked = Parts().attempt("permission", lambda: job.ports.pull_requests.permissions([author]))
    return at_least(asked.get(author.id), "write") if asked else None


def _as_status(event: CommentCreated, said: Markdown, job: Job) -> None:
    """In the status, which the next answer writes over; the ledger keeps that it was given."""
    head, words = job.ports.pull_requests.get(event.number).head_sha, f"@{event.author.login}: {said}"
    url, talk = job.ports.run.url, job.ports.conversation
    description = shown(words)
    if talk.statuses(head).get(STATUS) != ("success", description):
        talk.set_status(head, STATUS, "success", description, url)
    if not (ledger := Ledger(job.ports.ledger)).is_told(event.number, event.comment_id):
        note = {told_path(event.number, event.comment_id): canonical_json({"head": head, "run": job.ports.run.id})}
        ledger.write(note, f"answer to {event.author.login} on #{event.number}, in a status")
