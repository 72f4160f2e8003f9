"""The closed set of things that can happen, as `receive` makes them from a GitHub payload."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from bot.records.base import Part, Record

# A login as a regular expression: letters, digits and hyphens; one that a company manages ends with `_` and its short
# code (https://docs.github.com/enterprise-cloud@latest/admin/concepts/identity-and-access-management). Old ones may
# begin or end with a hyphen; the names of apps are longer than those of people.
LOGIN_PATTERN = r"[A-Za-z0-9-][A-Za-z0-9_-]{0,98}"
TEAM_PATTERN = rf"{LOGIN_PATTERN}/[A-Za-z0-9][A-Za-z0-9._-]{{0,99}}"


class Account(Part):
    """A GitHub account. `id` is the identity; `login` is for display, since logins can be renamed and taken again."""

    id: int
    login: str
    kind: Literal["User", "Bot", "Organization"] = "User"


class PullRequestChanged(Record):
    """A pull request was opened, pushed to, reopened, made ready, retargeted, or is to be looked at again."""

    schema_version: Literal[1] = 1
    kind: Literal["pull_request_changed"] = "pull_request_changed"
    number: int
    action: str
    head_sha: str
    base_ref: str
    from_fork: bool
    draft: bool
    sender: Account


class CommentCreated(Record):
    """Somebody commented on a pull request. `body` is the payload's copy, to be compared with the stored one."""

    schema_version: Literal[1] = 1
    kind: Literal["comment_created"] = "comment_created"
    number: int
    comment_id: int
    body: str
    author: Account
    sender: Account


class CommentChanged(Record):
    """A comment on a pull request that may have held a command was edited or deleted: what it says now is read anew."""

    schema_version: Literal[1] = 1
    kind: Literal["comment_changed"] = "comment_changed"
    number: int
    comment_id: int


class ReviewChanged(Record):
    """A review was submitted, edited or dismissed. `number` is None when the payload only names a commit."""

    schema_version: Literal[1] = 1
    kind: Literal["review_changed"] = "review_changed"
    number: int | None
    head_sha: str | None


class Pushed(Record):
    """A branch moved from `before` to `after` (40 hexadecimal digits; zeros mean that it did not exist)."""

    schema_version: Literal[1] = 1
    kind: Literal["pushed"] = "pushed"
    ref: str
    before: str
    after: str
    sender: Account


class MergeGroupRequested(Record):
    """The merge queue asks for the checks of a group commit. `number` is its last pull request, None: not told."""

    schema_version: Literal[3] = 3
    kind: Literal["merge_group_requested"] = "merge_group_requested"
    head_sha: str
    number: int | None = None


class Dispatched(Record):
    """A person or the bot started a workflow by hand. `inputs` are text, as GitHub passes them."""

    schema_version: Literal[1] = 1
    kind: Literal["dispatched"] = "dispatched"
    workflow: str
    inputs: dict[str, str]
    sender: Account


class Scheduled(Record):
    """A clock started a workflow. `schedule` is the cron line."""

    schema_version: Literal[1] = 1
    kind: Literal["scheduled"] = "scheduled"
    schedule: str


class Ignored(Record):
    """Nothing to do, with the reason."""

    schema_version: Literal[1] = 1
    kind: Literal["ignored"] = "ignored"
    reason: str


Event = Annotated[
    PullRequestChanged
    | CommentCreated
    | CommentChanged
    | ReviewChanged
    | Pushed
    | MergeGroupRequested
    | Dispatched
    | Scheduled
    | Ignored,
    Field(discriminator="kind"),
]
