"""Approvals that fall with a push, where the rules of the base say so."""

from __future__ import annotations

from bot.sandbox import events, history, protections, rules
from bot.sandbox.bare import Bare
from bot.sandbox.hub import Happening, Hub
from bot.sandbox.rulesets import Actor
from bot.sandbox.store import Issue, Repository


def happened(hub: Hub, happening: Happening) -> None:
    """A push to a pull request's head that changes its diff dismisses what was approved before."""
    repository = hub.data.repositories.get(happening.repository)
    if repository is None or (happening.event, happening.action) != ("pull_request", "synchronize"):
        return
    found, payload = repository.issues[happening.payload["number"]], happening.payload
    assert found.pull is not None
    bare, base = hub.bare(repository), found.pull.base_sha
    if not fall(hub, repository, f"refs/heads/{found.pull.base_ref}"):
        return
    if _changes(bare, base, payload["before"]) != _changes(bare, base, payload["after"]):
        _dismiss(hub, repository, found, payload["sender"]["login"], happening.by_run)


def fall(hub: Hub, repository: Repository, ref: str) -> bool:
    """Whether a ruleset or a branch protection says `dismiss stale approvals`."""
    classic = (rule for rule, _ in protections.rules_of(hub, repository, ref, Actor("", "none")))
    found = (rule for rule in (*rules.rules_of(hub, repository, ref), *classic) if rule["type"] == "pull_request")
    return any(rule["parameters"].get("dismiss_stale_reviews_on_push") for rule in found)


def _dismiss(hub: Hub, repository: Repository, found: Issue, sender: str, by_run: bool) -> None:
    assert found.pull is not None
    for review in list(repository.reviews.values()):
        if review.number == found.number and review.state == "APPROVED":
            told = {"review": str(review.id), "state": "approved", "commit": found.pull.head_sha}
            history.record(hub, repository, found.number, sender, "review_dismissed", told, about=review.author)
            review.state = "DISMISSED"
            events.review_event(hub, repository, review, "dismissed", sender, by_run)


def _changes(bare: Bare, base: str, head: str) -> list[bytes]:
    """The lines of a pull request's diff without those that say where they stand: a merged base changes only these."""
    since = bare.merge_base(base, head)
    lines = bare.diff(since, head).splitlines() if since else [head.encode()]
    return [line for line in lines if not line.startswith((b"@@", b"index ", b" "))]
