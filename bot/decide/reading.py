"""What GitHub and the ledger say -> opinions and commits as facts. Nothing is judged here."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from bot.ports import Comment, Commit, Review
from bot.records.approval import Approval
from bot.records.facts import CommitFact, Opinion, OpinionKind

WEB_FLOW = 19864447  # https://api.github.com/users/web-flow commits what is done in the web page, for whoever did it

VERBS: dict[str, OpinionKind] = {
    "approve": "approve",
    "unapprove": "withdraw",
    "reject": "reject",
    "hold": "hold",
    "unhold": "unhold",
    "promote": "promote",
    "rollback": "rollback",
    "break-glass": "break_glass",
}
STATES: dict[str, OpinionKind] = {"APPROVED": "approve", "CHANGES_REQUESTED": "reject", "DISMISSED": "withdraw"}
OBJECTIONS = frozenset(("reject", "hold", "withdraw"))

_TRAILER = re.compile(r"^[ \t]*co-authored-by[ \t]*:[^<\n]*<([^>\n]*)>\s*$", re.IGNORECASE | re.MULTILINE)
_ANY_TRAILER = re.compile(r"^[ \t]*co-authored-by[ \t]*:", re.IGNORECASE | re.MULTILINE)
_NO_REPLY = re.compile(r"([1-9][0-9]{0,18})\+[^@]*@users\.noreply\.github\.com", re.IGNORECASE)


class Said(Protocol):
    """A command as the chat grammar makes it."""

    @property
    def verb(self) -> str: ...
    @property
    def target(self) -> str | None: ...
    @property
    def models(self) -> Sequence[str]: ...
    @property
    def environment(self) -> str | None: ...
    @property
    def options(self) -> Mapping[str, Any]: ...


class Parsed(Protocol):
    """What a comment says."""

    @property
    def commands(self) -> Sequence[Said]: ...


Parse = Callable[[str, str | None], Parsed]


def stamp(moment: datetime) -> str:
    """RFC 3339, UTC."""
    return moment.isoformat().replace("+00:00", "Z")


def body_digest(body: str) -> str:
    """SHA-256 of a comment's text, in hexadecimal."""
    return hashlib.sha256(body.encode()).hexdigest()


def commands_in(comments: Iterable[Comment], parse: Parse, prefix: str | None) -> list[Opinion]:
    """Opinions in comments by people; what bots (this one too) write means nothing."""
    return [
        opinion
        for comment in comments
        if comment.author.kind == "User" and "/" in comment.body
        for opinion in _in_comment(comment, parse(comment.body, prefix))
    ]


def opinion_id(comment: int, index: int) -> str:
    """The id of the command at `index` (from 0) of a comment."""
    return f"c{comment}.{index}" if index else f"c{comment}"


def _in_comment(comment: Comment, parsed: Parsed) -> Iterator[Opinion]:
    for index, said in enumerate(parsed.commands):
        kind = VERBS.get(said.verb)
        if kind is None:
            continue
        confirms = said.options.get("confirm")
        yield Opinion(
            id=opinion_id(comment.id, index),
            method="command",
            kind="break_glass_confirm" if kind == "break_glass" and confirms else kind,
            actor=comment.author.id,
            created_at=stamp(comment.created_at),
            target=said.target,
            models=tuple(said.models),
            environment=said.environment,
            reason=str(said.options.get("reason") or ""),
            body_sha256=body_digest(comment.body),
            edited=comment.is_edited,
            changed_by=comment.editor.id if comment.editor else None,
            request=str(confirms) if confirms else None,
        )


def is_untargeted(one: Opinion) -> bool:
    """An approval by command that names nothing."""
    return (one.method, one.kind, one.target) == ("command", "approve", None)


def with_seen_head(
    opinions: Iterable[Opinion], head_sha: str, reports: Iterable[tuple[datetime, str]]
) -> list[Opinion]:
    """Untargeted approvals stand for the head of the last report before them, if that is still the live one.

    `reports` are the bot's own times of its reports on heads. An older report on a head that was pushed back since is
    not what people had before their eyes.
    """
    return [
        one.model_copy(update={"seen_head": head_sha})
        if is_untargeted(one) and _last_seen(one, reports) == head_sha
        else one
        for one in opinions
    ]


def _last_seen(one: Opinion, reports: Iterable[tuple[datetime, str]]) -> str | None:
    written = datetime.fromisoformat(one.created_at)
    return max(((when, sha) for when, sha in reports if when < written), default=(None, None))[1]


def reviews_as_opinions(reviews: Iterable[Review]) -> list[Opinion]:
    """The state is the opinion, whatever the text says; comments and drafts are none."""
    return [
        Opinion(
            id=f"r{review.id}",
            method="review",
            kind=STATES[review.state],
            actor=review.author.id,
            created_at=stamp(review.submitted_at),
            commit_sha=review.commit_sha,
            body_sha256=body_digest(review.body),
        )
        for review in reviews
        if review.state in STATES and review.submitted_at is not None
    ]


def with_records(
    opinions: Iterable[Opinion],
    records: Mapping[str, Approval],
    voided: Mapping[str, str],
    changer: Callable[[Approval], int | None] = lambda _: None,
) -> list[Opinion]:
    """Opinions with what was recorded when they were first seen; words that vanished are put back, and marked.

    Whoever takes an objection away must say so with a command or a new review, since GitHub does not tell here who
    edited or deleted a comment or dismissed a review. A word that was put back still objects and still withdraws an
    approval; it does not approve, and takes no objection back. `changer` says who edited or deleted a comment: an
    approval that its maker took away is gone.
    """
    found = [word for one in opinions for word in _with_record(one, records, voided)]
    known = {one.id for one in found}
    gone = [one for one in records.values() if one.id not in known and one.method == "command"]
    back = [_put_back(one, voided.get(one.id, ""), changer(one)) for one in gone]
    return [*found, *(one for one in back if one.kind in OBJECTIONS or _is_missed(one))]


def _is_missed(one: Opinion) -> bool:
    return one.kind == "approve" and one.changed_by != one.actor


def _with_record(one: Opinion, records: Mapping[str, Approval], voids: Mapping[str, str]) -> Iterator[Opinion]:
    record, voided = records.get(one.id), voids.get(one.id, "")
    if record is None:
        yield one.model_copy(update={"voided": voided})
    elif one.method == "command" and (record.body_sha256 != one.body_sha256 or record.kind != one.kind):
        yield _put_back(record, voided, one.changed_by)
        if one.kind in OBJECTIONS and one.kind != record.kind:  # an edited comment may object, and no more
            edited = one.model_copy(update={"id": f"{one.id}.edited", "edited": True})
            yield from _with_record(edited, records, voids)
    else:
        is_objection = record.kind in OBJECTIONS  # that of an account that is gone stays that account's
        changes = {
            "voided": voided,
            "seen_head": record.head_sha,
            "recorded_roles": record.roles,
            "recorded": record.models,
            "stood": record.stood,
            **({"actor": record.actor.id} if is_objection else {}),
            **(_undismissed(record) if (one.method, one.kind) == ("review", "withdraw") else {}),
        }
        yield one.model_copy(update=changes)


def _undismissed(record: Approval) -> dict[str, str]:
    """What is known of a dismissed review: an objection stands, an approval is one that was taken back."""
    return {"kind": "reject"} if record.kind == "reject" else {"was": "approve"} if record.kind == "approve" else {}


def _put_back(record: Approval, voided: str, changed_by: int | None) -> Opinion:
    return Opinion(
        id=record.id,
        method=record.method,
        kind=record.kind,
        actor=record.actor.id,
        created_at=record.created_at,
        target=record.target,
        models=record.selectors,
        environment=record.environment,
        reason=record.reason,
        body_sha256=record.body_sha256,
        tampered=True,
        voided=voided,
        seen_head=record.head_sha,
        recorded_roles=record.roles,
        recorded=record.models,
        stood=record.stood,
        changed_by=changed_by,
    )


def commit_facts(commits: Sequence[Commit]) -> tuple[CommitFact, ...]:
    """Who made each commit, by account id; None where GitHub knows nobody."""
    known = {one.author_email.lower(): one.author.id for one in commits if one.author and one.author_email}
    known |= {email: account for one in commits for email, account in one.known}
    return tuple(_commit(one, known) for one in commits)


def _commit(one: Commit, known: Mapping[str, int]) -> CommitFact:
    author = one.author.id if one.author else None
    committer = one.committer.id if one.committer else None
    is_web = committer == WEB_FLOW
    emails = [email.strip().lower() for email in _TRAILER.findall(one.message)]
    emails += [""] * (len(_ANY_TRAILER.findall(one.message)) - len(emails))
    co_authors = tuple(_co_author(email, known) for email in emails)
    unknown = tuple(email if who is None else "" for email, who in zip(emails, co_authors, strict=True))
    committed_by = author if is_web else committer
    committer_email = one.author_email if is_web else one.committer_email
    return CommitFact(
        sha=one.sha,
        author=author,
        committer=committed_by,
        co_authors=co_authors,
        suggestion=is_web and one.verified and one.message.startswith("Apply suggestion"),
        author_email=one.author_email.lower() if author is None else "",
        committer_email=committer_email.lower() if committed_by is None else "",
        co_author_emails=unknown if any(unknown) else (),
    )


def _co_author(email: str, known: Mapping[str, int]) -> int | None:
    match = _NO_REPLY.fullmatch(email)
    return int(match[1]) if match else known.get(email)
