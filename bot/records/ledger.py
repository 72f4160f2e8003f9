"""Where a fact lies on the ledger and the environments branch: the path grammar, built and parsed here only."""

from __future__ import annotations

import base64
import hashlib
from typing import Literal

from pydantic import Field

from bot.records.base import Part, Record, canonical_json
from bot.records.event import Account
from bot.records.failure import Failure

LEDGER = "mlbot/ledger"
ENVIRONMENTS = "mlbot/environments"
OBJECTS = "mlbot/objects"  # artifact bytes, while the DVC remote is the folder embedded in the repository
BOT_BRANCHES = "mlbot/*"


# The second layout keeps what is about a pull request in one file that only grows, a line an event.
LAYOUT = "layout.json"  # which layout a ledger has; a ledger without it has the first
TIP = "tip.json"  # the last commit of the bot, so that somebody else's on top of it is seen
PULLS = "pulls/"
WIDTH = 100  # entries of a folder; GitHub recommends 3,000 at most
OF_PULLS = frozenset((
    "accepted", "approvals", "commits", "decisions", "facts", "handled", "heads", "measuring", "parties", "plans",
    "told", "voids",
))  # fmt: skip


def journal_path(number: int) -> str:
    """The file of everything about a pull request, in the second layout."""
    return f"{PULLS}{number // WIDTH}/{number}.jsonl"


def pull_of(path: str) -> int | None:
    """The pull request that a path (or the whole folder that it begins) is about; None for any other."""
    folder, _, rest = path.partition("/")
    number, slash, _ = rest.partition("/")
    return int(number) if folder in OF_PULLS and slash and number.isdigit() else None


def proposal_branch(environment: str, model: str) -> str:
    """The branch of a pull request that would change a model in an environment; outside of what only grows."""
    return f"mlbot-promotions/{environment}/{model}"


class Evaluated(Part):
    """The digests of one model at a head; evaluation and artifact are None while there is no evaluation."""

    inputs_digest: str
    evaluation_digest: str | None
    artifact_digest: str | None


class Head(Record):
    """What a pull request's head would let out, by model: what an approval given for that head stands for.

    `failures` say why a model has no evaluation; `reused` names those whose evaluation was made before, for the same
    inputs.
    """

    schema_version: Literal[1] = 1
    number: int
    head_sha: str
    base_sha: str
    models: dict[str, Evaluated]
    run_id: int
    run_attempt: int
    initiator_id: int | None  # the account that started the training, None when a schedule did
    failures: dict[str, Failure] = Field(default_factory=dict)
    reused: tuple[str, ...] = ()


class Waiting(Part):
    """A merge that brought a model which is not where the policy brings it by itself; times are RFC 3339, UTC."""

    number: int
    head_sha: str
    commit: str
    merged_at: str


class Settled(Record):
    """Up to which commit of the default branch merges are settled, when that was written, and which of them wait."""

    schema_version: Literal[1] = 1
    sha: str
    at: str
    waiting: tuple[Waiting, ...] = ()


class Grouped(Record):
    """That a pull request is in a group commit of the merge queue, written before that is judged (`at`: RFC 3339)."""

    schema_version: Literal[1] = 1
    number: int
    sha: str
    at: str


class Accepted(Record):
    """A command of a comment that the bot accepted, written before the run that it starts.

    `index` is its place in the comment, `inputs` are all that the run is given. `author` is who is meant by it.
    """

    schema_version: Literal[1] = 1
    number: int
    comment_id: int
    index: int
    verb: str
    author: Account
    workflow: str
    inputs: dict[str, str]


def evaluation_id(models: dict[str, Evaluated]) -> str:
    """The short name people approve by: `E-` and 16 base32 characters (80 bits) of the evaluations' digest."""
    digests = {model: evaluated.evaluation_digest for model, evaluated in models.items()}
    digest = hashlib.sha256(canonical_json(digests)).digest()
    return "E-" + base64.b32encode(digest)[:16].decode().lower()


def bare(digest: str) -> str:
    """The hexadecimal part of `sha256:<hex>`."""
    return digest.removeprefix("sha256:")


def evaluation_folder(model: str, inputs_digest: str) -> str:
    """Folder of a model's evaluations of the same inputs; ends with a slash."""
    return f"evaluations/{model}/{bare(inputs_digest)}/"


def evaluation_path(model: str, inputs_digest: str, evaluation_digest: str) -> str:
    """An Evaluation's path."""
    return f"{evaluation_folder(model, inputs_digest)}{bare(evaluation_digest)}.json"


def pointer_path(model: str, inputs_digest: str, evaluation_digest: str) -> str:
    """Path of the DVC pointer to the artifact folder that an Evaluation judged."""
    return f"{evaluation_folder(model, inputs_digest)}{bare(evaluation_digest)}.dvc"


def head_path(number: int, head_sha: str) -> str:
    """A Head's path."""
    return f"heads/{number}/{head_sha}.json"


def plan_path(number: int, head_sha: str) -> str:
    """The path of the Plan of a pull request's head."""
    return f"plans/{number}/{head_sha}.json"


def approval_path(number: int, approval_id: str) -> str:
    """An approval's path; the id is `c<comment id>` or `r<review id>`."""
    return f"approvals/{number}/{approval_id}.json"


def decision_path(number: int, decision_digest: str) -> str:
    """A Decision's path."""
    return f"decisions/{number}/{bare(decision_digest)}.json"


def promotion_path(model: str, counter: int, environment: str) -> str:
    """A Release's path in the ledger; the counter grows by one with each change of any environment of the model."""
    return f"promotions/{model}/{counter:06d}-{environment}.json"


def view_path(model: str, counter: int, environment: str, word: str) -> str:
    """That tags and GitHub Deployment of a release are to be written (`owed`), and that they are there (`shown`)."""
    return f"views/{model}/{counter:06d}-{environment}.{word}.json"


def release_path(environment: str, model: str) -> str:
    """The Release that is live, on the environments branch."""
    return f"{environment}/{model}/release.json"


def withdrawn_path(environment: str, model: str) -> str:
    """Where the last word on a model that was withdrawn from an environment lies, instead of its release."""
    return f"{environment}/{model}/withdrawn.json"


def artifact_path(environment: str, model: str) -> str:
    """The DVC pointer to what is live, on the environments branch."""
    return f"{environment}/{model}/artifact.dvc"


def manifest_path(environment: str, model: str) -> str:
    """The manifest that a cluster applies, on the environments branch."""
    return f"{environment}/{model}/manifest.yaml"


def facts_path(number: int, facts_digest: str) -> str:
    """The Facts behind a Decision, so that it can be replayed."""
    return f"facts/{number}/{bare(facts_digest)}.json"


def commits_path(number: int, base_sha: str, head_sha: str) -> str:
    """Who made the commits between a base and a head, once GitHub knew everybody."""
    return f"commits/{number}/{base_sha}-{head_sha}.json"


CONTRIBUTIONS = "contributions/"  # folder of who changed a model in which pull request, by model
ALL_LISTED = "contributions.json"  # that every list of commits has its contributions, in the second layout


def contribution_path(model: str, at: str, number: int, base_sha: str, head_sha: str) -> str:
    """That people changed a model in a pull request, first seen at this time (RFC 3339, UTC); paths sort by it."""
    stamp = "".join(letter for letter in at[:19] if letter.isalnum())
    return f"{CONTRIBUTIONS}{model}/{stamp}-{contribution_key(number, base_sha, head_sha)}.json"


def contribution_key(number: int, base_sha: str, head_sha: str) -> str:
    """Tells lists of commits apart in few letters: every name of a folder is fetched by every job."""
    return f"{number}-{hashlib.sha256(f'{base_sha}-{head_sha}'.encode()).hexdigest()[:12]}"


Party = Literal["pusher", "sender", "initiator"]


def parties_folder(number: int, head_sha: str, party: Party) -> str:
    """Folder of accounts that had to do with a head; ends with a slash.

    `pusher`: GitHub's record of the branch says so, `sender`: the event of a push did. `initiator`: started a training;
    of a trial with another seed, where the inputs digest stands for the head.
    """
    return f"parties/{number}/{head_sha}/{party}/"


def party_path(number: int, head_sha: str, party: Party, account: int) -> str:
    """That an account is of a party: each stays known when another is, too."""
    return f"{parties_folder(number, head_sha, party)}{account}.json"


def handled_path(number: int, comment_id: int) -> str:
    """Which commands of a comment were carried out, and the places of those that were refused."""
    return f"handled/{number}/{comment_id}.json"


def acted_folder(author: int, day: str) -> str:
    """Folder of what a person's commands did on a day (of RFC 3339, UTC); ends with a slash."""
    return f"acted/{day[:10]}/{author}/"


def acted_path(author: int, at: str, number: int, comment_id: int) -> str:
    """What the commands of one comment did at a time."""
    return f"{acted_folder(author, at)}{number}-{comment_id}.json"


def accepted_folder(number: int, comment_id: int) -> str:
    """Folder of what the bot accepted of a comment; ends with a slash."""
    return f"accepted/{number}/{comment_id}/"


def accepted_path(one: Accepted) -> str:
    """The path of one; the same again is the same path."""
    return f"{accepted_folder(one.number, one.comment_id)}{bare(one.digest())}.json"


def told_path(number: int, comment_id: int) -> str:
    """That the answer to a comment stands in a status, since the conversation did not take it."""
    return f"told/{number}/{comment_id}.json"


def grouped_folder(number: int) -> str:
    """Folder of the merge groups that a pull request was in; ends with a slash."""
    return f"grouped/{number}/"


def grouped_path(number: int, sha: str) -> str:
    """That a pull request is in a group commit."""
    return f"{grouped_folder(number)}{sha}.json"


def stopped_path(sha: str) -> str:
    """That a group commit holds a pull request whose merge was no longer approved."""
    return f"stopped/{sha}.json"


SETTLED = "settled/"  # folder of how far merges are settled, the newest last


def settled_path(at: str, sha: str) -> str:
    """That merges up to a commit of the default branch were settled at this time (RFC 3339, UTC)."""
    stamp = "".join(letter for letter in at[:19] if letter.isalnum())
    return f"{SETTLED}{stamp}-{sha}.json"


def measuring_path(number: int, head_sha: str, gates_digest: str) -> str:
    """That a head was to be evaluated again, since these gates ask for what its evaluations do not hold."""
    return f"measuring/{number}/{head_sha}-{bare(gates_digest)}.json"


def reproduction_folder(model: str, inputs_digest: str, evaluation_digest: str) -> str:
    """Folder of what came of training an evaluation's inputs again; ends with a slash."""
    return f"reproductions/{model}/{bare(inputs_digest)}/{bare(evaluation_digest)}/"


def reproduction_path(model: str, inputs_digest: str, evaluation_digest: str, run_id: int, attempt: int) -> str:
    """A Reproduction's path: one a run and attempt."""
    return f"{reproduction_folder(model, inputs_digest, evaluation_digest)}{run_id}-{attempt}.json"


def reproducing_path(number: int, head_sha: str, day: str) -> str:
    """That the bot asked by itself, on a day (`2026-11-30`), for a head's evaluations to be reproduced."""
    return f"reproducing/{number}/{head_sha}-{day}.json"


def delegation_path(delegation_id: str) -> str:
    """A role that was lent."""
    return f"delegations/{delegation_id}.json"


def undelegation_path(delegation_id: str) -> str:
    """The same role taken back."""
    return f"delegations/{delegation_id}.revoked.json"


def break_glass_path(request_id: str) -> str:
    """A break-glass promotion that awaits its review; `request_id` is `B-...`."""
    return f"break_glass/{request_id}.json"


def break_glass_review_path(request_id: str) -> str:
    """The review of a break-glass promotion."""
    return f"break_glass/{request_id}.reviewed.json"


REVOCATIONS = "revocations/"  # folder of artifacts that must not be live anywhere any more


def revocation_path(artifact_digest: str) -> str:
    """A Revocation's path."""
    return f"{REVOCATIONS}{bare(artifact_digest)}.json"


def revoked_digest(path: str) -> str:
    """The artifact that a path below `REVOCATIONS` is about."""
    return f"sha256:{path.removeprefix(REVOCATIONS).removesuffix('.json')}"


def removal_path(evaluation_digest: str) -> str:
    """That the artifact of an evaluation was removed from the store, since nothing needed it."""
    return f"removals/{bare(evaluation_digest)}.json"


def lock_path(environment: str) -> str:
    """On the environments branch: who has stopped promotions to an environment."""
    return f"{environment}/lock.json"


def verification_path(model: str, counter: int, environment: str, checked_at: str) -> str:
    """A Verification's path: of the release with this counter, at this time (RFC 3339)."""
    at = "".join(letter for letter in checked_at if letter.isalnum())
    return f"verifications/{model}/{counter:06d}-{at}-{environment}.json"


def attestation_path(model: str, counter: int, environment: str, kind: str) -> str:
    """A signed in-toto statement about a release; `kind` is `provenance` or `summary`."""
    return f"attestations/{model}/{counter:06d}-{environment}.{kind}.dsse.json"


TESTSETS = "testsets/"  # folder of the uses of all test sets


def testset_folder(test_rows_digest: str, metric: str) -> str:
    """Folder of the uses of a test set for a metric, whatever the model is called; ends with a slash."""
    return f"{TESTSETS}{bare(test_rows_digest)}/{metric}/"


def testset_use_path(test_rows_digest: str, metric: str, inputs_digest: str) -> str:
    """One use of a test set: the result of these inputs was seen. The same inputs again are the same path."""
    return f"{testset_folder(test_rows_digest, metric)}{bare(inputs_digest)}.json"


def health_folder(model: str, environment: str) -> str:
    """Folder of a model's Health records in an environment; ends with a slash."""
    return f"health/{model}/{environment}/"


def health_path(model: str, environment: str, judged_at: str) -> str:
    """A Health record's path; `judged_at` is RFC 3339 in UTC, and paths sort by it."""
    at = "".join(letter for letter in judged_at if letter.isalnum())
    return f"{health_folder(model, environment)}{at}.json"
