"""A comment -> its commands, in order, each with its outcome in the report or in one short reply.

An accepted comment gets eyes at once. Its outcome stands in the report, or in one reply: eight requests in all.
"""

from __future__ import annotations

from bot.chatops.answers import hint_text, with_prefix
from bot.chatops.parse import parse
from bot.decide.allowed import may_use
from bot.errors import UserError
from bot.pipeline.commands import COMMANDS, Ask
from bot.pipeline.job import Job
from bot.pipeline.judge import head_of, judge, policies_of
from bot.records.base import canonical_json
from bot.records.event import CommentCreated, Event
from bot.records.ledger import evaluation_id, handled_path

# Opinions are read anew each time, and the rest only answers: doing them again changes nothing.
ACTS = frozenset({
    "plan", "retrain", "cancel", "promote", "rollback", "lock", "unlock", "delegate", "undelegate", "break-glass",
    "merge",
})  # fmt: skip


def run(event: Event, job: Job) -> None:
    """Parse the stored comment; nothing happens when it was edited meanwhile, or when one of its commands is wrong."""
    if not isinstance(event, CommentCreated):
        raise UserError(f"not a comment: {event.kind}", code="wrong_event")
    prefix = _prefix(event, job)
    parsed = parse(event.body, prefix)
    if not parsed.commands and not parsed.hints:
        job.say("no command in this comment")
        return
    if not _is_stored(event, job):
        job.say("the comment was edited or deleted since; nothing is done")
        return
    if job.ports.ledger.get(handled_path(event.number, event.comment_id)) is not None:
        job.say("the commands of this comment were carried out, or refused, before")
        return
    if not parsed.hints:
        job.ports.conversation.react(event.comment_id, "eyes")
    replies = _hints(event, parsed.hints, job) if parsed.hints else _carry_out(event, job)
    text = with_prefix("\n\n".join(one for one in replies if one), prefix)
    if text:
        job.ports.conversation.reply(event.number, text)
        job.say(text)


def _prefix(event: CommentCreated, job: Job) -> str | None:
    """What commands begin with. Where the policies do not load, whoever may have meant one is told so."""
    try:
        return policies_of(job).commands.prefix
    except UserError:
        if "/" in event.body:
            judge(event.number, "merge", job)  # shows what is wrong with them, and raises it
        raise


def _is_stored(event: CommentCreated, job: Job) -> bool:
    """Whether GitHub still holds the comment as it was delivered, unedited, by the same account (attack A25)."""
    stored = [one for one in job.ports.pull_requests.comments(event.number) if one.id == event.comment_id]
    same = [one for one in stored if one.body.replace("\r\n", "\n") == event.body.replace("\r\n", "\n")]
    return any(one.author.id == event.author.id and one.updated_at == one.created_at for one in same)


def _hints(event: CommentCreated, hints: tuple, job: Job) -> list[str]:  # type: ignore[type-arg]
    head = head_of(event.number, job.ports.pull_requests.get(event.number).head_sha, job)
    return [hint_text(hints, evaluation=evaluation_id(head.models) if head else None)]


def _carry_out(event: CommentCreated, job: Job) -> list[str]:
    """Replies, none for what was done and shows elsewhere. Who may is asked of GitHub now, for each command.

    What started or changed something is noted, so that nobody does it again by running an old job again; and what was
    refused, so that nobody else chooses the moment at which it would not be.
    """
    replies, done, refused = [], list[str](), list[int]()
    commands = parse(event.body, policies_of(job).commands.prefix).commands
    judged = judge(event.number, "merge", job, actor=event.author)
    for index, command in enumerate(commands):
        ask = Ask(command, event, index, judged, job)
        try:
            replies.append(COMMANDS[command.verb](ask))
            done += [command.verb] if command.verb in ACTS else []
        except UserError as error:
            replies.append(refusal(command.verb, error))
            may = may_use(command.verb, event.author.id, judged.case)  # who may not at all could fill the ledger
            refused += [index] if command.verb in ACTS and may is not False else []
    if done or refused:
        who = {"author": event.author.id, "run": job.ports.run.id}
        note = canonical_json({**who, "verbs": done, "refused": refused})
        said = f"done: {', '.join(done) or 'nothing'}"
        job.ports.ledger.commit({handled_path(event.number, event.comment_id): note}, said)
    return replies


def refusal(verb: str, error: UserError) -> str:
    """One short reply: what was refused, the reason code, and the next step, never at the start of a line a slash."""
    hint = "\n\n" + "\n".join(f"    {line}" for line in error.hint.splitlines()) if error.hint else ""
    return f"`{verb}` was refused ({error.code or 'refused'}): {_plain(error.message)}{hint}"


def _plain(text: str) -> str:
    return text.replace("@", "@\u200b")
