"""Everything that a decision may look at, finished before judging starts, so that any decision replays from a file."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from bot.records.base import Part, Record
from bot.records.event import Account
from bot.records.ledger import Evaluated

Permission = Literal["none", "read", "triage", "write", "maintain", "admin"]
OpinionKind = Literal[
    "approve", "withdraw", "reject", "hold", "unhold", "promote", "rollback", "break_glass", "break_glass_confirm"
]


class Subject(Part):
    """The pull request as it is now.

    `last_pusher` None means that GitHub's record of the branch does not say who pushed the head; `pushers` are all who
    are known to have pushed that commit, since it can be pushed away and back.
    """

    number: int
    title: str = ""
    author: Account
    state: Literal["open", "closed"]
    draft: bool
    merged: bool
    head_sha: str
    head_ref: str
    base_ref: str
    base_sha: str
    default_branch: str
    from_fork: bool
    last_pusher: int | None
    labels: tuple[str, ...] = ()
    merge_commit_sha: str | None = None
    pushers: tuple[int, ...] = ()


class CommitFact(Part):
    """A commit's people by account id. None means a person whom GitHub cannot attribute.

    GitHub's own committer of commits made in its web page (`web-flow`) is left out: `committer` is then the author.
    `suggestion` says that a review suggestion was applied in the web page (a verified web-flow commit). The addresses
    are kept of whom GitHub does not know, empty for everybody else and where a trailer cannot be read:
    `co_author_emails` is as long as `co_authors`, or empty when all are known.
    """

    sha: str
    author: int | None
    committer: int | None
    co_authors: tuple[int | None, ...] = ()
    suggestion: bool = False
    author_email: str = ""
    committer_email: str = ""
    co_author_emails: tuple[str, ...] = ()


class CommitList(Record):
    """Commits of a pull request, oldest first, all of them attributed: kept, so that they are asked for once a head."""

    schema_version: Literal[1] = 1
    commits: tuple[CommitFact, ...]


class Contributed(Record):
    """Who changed a model between a base and a head: the same people, found by the model and the time alone."""

    schema_version: Literal[1] = 1
    model: str
    number: int
    at: str
    people: tuple[int, ...]


class Gate(Part):
    """A gate of the evaluation: `inconclusive` means that the test set could not tell.

    From `valid_until` (RFC 3339) on a pass is a fail, since what it is about ages; None when it does not.
    """

    gate: str
    verdict: Literal["pass", "fail", "inconclusive"]
    blocks: bool
    reason_code: str
    sentence: str
    valid_until: str | None = None


class Reproduced(Part):
    """That another run trained a model's inputs again: which, where, and whether it came to the same."""

    run_id: int
    runner: str
    architecture: str
    outcome: Literal["same", "within_tolerance", "differs"]
    sentence: str
    at: str


class ModelFact(Part):
    """A model that the change affects at the live head, and its evaluation, if there is one.

    `evaluated_inputs_digest` is what the evaluation measured. `merged_inputs_digest` is recomputed on the merge
    commit or the merge group, None while there is none. `base_moved` says that the base branch changed this model's
    inputs since the evaluation. `attested` says that the artifact is one that the ledger knows. `unmeasured` are gates
    that came or changed after the evaluation and ask for numbers that it does not hold. `reproduced` are other runs
    that trained and measured the same inputs again.
    """

    model: str
    risk_tier: str = ""
    inputs_digest: str
    evaluation_digest: str | None
    artifact_digest: str | None
    evaluated_inputs_digest: str | None = None
    evaluated_head: str | None = None
    gates: tuple[Gate, ...] = ()
    merged_inputs_digest: str | None = None
    base_moved: bool = False
    attested: bool = True
    unmeasured: tuple[str, ...] = ()
    reproduced: tuple[Reproduced, ...] = ()


class Broken(Part):
    """A model whose spec or data cannot be read at the head; `is_about_data` says that it is the data."""

    model: str
    place: str
    message: str
    is_about_data: bool = False


class HeadFact(Part):
    """What a head of this pull request would let out.

    `guarded_digest` covers the changed files that are neither a planned model's inputs nor documentation (code,
    workflows, policies and so on); None means that Git no longer has that head. `evaluated_at` is since when (RFC 3339,
    the bot's own time) the evaluation of a model stands for this head; a model that is not named was not asked about.
    """

    head_sha: str
    evaluation_id: str | None
    models: dict[str, Evaluated]
    guarded_digest: str | None
    evaluated_at: dict[str, str] = Field(default_factory=dict)


class Opinion(Part):
    """A review or a command, as it stands on GitHub now.

    `commit_sha` is what a review was given for; `target` what a command names (evaluation id or full SHA);
    `seen_head` the live head when the bot first recorded an untargeted command, None when it did not. `models` are
    selectors, empty for all. `recorded_roles` and `recorded` are the actor's roles and the digests by model at that
    time, None when it was not recorded; `stood` says that the maker of an objection could object then. `edited` is
    about commands: a review's state cannot be edited. `tampered` says that the text is not the one first recorded.
    `voided` names what voided it (`closed`, `retargeted`), empty when nothing did. `was` is what a dismissed review was
    before (`approve`, `reject`), None when nobody knows; a dismissed review is of kind `withdraw`. `changed_by` is who
    edited or deleted the comment, None when nobody did or GitHub does not say.
    """

    id: str
    method: Literal["review", "command"]
    kind: OpinionKind
    actor: int
    created_at: str
    commit_sha: str | None = None
    target: str | None = None
    seen_head: str | None = None
    models: tuple[str, ...] = ()
    environment: str | None = None
    reason: str = ""
    body_sha256: str = ""
    edited: bool = False
    tampered: bool = False
    voided: str = ""
    recorded_roles: tuple[str, ...] | None = None
    recorded: dict[str, Evaluated] | None = None
    request: str | None = None
    was: Literal["approve", "reject"] | None = None
    stood: bool = False
    changed_by: int | None = None


class Actor(Part):
    """A person or app that said something or is named by a rule. `permission` None: GitHub did not say.

    `teams` are the active memberships among the teams that the policies name; `unknown_teams` those GitHub did not
    tell about.
    """

    account: Account
    permission: Permission | None = None
    teams: tuple[str, ...] = ()
    unknown_teams: tuple[str, ...] = ()


class Delegation(Part):
    """A role lent for a time: `delegator` to `delegate`. Times are RFC 3339, UTC.

    `lender` is the delegator's account as it was then, so that GitHub can be asked whether the role is still held.
    """

    id: str
    delegator: int
    delegate: int
    role: str
    reason: str
    since: str
    until: str
    revoked: bool = False
    lender: Account | None = None


class Live(Part):
    """A model version that is live in an environment."""

    model: str
    artifact_digest: str
    evaluation_digest: str
    inputs_digest: str
    version: str
    since: str


class Verification(Part):
    """The last verification of an artifact in an environment."""

    model: str
    artifact_digest: str
    verdict: Literal["passed", "failed", "error"]
    at: str


class Lock(Part):
    """Promotions of an environment are stopped by a person."""

    holder: Account
    reason: str
    since: str


class EnvironmentFact(Part):
    """An environment now. `was_live` are the artifact digests that were ever live there."""

    name: str
    live: tuple[Live, ...] = ()
    was_live: tuple[str, ...] = ()
    lock: Lock | None = None
    verifications: tuple[Verification, ...] = ()


class Asked(Part):
    """What is asked of an environment: who asked (None: the policy by itself), since when, and for which digests.

    `models` empty means every model of the pull request. `artifact_digests` are what the registry would deploy, to be
    compared with what was approved; a model that it does not name is not compared.
    """

    action: Literal["promote", "rollback"] = "promote"
    by: int | None = None
    at: str | None = None
    reason: str = ""
    models: tuple[str, ...] = ()
    artifact_digests: dict[str, str] = Field(default_factory=dict)


class BreakGlassUse(Part):
    """A break-glass promotion that must be reviewed afterwards, until `review_due`, by none of its `people`.

    They are who asked for it, who confirmed it, who promoted, and who built the change.
    """

    id: str
    environment: str
    at: str
    review_due: str
    reviewed: bool
    people: tuple[int, ...] = ()


class Check(Part):
    """A check run or a commit status on the live head, with the identity of who reported it.

    `app_id` is the app of a check run, `reporter_id` the account of a commit status. `workflow`, `ref` and `event` are
    known of jobs of GitHub Actions alone: where the workflow file came from. `conclusion` None: not finished.
    """

    name: str
    app_id: int | None
    workflow: str | None
    ref: str | None
    event: str | None
    conclusion: str | None
    reporter_id: int | None = None


class Contribution(Part):
    """Somebody built a model: a commit of the default branch, or an earlier pull request that the bot saw."""

    actor: int
    model: str
    at: str


class Facts(Record):
    """One finished record of facts about a subject (`merge` or an environment). It does not know the time.

    `checks` None means that they were not read. `guarded_paths` are the changed files that no model's digest covers.
    `unknown` names facts that GitHub did not tell; any of them blocks. `group` says that the merged digests are those
    of a merge group.
    """

    schema_version: Literal[1] = 1
    subject: str
    pull_request: Subject
    commits: tuple[CommitFact, ...]
    changed_paths: tuple[str, ...]
    change_kinds: tuple[str, ...]
    guarded_paths: tuple[str, ...] = ()
    models: tuple[ModelFact, ...]
    broken: tuple[Broken, ...] = ()
    heads: tuple[HeadFact, ...]
    opinions: tuple[Opinion, ...]
    actors: tuple[Actor, ...]
    training_initiators: tuple[int, ...] = ()
    delegations: tuple[Delegation, ...] = ()
    environments: tuple[EnvironmentFact, ...] = ()
    asked: Asked = Asked()
    revoked: tuple[str, ...] = ()
    break_glass: tuple[BreakGlassUse, ...] = ()
    checks: tuple[Check, ...] | None = None
    contributions: tuple[Contribution, ...] = ()
    unknown: tuple[str, ...] = ()
    group: bool = False
    planned: bool = True
