"""A comment -> its commands, in order, and then one answer to whoever wrote them.

What a command does comes first, then the note of it in the ledger, then the answer: nine requests in all.
"""

from __future__ import annotations

import json

from bot.chatops.answers import hint_text
from bot.chatops.parse import parse
from bot.decide import orders
from bot.decide.allowed import may_use
from bot.errors import Parts, UserError
from bot.ledger import Ledger
from bot.pipeline.answer import answer, failure, refusal
from bot.pipeline.commands import COMMANDS, Ask, used_today
from bot.pipeline.job import Job
from bot.pipeline.judge import Judged, head_of, judge, policies_of
from bot.records.base import canonical_json
from bot.records.command import Command
from bot.records.event import CommentCreated, Event
from bot.records.ledger import acted_path, evaluation_id, handled_path
from bot.words import Markdown

# Opinions are read anew each time, and the rest only answers: doing them again changes nothing.
ACTS = frozenset({
    "plan", "retrain", "reproduce", "cancel", "promote", "rollback", "revoke", "lock", "unlock", "delegate",
    "undelegate",
    "break-glass", "merge",
})  # fmt: skip
EDITED = Markdown(
    "Nothing was done: the comment was edited before its commands were read, and an edited comment never acts.\n\n"
    "    Write it again in a new comment."
)
PARAGRAPH = Markdown("\n\n")
MOST_KEPT = 4000  # characters of an answer that the ledger keeps, to be given again


def run(event: Event, job: Job) -> None:
    """Parse the stored comment; nothing happens when it was edited meanwhile, or when one of its commands is wrong."""
    if not isinstance(event, CommentCreated):
        raise UserError(f"not a comment: {event.kind}", code="wrong_event")
    failed = Parts()
    policies = failed.attempt("policies", lambda: policies_of(job))
    if policies is None:
        _not_judged(event, failed, job)
        return
    prefix = policies.commands.prefix
    parsed = parse(event.body, prefix)
    if not parsed.commands and not parsed.hints:
        job.say("no command in this comment")
        return
    stored = _stored(event, job)
    if stored is None:
        job.say("the comment was deleted since; nothing is done")
    elif not stored:
        answer(event, EDITED, None, job)
    elif parsed.hints:
        answer(event, _hints(event, parsed.hints, job), None, job)
    else:
        _handle(event, parsed.commands, failed, prefix, job)
        failed.finish()


def leave(event: CommentCreated, text: Markdown, prefix: str | None, job: Job) -> None:
    """Answer `text` to a comment whose commands are not carried out any more, however late a run of its own comes.

    When they were carried out or refused before, that is the answer. Raises MlbotError when it cannot be noted.
    """
    failed, note = Parts(), Ledger(job.ports.ledger).handled(event.number, event.comment_id)
    if note is None:
        commands = parse(event.body, prefix).commands
        _note(event, [], [index for index, one in enumerate(commands) if one.verb in ACTS], text, failed, job)
        if _is_overtaken(failed, job):
            return
        failed.finish()
    answer(event, _noted(note) if note else text, None, job)


def _is_overtaken(failed: Parts, job: Job) -> bool:
    """Whether another run has noted the commands first, and so answers them."""
    found = any(error.code == "ledger_conflict" for _, error in failed.failed)
    if found:
        job.say("another run carried these commands out at the same moment, and answers them")
    return found


def _noted(note: bytes) -> Markdown:
    return Markdown(json.loads(note).get("answer", ""))  # noqa: S704 - this very text, signed


def _not_judged(event: CommentCreated, failed: Parts, job: Job) -> None:
    """The policies do not load. Whoever may have meant a command is told so, and the pull request shows the places."""
    parsed = parse(event.body, None)
    if "/" in event.body:
        failed.attempt("verdict", lambda: judge(event.number, "merge", job))
    if (parsed.commands or parsed.hints) and _stored(event, job):
        answer(event, refusal("command", failed.failed[0][1], None), None, job)
    failed.finish()


def _stored(event: CommentCreated, job: Job) -> bool | None:
    """Whether GitHub holds the comment as it was delivered, unedited, by the same account (attack A25); None: gone."""
    stored = [one for one in job.ports.pull_requests.comments(event.number) if one.id == event.comment_id]
    same = [one for one in stored if one.body.replace("\r\n", "\n") == event.body.replace("\r\n", "\n")]
    is_same = any(one.author.id == event.author.id and not one.is_edited for one in same)
    return is_same if stored else None


def _hints(event: CommentCreated, hints: tuple, job: Job) -> Markdown:  # type: ignore[type-arg]
    head = head_of(event.number, job.ports.pull_requests.get(event.number).head_sha, job)
    return hint_text(hints, evaluation=evaluation_id(head.models) if head else None)


def _handle(event: CommentCreated, commands: tuple[Command, ...], failed: Parts, prefix: str | None, job: Job) -> None:
    """Carry the commands out once, note that, answer. Who may is asked of GitHub now, for each command."""
    judged = failed.attempt("verdict", lambda: judge(event.number, "merge", job, actor=event.author))
    case = judged.case if judged is not None else None
    note = Ledger(job.ports.ledger).handled(event.number, event.comment_id)
    if note is not None:
        job.say("the commands of this comment were carried out, or refused, before")
        text = _noted(note)
    elif judged is None:
        text = PARAGRAPH.join(refusal(one.verb, failed.failed[0][1], prefix) for one in commands)
    else:
        text = _carry_out(event, commands, judged, failed, job)
    if _is_overtaken(failed, job):
        return
    answer(event, text, case, job)


def _carry_out(
    event: CommentCreated, commands: tuple[Command, ...], judged: Judged, failed: Parts, job: Job
) -> Markdown:  # fmt: skip
    """The answer, empty when all was done and shows elsewhere.

    What started or changed something is noted, so that nobody does it again by running an old job again; and what was
    refused, so that nobody else chooses the moment at which it would not be.
    """
    replies, done, refused = list[Markdown](), list[str](), list[int]()
    prefix = judged.policies.commands.prefix
    for index, command in enumerate(commands):
        tried, ask = Parts(), Ask(command, event, index, judged, job, tuple(done))
        said = tried.attempt(command.verb, lambda ask=ask: _within_budget(ask))  # type: ignore[misc]
        is_act = command.verb in ACTS or ask.budget is not None
        if said is not None:
            replies.append(said)
            done += [command.verb] if is_act else []
            continue
        ((_, error),) = tried.failed
        is_refused = isinstance(error, UserError)
        replies.append(refusal(command.verb, error, prefix) if is_refused else failure(command.verb, error))
        failed.failed += [] if is_refused else tried.failed
        may = may_use(command.verb, event.author.id, judged.case)  # who may not at all could fill the ledger
        refused += [index] if is_act and may is not False else []
    text = _joined([one.verb for one in commands], replies)
    if done or refused:
        _note(event, done, refused, text, failed, job)
    return text


def _within_budget(ask: Ask) -> Markdown:
    """What the command says, unless its giver has used it up. Raises UserError (code `budget_exceeded`)."""
    if ask.budget is not None:
        orders.within_budget(ask.command.verb, ask.budget, used_today(ask), ask.judged.case)
    return COMMANDS[ask.command.verb](ask)


def _joined(verbs: list[str], replies: list[Markdown]) -> Markdown:
    """Empty when every command was done and shows elsewhere; else each has its part."""
    if not any(replies):
        return Markdown("")
    done = Markdown("`{}`: done.")
    return PARAGRAPH.join(reply or done.format(verb) for verb, reply in zip(verbs, replies, strict=True))


def _note(
    event: CommentCreated, done: list[str], refused: list[int], text: str, failed: Parts, job: Job
) -> None:  # fmt: skip
    at = job.ports.clock.now().isoformat(timespec="seconds")
    who = {"author": event.author.id, "run": job.ports.run.id, "at": at}
    note = canonical_json({**who, "verbs": done, "refused": refused, "answer": text[:MOST_KEPT]})
    said = f"done: {', '.join(done) or 'nothing'}"
    files = {handled_path(event.number, event.comment_id): note}
    if done:
        acted = canonical_json({"at": at, "verbs": done})
        files[acted_path(event.author.id, at, event.number, event.comment_id)] = acted
    failed.attempt("note", lambda: Ledger(job.ports.ledger).write(files, said))
