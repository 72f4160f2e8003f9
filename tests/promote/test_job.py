"""The promote job as a whole, on a repository in memory: what it leaves, said once, whatever happens to it."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bot.chatops.parse import parse
from bot.cli.local import Absent
from bot.errors import UserError, WorldError
from bot.pipeline import promote_job, reconcile_job
from bot.pipeline.job import Job
from bot.pipeline.promotion import evaluation_and_pointer
from bot.ports import Comment, Merge, Ports, PullRequest, Run
from bot.promote.step import promote, rollback, states_of
from bot.records.base import sha256
from bot.records.command import Command
from bot.records.event import Account, Dispatched, Pushed, Scheduled
from bot.records.ledger import (
    Accepted,
    Evaluated,
    Head,
    accepted_path,
    evaluation_path,
    handled_path,
    head_path,
    pointer_path,
)
from bot.records.release import COMMAND_LINE, Approver, Release
from bot.records.training import ArtifactFile
from tests.builders import a_digest, a_training, an_evaluation
from tests.fakes.branch import FakeBranch
from tests.fakes.conversation import BOT, FakeConversation
from tests.fakes.git import FakeGit
from tests.fakes.pull_requests import FakePullRequests
from tests.promote.test_crash import Died, die, fused
from tests.promote.world import RUTH, Stored

POLICIES = Path(__file__).parents[2] / "policies"
HEAD, MAIN, NUMBER = "a" * 40, "b" * 40, 7
RHEA = Account(id=1004, login="rhea")
AT = datetime(2026, 11, 23, 12, tzinfo=UTC)


@dataclass
class Talk(FakeConversation):
    """Comments, statuses and deployments."""

    made: list[tuple[str, str, str]] = field(default_factory=list)

    def deployment(self, sha: str, environment: str, payload: Mapping[str, Any], state: str, description: str) -> None:
        self._write("deployment")
        if (sha, environment, description) not in self.made:
            self.made.append((sha, environment, description))


class Moved(FakeBranch):
    """A branch that has files only as they are at its tip."""

    def log(self, path: str = "") -> list[tuple[str, datetime, str]]:
        return [(sha, at, text) for sha, at, text, names in reversed(self.commits) if not path or path in names]


@dataclass
class World:
    """A merged pull request of models `churn` and `price`."""

    git: FakeGit = field(default_factory=FakeGit)
    ledger: Moved = field(default_factory=lambda: Moved(append_only=True))
    environments: Moved = field(default_factory=Moved)
    artifacts: Stored = field(default_factory=Stored)
    talk: Talk = field(default_factory=Talk)
    said: list[str] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        files = {f"policies/{path.name}": path.read_bytes() for path in POLICIES.glob("*.yaml")}
        self.git.trees = {MAIN: files, HEAD: files}
        self.git.refs = {"HEAD": MAIN, "origin/main": MAIN}
        models = {name: self.evaluated(name) for name in ("churn", "price")}
        head = Head(
            number=NUMBER, head_sha=HEAD, base_sha=MAIN, models=models, run_id=1, run_attempt=1, initiator_id=None
        )
        self.ledger.commit({head_path(NUMBER, HEAD): head.canonical()}, "evaluated")

    def evaluated(self, model: str, word: str = "new") -> Evaluated:
        """An evaluation in the ledger whose artifact follows from the words."""
        content = f"{model} {word}".encode()
        digest = sha256(content)
        files = (ArtifactFile(name="model.skops", sha256=digest, size=1),)
        inputs = a_digest("inputs", model, word)
        training = a_training(model, artifact_digest=digest, inputs_digest=inputs, files=files)
        evaluation = an_evaluation(model, training=training)
        where = (model, inputs, evaluation.digest())
        pointer = self.artifacts.keep({"model.skops": content})
        self.ledger.commit(
            {evaluation_path(*where): evaluation.canonical(), pointer_path(*where): pointer.encode()}, ""
        )
        return Evaluated(inputs_digest=inputs, evaluation_digest=evaluation.digest(), artifact_digest=digest)

    def ports(self) -> Ports:
        pull = PullRequest(
            number=NUMBER, title="t", author=RHEA, state="closed", draft=False, merged=True, head_sha=HEAD,
            head_ref="change", base_ref="main", base_sha=MAIN, from_fork=False, merge_commit_sha=MAIN,
        )  # fmt: skip
        github: Any = FakePullRequests({NUMBER: pull}, comments_of={NUMBER: self.talk.comments_})
        github.merges = [Merge(NUMBER, HEAD, MAIN, AT)]
        nothing: Any = None
        return Ports(
            git=self.git, ledger=self.ledger, environments=self.environments, data=nothing, artifacts=self.artifacts,
            pull_requests=github, conversation=self.talk, clock=SimpleNamespace(now=lambda: AT),
            run=Run(1, 1, None, "promote", "promote", "acme/app", "rhea", MAIN),
        )  # fmt: skip

    def job(self, ports: Ports | None = None) -> Job:
        return Job(ports or self.ports(), Path(), {}, lambda *_: None, lambda _: None, self.said.append)

    def run(self, event: Any, ports: Ports | None = None) -> None:
        promote_job.run(event, self.job(ports))

    def live(self) -> list[str]:
        return [path for path in self.environments.paths() if path.endswith("/release.json")]

    def comments(self) -> list[str]:
        return [html.unescape(one.body) for one in self.talk.comments_ if one.author.kind == "Bot"]


PUSH = Pushed(ref="refs/heads/main", before=HEAD, after=MAIN, sender=RHEA)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """Where the policy approves everything; models in `broken` fail the load-and-query check."""
    made = World()

    def judge(number: int, about: str, job: Job, *, asked: Any, merged: Any, actor: Any = None) -> Any:
        decision = SimpleNamespace(status="approved", digest=lambda: a_digest("decision"))
        return SimpleNamespace(decision=decision, facts=SimpleNamespace(asked=asked), case=None)

    def probed(environment: str, models: Any, job: Job) -> Any:
        def probe(folder: Path, training: Any) -> None:
            if training.model in made.broken:
                raise UserError("predict_proba is missing", hint="Train again.", code="load_check_failed")

        return probe

    for name, stub in {
        "judge": judge, "probed": probed, "approvers": lambda *_: (), "break_glass_used": lambda _: None,
        "merged_inputs": lambda *_: {}, "checked": lambda *_: None,
    }.items():  # fmt: skip
        monkeypatch.setattr(promote_job, name, stub)
    return made


def test_killed_before_any_write_and_run_again_it_ends_alike_with_one_comment(
    monkeypatch: pytest.MonkeyPatch, world: World
) -> None:
    """One release and one set of tags a model, one deployment and one comment, whichever write the job died before."""
    writes = {"git": ("push_tag",), "ledger": ("commit",), "environments": ("commit",)}
    monkeypatch.setattr("tests.promote.test_crash.WRITES", writes | {"conversation": ("deployment", "upsert_comment")})
    world.run(PUSH)
    expected = (world.environments.files, world.ledger.files, world.talk.made, world.comments(), world.git.made_tags)
    assert len(world.live()) == 2 and len(world.comments()) == 1
    for n in range(40):
        again = World()
        try:
            again.run(PUSH, fused(again.ports(), n, die))
        except Died:
            again.run(PUSH)
            found = (
                again.environments.files,
                again.ledger.files,
                again.talk.made,
                again.comments(),
                again.git.made_tags,
            )
            assert found == expected, f"died before write {n}"
        else:
            break
    assert n == 10, (
        "each model's commit, the facts in one, each model's two tags, one deployment, its note, the comment"
    )


NO_DEPLOYMENT = UserError("GitHub refuses: Resource not accessible by *integration* (403)", code="forbidden")


def no_tags(world: World, ports: Ports) -> None:
    def push_tag(*_arguments: Any, **_options: Any) -> None:
        raise UserError("cannot push tag: GH013: Repository rule violations found", code="push_refused")

    ports.git.push_tag = push_tag  # type: ignore[method-assign]


def no_deployments(world: World, ports: Ports) -> None:
    world.talk.refusals = {"deployment": NO_DEPLOYMENT}


@pytest.mark.parametrize(
    ("refuse", "words"), [(no_tags, "GH013"), (no_deployments, "Resource not accessible by *integration*")]
)
def test_what_is_live_is_called_live_whatever_of_it_cannot_be_shown_and_the_next_reconcile_shows_it(
    world: World, refuse: Any, words: str
) -> None:
    world.git.trees[MAIN] |= {f"models/{name}/model.yaml": b"" for name in ("churn", "price")}
    ports = world.ports()
    refuse(world, ports)
    world.run(PUSH, ports)
    (comment,) = world.comments()
    assert "not promoted" not in comment and comment.count("is live in staging") == 2
    assert "Not shown yet: " in comment and words in comment and "The next run tries again." in comment
    assert len(world.live()) == 2 and len(world.ledger.paths("promotions/")) == 2
    assert ports.views.failed, "the job's summary names it, too"
    world.talk.refusals = {}
    world.git.__dict__.pop("push_tag", None)
    for _ in range(2):
        reconcile_job.run(Scheduled(schedule="17 * * * *"), world.job())
    (comment,) = world.comments()
    assert "Not shown" not in comment and comment.count("is live in staging") == 2
    assert len(world.git.made_tags) == 4 and len(world.talk.made) == 1


def test_a_comment_that_cannot_be_written_takes_no_release_back(world: World) -> None:
    world.talk.refusals = {"comment": UserError("GitHub refuses: locked (403)", code="conversation_locked")}
    world.run(PUSH)
    assert len(world.live()) == 2 and world.comments() == []
    world.talk.refusals = {}
    world.run(PUSH)
    assert len(world.comments()) == 1


def test_a_ledger_that_cannot_be_written_is_told_beside_what_is_live(world: World) -> None:
    ports = world.ports()
    commit = ports.ledger.commit

    def refused(files: Any, message: str, **options: Any) -> Any:
        if any(path.startswith("promotions/") for path in files):
            raise WorldError("cannot push branch mlbot/ledger: Internal Server Error.")
        return commit(files, message, **options)

    ports.ledger.commit = refused  # type: ignore[method-assign]
    with pytest.raises(WorldError):
        world.run(PUSH, ports)
    (comment,) = world.comments()
    assert comment.count("is live in staging") == 2 and "The ledger does not hold that yet" in comment
    ports.ledger.commit = commit  # type: ignore[method-assign]
    world.run(PUSH)
    (comment,) = world.comments()
    assert "ledger" not in comment and len(world.ledger.paths("promotions/")) == 2


def asked_for(world: World, body: str, comment: int = 77) -> list[Dispatched]:
    """The runs that the bot starts for a comment of rhea's, each written down before."""
    world.talk.comments_.append(Comment(id=comment, author=RHEA, body=body, created_at=AT, updated_at=AT))
    return [started(world, comment, n, one.models, one.environment or "") for n, one in enumerate(parse(body).commands)]


def started(world: World, comment: int, index: int, models: Sequence[str], environment: str) -> Dispatched:
    inputs = {
        "action": "promote", "environment": environment, "model": " ".join(models), "number": str(NUMBER), "reason": "",
    }  # fmt: skip
    one = Accepted(
        number=NUMBER, comment_id=comment, index=index, verb="promote", author=RHEA, workflow="promote.yml",
        inputs=inputs,
    )  # fmt: skip
    world.ledger.commit({accepted_path(one): one.canonical()}, "accepted")
    return Dispatched(workflow="promote", inputs=inputs | {"comment_id": str(comment)}, sender=BOT)


def test_a_request_that_cannot_be_carried_out_is_answered(world: World) -> None:
    event = started(world, 77, 0, (), "production")
    with pytest.raises(UserError):
        world.run(event)
    (comment,) = world.comments()
    assert "Nothing was done: comment 77 is gone or was edited" in comment


def test_an_earlier_merge_is_not_brought_over_a_later_one_and_says_so(world: World) -> None:
    later = "c" * 40
    world.git.trees[later], world.git.parents[later] = world.git.trees[MAIN], (MAIN,)
    newer = world.evaluated("churn", "newer")
    evaluation, pointer = evaluation_and_pointer("churn", newer, SimpleNamespace(ports=world.ports()))  # type: ignore[arg-type]
    let_out = {"commit": later, "number": 9, "approved_by": (), "promoted_by": None, "reason": ""}
    promote("churn", "staging", evaluation, pointer, ports=world.ports(), **let_out)  # type: ignore[arg-type]
    live = world.environments.files["staging/churn/release.json"]
    world.run(PUSH)
    (comment,) = world.comments()
    assert "churn of this merge is not brought to staging: v1.0.0 of #9 came after it." in comment
    assert "price v1.0.0 is live in staging" in comment
    assert world.environments.files["staging/churn/release.json"] == live


def test_what_one_merge_brings_is_one_deployment_that_names_each_model(world: World) -> None:
    world.run(PUSH)
    assert world.talk.made == [(MAIN, "staging", "promote churn v1.0.0, promote price v1.0.0")]


def test_a_second_delivery_and_the_hourly_reconcile_say_nothing_new(world: World) -> None:
    for _ in range(3):
        world.run(PUSH)
    assert len(world.comments()) == 1
    assert world.talk.asked.count("POST comment") == 1 and "PATCH comment" not in world.talk.asked


def test_what_was_rolled_back_is_not_brought_again_by_the_merge_that_brought_it(world: World) -> None:
    """The reconcile looks at the last merge every hour; it neither promotes past a hold nor fails because of it."""
    older = world.evaluated("churn", "older")
    evaluation, pointer = evaluation_and_pointer("churn", older, SimpleNamespace(ports=world.ports()))  # type: ignore[arg-type]
    let_out = {"commit": MAIN, "number": 6, "approved_by": (), "promoted_by": RUTH, "reason": ""}
    promote("churn", "staging", evaluation, pointer, ports=world.ports(), **let_out)  # type: ignore[arg-type]
    world.run(PUSH)
    assert "churn v1.1.0 is live in staging" in world.comments()[0]
    rollback("staging", "churn", reason="bad", by=RUTH, ports=world.ports())
    live = dict(world.environments.files)
    world.run(PUSH)
    (comment,) = world.comments()
    assert "churn v1.1.0 was brought to staging; by now v1.0.0 is live there." in comment
    assert "price v1.0.0 is live in staging" in comment and world.environments.files == live


def test_a_model_that_does_not_load_keeps_no_other_back_and_the_pull_request_says_so(world: World) -> None:
    world.broken = {"churn"}
    with pytest.raises(UserError, match="predict_proba is missing"):
        world.run(PUSH)
    assert world.live() == ["staging/price/release.json"]
    (comment,) = world.comments()
    assert "churn was not promoted to staging: predict_proba is missing. Train again." in comment
    assert "price v1.0.0 is live in staging" in comment
    world.broken = set()
    world.run(PUSH)
    assert len(world.live()) == 2
    (comment,) = world.comments()
    assert "not promoted" not in comment and "churn v1.0.0 is live in staging" in comment


def test_what_is_live_already_is_called_live_when_asking_for_it_again_fails(world: World) -> None:
    world.run(PUSH)
    job = world.job()
    live = states_of("churn", job.ports)["staging"]
    head: Any = SimpleNamespace(models={"churn": SimpleNamespace(artifact_digest=live.artifact_digest)})
    failed = WorldError("the DVC remote does not answer")
    told = promote_job._outcome("churn", failed, Command(verb="promote", environment="staging"), head, job)
    assert "churn v1.0.0 is live in staging" in told.sentence and "not promoted" not in told.sentence
    assert "not brought there again: the DVC remote does not answer" in told.sentence and told.error is failed


def test_the_same_request_delivered_twice_has_one_answer(world: World) -> None:
    (event,) = asked_for(world, "/promote E-kl524gx3f37mlat6 churn to production")
    for _ in range(2):
        world.run(event)
    assert world.live() == ["production/churn/release.json"]
    assert [text.count("is live in production by rhea") for text in world.comments()] == [1]


def test_a_request_that_was_refused_promotes_nothing_when_somebody_dispatches_it_later(world: World) -> None:
    """A workflow of a branch may start `promote` with the number of any comment; the other request of it stands."""
    lines = [f"/promote E-kl524gx3f37mlat6 {name} to production" for name in ("churn", "price")]
    churn, price = asked_for(world, "\n".join(lines), 78)
    note = {"author": RHEA.id, "run": 1, "verbs": ["promote"], "refused": [0]}
    world.ledger.commit({handled_path(NUMBER, 78): json.dumps(note).encode()}, "done: promote")
    with pytest.raises(UserError) as caught:
        world.run(churn)
    assert "new comment" in (caught.value.hint or "") and world.live() == []
    world.run(price)
    assert world.live() == ["production/price/release.json"]


def test_the_reconcile_rehearses_the_rollback_that_is_due_and_no_other(
    monkeypatch: pytest.MonkeyPatch, world: World
) -> None:
    """`rollback_drill` in policies/environments.yaml: back and forth once, then not until it is due again."""
    policy = "policies/environments.yaml"
    files = world.git.trees[MAIN]
    for name in ("churn", "price"):
        files[f"models/{name}/model.yaml"] = b""
    files[policy] = files[policy].replace(b"  staging:\n", b"  staging:\n    rollback_drill: 7d\n", 1)
    older = world.evaluated("churn", "older")
    evaluation, pointer = evaluation_and_pointer("churn", older, SimpleNamespace(ports=world.ports()))  # type: ignore[arg-type]
    let_out = {"commit": MAIN, "number": 6, "approved_by": (), "promoted_by": RUTH, "reason": ""}
    promote("churn", "staging", evaluation, pointer, ports=world.ports(), **let_out)  # type: ignore[arg-type]
    world.run(PUSH)
    live = world.environments.files["staging/churn/release.json"]
    for _ in range(2):
        reconcile_job.run(Scheduled(schedule="17 * * * *"), world.job())
    said = [line for line in world.said if "drill" in line]
    assert said == [
        "churn: drill v1.1.0 -> v1.0.0 -> v1.1.0 in staging",
        *["price: no drill: price in staging: there is no earlier good release to go back to"] * 2,
    ]
    now, before = (
        Release.parse(one, source="") for one in (world.environments.files["staging/churn/release.json"], live)
    )
    assert (now.artifact_digest, now.hold) == (before.artifact_digest, False)
    assert len(world.comments()) == 1


def test_a_rollback_from_a_clone_is_shown_on_github_by_the_next_reconcile(world: World) -> None:
    """A clone has no token for GitHub Deployments; without this the page would go on naming what was taken back."""
    world.git.trees[MAIN] |= {f"models/{name}/model.yaml": b"" for name in ("churn", "price")}
    older = world.evaluated("churn", "older")
    evaluation, pointer = evaluation_and_pointer("churn", older, SimpleNamespace(ports=world.ports()))  # type: ignore[arg-type]
    let_out = {"commit": MAIN, "number": 6, "approved_by": (), "promoted_by": RUTH, "reason": ""}
    promote("churn", "staging", evaluation, pointer, ports=world.ports(), **let_out)  # type: ignore[arg-type]
    world.run(PUSH)
    typing = Approver(id=0, login="ruth", role=COMMAND_LINE)
    clone = replace(world.ports(), conversation=Absent("conversation"))  # type: ignore[arg-type]
    rollback("staging", "churn", reason="bad", by=typing, ports=clone)
    before = list(world.talk.made)
    for _ in range(2):
        reconcile_job.run(Scheduled(schedule="17 * * * *"), world.job())
    assert [one[1:] for one in world.talk.made[len(before) :]] == [("staging", "rollback churn v1.0.0")]


def test_a_request_that_is_delivered_again_after_a_rollback_brings_nothing_back(world: World) -> None:
    """GitHub may deliver a command twice; the second time says what the first did and changes nothing."""
    older = world.evaluated("churn", "older")
    evaluation, pointer = evaluation_and_pointer("churn", older, SimpleNamespace(ports=world.ports()))  # type: ignore[arg-type]
    let_out = {"commit": MAIN, "number": 6, "approved_by": (), "promoted_by": RUTH, "reason": ""}
    promote("churn", "production", evaluation, pointer, ports=world.ports(), **let_out)  # type: ignore[arg-type]
    (asked,) = asked_for(world, "/promote E-kl524gx3f37mlat6 churn to production")
    world.run(asked)
    rollback("production", "churn", reason="bad", by=RUTH, ports=world.ports())
    live, said = dict(world.environments.files), world.comments()
    world.run(asked)
    assert (world.environments.files, world.comments()) == (live, said)


def test_an_environment_that_is_delivered_by_pull_request_is_said_to_be_proposed(world: World) -> None:
    """The comment names the branch that somebody has to merge; without GitHub there is no such way."""
    policy = "policies/environments.yaml"
    files = world.git.trees[MAIN]
    files[policy] = files[policy].replace(b"  staging:\n", b"  staging:\n    delivery: pull_request\n", 1)
    with pytest.raises(UserError, match="which need GitHub"):
        world.run(PUSH)
    proposed = Moved()
    world.run(PUSH, replace(world.ports(), proposals=SimpleNamespace(
        prefetch=lambda paths: None,
        head=lambda: None, get=world.environments.get, paths=world.environments.paths, log=world.environments.log,
        commit=lambda files, message, expect: proposed.commit(files, message),
    )))  # fmt: skip
    assert world.live() == []
    assert "staging/churn/release.json" in proposed.files
    (comment,) = world.comments()
    assert "churn v1.0.0 is live in staging once somebody merges `mlbot-promotions/staging/churn`." in comment
