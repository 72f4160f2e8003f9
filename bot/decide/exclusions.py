"""Who took part in making the change: nobody of them approves it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from bot.decide.case import Case
from bot.records.facts import CommitFact


def author(case: Case) -> set[int]:
    """Who opened the pull request and who wrote its commits."""
    return {case.facts.pull_request.author.id} | _known(commit.author for commit in case.facts.commits)


def committer(case: Case) -> set[int]:
    """Who committed."""
    return _known(commit.committer for commit in case.facts.commits)


def co_author(case: Case) -> set[int]:
    """Who is named as co-author; who only had a suggestion applied, if the policy counts suggestions."""
    return _known(person for commit in case.facts.commits for person in _co_authors(commit, case))


def last_pusher(case: Case) -> set[int]:
    """Everybody who pushed the live head: the same commit can be pushed away and back."""
    return _known([case.facts.pull_request.last_pusher, *case.facts.pull_request.pushers])


def training_initiator(case: Case) -> set[int]:
    """Who started the training of what would be deployed."""
    return set(case.facts.training_initiators)


PARTIES: dict[str, Callable[[Case], set[int]]] = {
    "author": author,
    "committer": committer,
    "co_author": co_author,
    "last_pusher": last_pusher,
    "training_initiator": training_initiator,
}


def excluded(names: Iterable[str], case: Case) -> set[int]:
    """Everybody of the named parties."""
    return {person for name in names for person in PARTIES[name](case)}


def unattributed(case: Case) -> tuple[str, ...]:
    """SHAs of commits of which GitHub does not know all people."""
    return tuple(
        commit.sha
        for commit in case.facts.commits
        if None in (commit.author, commit.committer, *_co_authors(commit, case))
    )


def _co_authors(commit: CommitFact, case: Case) -> tuple[int | None, ...]:
    is_free = commit.suggestion and not case.approvals.defaults.suggestions_count
    return () if is_free else commit.co_authors


def _known(people: Iterable[int | None]) -> set[int]:
    return {person for person in people if person is not None}
