"""GitHub's search for issues, pull requests and repositories, as far as its qualifiers are plain facts.

https://docs.github.com/search-github/searching-on-github/searching-issues-and-pull-requests
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from bot.sandbox.http import ApiError
from bot.sandbox.store import Issue, Repository

if TYPE_CHECKING:
    from bot.sandbox.hub import Hub

Test = Callable[[Repository, Issue, str], bool]


def _is(_home: Repository, found: Issue, word: str) -> bool:
    pull = found.pull
    facts = {
        "pr": pull is not None,
        "pull-request": pull is not None,
        "issue": pull is None,
        "open": found.state == "open",
        "closed": found.state == "closed",
        "merged": bool(pull and pull.merged_at),
        "unmerged": bool(pull and not pull.merged_at),
        "draft": bool(pull and pull.draft),
        "locked": found.locked,
        "unlocked": not found.locked,
        "public": True,
        "private": False,
    }
    if word not in facts:
        raise _wrong(f"is:{word}")
    return facts[word]


def _reviewed(home: Repository, found: Issue, word: str) -> bool:
    return any(one.number == found.number and one.author == word for one in home.reviews.values())


def _commented(home: Repository, found: Issue, word: str) -> bool:
    return any(one.number == found.number and one.author == word for one in home.comments.values())


def _involves(home: Repository, found: Issue, word: str) -> bool:
    mentioned = f"@{word}" in (found.body or "")
    return mentioned or found.author == word or word in found.assignees or _commented(home, found, word)


TESTS: dict[str, Test] = {
    "is": _is,
    "type": _is,
    "state": _is,
    "repo": lambda home, _found, word: home.full_name.lower() == word.lower(),
    "org": lambda home, _found, word: home.owner.lower() == word.lower(),
    "user": lambda home, _found, word: home.owner.lower() == word.lower(),
    "author": lambda _home, found, word: found.author.lower() == word.lower().removeprefix("app/"),
    "assignee": lambda _home, found, word: word in found.assignees,
    "mentions": lambda _home, found, word: f"@{word}" in (found.body or ""),
    "commenter": _commented,
    "involves": _involves,
    "label": lambda _home, found, word: word.lower() in (name.lower() for name in found.labels),
    "base": lambda _home, found, word: bool(found.pull and found.pull.base_ref == word),
    "head": lambda _home, found, word: bool(found.pull and found.pull.head_ref == word),
    "draft": lambda _home, found, word: bool(found.pull) and str(bool(found.pull and found.pull.draft)).lower() == word,
    "review-requested": lambda _home, found, word: bool(found.pull and word in found.pull.reviewers),
    "reviewed-by": _reviewed,
    "number": lambda _home, found, word: str(found.number) == word,
}
NO = {"assignee": lambda found: not found.assignees, "label": lambda found: not found.labels}
_ELSEWHERE = ("sort", "archived", "in", "no")


def issues(homes: Iterable[Repository], query: str, login: str) -> list[tuple[Repository, Issue]]:
    """What fits all words of the query, the newest first. Raises 422 for a qualifier that is not known here.

    `@me` is `login`. A word without a qualifier must stand in title or body; `-` before one takes out what fits.
    """
    words = _words(query.replace("@me", login))
    found = [
        (home, one) for home in homes for one in home.issues.values() if all(_fits(home, one, word) for word in words)
    ]
    by_update = any(word.startswith("sort:updated") for word in words)
    key = (lambda pair: (pair[1].updated_at, pair[1].number)) if by_update else _created
    return sorted(found, key=key, reverse=not any(word.startswith("sort:") and word.endswith("-asc") for word in words))


def _created(pair: tuple[Repository, Issue]) -> tuple[object, int]:
    return pair[1].created_at, pair[1].number


def _fits(home: Repository, found: Issue, word: str) -> bool:
    wanted = not word.startswith("-")
    name, colon, value = word.removeprefix("-").partition(":")
    if not colon:
        return (word.lower() in f"{found.title}\n{found.body or ''}".lower()) == wanted
    if name == "no" and value in NO:
        return NO[value](found) == wanted
    if name in _ELSEWHERE:
        return True
    if name not in TESTS:
        raise _wrong(word)
    return TESTS[name](home, found, value) == wanted


def repositories(hub: Hub, query: str) -> list[Repository]:
    """Those whose name holds every word; `user:` and `org:` are owners."""
    return [home for home in hub.data.repositories.values() if all(_named(home, word) for word in _words(query))]


def _named(home: Repository, word: str) -> bool:
    name, colon, value = word.partition(":")
    if not colon:
        return word.lower() in home.full_name.lower()
    if name in ("user", "org", "repo"):
        return home.full_name.lower().startswith(value.lower())
    return name in ("sort", "fork", "is", "archived", "in")


def _words(query: str) -> list[str]:
    """Words as typed; quotation marks hold words together."""
    try:
        return shlex.split(query)
    except ValueError:
        return query.split()


def _wrong(word: str) -> ApiError:
    error = {"resource": "Search", "field": "q", "code": "invalid", "message": f"The sandbox cannot search for {word}"}
    return ApiError(422, "Validation Failed", [error])
