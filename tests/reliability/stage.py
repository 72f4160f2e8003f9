"""A whole repository on the sandbox's GitHub, in one process: people, bot, runs, a clock that stands still."""

from __future__ import annotations

import pickle
import random
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal
from unittest import mock

import orjson
import pygit2

from bot.adapters.clock import SystemClock
from bot.records.ledger import LEDGER
from bot.records.release import Release
from bot.sandbox import events, schedules, template
from bot.sandbox.apps import add_app
from bot.sandbox.hub import Hub
from bot.sandbox.people import Person, Team
from bot.sandbox.rulesets import document, ruleset
from bot.sandbox.server import Api
from bot.sandbox.store import Repository
from tests.reliability.actions import Actions
from tests.reliability.chaos import Chaos
from tests.reliability.mutants import text_of
from tests.reliability.quick_git import QuickGit, TimedSignature
from tests.reliability.quick_reads import quick_reads
from tests.reliability.quick_training import Remote, Trainer, quick
from tests.reliability.transport import Wire

ROOT = Path(__file__).parents[2]
START = datetime(2026, 11, 2, 9, tzinfo=UTC)
NAME = "acme/models"
PEOPLE = (
    Person("dana", 1001, "data scientist"),
    Person("owen", 1002, "model owner"),
    Person("olga", 1012, "model owner"),
    Person("vera", 1003, "model validator"),
    Person("vik_acme", 1013, "model validator"),
    Person("rhea", 1004, "release manager", "maintain"),
    Person("adam", 1006, "administrator", "admin"),
    Person("mallory", 1666, "stranger", "read"),
)
SPEC = """task: binary
owner: owen
description: Will the customer leave?
data: {{path: data/{model}.csv, target: left, row_id: id}}
split: {{method: random, test: 0.5}}
features: {{numeric: [age, spend]}}
estimator: {{name: LogisticRegression, parameters: {{max_iter: {iterations}}}}}
metrics: {{primary: roc_auc}}
environments: [staging, production]
"""
GATES = """version: 1
gates:
  - {{id: worth_it, kind: floor, metric: primary, value: {floor}}}
"""
MODELS = ("churn", "value")
TEAM = "validators"
FREEZE = """
freeze_windows:
  - name: month-end
    kind: deny
    environments: [staging, production]
    dtstart: "2026-10-28T18:00:00"
    rrule: FREQ=MONTHLY;BYMONTHDAY=28
    duration: 4d
    time_zone: America/New_York
    reason: Month-end close
"""
THAW = datetime(2026, 11, 1, 20, tzinfo=UTC)  # three hours before the freeze ends, after its clock was put back
TAGS = {
    "name": "no tags", "target": "tag", "enforcement": "active", "rules": [{"type": "creation"}],
    "conditions": {"ref_name": {"include": ["~ALL"], "exclude": []}},
}  # fmt: skip


def spec(model: str, iterations: int) -> bytes:
    """A spec whose model is worth `iterations` / 1000."""
    return SPEC.format(model=model, iterations=iterations).encode()


def gates(floor: float) -> bytes:
    """Gates that pass a model that is worth `floor` or more."""
    return GATES.format(floor=floor).encode()


def _on(workflow: str, default: str) -> str:
    """A workflow as `mlbot init` writes it where the default branch has this name."""
    return workflow.replace("branches: [main]", f"branches: [{default}]")


def roles(text: str, *, has_teams: bool = False) -> str:
    """The repository's roles with a second owner and a second validator, whom a team may name."""
    found = text.replace("[owen#1002]", "[owen#1002, olga#1012]")
    if has_teams:
        return found.replace("users: [vera#1003]", f"teams: [acme/{TEAM}]")
    return found.replace("[vera#1003]", "[vera#1003, vik_acme#1013]")


@dataclass(frozen=True)
class Flavour:
    """In which of many worlds a schedule plays. `refuses` is what GitHub never lets the bot do there."""

    default: str = "main"
    is_protected: bool = True
    refuses: Literal["", "tags", "deployments"] = ""
    without: tuple[str, ...] = ()  # merge methods that are switched off
    has_freeze: bool = False  # nothing is promoted for the first hours
    has_teams: bool = False  # validators are a team; the bot acts as an app, which may see it


def flavour_of(seed: int) -> Flavour:
    """Of the first step's seed, so that a shortened schedule stays in its world."""
    rng = random.Random(seed)
    default = rng.choice(("main", "main", "main", "trunk"))
    refuses = rng.choices(("", "tags", "deployments"), (6, 1, 1))[0]
    without = rng.choice(((), (), (), ("merge_commit", "rebase_merge"), ("merge_commit",)))
    more = rng.choices(("", "freeze", "teams"), (7, 1, 1))[0]
    return Flavour(default, rng.random() < 0.7, refuses, without, more == "freeze", more == "teams")


class QuickHub(Hub):
    """A hub that is never written to the disk. A stale answer is made from the state at the last `remember`."""

    def save(self) -> None:
        """Nothing is kept."""

    def remember(self) -> None:
        self._past.append((self.clock(), pickle.dumps(self.data)))

    def earlier(self, seconds: float) -> Hub:
        kept = [(at, text) for at, text in self._past if at <= self.clock() - timedelta(seconds=seconds)]
        found = QuickHub(self.directory, pickle.loads((kept or list(self._past))[-1][1]))
        found.url, found.clock, found.used = self.url, self.clock, self.used
        return found


class Stage:
    """Made in an empty folder. `with stage.plugged():` is when the bot in this process lives on it."""

    def __init__(self, folder: Path, flavour: Flavour | None = None, *, start: datetime | None = None) -> None:
        self.folder = folder
        self.flavour = flavour or Flavour()
        self.default = self.flavour.default
        self.is_announced = True  # nothing happened that GitHub has no event for
        self.hub = QuickHub(folder)
        self.hub.clock.stand_still()
        self.hub.clock.set(start or (THAW if self.flavour.has_freeze else START))
        self.hub.url = "http://github.invalid"
        self.chaos = Chaos()
        self.api = Api(self.hub)
        self.remote = Remote(self.chaos)
        self.trainer = Trainer(self.chaos)
        self.hub.add_people(PEOPLE)
        self.hub.add_repository(NAME, default_branch=self.default)
        template.first_commit(self.hub, self.repo, self._files(), PEOPLE[5])
        if self.flavour.is_protected:
            self.repo.rulesets.append(
                ruleset(self.hub, self.repo, branch=self.default, checks=["mlbot/verdict"], bypass=["adam"])
            )
        if self.flavour.has_teams:
            self._act_as_an_app()
        self.actions = Actions(self.hub, NAME, folder, self.chaos)
        self.git = QuickGit(self.api, NAME, self.chaos)
        if self.flavour.refuses == "tags":
            self.repo.rulesets.append(document(self.hub, TAGS, NAME))
        for method in self.flavour.without:
            setattr(self.repo.switches, f"allow_{method}", False)
        self.wire = Wire(self.api, self.chaos, self.wait)
        if self.flavour.refuses == "deployments":
            self.api.faults.add("POST", "/deployments$", 403, {}, "Resource not accessible by integration", 10**6)
        self.waited_s = 0.0
        self.in_clones: list[tuple[str, str]] = []  # what went wrong in people's clones, and what was said
        self.answers: Counter[int] = Counter()

    def _act_as_an_app(self) -> None:
        self.hub.add_teams([Team(TEAM, ("vera", "vik_acme"))])
        may = dict.fromkeys(("actions", "contents", "deployments", "issues", "pull-requests", "statuses"), "write")
        app, key = add_app(self.hub, "mlbot-acme", {**may, "members": "read", "checks": "read", "metadata": "read"})
        self.repo.variables |= {"MLBOT_APP_ID": str(app.id), "MLBOT_APP_INSTALLATION": str(app.installation)}
        self.repo.secrets["MLBOT_APP_KEY"] = key

    def _files(self) -> dict[str, bytes]:
        found = {f"policies/{path.name}": text_of(path).encode() for path in (ROOT / "policies").glob("*.yaml")}
        people = roles(found["policies/roles.yaml"].decode(), has_teams=self.flavour.has_teams)
        found["policies/roles.yaml"] = people.encode()
        if self.flavour.has_freeze:
            found["policies/environments.yaml"] += FREEZE.encode()
        found["policies/gates.yaml"] = gates(0.6)
        for path in (ROOT / ".github/workflows").glob("*.yml"):
            found[f".github/workflows/{path.name}"] = _on(text_of(path), self.default).encode()
        for model in MODELS:
            found[f"models/{model}/model.yaml"] = spec(model, 700)
        data = {f"{model}.csv": f"id,age,spend,left\n1,2,3,{model}\n".encode() for model in MODELS}
        found["data.dvc"] = self.remote.keep(data, "data").encode()
        found[".dvc/config"] = b"[core]\n    remote = quick\n['remote \"quick\"']\n    url = s3://nowhere\n"
        found["docs/notes.md"] = b"notes\n"
        return found

    @property
    def repo(self) -> Repository:
        return self.hub.repository(NAME)

    @contextmanager
    def plugged(self) -> Iterator[None]:
        """No request leaves the process, no time is waited, nothing is trained for real."""
        signature = TimedSignature(lambda: int(self.hub.clock().timestamp()))
        with ExitStack() as stack:
            for context in (
                quick_reads(),
                self.wire.plugged(),
                self.git.plugged(),
                quick(self.remote, self.trainer),
                mock.patch.object(SystemClock, "now", lambda _: self.hub.clock()),
                mock.patch.object(pygit2, "Signature", signature),
            ):
                stack.enter_context(context)
            yield

    def releases(self) -> list[Release]:
        """Every release so far, by the ledger; of each model the oldest first."""
        bare = self.hub.bare(self.repo)
        found = [
            f"promotions/{model}/{name}" for model in MODELS for name in bare.folder(LEDGER, f"promotions/{model}")
        ]
        return [Release.parse(bare.read(LEDGER, path) or b"", source=path) for path in found]

    # --- time

    def wait(self, seconds: float) -> None:
        """What the bot sleeps."""
        self.waited_s += seconds
        self.hub.clock.advance(seconds=max(1, round(seconds)))

    def advance(self, seconds: float) -> None:
        """Time passes; schedules strike, and events that were late come."""
        start = self.hub.clock()
        end = start + timedelta(seconds=seconds)
        for due in schedules.between(self.hub, self.repo, start, end):
            self.hub.clock.set(due.at)
            if due.path.endswith("/reconcile.yml"):
                schedules.strike(self.hub, self.repo, due.path, due.line)
        self.hub.clock.set(end)

    # --- people

    def call(self, login: str, method: str, path: str, body: Mapping[str, Any] | None = None) -> tuple[int, Any]:
        """One API call of a person below the repository: status and body."""
        found = self.hub.data.people.get(login)
        header = f"Bearer {found.secret}" if found else None
        data = orjson.dumps(body) if body is not None else b""
        reply, _ = self.api.answer(method, f"/repos/{self.repo.full_name}{path}", header, data)
        self.answers[reply.status] += 1
        return reply.status, reply.body

    def commit(
        self, login: str, branch: str, files: Mapping[str, bytes | None], message: str, *, base: str | None = None,
        parent: str | None = None,
    ) -> str:  # fmt: skip
        """Commit on the branch (or anew from a branch `base` or a commit `parent`) and push, by force if need be."""
        bare = self.hub.bare(self.repo)
        onto = parent or bare.branch(base or branch)
        assert onto is not None
        git, index = bare.git, pygit2.Index()
        index.read_tree(git[onto].peel(pygit2.Tree))
        for name, data in files.items():
            if data is None:
                index.remove(name)
            else:
                index.add(pygit2.IndexEntry(name, git.create_blob(data), pygit2.enums.FileMode.BLOB))
        tree = str(index.write_tree(git))
        who = self.hub.person(login)
        sha = bare.write_commit(tree, [onto], message, author=who, committer=who, at=self.hub.clock())
        self.move(login, branch, sha)
        return sha

    def move(self, login: str, branch: str, sha: str) -> None:
        """Push a commit that is there to a branch, by force if need be."""
        bare = self.hub.bare(self.repo)
        before = bare.refs()
        bare.set_ref(f"refs/heads/{branch}", sha)
        events.refs_moved(self.hub, self.repo, before, login, False)
