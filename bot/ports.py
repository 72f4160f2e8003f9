"""What the bot asks of the world. One fake and one real adapter a port; `tests/contract/` holds them to one suite."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from bot.errors import Parts
from bot.records.event import Account
from bot.records.facts import Check
from bot.records.plan import DataFile
from bot.records.pull_request import Comment as Comment
from bot.records.pull_request import Commit as Commit
from bot.records.pull_request import Merge as Merge
from bot.records.pull_request import PullRequest as PullRequest
from bot.records.pull_request import Review as Review
from bot.records.pull_request import Said as Said
from bot.records.pull_request import Sibling as Sibling
from bot.records.pull_request import Thread as Thread
from bot.records.pull_request import TimelineEvent as TimelineEvent
from bot.records.pull_request import TrainingRun as TrainingRun
from bot.records.run import Run as Run
from bot.records.tag import Tag as Tag
from bot.words import Markdown, Plain

if TYPE_CHECKING:
    from bot.records.training import Machine
    from bot.specs.model import ModelSpec


@dataclass(frozen=True)
class TreeEntry:
    """An entry of a Git tree. `oid` is the object id in hex; a `link` is a symbolic link, a `commit` a submodule."""

    name: str
    kind: Literal["blob", "tree", "link", "commit"]
    oid: str


@dataclass(frozen=True)
class Change:
    """A path that differs between two trees. `old`/`new` are blob ids, None where the path does not exist."""

    path: str
    old: str | None
    new: str | None


class Git(Protocol):
    """Objects of the local repository, read without a checkout; refs and tags of the remote `origin`."""

    def resolve(self, rev: str) -> str:
        """Full SHA of a revision. Raises UserError when there is none."""

    def entries(self, sha: str, path: str = "") -> dict[str, TreeEntry]:
        """Children of a folder by name; empty when the folder does not exist."""

    def read(self, sha: str, path: str) -> bytes | None:
        """A regular file's bytes; None when it does not exist or is a link, a folder or a submodule."""

    def changes(self, base: str, head: str, *, under: Sequence[str] = ()) -> list[Change]:
        """Paths that differ, sorted, without rename detection."""

    def merge_base(self, one: str, two: str) -> str | None:
        """Best common ancestor, None when there is none."""

    def is_ancestor(self, ancestor: str, descendant: str) -> bool:
        """Whether `ancestor` is reachable from `descendant` (a commit is its own ancestor)."""

    def line(self, old: str, new: str) -> list[str]:
        """Commits that a branch got when it moved from `old` to `new`, by first parents, oldest first, 100 at most.

        Only `new` when it did not grow from `old`, or when `old` is not known.
        """

    def fetch(self, *refspecs: str) -> None:
        """Fetch from origin. Raises WorldError when the remote does not answer, UserError when a ref is not there."""

    def tags(self, model: str | None = None) -> list[Tag]:
        """Annotated tags as last fetched, of a model (None: all), with tagger date and message, oldest first."""

    def push_tag(self, name: str, sha: str, message: str, *, at: datetime) -> None:
        """Create an annotated tag and push it; the same tag on the same commit already there is not an error."""

    def stamp(self, name: str) -> datetime | None:
        """When something last happened, by a reference of origin as last fetched (`refs/mlbot/NAME`); None: never."""

    def set_stamp(self, name: str, at: datetime) -> bool:
        """Say that it happens now; False when somebody else said so since it was fetched. Raises as a push does."""


class Branch(Protocol):
    """A branch that only the bot writes (ledger, environments): read at its head, written by compare-and-swap."""

    def head(self) -> str | None:
        """Commit at the tip as last fetched, None when the branch does not exist yet."""

    def get(self, path: str) -> bytes | None:
        """A file at the tip, None when it is not there."""

    def paths(self, prefix: str = "") -> list[str]:
        """File paths at the tip that start with `prefix`, sorted."""

    def prefetch(self, paths: Sequence[str]) -> None:
        """Say what will be read, so that a clone which lacks it fetches it at once."""

    def commit(
        self, files: Mapping[str, bytes | None], message: str, *, expect: Mapping[str, bytes | None] | None = None
    ) -> str | None:
        """Write files (None removes) in one commit on the tip and push it; the commit id, None when nothing changes.

        A lost race is retried on the new tip; an append-only branch refuses a change of a file that is there
        (UserError, code `ledger_conflict`). `expect` names files that must hold these bytes (None: not be there) on the
        tip that is written on, else UserError with code `branch_moved`. Raises WorldError when it cannot be pushed.
        """

    def log(self, path: str = "") -> list[tuple[str, datetime, str]]:
        """(commit, committer date, message) of commits that touch `path`, newest first."""

    def written(self, prefix: str) -> dict[str, datetime]:
        """When each file that starts with `prefix` was first written, by the committer's date."""


class Signer(Protocol):
    """An identity that no branch of a pull request can have; what it signed authorises, all else is only a view."""

    def sign(self, payload_type: str, payload: bytes) -> bytes:
        """A DSSE envelope as JSON. Raises UserError (code `signing_key_missing`) when this process may not sign."""

    def verify(self, payload_type: str, envelope: bytes) -> bytes:
        """The payload. Raises UserError (code `signature_invalid`) unless one of the trusted identities signed it."""


class Data(Protocol):
    """Data as DVC tracks it at a commit, fetched by content."""

    def files(self, sha: str, path: str) -> tuple[DataFile, ...]:
        """Files at or under `path` (from the root of the repository), sorted, as DVC tracks them at that commit.

        Raises UserError when the pointer is missing, malformed, absolute or leaves the repository, or when nothing is
        there; WorldError (code `data_object_missing`) when the remote does not hold the listing.
        """

    def tracked_by(self, sha: str, pointer: str) -> tuple[DataFile, ...]:
        """Readable files that one `.dvc` file or `dvc.lock` tracks, none when it is not there; raises as `files`."""

    def fetch(self, files: Sequence[DataFile], into: Path) -> None:
        """Put the files at `into/<path>`, each re-hashed. Raises UserError (code `data_object_missing`)."""

    def add(self, sha: str, files: Mapping[str, Path]) -> dict[str, bytes]:
        """Keep files (path in the repository -> where it lies now) next to those of the commit, or in their place.

        Gives what a commit must write so that it has them: the pointer, and with an embedded remote the objects.
        Raises UserError when the commit's data cannot be read, WorldError when the remote does not answer.
        """


class Artifacts(Protocol):
    """Artifact folders in the DVC remote, by content."""

    def store(self, folder: Path) -> str:
        """Push every file of the folder; returns the text of a DVC pointer (`.dvc` file) for it."""

    def fetch(self, pointer: str, into: Path) -> None:
        """Put the files of the pointer into the folder, each re-hashed. Raises UserError (code `artifact_missing`)."""


class Predictor(Protocol):
    """A loaded artifact. `table` is a pyarrow.Table with at least the model's input columns."""

    inputs: tuple[str, ...]
    classes: tuple[str, ...] | None

    def probabilities(self, table: Any) -> Any:
        """float64 array (n, n_classes), None for a regression."""

    def predict(self, table: Any) -> Any:
        """Labels as text (n,) by the model's threshold, or float64 (n,) for a regression."""


class Workbench(Protocol):
    """What training needs of the machine: data in, artifact files out, cores, time and memory."""

    def column_names(self, spec: ModelSpec) -> tuple[str, ...]:
        """Columns of the model's data."""

    def read(self, spec: ModelSpec, columns: Sequence[str] | None) -> Any:
        """The rows as `bot.adapters.tables.read_table` gives them (pyarrow.Table)."""

    def sensitive(self) -> frozenset[str]:
        """Columns whose values are never shown."""

    def write(self, name: str, data: bytes) -> None:
        """One file of the artifact folder."""

    def tell(self, phase: str, done: int, total: int) -> None:
        """Progress for people; `total` 0 when it is not known."""

    def elapsed(self) -> float:
        """Wall seconds since the bench was made."""

    def cores(self) -> int:
        """Cores that we may use."""

    def machine(self) -> Machine:
        """Where it runs."""

    def peak_memory_bytes(self) -> int:
        """Most memory that the process had so far."""

    def limited(self, memory_bytes: int | None) -> AbstractContextManager[None]:
        """Inside, what would take the process beyond so many bytes fails with MemoryError; None is no limit."""

    def map(
        self, function: Callable[..., Any], tasks: Iterable[tuple[Any, ...]], jobs: int, dask: str | None
    ) -> list[Any]:
        """Results in order, on `jobs` processes, or on the Dask cluster at an address."""


class PullRequests(Protocol):
    """Pull requests and what people said on them, read to the last page."""

    def get(self, number: int) -> PullRequest:
        """Raises UserError when it is not there."""

    def open_numbers(self) -> list[int]:
        """Numbers of the open pull requests."""

    def merged(self, since: datetime) -> list[Merge]:
        """What was merged into the default branch at `since` (aware) or later, the first first; the newest 1,500."""

    def for_commit(self, sha: str) -> list[int]:
        """Pull requests that a commit belongs to (after a merge: the one that brought it)."""

    def queued(self, base_ref: str, sha: str) -> list[int]:
        """The merge queue of a branch from its front to the entry with this group commit; empty when none has it."""

    def commits(self, number: int) -> list[Commit]:
        """All commits, oldest first. Raises WorldError at GitHub's cap of 250."""

    def comments(self, number: int) -> list[Comment]:
        """All comments, oldest first."""

    def said(self, since: datetime) -> list[Said]:
        """Comments on pull requests of `since` (aware) or later, oldest first; the newest thousand."""

    def reviews(self, number: int) -> list[Review]:
        """All reviews, oldest first."""

    def account(self, login: str) -> Account | None:
        """Who has a login now, in any case of letters; None when nobody does."""

    def timeline(self, number: int) -> list[TimelineEvent]:
        """What happened to the pull request, oldest first, from GitHub's own history of it."""

    def permissions(self, accounts: Sequence[Account]) -> dict[int, str]:
        """Account id -> role name (none, read, triage, write, maintain, admin) in this repository.

        The id decides: a renamed account keeps its role; one that is gone has `none`, whoever has its login by now.
        """

    def in_team(self, team: str, account: Account) -> bool | None:
        """Whether the account, by its id, is an active member of `organization/team` (child teams count).

        None when GitHub does not say.
        """


class Witness(Protocol):
    """What GitHub itself remembers of commits. None: it did not tell everything (refused, gone, cut off at a cap)."""

    def pushers(self, repository: str, branch: str, sha: str) -> list[int] | None:
        """Accounts that moved the branch of a repository (owner/name) to the commit, the last first; never empty."""

    def checks(self, sha: str, names: Sequence[str]) -> list[Check] | None:
        """Check runs and commit statuses with these names on the commit, the newest of each source."""

    def history(self, path: str, since: datetime) -> list[Commit] | None:
        """Commits of the default branch that touch the path, with a committer date of `since` (aware) or later."""


class Conversation(Protocol):
    """What the bot writes for people. Views: nothing is ever read back from here as truth."""

    def me(self) -> Account:
        """The bot's own account."""

    def own(self, number: int, marker: str) -> list[Comment]:
        """The bot's comments that begin with the marker, oldest first; nobody else's, whatever they begin with."""

    def upsert_comment(self, number: int, marker: str, body: Markdown) -> str:
        """Create or edit the bot's comment with this hidden marker (one of several); its URL. No news, no write."""

    def reply(self, number: int, body: Markdown) -> None:
        """One new comment."""

    def react(self, comment_id: int, content: Literal["eyes", "rocket", "confused", "+1", "-1"]) -> None:
        """A reaction on a comment."""

    def statuses(self, sha: str) -> dict[str, tuple[str, str]]:
        """Latest (state, description) of a commit's statuses by context, the newest hundred."""

    def set_status(self, sha: str, context: str, state: str, description: Plain, url: str | None) -> None:
        """A commit status; `state` is error, failure, pending or success."""

    def deployment(
        self, sha: str, environment: str, payload: Mapping[str, Any], state: str, description: Plain
    ) -> None:
        """A GitHub Deployment with one status; the same payload at the same commit is not created twice."""

    def dispatch(self, workflow: str, inputs: Mapping[str, str]) -> None:
        """Start a workflow of the default branch by file name."""

    def merge(self, number: int, head_sha: str) -> str | None:
        """Merge exactly this head; the merge commit, None when it waits in the repository's merge queue.

        Raises UserError (codes `refused`, `merge_queue`) in GitHub's words when the head moved or GitHub refuses.
        """


class TrainingRuns(Protocol):
    """Runs of the workflow that trains, whoever started them."""

    def of(self, number: int) -> list[TrainingRun]:
        """Runs for a pull request, newest first, of the newest hundred of the repository."""

    def started_by(self, login: str, workflow: str, since: datetime) -> int:
        """How many runs of a workflow (its file's name) somebody dispatched at `since` (aware) or later."""

    def cancel(self, run_id: int) -> bool:
        """Ask GitHub to stop it; False when it had ended already."""


class Tracker(Protocol):
    """Issues and pull requests that the bot opens for people. Only its own, by account, are seen or changed."""

    def own(self, since: datetime) -> list[Thread]:
        """The bot's open threads, and those that were closed at `since` (aware) or later; oldest first."""

    def open_issue(self, title: Plain, body: Markdown) -> Thread:
        """A new issue. Raises UserError when the token may not (code `forbidden`) or issues are switched off."""

    def open_pull_request(
        self, branch: str, base: str, files: Mapping[str, bytes | None], message: Plain, title: Plain, body: Markdown
    ) -> Thread:
        """One commit of the bot's on the commit `base`, pushed as `branch`, and a pull request to the default branch.

        The branch must not be there with other content: it is never forced. Raises UserError (code `forbidden` when
        the repository's settings keep Actions from opening pull requests; then the branch is there and no more).
        """

    def edit(self, number: int, title: Plain, body: Markdown) -> None:
        """Replace title and body; equal ones write nothing."""

    def close(self, number: int, comment: Markdown) -> None:
        """Say why, then close. A closed one stays as it is."""


class Clock(Protocol):
    """The time."""

    def now(self) -> datetime:
        """Now, UTC, aware."""

    def wait_until(self, moment: datetime) -> None:
        """Return at this time, at once when it is past."""


@dataclass(frozen=True)
class Ports:
    """Everything a step may ask for. Adapters that a command did not build are absent and raise when used."""

    git: Git
    ledger: Branch
    environments: Branch
    data: Data
    artifacts: Artifacts
    pull_requests: PullRequests
    conversation: Conversation
    clock: Clock
    run: Run
    default_branch: str = "main"
    workspace: Path = field(default_factory=Path)
    signer: Signer | None = None  # None: nothing is signed or attested
    training_runs: TrainingRuns | None = None  # None: outside GitHub
    witness: Witness | None = None  # None: what only it knows is unknown
    tracker: Tracker | None = None  # None: nobody is told; only the monitor job opens anything
    proposals: Branch | None = None  # environments, written by pull requests; None: outside GitHub
    views: Parts = field(default_factory=Parts)  # what people look at; where it cannot be shown, the effect stands
