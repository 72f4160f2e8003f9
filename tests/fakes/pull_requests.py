"""Port PullRequests from lists that a test fills; counts requests as GitHub would."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bot.errors import UserError
from bot.ports import Comment, Commit, Merge, PullRequest, Review, Said, TimelineEvent
from bot.records.event import Account


@dataclass
class FakePullRequests:
    """What a test says is on GitHub. `requests` names each question that was asked.

    `roles` is by present login: account id and role name. `members` is by team (`organization/team`) and account id.
    """

    pulls: dict[int, PullRequest] = field(default_factory=dict)
    commits_of: dict[int, list[Commit]] = field(default_factory=dict)
    comments_of: dict[int, list[Comment]] = field(default_factory=dict)
    reviews_of: dict[int, list[Review]] = field(default_factory=dict)
    roles: dict[str, tuple[int, str]] = field(default_factory=dict)
    members: dict[tuple[str, int], bool | None] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    merges: list[Merge] = field(default_factory=list)
    thumbs: set[int] = field(default_factory=set)
    timeline_of: dict[int, list[TimelineEvent]] = field(default_factory=dict)
    queue: list[tuple[int, str]] = field(default_factory=list)  # number and group commit, from the front

    def get(self, number: int) -> PullRequest:
        self.requests.append(f"pull {number}")
        if number not in self.pulls:
            raise UserError(f"there is no pull request #{number}", code="not_found")
        return self.pulls[number]

    def open_numbers(self) -> list[int]:
        self.requests.append("open")
        return [number for number, pull in self.pulls.items() if pull.state == "open"]

    def merged(self, since: datetime) -> list[Merge]:
        self.requests.append("merged")
        return sorted((one for one in self.merges if one.at >= since), key=lambda one: (one.at, one.number))

    def for_commit(self, sha: str) -> list[int]:
        self.requests.append(f"commit {sha}")
        return [number for number, commits in self.commits_of.items() if sha in {commit.sha for commit in commits}]

    def queued(self, base_ref: str, sha: str) -> list[int]:
        self.requests.append("queue")
        commits = [one for _, one in self.queue]
        return [number for number, _ in self.queue[: commits.index(sha) + 1]] if sha in commits else []

    def commits(self, number: int) -> list[Commit]:
        self.requests.append("commits")
        return self.commits_of.get(number, [])

    def comments(self, number: int) -> list[Comment]:
        self.requests.append("comments")
        return self.comments_of.get(number, [])

    def said(self, since: datetime) -> list[Said]:
        self.requests.append("said")
        found = [(number, one) for number, comments in self.comments_of.items() for one in comments]
        return sorted(
            (
                Said(n, one, one.author.kind == "Bot", one.id in self.thumbs)
                for n, one in found
                if one.created_at >= since
            ),
            key=lambda one: (one.comment.created_at, one.comment.id),
        )

    def reviews(self, number: int) -> list[Review]:
        self.requests.append("reviews")
        return self.reviews_of.get(number, [])

    def account(self, login: str) -> Account | None:
        self.requests.append(f"account {login}")
        known = {name.lower(): id_ for name, (id_, _) in self.roles.items()}
        return Account(id=known[login.lower()], login=login) if login.lower() in known else None

    def timeline(self, number: int) -> list[TimelineEvent]:
        self.requests.append("timeline")
        return self.timeline_of.get(number, [])

    def permissions(self, accounts: Sequence[Account]) -> dict[int, str]:
        if accounts:
            self.requests.append(f"permissions {' '.join(one.login for one in accounts)}")
        known = dict(self.roles.values())
        return {one.id: known.get(one.id, "none") for one in accounts}

    def in_team(self, team: str, account: Account) -> bool | None:
        self.requests.append(f"team {team} {account.login}")
        return self.members.get((team, account.id))
