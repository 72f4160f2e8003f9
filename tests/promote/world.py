"""A real bare repository and clones of it, with everything else of the world in memory."""

from __future__ import annotations

import atexit
import copy
import functools
import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bot.adapters.git import GitBranch, LocalGit
from bot.adapters.proposals import ProposedBranch
from bot.errors import UserError
from bot.ports import Ports, Run
from bot.records.evaluation import Evaluation
from bot.records.ledger import ENVIRONMENTS, LEDGER, evaluation_path, pointer_path
from bot.records.release import Approver
from bot.records.training import ArtifactFile, Training
from tests.builders import a_digest, a_training, an_evaluation
from tests.fakes.desk import FakeDesk

RUTH = Approver(id=104, login="ruth", role="release_manager")
OLGA = Approver(id=102, login="olga", role="model_owner")


def git(path: Path, *arguments: str) -> str:
    """git's answer; a failure fails the test."""
    done = subprocess.run(["git", "-C", str(path), *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@dataclass
class Stored:
    """Port Artifacts in memory: a pointer names the folder's files."""

    folders: dict[str, dict[str, bytes]] = field(default_factory=dict)

    def keep(self, files: Mapping[str, bytes]) -> str:
        """The pointer to these files."""
        digest = hashlib.md5(repr(sorted(files.items())).encode()).hexdigest()
        self.folders[digest] = dict(files)
        return f"outs:\n- md5: {digest}.dir\n  path: artifact\n"

    def store(self, folder: Path) -> str:
        return self.keep({path.name: path.read_bytes() for path in folder.iterdir()})

    def fetch(self, pointer: str, into: Path) -> None:
        digest = pointer.split("md5: ")[1].split(".dir")[0]
        if digest not in self.folders:
            raise UserError("not in the store", code="artifact_missing")
        for name, data in self.folders[digest].items():
            (into / name).write_bytes(data)


class RealStore:
    """DVC's own storage behind the candidates."""

    def __init__(self, root: Path) -> None:
        from bot.adapters.dvc import DvcArtifacts

        self.dvc = DvcArtifacts(root)

    def keep(self, files: Mapping[str, bytes]) -> str:
        with tempfile.TemporaryDirectory() as name:
            for file, data in files.items():
                (Path(name) / file).write_bytes(data)
            return self.dvc.store(Path(name))

    def fetch(self, pointer: str, into: Path) -> None:
        self.dvc.fetch(pointer, into)


@dataclass
class Deployments:
    """The part of port Conversation that promote uses; an equal deployment is one deployment."""

    made: list[tuple[str, str, dict[str, Any], str]] = field(default_factory=list)

    def deployment(self, sha: str, environment: str, payload: Mapping[str, Any], state: str, description: str) -> None:
        one = (sha, environment, dict(payload), state)
        if one not in self.made:
            self.made.append(one)


@dataclass
class Minutes:
    """Port Clock: every look is a minute later."""

    at: datetime = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)

    def now(self) -> datetime:
        self.at += timedelta(minutes=1)
        return self.at

    def wait_until(self, moment: datetime) -> None:
        """It stands still."""


@functools.cache
def _template() -> tuple[Path, str]:
    """A new repository with a clone, made once a process, and its commit. Every path in it is relative."""
    root = Path(tempfile.mkdtemp(prefix="mlbot-tests-"))
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    git(root, "init", "-q", "--bare", "-b", "main", "origin.git")
    seed = root / "seed"
    git(root, "clone", "-q", "origin.git", "seed")
    git(seed, "remote", "set-url", "origin", "../origin.git")
    (seed / ".dvc").mkdir()
    (seed / ".dvc" / "config").write_text("[core]\n    remote = store\n['remote \"store\"']\n    url = ../../store\n")
    git(seed, "add", ".")
    git(seed, "-c", "user.name=ana", "-c", "user.email=ana@example.com", "commit", "-qm", "start")
    git(seed, "push", "-q", "origin", "HEAD:main")
    return root, git(seed, "rev-parse", "HEAD")


@dataclass
class World:
    """One repository at `origin`; `ports(name)` is what a job with its own clone has."""

    root: Path
    artifacts: Stored = field(default_factory=Stored)
    deployments: Deployments = field(default_factory=Deployments)
    clock: Minutes = field(default_factory=Minutes)
    main: str = ""
    desk: FakeDesk = field(default_factory=FakeDesk)

    def __post_init__(self) -> None:
        if (self.root / "origin.git").exists():
            return
        template, self.main = _template()
        for name in ("origin.git", "seed"):
            shutil.copytree(template / name, self.root / name)

    def found_from_anywhere(self) -> World:
        """The remote by its full path, for DVC itself, which clones the repository to another folder."""
        config = (self.root / "seed" / ".dvc" / "config").read_text()
        self.changed(".dvc/config", config.replace("../../store", f"{self.root}/store"))
        return self

    def changed(self, path: str, text: str) -> None:
        """A file of the default branch, in a commit of a person's."""
        seed = self.root / "seed"
        (seed / path).parent.mkdir(parents=True, exist_ok=True)
        (seed / path).write_text(text)
        git(seed, "add", path)
        git(seed, "-c", "user.name=ana", "-c", "user.email=ana@example.com", "commit", "-qm", path)
        git(seed, "push", "-q", "origin", "HEAD:main")
        self.main = git(seed, "rev-parse", "HEAD")

    def copied(self, root: Path) -> World:
        """The same world again, in another folder."""
        shutil.copytree(self.root / "origin.git", root / "origin.git")
        made = Deployments(list(self.deployments.made))
        return World(root, copy.deepcopy(self.artifacts), made, copy.copy(self.clock), self.main)

    def ports(self, name: str = "job") -> Ports:
        """The ports of a job, which shares origin, artifact store and GitHub with the others."""
        clone = self.root / name
        if not clone.exists():
            git(self.root, "clone", "-q", "origin.git", name)
        local = LocalGit(clone)
        ledger, environments = GitBranch(local, LEDGER, append_only=True), GitBranch(local, ENVIRONMENTS)
        ledger.refresh()
        environments.refresh()
        nothing: Any = None
        return Ports(
            git=local,
            ledger=ledger,
            environments=environments,
            data=nothing,
            artifacts=self.artifacts,
            pull_requests=nothing,
            conversation=self.deployments,  # type: ignore[arg-type]
            clock=self.clock,
            run=Run(id=0, attempt=1, url=None, job="", workflow="", repository="", actor="", sha=""),
        )

    def proposing(self, name: str = "job") -> Ports:
        """The ports of a job whose environment is delivered by pull requests."""
        ports = self.ports(name)
        branch = GitBranch(ports.git, ENVIRONMENTS)  # type: ignore[arg-type]
        return replace(ports, environments=ProposedBranch(branch, self.desk))

    def candidate(self, word: str, model: str = "churn", **changes: Any) -> tuple[Evaluation, str]:
        """An evaluated artifact whose bytes follow from the word, stored and in the ledger, with its pointer."""
        content = f"{model} {word}".encode()
        digest = "sha256:" + hashlib.sha256(content).hexdigest()
        training = a_training(
            model,
            artifact_digest=digest,
            files=(ArtifactFile(name="model.skops", sha256=digest, size=len(content)),),
            **{"inputs_digest": a_digest(model, word), **changes},
        )
        return self.evaluated(training, {"model.skops": content})

    def evaluated(self, training: Training, files: Mapping[str, bytes]) -> tuple[Evaluation, str]:
        """The evaluation of these files, stored and in the ledger, with the pointer to them."""
        model = training.model
        evaluation = an_evaluation(model, training=training)
        pointer = self.artifacts.keep(files)
        keys = (model, evaluation.inputs_digest, evaluation.digest())
        self.ports("writer").ledger.commit(
            {evaluation_path(*keys): evaluation.canonical(), pointer_path(*keys): pointer.encode()}, "evaluation"
        )
        return evaluation, pointer

    def promote(self, word: str, environment: str = "production", *, job: str = "job", **changes: Any) -> Any:
        """Promote the candidate of that word, as ruth."""
        evaluation, pointer = self.candidate(word, changes.pop("model", "churn"), **changes.pop("training", {}))
        return self.let_out(evaluation, pointer, environment, job=job, **changes)

    def let_out(
        self, evaluation: Evaluation, pointer: str, environment: str = "production", *, job: str = "job", **changes: Any
    ) -> Any:
        """Promote an evaluation, as ruth."""
        from bot.promote.step import promote

        fuse = changes.pop("fuse", lambda ports: ports)
        said = {"number": 7, "approved_by": (OLGA,), "promoted_by": RUTH, "reason": "", **changes}
        return promote(
            evaluation.model, environment, evaluation, pointer, commit=self.main, ports=fuse(self.ports(job)), **said
        )
