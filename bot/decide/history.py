"""What GitHub's own history of a pull request makes of what people said, whether or not a run saw it happen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from bot.decide.reading import OBJECTIONS, STATES, Parse, commands_in
from bot.ports import Comment, TimelineEvent
from bot.records.approval import Approval
from bot.records.facts import Opinion

GONE = 10137  # https://api.github.com/users/ghost
CAUSES = {"closed": "closed", "base_changed": "retargeted"}


def voids(timeline: Iterable[TimelineEvent]) -> list[tuple[datetime, str]]:
    """When opinions before became void, and why (`closed`, `retargeted`): a closing that is no merge, another base.

    A merge closes in its own second, whichever of the two GitHub lists first.
    """
    events = list(timeline)
    merged = min((event.at for event in events if event.kind == "merged"), default=None)
    return [
        (event.at, CAUSES[event.kind]) for event in events
        if event.kind in CAUSES and not (event.kind == "closed" and merged is not None and event.at >= merged)
    ]  # fmt: skip


def with_voids(opinions: Iterable[Opinion], timeline: Iterable[TimelineEvent]) -> list[Opinion]:
    """Opinions given before the last such moment are void. GitHub tells seconds: those of the same second are, too."""
    last, cause = max(voids(timeline), default=(None, ""))
    return [
        one.model_copy(update={"voided": cause}) if last and datetime.fromisoformat(one.created_at) <= last else one
        for one in opinions
    ]


def with_dismissals(opinions: Iterable[Opinion], timeline: Iterable[TimelineEvent]) -> list[Opinion]:
    """Dismissed reviews with what they were; an objection that somebody else dismissed still stands."""
    dismissals = {f"r{event.review_id}": event for event in timeline if event.kind == "review_dismissed"}
    return [
        _dismissed(one, dismissals[one.id]) if one.kind == "withdraw" and one.id in dismissals else one
        for one in opinions
    ]


def _dismissed(one: Opinion, event: TimelineEvent) -> Opinion:
    was = STATES.get(event.review_state or "")
    is_own = event.actor is not None and event.actor.id == one.actor
    return one.model_copy(update={"kind": "reject"} if was == "reject" and not is_own else {"was": was})


def changers(comments: Iterable[Comment], timeline: Iterable[TimelineEvent]) -> Callable[[Approval], int | None]:
    """Who edited or deleted the comment of a recorded opinion, None when GitHub does not say.

    Of deletions it says whose comment it was and not which: of several, somebody else than the author stands. Who is
    gone by now is somebody else, too.
    """
    editors = {one.id: one.editor.id if one.editor else None for one in comments}
    deleters: dict[int, int] = {}
    for event in timeline:
        if event.kind == "comment_deleted" and event.about is not None:
            author, actor = event.about.id, event.actor.id if event.actor else GONE
            deleters[author] = actor if deleters.get(author, author) == author else deleters[author]

    def changer(record: Approval) -> int | None:
        number = int(record.id.removeprefix("c").partition(".")[0])
        return editors[number] if number in editors else deleters.get(record.actor.id)

    return changer


def edited_away(comments: Iterable[Comment], parse: Parse, prefix: str | None) -> Iterator[Opinion]:
    """Objections that an earlier text of a comment holds and the present one does not: taking one back takes words.

    Whoever edits somebody's comment could else silence them before the bot has read it.
    """
    for comment in comments:
        known = {(one.id, one.kind) for one in commands_in([comment], parse, prefix)}
        for text in comment.earlier:
            for one in commands_in([replace(comment, body=text)], parse, prefix):
                if one.kind in OBJECTIONS and (one.id, one.kind) not in known:
                    known.add((one.id, one.kind))
                    yield one.model_copy(update={"tampered": True})
