"""A repository with two models of the same data, in memory: the train and the report job run on it as they are."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bot.pipeline import judge, plan_job, report_job, train_job
from bot.pipeline.job import Job
from bot.ports import Commit, Ports, PullRequest, Run, TrainingRun
from bot.records.event import Account, Event, PullRequestChanged
from tests.evaluate.worlds import SPEC, a_table
from tests.fakes.artifacts import FakeArtifacts
from tests.fakes.branch import FakeBranch
from tests.fakes.conversation import FakeConversation
from tests.fakes.data import FakeData
from tests.fakes.git import FakeGit
from tests.fakes.pull_requests import FakePullRequests

BASE, NUMBER = "b" * 40, 7
DANA = Account(id=1001, login="dana")
PEOPLE = {"dana": (1001, "write"), "owen": (1002, "write"), "vera": (1003, "write"), "rhea": (1004, "admin")}
POLICIES = Path(__file__).parents[2] / "policies"
CHURN = SPEC.replace(b"data/churn.parquet", b"data/churn.csv").replace(b"id}", b"id, time: seen}")
VALUE = CHURN.replace(b"[age, spend]", b"[age]")
GATES = b"""version: 1
slices: {minimum_rows: 30}
budget: {steps: 9}
gates:
  - {id: worth_it, kind: floor, metric: primary, value: 0.6}
"""


def a_csv(rows: int = 600, seed: int = 0, first_id: int = 0, day: str = "2026-11-01") -> bytes:
    """`a_table` as a file, with the day of each row."""
    out = io.StringIO()
    writer = csv.writer(out)
    table = a_table(rows, seed).to_pylist()
    writer.writerow([*table[0], "seen"])
    writer.writerows([*{**row, "id": row["id"] + first_id}.values(), day] for row in table)
    return out.getvalue().encode()


def policies(gates: bytes = GATES) -> dict[str, bytes]:
    """This repository's policies with other gates."""
    files = {f"policies/{path.name}": path.read_bytes() for path in POLICIES.glob("*.yaml")}
    return {**files, "policies/gates.yaml": gates}


@dataclass
class Clock:
    """Stands still until it is moved."""

    at: datetime = datetime(2026, 11, 23, 12, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at

    def wait_until(self, moment: datetime) -> None:
        """It stands still."""

    def pass_days(self, days: float) -> None:
        self.at += timedelta(days=days)


@dataclass
class Runs:
    """Port TrainingRuns where nothing is trained now; `started` counts who dispatched what."""

    started: dict[tuple[str, str], int] = field(default_factory=dict)

    def of(self, _number: int) -> list[TrainingRun]:
        return []

    def cancel(self, _run_id: int) -> bool:
        return False

    def started_by(self, login: str, workflow: str, since: datetime) -> int:
        return self.started.get((login, workflow), 0)


@dataclass
class World:
    """`base` and `head` are the trees of the default branch and of the pull request; data by commit."""

    tmp: Path
    base: dict[str, bytes]
    head: dict[str, bytes]
    data: FakeData
    ledger: FakeBranch = field(default_factory=FakeBranch)
    environments: FakeBranch = field(default_factory=FakeBranch)
    artifacts: FakeArtifacts = field(default_factory=FakeArtifacts)
    talk: FakeConversation = field(default_factory=FakeConversation)
    clock: Clock = field(default_factory=Clock)
    runs: int = 100
    said: list[str] = field(default_factory=list)
    pushes: int = 0
    draft: bool = False
    by_hand: Runs = field(default_factory=Runs)
    people: dict[str, tuple[int, str]] = field(default_factory=lambda: dict(PEOPLE))

    @property
    def sha(self) -> str:
        """The live head: one for each push."""
        return f"{self.pushes + 1:x}" * 40

    def job(self) -> Job:
        """A job of the current run."""
        pull = PullRequest(
            NUMBER, "t", DANA, "open", self.draft, False, self.sha, "change", "main", BASE, False, None
        )  # fmt: skip
        commits = [Commit(self.sha, (BASE,), DANA, DANA, "dana@example.com", "A change")]
        git = FakeGit({BASE: self.base, self.sha: self.head}, {self.sha: (BASE,)}, {"HEAD": BASE, "origin/main": BASE})
        git.refs[f"refs/mlbot/pull/{NUMBER}"] = self.sha
        github: Any = FakePullRequests(
            {NUMBER: pull}, {NUMBER: commits}, {NUMBER: self.talk.comments_}, roles=dict(self.people)
        )
        self.talk.cached = False
        run = Run(self.runs, 1, f"https://github.com/acme/app/actions/runs/{self.runs}", "", "", "acme/app", "", BASE)
        ports = Ports(
            git=git, ledger=self.ledger, environments=self.environments, data=self.data, artifacts=self.artifacts,
            pull_requests=github, conversation=self.talk, clock=self.clock, run=run, workspace=self.tmp,
            training_runs=self.by_hand,
        )  # fmt: skip
        out = self.tmp / f"out-{self.runs}"
        return Job(ports, out, {}, lambda name, value: None, lambda text: None, self.said.append)

    def evaluate(self) -> str:
        """One run of the pull request's workflow; the comment that it leaves."""
        event = PullRequestChanged(
            number=NUMBER, action="synchronize", head_sha=self.sha, base_ref="main", from_fork=False, draft=self.draft,
            sender=DANA,
        )  # fmt: skip
        self.run(event, self.next_job())
        return self.comment()

    def next_job(self) -> Job:
        """A job of a new run, with its folder."""
        self.runs += 1
        job = self.job()
        job.out.mkdir()
        return job

    def run(self, event: Event, job: Job, change: Callable[[Path], None] | None = None) -> None:
        """The jobs of pull-request.yml, one after the other; `change` is done to what was handed over."""
        outputs: dict[str, str] = {}
        plan_job.run(event, replace(job, set_output=outputs.__setitem__))
        for one in json.loads(outputs["matrix"])["include"]:
            self.train(event, one, job)
        if change is not None:
            change(job.out)
        report_job.run(event, replace(job, inputs={**job.inputs, "plan_digest": outputs["digest"]}))

    def train(self, event: Event, one: dict[str, Any], job: Job) -> None:
        """A training job of the matrix, and its artifact."""
        name = f"trained-{one['shard']}"
        out = self.tmp / f"{job.out.name}-{name}"
        out.mkdir()
        shutil.copy(job.out / "plan.json", out)
        try:
            train_job.run(event, replace(job, out=out, inputs={**job.inputs, "model": one["model"]}))
        except Exception as error:
            self.said.append(str(error))
        for folder in (one for one in out.iterdir() if one.is_dir()):
            shutil.copytree(folder, job.out / "trained" / name / folder.name)

    def push(self, **files: bytes) -> None:
        """Another head."""
        self.pushes += 1
        self.head = {**self.head, **files}

    def rejudge(self) -> str:
        """What a review or a comment starts; the comment that it leaves."""
        judge.rejudge(NUMBER, self.job())
        return self.comment()

    def comment(self) -> str:
        """The report."""
        return next(one.body for one in self.talk.comments_ if one.body.startswith("<!-- mlbot:report"))


def world(
    tmp: Path,
    monkeypatch: Any,
    *,
    head: dict[str, bytes] | None = None,
    gates: bytes = GATES,
    files: dict[str, bytes] | None = None,
    new_data: bytes | None = None,
) -> World:
    """Models `churn` and `value`; the pull request brings `head` files and `new_data`. `files` are on both sides."""
    for module in (plan_job, train_job, report_job, judge):
        monkeypatch.setattr(module, "at_head", lambda job, number, sha: job)
    base = {
        **policies(gates), "models/churn/model.yaml": CHURN, "models/value/model.yaml": VALUE, "data.dvc": b"old",
        **(files or {}),
    }  # fmt: skip
    old = {"data/churn.csv": a_csv()}
    data = FakeData({BASE: old, "*": {"data/churn.csv": new_data} if new_data else old})
    changed = {**base, **({"data.dvc": b"new"} if new_data else {}), **(head or {})}
    return World(tmp, base, changed, data)
