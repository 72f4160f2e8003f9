"""Follow the environments branch: fetch, verify, load, check against the golden predictions, switch."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path

from bot.errors import MlbotError, UserError, WorldError
from bot.ledger import Environments, Ledger
from bot.ports import Ports, Predictor
from bot.records.base import sha256
from bot.records.ledger import ENVIRONMENTS
from bot.records.release import Release
from bot.records.training import Training
from bot.serve.engine import Engine
from bot.serve.golden import check_golden
from bot.serve.serving import Serving
from bot.serve.switch import changed, gone, pinned, wanted

Load = Callable[[Path, Training, str], Predictor]
RETRY_AFTER_S = 60.0
# What the next look may find mended: a release's facts, evaluation and bytes are pushed one after the other.
EARLY = frozenset(("chain_broken", "evaluation_missing", "artifact_missing"))


@dataclass(frozen=True)
class Refused:
    """A release that was not served: when that was first found and when last, in seconds, and the error's code."""

    release: Release
    first: float
    last: float
    code: str


@dataclass
class Follower:
    """What a server follows. `cache` keeps one folder an artifact digest; `check` may refuse a release."""

    environment: str
    ports: Ports
    load: Load
    cache: Path
    models: Collection[str] = ()
    pin: str | None = None
    runtime: str = "auto"
    check: Callable[[Release], None] | None = None
    sensitive: Callable[[Release], frozenset[str]] | None = None
    refused: dict[str, Refused] = field(default_factory=dict)

    def refresh(self, serving: Serving) -> list[str]:
        """One look at the branch; what happened, in sentences. A release that cannot be served leaves the old one."""
        said = []
        try:
            fetch(self.ports)
        except WorldError as error:  # a server that starts during an outage knows what was fetched last
            if serving.started or not Environments(self.ports.environments).is_there():
                raise
            said.append(f"{error.message}; what was fetched last is served")
        target, unreadable = self._target(serving)
        for model in unreadable:
            if model in serving.engines:  # what answers keeps answering; nobody may take it away by spoiling a file
                target[model] = serving.engines[model].release
        serving.expected = frozenset({*target, *unreadable})
        said += self._stop_revoked(serving)
        waiting = changed(target, serving.engines)
        left = {one.model: serving.problems[one.model] for one in waiting if one.model in serving.problems}
        serving.problems = {**left, **unreadable}
        for release in waiting:
            if self._waits(release, serving):
                continue
            said.append(self._switch(release, serving))
        for model in gone(target, serving.engines):
            serving.engines = {name: engine for name, engine in serving.engines.items() if name != model}
            said.append(f"{model} was withdrawn from {self.environment}")
        serving.started = True
        return said

    def _target(self, serving: Serving) -> tuple[dict[str, Release], dict[str, str]]:
        """What to serve by model, and what is wrong with the models of which that cannot be told."""
        found, unreadable = releases(self.environment, self.ports)
        if self.pin is not None:  # what it was started for, whatever becomes of the environment
            live = {name: engine.release for name, engine in serving.engines.items()}
            target = live or pinned([*facts(self.environment, self.ports), *found.values()], self.models, self.pin)
            missing = f"no release of {self.environment} has the artifact {self.pin}"
            return target, {} if target else dict.fromkeys(self.models or ("pinned",), missing)
        unreadable |= vanished(self.environment, {*found, *unreadable}, self.ports)
        return wanted(found, self.models), {
            name: text for name, text in unreadable.items() if not self.models or name in self.models
        }

    def _stop_revoked(self, serving: Serving) -> list[str]:
        """Models whose artifact was revoked answer no more, whatever the environments branch says."""
        stopped = {}
        for model, engine in serving.engines.items():
            try:
                not_revoked(engine.release, self.ports)
            except UserError as error:
                stopped[model] = f"{model} {engine.release.version} answers no more: {error.message}"
        serving.engines = {name: engine for name, engine in serving.engines.items() if name not in stopped}
        return list(stopped.values())

    def _waits(self, release: Release, serving: Serving) -> bool:
        """Whether it was refused a moment ago; what may only be early is looked at each time, for a while."""
        before, now = self.refused.get(release.model), serving.monotonic()
        if before is None or before.release != release:
            return False
        is_early = before.code in EARLY and now - before.first < RETRY_AFTER_S
        return not is_early and now - before.last < RETRY_AFTER_S

    def _switch(self, release: Release, serving: Serving) -> str:
        try:
            engine = self._engine(release)
        except MlbotError as error:
            serving.problems = {**serving.problems, release.model: f"{release.version}: {error.message}"}
            serving.metrics.switched(release.model, "refused")
            before, now = self.refused.get(release.model), serving.monotonic()
            first = before.first if before is not None and before.release == release else now
            self.refused[release.model] = Refused(release, first, now, error.code)
            kept = serving.engines.get(release.model)
            keeps = f"{kept.release.version} keeps answering" if kept else "nothing answers"
            return f"{release.model} {release.version} refused: {error.message}; {keeps}"
        serving.engines = {**serving.engines, release.model: engine}
        serving.problems = {model: text for model, text in serving.problems.items() if model != release.model}
        serving.metrics.switched(release.model, "done")
        return f"{release.model} {release.version} answers ({engine.kind}, {release.artifact_digest})"

    def _engine(self, release: Release) -> Engine:
        not_revoked(release, self.ports)
        if self.pin is None:
            not_replayed(release, self.ports)
        if self.check is not None:
            self.check(release)
        training = training_of(release, self.ports)
        folder = self._verified(release, training)
        kind = "onnx" if self.runtime != "skops" and training.onnx == "passed" else "skops"
        hidden = self.sensitive(release) if self.sensitive is not None else frozenset()
        engine = Engine(release, training, self.load(folder, training, kind), kind, hidden)
        if "golden.json" not in {file.name for file in training.files}:
            raise UserError("the artifact has no golden.json to check it by", code="golden_missing")
        check_golden(engine, (folder / "golden.json").read_bytes())
        return engine

    def folder(self, release: Release) -> Path:
        """Where the verified files of a release are kept; no two different sets of files share one."""
        artifact, evaluation = (
            one.removeprefix("sha256:") for one in (release.artifact_digest, release.evaluation_digest)
        )
        return self.cache / f"{artifact}-{evaluation[:12]}"

    def _verified(self, release: Release, training: Training) -> Path:
        """The folder of the artifact's verified files: fetched aside, so that no file that is in use is overwritten."""
        folder = self.folder(release)
        if self.pin is None:
            pointer = Environments(self.ports.environments).pointer(release.environment, release.model)
        else:  # another release may be live by now
            where = (release.model, release.inputs_digest, release.evaluation_digest)
            pointer = Ledger(self.ports.ledger).pointer(*where)
        if pointer is None:
            raise UserError(
                f"{release.model} has no artifact pointer in {release.environment}", code="artifact_missing"
            )
        self.cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.cache, prefix=".incoming-") as name:
            incoming = Path(name) / "artifact"
            incoming.mkdir()
            self.ports.artifacts.fetch(pointer, incoming)
            verify_files(incoming, release, training)
            listed = {file.name for file in (*training.files, *release.files)}
            for path in incoming.iterdir():
                if path.name not in listed:  # nobody vouches for it
                    path.unlink() if path.is_file() else shutil.rmtree(path)
            try:
                verify_files(folder, release, training)
            except UserError:
                shutil.rmtree(folder, ignore_errors=True)
                incoming.replace(folder)
        return folder


def fetch(ports: Ports) -> None:
    """The newest tips of the bot's branches and of the default branch, on which releases are merged commits."""
    wanted = ["+refs/heads/mlbot/*:refs/remotes/origin/mlbot/*", "+refs/tags/*:refs/tags/*"]
    default = ports.default_branch
    try:
        ports.git.fetch(*wanted, f"+refs/heads/{default}:refs/remotes/origin/{default}")
    except UserError as error:
        if error.code != "ref_missing":
            raise
        ports.git.fetch(*wanted)


def releases(environment: str, ports: Ports) -> tuple[dict[str, Release], dict[str, str]]:
    """What is live in the environment, by model; and the models whose release cannot be read or is not signed, why."""
    branch = Environments(ports.environments)
    found = branch.all_live(environment)
    unreadable = {model: error.message for model, error in branch.models(found).items()}
    return {path.split("/")[1]: one for path, one in found.by_path.items()}, unreadable


def facts(environment: str, ports: Ports) -> list[Release]:
    """Every change of the environment that the ledger holds."""
    return Ledger(ports.ledger).releases_of(environment).whole


def vanished(environment: str, known: Collection[str], ports: Ports) -> dict[str, str]:
    """Models that are live by the ledger and of which the branch has nothing: a file was deleted, not a model."""
    found, newest = {}, Ledger(ports.ledger).newest_counters()
    counters = {model: counter for (model, where), counter in newest.items() if where == environment}
    for model in sorted(counters.keys() - set(known)):
        try:
            lost = _lost(environment, model, counters[model], ports)
        except UserError as error:  # one spoiled file keeps no other model back
            lost = error.message
        if lost is not None:
            found[model] = lost
    return found


def _lost(environment: str, model: str, counter: int, ports: Ports) -> str | None:
    """Why a model without a release has not been withdrawn; an old withdrawal that was put back is none."""
    fact = Ledger(ports.ledger).release(model, counter, environment)
    if fact is None or fact.action == "withdraw":
        return None
    withdrawn = Environments(ports.environments).withdrawn(environment, model)
    if withdrawn is not None and withdrawn.counter > fact.counter:
        return None
    return f"{fact.version} is live by the ledger, but {ENVIRONMENTS} has lost its release"


def not_replayed(release: Release, ports: Ports) -> None:
    """Raises UserError (code `release_replayed`) when the ledger knows a later change, or this one as another.

    An old release keeps its valid signature: whoever may push to the environments branch could put it back.
    """
    ledger = Ledger(ports.ledger)
    newest = ledger.newest_counters(release.model).get((release.model, release.environment), 0)
    if newest < release.counter:
        return  # the fact is written last: this release is seconds old
    hint = "Look at `git log mlbot/environments`: somebody else than the bot wrote there."
    if newest > release.counter:
        said = f"change {release.counter} of {release.environment} was put back; the ledger has change {newest}"
        raise UserError(said, hint=hint, code="release_replayed")
    if ledger.release(release.model, newest, release.environment) != release:
        said = f"change {release.counter} of {release.environment} is not what the ledger says"
        raise UserError(said, hint=hint, code="release_replayed")


def not_revoked(release: Release, ports: Ports) -> None:
    """Raises UserError (code `revoked`) when a person revoked the artifact.

    A word without a valid signature, where words are signed, is none: whoever may push could stop every server.
    """
    try:
        said = Ledger(ports.ledger).revocation(release.artifact_digest)
    except UserError as error:
        if error.code == "signature_invalid":
            return
        raise
    if said is not None:
        hint = f"`mlbot rollback {release.environment} {release.model}` takes the environment back."
        raise UserError(said.sentence, hint=hint, code="revoked")


def training_of(release: Release, ports: Ports) -> Training:
    """The Training behind a release, from the evaluation whose digest the release names. Raises UserError."""
    where = (release.model, release.inputs_digest, release.evaluation_digest)
    evaluation = Ledger(ports.ledger).evaluation(*where)
    if evaluation is None:
        raise UserError(f"the ledger has no evaluation {release.evaluation_digest}", code="evaluation_missing")
    if evaluation.digest() != release.evaluation_digest or evaluation.artifact_digest != release.artifact_digest:
        raise UserError("the evaluation in the ledger is not the one of this release", code="evaluation_mismatch")
    return evaluation.training


def verify_files(folder: Path, release: Release, training: Training) -> None:
    """Hash every file again. Raises UserError (code `artifact_mismatch`)."""
    for file in dict.fromkeys((*training.files, *release.files)):
        there = folder / file.name
        found = sha256(there.read_bytes()) if there.is_file() else "nothing"
        if found != file.sha256:
            raise UserError(f"{file.name} is {found}, not {file.sha256}", code="artifact_mismatch")
    if release.artifact_digest not in {file.sha256 for file in training.files}:
        raise UserError(f"no file has the digest {release.artifact_digest}", code="artifact_mismatch")
