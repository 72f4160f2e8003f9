"""Port PullRequests from lists that a test fills; counts requests as GitHub would."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from bot.errors import UserError
from bot.ports import Comment, Commit, PullRequest, Review


@dataclass
class FakePullRequests:
    """What a test says is on GitHub. `requests` names each question that was asked."""

    pulls: dict[int, PullRequest] = field(default_factory=dict)
    commits_of: dict[int, list[Commit]] = field(default_factory=dict)
    comments_of: dict[int, list[Comment]] = field(default_factory=dict)
    reviews_of: dict[int, list[Review]] = field(default_factory=dict)
    roles: dict[str, tuple[int, str]] = field(default_factory=dict)
    members: dict[tuple[str, str], bool | None] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)

    def get(self, number: int) -> PullRequest:
        self.requests.append(f"pull {number}")
        if number not in self.pulls:
            raise UserError(f"there is no pull request #{number}", code="not_found")
        return self.pulls[number]

    def open_numbers(self) -> list[int]:
        self.requests.append("open")
        return [number for number, pull in self.pulls.items() if pull.state == "open"]

    def for_commit(self, sha: str) -> list[int]:
        self.requests.append(f"commit {sha}")
        return [number for number, commits in self.commits_of.items() if sha in {commit.sha for commit in commits}]

    def commits(self, number: int) -> list[Commit]:
        self.requests.append("commits")
        return self.commits_of.get(number, [])

    def comments(self, number: int) -> list[Comment]:
        self.requests.append("comments")
        return self.comments_of.get(number, [])

    def reviews(self, number: int) -> list[Review]:
        self.requests.append("reviews")
        return self.reviews_of.get(number, [])

    def permissions(self, logins: Sequence[str]) -> dict[str, tuple[int, str]]:
        if logins:
            self.requests.append(f"permissions {' '.join(logins)}")
        known = {login.lower(): found for login, found in self.roles.items()}
        if not {login.lower() for login in logins} <= known.keys():
            raise UserError("GitHub knows nobody of that name", code="not_found")
        return {login: known[login.lower()] for login in logins}

    def in_team(self, organization: str, team: str, login: str) -> bool | None:
        self.requests.append(f"team {team} {login}")
        return self.members.get((f"{organization}/{team}", login))
