"""What happened lately in a repository, read page by page, no further back than asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any
from urllib.parse import quote

from bot.ports import Comment, Merge, Said

PAGE = 100
MERGE_PAGES, COMMENT_PAGES = 15, 10
Ask = Callable[[str, str], Any]


def merges(ask: Ask, url: str, branch: str, since: datetime) -> list[Merge]:
    """Pull requests that were merged into the branch at `since` or later, the first first."""
    where = f"{url}/pulls?state=closed&base={quote(branch, safe='')}&sort=updated&direction=desc"
    found = [
        Merge(one["number"], one["head"]["sha"], one["merge_commit_sha"], datetime.fromisoformat(one["merged_at"]))
        for one in _newest(ask, where, MERGE_PAGES, "updated_at", since)
        if one["merged_at"]
    ]
    return sorted((one for one in found if one.at >= since), key=lambda one: (one.at, one.number))


def comments(
    ask: Ask, url: str, since: datetime, read: Callable[[Any], Comment], is_own: Callable[[Comment], bool]
) -> list[Said]:
    """Comments on pull requests of `since` or later, oldest first."""
    where = f"{url}/issues/comments?sort=created&direction=desc"
    found = []
    for one in _newest(ask, where, COMMENT_PAGES, "created_at", since):
        comment = read(one)
        if comment.created_at >= since and "/pull/" in one["html_url"]:
            number = int(one["issue_url"].rpartition("/")[2])
            found.append(Said(number, comment, is_own(comment), one["reactions"]["+1"] > 0))
    return sorted(found, key=lambda one: (one.comment.created_at, one.comment.id))


def _newest(ask: Ask, where: str, most: int, key: str, since: datetime) -> Iterator[Any]:
    """Everything of a list that is sorted by the time `key`, newest first, until a page ends before `since`."""
    for page in range(1, most + 1):
        listed = ask("GET", f"{where}&per_page={PAGE}&page={page}")
        yield from listed
        if len(listed) < PAGE or datetime.fromisoformat(listed[-1][key]) < since:
            return
