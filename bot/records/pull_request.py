"""What the bot reads of a pull request on GitHub, as values: they live for one job and are never stored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from bot.records.event import Account


@dataclass(frozen=True)
class Sibling:
    """Another open pull request with the same head commit and the same base branch."""

    number: int
    author: Account


@dataclass(frozen=True)
class PullRequest:
    """A pull request as GitHub says it is now. `merge_commit_sha` is None until it is merged."""

    number: int
    title: str
    author: Account
    state: Literal["open", "closed"]
    draft: bool
    merged: bool
    head_sha: str
    head_ref: str
    base_ref: str
    base_sha: str
    from_fork: bool
    merge_commit_sha: str | None
    labels: tuple[str, ...] = ()
    merged_by: Account | None = None
    head_repository: str | None = None  # owner/name; None when it is gone
    siblings: tuple[Sibling, ...] = ()


@dataclass(frozen=True)
class Merge:
    """A merged pull request: the head that was merged, the commit that it became, and when."""

    number: int
    head_sha: str
    commit: str
    at: datetime


@dataclass(frozen=True)
class Commit:
    """A commit of a pull request. Accounts are None when GitHub knows nobody of that e-mail address.

    `known` is whose addresses are, as GitHub says of the commit's author and co-authors: (lower case, account id).
    """

    sha: str
    parents: tuple[str, ...]
    author: Account | None
    committer: Account | None
    author_email: str
    message: str
    verified: bool = False  # GitHub trusts the signature; its own on what is done in the web page
    committed_at: datetime | None = None
    committer_email: str = ""
    known: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class Comment:
    """An issue comment.

    `earlier` are the texts that it had before, oldest first, as far as GitHub still has them; empty when nobody edited
    it. `reworded` is GitHub's own word that somebody edited it, None where it was not asked; `editor` did so the last
    time, None: nobody, or GitHub does not say. `is_own` says that GitHub counts it as written by whoever asks.
    """

    id: int
    author: Account
    body: str
    created_at: datetime
    updated_at: datetime
    app_id: int | None = None
    earlier: tuple[str, ...] = ()
    is_own: bool = False
    editor: Account | None = None
    reworded: bool | None = None

    @property
    def is_edited(self) -> bool:
        """Whether it was edited. Times alone do not tell: they are whole seconds, and an edit may follow at once."""
        return bool(self.reworded) or bool(self.earlier) or self.updated_at != self.created_at


@dataclass(frozen=True)
class Review:
    """A review: `state` in GitHub's words; `commit_sha` is what it was given for."""

    id: int
    author: Account
    state: Literal["APPROVED", "CHANGES_REQUESTED", "COMMENTED", "DISMISSED", "PENDING"]
    commit_sha: str | None
    submitted_at: datetime | None
    body: str = ""


@dataclass(frozen=True)
class TimelineEvent:
    """What GitHub's own history of a pull request says happened, as far as a decision rests on it.

    `closed` is also said of a merge, right after `merged`. `actor` is None for an account that is gone. Of a
    `review_dismissed`, `review_id` and `review_state` say which review, and what its state was before. Of a
    `comment_deleted`, `about` is whose comment it was; which one GitHub does not say.
    """

    kind: Literal["closed", "merged", "base_changed", "review_dismissed", "comment_deleted"]
    at: datetime
    actor: Account | None
    review_id: int | None = None
    review_state: str | None = None
    about: Account | None = None


@dataclass(frozen=True)
class Said:
    """A comment on a pull request. `is_own`: it is the bot's; `has_thumb`: somebody put a thumb up on it."""

    number: int
    comment: Comment
    is_own: bool
    has_thumb: bool


@dataclass(frozen=True)
class TrainingRun:
    """A run of the workflow that trains, of one pull request. `is_dispatched`: no event began it."""

    id: int
    created_at: datetime
    is_going: bool
    is_dispatched: bool


@dataclass(frozen=True)
class Thread:
    """An issue or a pull request of the bot's own. `closed_at` None: open. `is_merged` is about a pull request."""

    number: int
    title: str
    body: str
    state: Literal["open", "closed"]
    created_at: datetime
    is_pull_request: bool = False
    is_merged: bool = False
    closed_at: datetime | None = None
