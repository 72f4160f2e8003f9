"""Who took part in making the change: nobody of them approves it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from bot.decide.case import Case
from bot.records.facts import CommitFact
from bot.specs.policies.roles import Roles


def author(case: Case) -> set[int]:
    """Who opened the pull request and who wrote its commits."""
    found = (author_of(commit, case.policies.roles) for commit in case.facts.commits)
    return {case.facts.pull_request.author.id} | _known(found)


def committer(case: Case) -> set[int]:
    """Who committed."""
    return _known(committer_of(commit, case.policies.roles) for commit in case.facts.commits)


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


def unattributed(case: Case) -> dict[str, tuple[str, ...]]:
    """By SHA of the commits of which not all people are known: addresses that nobody has, empty for unreadable ones."""
    roles, found = case.policies.roles, {}
    for commit in case.facts.commits:
        people = [
            (author_of(commit, roles), commit.author_email),
            (committer_of(commit, roles), commit.committer_email),
            *_with_addresses(commit, case),
        ]
        if any(person is None for person, _ in people):
            found[commit.sha] = tuple(dict.fromkeys(email for person, email in people if person is None))
    return found


def people_of(commit: CommitFact, roles: Roles) -> tuple[int | None, ...]:
    """Author, committer and co-authors as far as GitHub or roles.yaml knows them, without tools."""
    co_authors = (person for person, _ in _co_authors_of(commit, roles))
    return (author_of(commit, roles), committer_of(commit, roles), *co_authors)


def author_of(commit: CommitFact, roles: Roles) -> int | None:
    """None of an address that is nobody's, or a tool's: somebody made the commit."""
    return _person(commit.author, commit.author_email, roles)


def committer_of(commit: CommitFact, roles: Roles) -> int | None:
    """As for the author."""
    return _person(commit.committer, commit.committer_email, roles)


def _person(known: int | None, email: str, roles: Roles) -> int | None:
    holder = roles.holder(email) if known is None and email else known
    return None if holder == "tool" else holder


def _co_authors_of(commit: CommitFact, roles: Roles) -> Iterator[tuple[int | None, str]]:
    for index, known in enumerate(commit.co_authors):
        email = commit.co_author_emails[index] if index < len(commit.co_author_emails) else ""
        if known is not None or roles.holder(email) != "tool":
            yield _person(known, email, roles), email


def _with_addresses(commit: CommitFact, case: Case) -> Iterator[tuple[int | None, str]]:
    is_free = commit.suggestion and not case.approvals.defaults.suggestions_count
    return iter(()) if is_free else _co_authors_of(commit, case.policies.roles)


def _co_authors(commit: CommitFact, case: Case) -> tuple[int | None, ...]:
    return tuple(person for person, _ in _with_addresses(commit, case))


def _known(people: Iterable[int | None]) -> set[int]:
    return {person for person in people if person is not None}
