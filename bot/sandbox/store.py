"""What the local GitHub remembers besides Git objects: plain data, saved as JSON and read back on a restart."""

from __future__ import annotations

import functools
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

from bot.sandbox.people import Login, Permission, Person, Team
from bot.sandbox.relabel import NamesIn
from bot.sandbox.releases import Release
from bot.sandbox.switches import QueueEntry, Switches

FullName = Annotated[str, "repository"]  # OWNER/NAME as it is now; a field of this type follows a rename
Ruleset = Annotated[dict[str, Any], NamesIn(Login, ("bypass",))]


@dataclass
class Edit:
    """What a body said from `at` on. The first one of a body is what it said when it was written."""

    id: int
    editor: Login
    at: datetime
    text: str


@dataclass
class Comment:
    """A comment of an issue or pull request. `app` is the GitHub App that wrote it, None for a person.

    `edits` is empty until the body is changed, then holds every wording, oldest first."""

    id: int
    number: int
    author: Login
    body: str
    created_at: datetime
    updated_at: datetime
    app: int | None = None
    edits: list[Edit] = field(default_factory=list)


@dataclass
class Reaction:
    id: int
    comment: int
    author: Login
    content: str
    created_at: datetime


@dataclass
class Review:
    id: int
    number: int
    author: Login
    state: str
    body: str
    commit_sha: str
    submitted_at: datetime | None
    edits: list[Edit] = field(default_factory=list)


@dataclass
class Pull:
    """The part of an issue that makes it a pull request. `base_sha` is the base as of the last push to the head."""

    head_repository: FullName
    head_ref: str
    head_sha: str
    base_ref: str
    base_sha: str
    draft: bool = False
    merged_at: datetime | None = None
    merged_by: Login | None = None
    merge_commit_sha: str | None = None
    mergeable: bool = True
    reviewers: list[Login] = field(default_factory=list)


@dataclass
class Issue:
    """An issue, or a pull request when `pull` is there. `lock_reason` is None when nobody gave one."""

    id: int
    number: int
    title: str
    body: str | None
    author: Login
    created_at: datetime
    updated_at: datetime
    state: str = "open"
    state_reason: str | None = None
    closed_at: datetime | None = None
    closed_by: Login | None = None
    labels: list[str] = field(default_factory=list)
    assignees: list[Login] = field(default_factory=list)
    pull: Pull | None = None
    edits: list[Edit] = field(default_factory=list)
    locked: bool = False
    lock_reason: str | None = None


@dataclass
class Status:
    id: int
    sha: str
    context: str
    state: str
    description: str | None
    target_url: str | None
    creator: Login
    created_at: datetime
    app: int | None = None


@dataclass
class DeploymentStatus:
    id: int
    state: str
    description: str
    creator: Login
    created_at: datetime
    log_url: str = ""
    environment_url: str = ""


@dataclass
class Deployment:
    id: int
    sha: str
    ref: str
    task: str
    environment: str
    payload: Any
    description: str | None
    creator: Login
    created_at: datetime
    production: bool = False
    transient: bool = False
    statuses: list[DeploymentStatus] = field(default_factory=list)


@dataclass
class Event:
    """What happened to an issue or pull request, in GitHub's words (`kind`; see `history.KINDS` for its `detail`).

    `about` is the account that it happened to: who was assigned, asked for a review, whose comment was deleted.
    """

    id: int
    number: int
    at: datetime
    actor: Login
    kind: str
    detail: dict[str, str] = field(default_factory=dict)
    about: Login | None = None


@dataclass
class Activity:
    """A branch that moved; `kind` is in GitHub's words."""

    id: int
    ref: str
    before: str
    after: str
    actor: Login
    at: datetime
    kind: str


@dataclass
class Label:
    id: int
    name: str
    color: str = "ededed"
    description: str | None = None


@dataclass
class Environment:
    """Where jobs get secrets from. When `is_limited`, only jobs of `branches` do, or of protected ones."""

    name: str
    created_at: datetime
    is_limited: bool = False
    branches: list[str] = field(default_factory=list)
    for_protected: bool = False
    secrets: dict[str, str] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)


@dataclass
class Repository:
    """One repository: who may do what, and what was said in it. `parent` is the repository that it was forked from."""

    id: int
    full_name: FullName
    default_branch: str
    created_at: datetime
    path: str = "origin.git"
    parent: FullName | None = None
    permissions: dict[Login, Permission] = field(default_factory=dict)
    last_number: int = 0
    issues: dict[int, Issue] = field(default_factory=dict)
    comments: dict[int, Comment] = field(default_factory=dict)
    reactions: list[Reaction] = field(default_factory=list)
    reviews: dict[int, Review] = field(default_factory=dict)
    statuses: list[Status] = field(default_factory=list)
    deployments: dict[int, Deployment] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    labels: dict[str, Label] = field(default_factory=dict)
    rulesets: list[Ruleset] = field(default_factory=list)
    protections: dict[str, dict[str, Any]] = field(default_factory=dict)  # classic ones, by a branch's name or pattern
    switches: Switches = field(default_factory=Switches)
    queue: list[QueueEntry] = field(default_factory=list)
    queued_by_hand: list[QueueEntry] = field(default_factory=list)  # groups that no rule asks for
    old_branches: dict[str, str] = field(default_factory=dict)  # of renamed ones -> the name now
    signed: list[str] = field(default_factory=list)  # commits that the server made and signed
    variables: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    environments: dict[str, Environment] = field(default_factory=dict)
    default_permissions: str = "read"
    runs_approve: bool = False
    private: bool = False
    activities: list[Activity] = field(default_factory=list)
    workflow_states: dict[str, str] = field(default_factory=dict)  # by path, of those that are not active
    releases: dict[int, Release] = field(default_factory=dict)

    @property
    def owner(self) -> str:
        return self.full_name.split("/")[0]

    @property
    def name(self) -> str:
        return self.full_name.split("/")[1]


@dataclass
class Step:
    """`result` is success, failure or skipped."""

    name: str
    result: str


@dataclass
class Job:
    """A job of a run, one entry of a matrix each. `matrix` is empty without one; `result` is success or failure."""

    id: int
    key: str
    name: str
    result: str | None = None
    matrix: dict[str, Any] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    summaries: list[str] = field(default_factory=list)
    started_at: datetime | None = None
    finished_at: datetime | None = None


@dataclass
class Annotation:
    """`level` is error, warning or notice; `properties` may hold file and line."""

    job: str
    level: str
    message: str
    properties: dict[str, str] = field(default_factory=dict)


@dataclass
class Run:
    """A workflow run. `status` is queued, in_progress, completed; `conclusion` success, failure, cancelled, skipped.

    `sha` is the head that the run is shown at (a pull request's), `commit` and `ref` are GITHUB_SHA and GITHUB_REF.
    `pulls` are the pull requests whose head it ran for, `about` all that it has to do with.
    `problem` says in words why there are no proper results (the engine failed, a runner label that nothing maps).
    """

    id: int
    number: int
    repository: FullName
    workflow: str
    name: str
    event: str
    action: str
    sha: str
    commit: str
    ref: str
    branch: str | None
    actor: Login
    title: str
    created_at: datetime
    attempt: int = 1
    status: str = "queued"
    conclusion: str | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    seconds: float = 0.0
    jobs: list[Job] = field(default_factory=list)
    annotations: list[Annotation] = field(default_factory=list)
    permissions: dict[str, str] = field(default_factory=dict)
    groups: list[str] = field(default_factory=list)
    requests: int = 0
    log: str = ""
    problem: str = ""
    pulls: list[int] = field(default_factory=list)
    about: list[int] = field(default_factory=list)

    @property
    def file(self) -> str:
        """The workflow's file name, as dispatches name it."""
        return self.workflow.rsplit("/", 1)[-1]

    def job(self, key: str) -> Job:
        """The first job with this key in the workflow file. Raises KeyError when it did not run."""
        for job in self.jobs:
            if job.key == key:
                return job
        raise KeyError(key)

    @property
    def summary(self) -> str:
        """The job summaries of the whole run, as Markdown."""
        return "\n".join(text for job in self.jobs for text in job.summaries)


@dataclass
class Token:
    """Who a bearer acts as. `permissions` None means a person's token: it may do what the person may.

    `app` is the GitHub App whose installation it is; GitHub Actions is one, and its tokens belong to a `run`.
    """

    value: str
    login: Login
    permissions: dict[str, str] | None = None
    run: int | None = None
    expired: bool = False
    app: int | None = None


@dataclass
class App:
    """A GitHub App that is installed in the repository. `key` is its public key, PEM."""

    id: int
    slug: str
    installation: int
    key: str
    permissions: dict[str, str] = field(default_factory=dict)


@dataclass
class Data:
    people: dict[Login, Person] = field(default_factory=dict)
    teams: dict[str, Team] = field(default_factory=dict)
    repositories: dict[FullName, Repository] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    apps: dict[int, App] = field(default_factory=dict)
    moved: dict[str, int] = field(default_factory=dict)  # former full name -> number of the repository
    rulesets: list[Ruleset] = field(default_factory=list)  # of the organizations
    runs: list[Run] = field(default_factory=list)
    last_id: int = 1000
    last_run: int = 5000
    key: str = field(default_factory=secrets.token_urlsafe)  # of the pages


@functools.cache
def _adapter() -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(Data)


def load(path: Path) -> Data:
    """What `save` wrote; raises ValueError when it is not that."""
    return parse(path.read_bytes())


def parse(text: bytes) -> Data:
    """As `load`, from what `save` gave."""
    data: Data = _adapter().validate_json(text)
    return data


def save(data: Data, path: Path) -> bytes:
    """Write everything, whole or not at all; what was written."""
    text: bytes = _adapter().dump_json(data, indent=1)
    draft = path.with_suffix(".new")
    draft.touch(mode=0o600)  # it holds tokens and secrets, if only of a rehearsal
    draft.write_bytes(text)
    draft.replace(path)
    return text
