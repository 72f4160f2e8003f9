"""Commits as GitHub lists them, and whose the addresses in their trailers are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Literal

from bot.ports import Commit
from bot.records.event import Account

# The author of a commit and whom its trailers name, each with the account that has the address:
# https://docs.github.com/graphql/reference/objects#commit
AUTHORS = """
query Authors($owner: String!, $name: String!, $number: Int!, $after: String) {
  repository(owner: $owner, name: $name) {
    pullRequest(number: $number) {
      commits(first: 100, after: $after) {
        pageInfo { hasNextPage endCursor }
        nodes { commit { oid authors(first: 20) { nodes { email user { databaseId } } } } }
      }
    }
  }
}
"""


def commit_of(one: Any) -> Commit:
    """From the JSON of the REST API."""
    inner = one["commit"]
    author, committer = inner["author"] or {}, inner["committer"] or {}
    return Commit(
        sha=one["sha"],
        parents=tuple(parent["sha"] for parent in one["parents"]),
        author=_account(one["author"]),
        committer=_account(one["committer"]),
        author_email=author.get("email") or "",
        message=inner["message"],
        verified=bool((inner.get("verification") or {}).get("verified")),
        committed_at=datetime.fromisoformat(committer["date"]) if committer.get("date") else None,
        committer_email=committer.get("email") or "",
    )


def listed(ask: Callable[[str, str], Any], path: str) -> list[Any]:
    """All pages of a list; GitHub ends that of a pull request's commits at 250."""
    found: list[Any] = []
    while len(found) % 100 == 0:
        page = ask("GET", f"{path}?per_page=100&page={len(found) // 100 + 1}")
        found += page
        if not page:
            break
    return found


def _account(user: Any) -> Account | None:
    kind: Literal["Bot", "User"] = "Bot" if user and user["type"] == "Bot" else "User"
    return Account(id=user["id"], login=user["login"], kind=kind) if user else None


def with_known(
    ask: Callable[[str, Mapping[str, Any]], Any], repository: str, number: int, commits: Sequence[Commit]
) -> list[Commit]:
    """Commits of a pull request with whose addresses are; GitHub is asked only where a trailer names somebody."""
    if not any("co-authored-by" in one.message.lower() for one in commits):
        return list(commits)
    known = dict(_known(ask, repository, number))
    return [replace(one, known=known.get(one.sha, ())) for one in commits]


def _known(
    ask: Callable[[str, Mapping[str, Any]], Any], repository: str, number: int
) -> Iterator[tuple[str, tuple[tuple[str, int], ...]]]:
    owner, _, name = repository.partition("/")
    after, is_more = None, True
    while is_more:
        page = ask(AUTHORS, {"owner": owner, "name": name, "number": number, "after": after})
        found = page["repository"]["pullRequest"]["commits"]
        for commit in (node["commit"] for node in found["nodes"]):
            people = [one for one in commit["authors"]["nodes"] if one and one["email"] and one["user"]]
            yield commit["oid"], tuple((one["email"].lower(), one["user"]["databaseId"]) for one in people)
        after, is_more = found["pageInfo"]["endCursor"], found["pageInfo"]["hasNextPage"]
