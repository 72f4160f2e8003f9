"""What a page shows, gathered from the local GitHub as plain values for the templates."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.sandbox import history
from bot.sandbox.hub import Hub
from bot.sandbox.pages import diff, markdown
from bot.sandbox.people import BOT, GHOST, Person
from bot.sandbox.shapes.commits import latest_statuses
from bot.sandbox.shapes.pulls import range_of
from bot.sandbox.store import Event, Issue, Repository, Run

EMOJI = {
    "+1": "👍",
    "-1": "👎",
    "laugh": "😄",
    "confused": "😕",
    "heart": "❤️",
    "hooray": "🎉",
    "eyes": "👀",
    "rocket": "🚀",
}
VERBS = {
    "APPROVED": ("good", "approved these changes"),
    "CHANGES_REQUESTED": ("bad", "requested changes"),
    "COMMENTED": ("", "reviewed"),
    "DISMISSED": ("muted", "reviewed; the review was dismissed"),
}


TOLD = {  # kind of event -> (tone, words with what is known about it)
    "added_to_merge_queue": ("", "added it to the merge queue"),
    "assigned": ("", "assigned {about}"),
    "automatic_base_change_succeeded": ("", "deleted the base branch {from}; the base is now {to}"),
    "base_ref_changed": ("", "changed the base branch from {from} to {to}"),
    "base_ref_deleted": ("bad", "deleted the base branch {ref}"),
    "base_ref_force_pushed": ("", "force-pushed the base branch {ref} from {before} to {after}"),
    "closed": ("bad", "closed it"),
    "comment_deleted": ("muted", "deleted a comment of {about}"),
    "convert_to_draft": ("muted", "made it a draft"),
    "head_ref_deleted": ("muted", "deleted the branch {ref}"),
    "head_ref_force_pushed": ("", "force-pushed from {before} to {after}"),
    "head_ref_restored": ("", "restored the branch {ref}"),
    "labeled": ("", "added the label {label}"),
    "locked": ("muted", "locked the conversation {lock_reason}"),
    "merged": ("merged", "merged it as {commit}"),
    "ready_for_review": ("", "marked it as ready for review"),
    "removed_from_merge_queue": ("muted", "removed it from the merge queue"),
    "renamed": ("", "changed the title from {from}"),
    "reopened": ("good", "reopened it"),
    "review_dismissed": ("muted", "dismissed a review of {about}: {message}"),
    "review_request_removed": ("muted", "no longer asks {about} for a review"),
    "review_requested": ("", "asked {about} for a review"),
    "unassigned": ("", "unassigned {about}"),
    "unlabeled": ("", "removed the label {label}"),
    "unlocked": ("", "unlocked the conversation"),
}


@dataclass(frozen=True)
class Entry:
    """One thing in a conversation. `kind` is comment, review or event; `tone` good, bad, muted or empty."""

    id: int
    at: datetime
    person: Person
    kind: str
    tone: str = ""
    words: str = ""
    html: str = ""
    edited: bool = False
    reactions: list[tuple[str, str]] = field(default_factory=list)
    commits: list[dict[str, Any]] = field(default_factory=list)
    sha: str = ""


@dataclass(frozen=True)
class Check:
    """A commit status or a workflow run at the head: `state` is success, failure, pending, or skipped."""

    name: str
    state: str
    words: str
    url: str | None


def person(hub: Hub, login: str) -> Person:
    """The account, or the ghost of one that is gone."""
    return hub.data.people.get(login) or GHOST


def conversation(hub: Hub, repository: Repository, issue: Issue, home: str) -> list[Entry]:
    """Comments, reviews and what happened, in order."""
    found = [*_comments(hub, repository, issue, home), *_reviews(hub, repository, issue, home)]
    found += _events(hub, repository, issue)
    return sorted(found, key=lambda entry: entry.id)


def _comments(hub: Hub, repository: Repository, issue: Issue, home: str) -> Iterator[Entry]:
    for comment in repository.comments.values():
        if comment.number == issue.number:
            yield Entry(
                comment.id,
                comment.created_at,
                person(hub, comment.author),
                "comment",
                words="commented",
                html=markdown.render(comment.body, home),
                edited=comment.updated_at > comment.created_at,
                reactions=_reactions(repository, comment.id),
            )


def _reactions(repository: Repository, comment: int) -> list[tuple[str, str]]:
    """(emoji, who) of each kind."""
    given: dict[str, list[str]] = {}
    for reaction in repository.reactions:
        if reaction.comment == comment:
            given.setdefault(reaction.content, []).append(reaction.author)
    return [(EMOJI[content], ", ".join(logins)) for content, logins in given.items()]


def _reviews(hub: Hub, repository: Repository, issue: Issue, home: str) -> Iterator[Entry]:
    for review in repository.reviews.values():
        if review.number == issue.number and review.submitted_at is not None:
            tone, words = VERBS[review.state]
            html = markdown.render(review.body, home) if review.body else ""
            sha = review.commit_sha
            yield Entry(
                review.id, review.submitted_at, person(hub, review.author), "review", tone, words, html, sha=sha
            )


def _events(hub: Hub, repository: Repository, issue: Issue) -> Iterator[Entry]:
    for event in repository.events:
        if event.number == issue.number:
            told = _told(hub, repository, event)
            if told is not None:
                tone, words, commits = told
                yield Entry(event.id, event.at, person(hub, event.actor), "event", tone, words, commits=commits)


def _told(hub: Hub, repository: Repository, event: Event) -> tuple[str, str, list[dict[str, Any]]] | None:
    """(tone, words, commits) of an event, None when it is not worth telling."""
    if event.kind in ("opened", "pushed"):
        return _pushed(hub, repository, event)
    before = [one.kind for one in history.events_of(repository, event.number) if one.id < event.id]
    if event.kind not in TOLD or (event.kind == "closed" and before[-1:] == ["merged"]):
        return None
    tone, words = TOLD[event.kind]
    seen = {name: value[:7] if name in ("before", "after", "commit") else value for name, value in event.detail.items()}
    return tone, words.format_map(defaultdict(str, seen, about=person(hub, event.about or "").login)), []


def _pushed(hub: Hub, repository: Repository, event: Event) -> tuple[str, str, list[dict[str, Any]]] | None:
    bare = hub.bare(repository)
    old, new = event.detail.get("before"), event.detail.get("after", "")
    if bare.object(new) is None:
        return None
    if old and bare.object(old) is not None and bare.merge_base(old, new) != old:
        return None  # told as a force-push
    found = bare.between(old or event.detail.get("base", new), new)
    commits = [{"sha": str(one.id), "message": one.message.split("\n")[0]} for one in found[-20:]]
    return "", f"pushed {len(found)} commit{'s' * (len(found) != 1)}", commits


def checks(hub: Hub, repository: Repository, issue: Issue) -> list[Check]:
    """Statuses of the head, then the workflow runs that are about the pull request, newest first."""
    if issue.pull is None:
        return []
    statuses = latest_statuses(repository, issue.pull.head_sha)
    found = [Check(one.context, one.state, one.description or "", one.target_url) for one in statuses]
    page = f"/{repository.full_name}/actions/runs"
    for run in reversed(runs_about(hub, issue.number)):
        words = run.problem or f"{run.event} by {run.actor}, {run.seconds:.1f} s"
        found.append(Check(f"{run.name} #{run.number}", state_of(run), words, f"{page}/{run.id}"))
    return found


def state_of(run: Run) -> str:
    """One word: success, failure, pending, skipped, cancelled."""
    return "pending" if run.status != "completed" else run.conclusion or "pending"


def runs_about(hub: Hub, number: int) -> list[Run]:
    """Runs that a pull request caused, oldest first."""
    return [run for run in hub.data.runs if number in run.about]


def reviewers(hub: Hub, repository: Repository, issue: Issue) -> list[tuple[Person, str]]:
    """Who reviewed or was asked to, with the last opinion in GitHub's words."""
    found: dict[str, str] = dict.fromkeys(issue.pull.reviewers, "asked") if issue.pull else {}
    for review in repository.reviews.values():
        if review.number == issue.number and review.author != issue.author:
            weak = review.state in ("COMMENTED", "PENDING")
            found[review.author] = found.get(review.author, review.state) if weak else review.state
    return [(person(hub, login), state.lower().replace("_", " ")) for login, state in found.items()]


def files(hub: Hub, repository: Repository, issue: Issue) -> list[diff.File]:
    """What the pull request changes."""
    if issue.pull is None:
        return []
    return [diff.read(entry) for entry in hub.bare(repository).files(*range_of(hub.links(), repository, issue.pull))]


def state(issue: Issue) -> str:
    """open, draft, merged or closed."""
    if issue.pull and issue.pull.merged_at:
        return "merged"
    if issue.state == "open" and issue.pull and issue.pull.draft:
        return "draft"
    return issue.state


def environments(repository: Repository) -> list[dict[str, Any]]:
    """What GitHub Deployments say is live: the newest one of each environment and model that the payload names."""
    live: dict[tuple[str, str], dict[str, Any]] = {}
    for one in repository.deployments.values():
        named = one.payload.get("models") if isinstance(one.payload, dict) else None
        last = one.statuses[-1].state if one.statuses else "pending"
        for model, about in named.items() if isinstance(named, dict) else [("", None)]:
            said = f"{about.get('action')} {about.get('version')}" if isinstance(about, dict) else one.description
            live[one.environment, str(model)] = {"deployment": one, "model": model, "state": last, "said": said}
    return [live[key] for key in sorted(live)]


def actors(hub: Hub) -> list[Person]:
    """Whom one can act as: everybody with a token."""
    with_token = {token.login for token in hub.data.tokens.values() if token.permissions is None}
    return [one for one in hub.data.people.values() if one.login in with_token and one != BOT]


def version(hub: Hub) -> str:
    """Changes whenever a page could look different."""
    runs = [(run.id, run.attempt, run.status, len(run.jobs), run.requests) for run in hub.data.runs[-20:]]
    return f"{hub.data.last_id}-{hash(tuple(runs)) & 0xFFFFFFFF:x}-{hub.data.last_run}"
