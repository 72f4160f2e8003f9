"""Reviews as rules count them: whose opinion stands, and which one is missing for a merge.

https://docs.github.com/repositories/configuring-branches-and-merges-in-your-repository/managing-protected-branches/about-protected-branches
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.sandbox import codeowners
from bot.sandbox.hub import Hub
from bot.sandbox.people import RANKS
from bot.sandbox.store import Issue, Pull, Repository, Review

OPINIONS = ("APPROVED", "CHANGES_REQUESTED", "DISMISSED")


def standing(hub: Hub, repository: Repository, number: int) -> dict[str, Review]:
    """The last opinion of each who may write, by login; a dismissed one is none."""
    last = {one.author: one for one in repository.reviews.values() if one.number == number and one.state in OPINIONS}
    strong = RANKS.index("write")
    return {
        login: review
        for login, review in last.items()
        if review.state != "DISMISSED" and RANKS.index(hub.permission(repository, login)) >= strong
    }


def missing(hub: Hub, repository: Repository, found: Issue, parameters: Mapping[str, Any]) -> str | None:
    """GitHub's sentence about a rule's reviews, None when nothing is missing.

    One sentence a rule: people quote the last pusher where approvals are missing, too.
    """
    wanted = parameters.get("required_approving_review_count", 0)
    opinions = standing(hub, repository, found.number)
    approvals = {login: one for login, one in opinions.items() if one.state == "APPROVED"}
    against = len(opinions) - len(approvals)
    if against and wanted:
        return f"{against} review{'s' * (against > 1)} requesting changes by reviewers with write access."
    assert found.pull is not None
    if parameters.get("require_code_owner_review"):
        owners = _owners_missing(hub, repository, found.pull, set(approvals))
        if owners:
            return f"Waiting on code owner review from {_enumerated(owners)}."
    if parameters.get("require_last_push_approval"):
        pusher = last_pusher(hub, found)
        if not any(one.commit_sha == found.pull.head_sha for login, one in approvals.items() if login != pusher):
            return "New changes require approval from someone other than the last pusher."
    if len(approvals) < wanted:
        many = "reviews are" if wanted > 1 else "review is"
        return f"At least {wanted} approving {many} required by reviewers with write access."
    return None


def last_pusher(hub: Hub, found: Issue) -> str:
    """Who moved the head the last time; the author when nobody was seen to."""
    assert found.pull is not None
    ref = f"refs/heads/{found.pull.head_ref}"
    moved = hub.repository(found.pull.head_repository).activities
    return next((one.actor for one in reversed(moved) if one.ref == ref), found.author)


def _owners_missing(hub: Hub, repository: Repository, pull: Pull, approvers: set[str]) -> list[str]:
    """Owners of changed paths that none of their owners approved, each once, as GitHub names them."""
    bare = hub.bare(repository)
    base = bare.branch(pull.base_ref) or pull.base_sha
    texts = (bare.read(base, place) for place in codeowners.PLACES)
    text = next((found.decode(errors="replace") for found in texts if found is not None), "")
    waiting: dict[str, None] = {}
    for path in bare.paths_changed(bare.merge_base(base, pull.head_sha), pull.head_sha) if text else ():
        owners = [name for word in codeowners.owners_of(text, path) if (name := _owner(hub, word))]
        if owners and not any(_speaks_for(hub, login, owner) for login in approvers for owner in owners):
            waiting |= dict.fromkeys(owners)
    return list(waiting)


def _owner(hub: Hub, word: str) -> str | None:
    """`login` or `org/team` of an owner as it is written, None for somebody who is not here."""
    name = word.removeprefix("@")
    if not word.startswith("@"):
        person = hub.by_email(word)
        return person.login if person else None
    slug = name.partition("/")[2]
    if slug:
        return name if slug in hub.data.teams else None
    return next((login for login in hub.data.people if login.lower() == name.lower()), None)


def _speaks_for(hub: Hub, login: str, owner: str) -> bool:
    slug = owner.partition("/")[2]
    return hub.team_role(slug, login) is not None if slug else login == owner


def _enumerated(names: list[str]) -> str:
    return (
        ", ".join(names[:-1]) + (", and/or " if len(names) > 2 else " and/or ") + names[-1] if names[1:] else names[0]
    )
