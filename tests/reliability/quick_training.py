"""Training and storage in no time: numbers follow from the spec, bytes from the inputs digest, objects lie in memory.

What surrounds it is the bot's own: the plan, the ledger, the store. Of what is handed over it is checked whether it was
made for these inputs by these gates; that the numbers fit the spec is asked where there are some (tests/pipeline).
"""

from __future__ import annotations

import errno
import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import yaml

from bot.adapters import dvc
from bot.errors import UserError, WorldError
from bot.pipeline import probes, train_job
from bot.pipeline.handover import HandedOver
from bot.pipeline.job import Job
from bot.pipeline.reuse import GATES, known, live_digest, spec_at
from bot.ports import Git
from bot.records.base import sha256
from bot.records.evaluation import NOTHING_DEPLOYED, Evaluation, MissingBaseline
from bot.records.failure import Failure
from bot.records.ledger import pointer_path
from bot.records.plan import DataFile, Plan, Planned
from bot.records.training import ArtifactFile, Training
from bot.specs.pointer import read_pointer, write_pointer
from tests.builders import a_comparison, a_digest, a_gate, a_metric, a_training, an_evaluation
from tests.reliability.chaos import Chaos


def md5_of(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


@dataclass
class Remote:
    """The DVC remote: objects by their MD5."""

    chaos: Chaos
    objects: dict[str, bytes] = field(default_factory=dict)

    def get(self, oid: str) -> bytes | None:
        fault = self.chaos.take("store.fetch")
        if fault is not None and fault.kind == "store_fails":
            raise WorldError("the DVC remote does not answer: timeout", hint="Try again.", code="remote_unreachable")
        if fault is not None and fault.kind == "store_other_bytes":
            message = f"the remote's object {oid} does not have the content that its name says"
            raise UserError(message, hint="Push it again: `dvc push --force`.", code="data_object_corrupt")
        if fault is not None and fault.kind == "disk_full":
            raise OSError(errno.ENOSPC, "No space left on device")
        return self.objects.get(oid)

    def put(self, oid: str, data: bytes) -> None:
        fault = self.chaos.take("store.write")
        if fault is not None and fault.kind == "store_fails":
            raise WorldError("the DVC remote does not answer: timeout", hint="Try again.", code="remote_unreachable")
        self.objects[oid] = data
        self.chaos.done(fault)

    def keep(self, files: Mapping[str, bytes], path: str) -> str:
        """The pointer to a folder of files."""
        listing = [{"md5": md5_of(data), "relpath": name} for name, data in sorted(files.items())]
        text = json.dumps(listing, sort_keys=True).encode()
        oid = md5_of(text) + ".dir"
        for name, data in files.items():
            self.put(md5_of(files[name]), data)
        self.put(oid, text)
        return write_pointer(oid, sum(map(len, files.values())), len(files), path)

    def listing(self, pointer: str | bytes, path: str, code: str) -> list[tuple[str, str]]:
        """(name, MD5) of the files that a pointer names."""
        oid = read_pointer(pointer.encode() if isinstance(pointer, str) else pointer, "x.dvc", path=path).md5
        text = self.get(oid)
        if text is None:
            raise UserError(f"the remote does not hold {oid}", hint="dvc push", code=code)
        return [(one["relpath"], one["md5"]) for one in json.loads(text)]


class QuickData:
    """Port Data on the remote."""

    remote: Remote

    def __init__(self, root: Path, git: Git, at: Sequence[str] = ()) -> None:
        self.git = git

    def files(self, sha: str, path: str) -> tuple[DataFile, ...]:
        pointer = self.git.read(sha, "data.dvc")
        if pointer is None:
            raise UserError(f"there is no data.dvc at {sha[:10]}", code="data_missing")
        found = [(f"data/{name}", md5) for name, md5 in self.remote.listing(pointer, "data", "data_object_missing")]
        chosen = tuple(DataFile(path=n, md5=m, size=None) for n, m in found if n == path or n.startswith(f"{path}/"))
        if not chosen:
            raise UserError(f"{path} is not in data.dvc", code="data_path_missing")
        return chosen

    def tracked_by(self, sha: str, pointer: str) -> tuple[DataFile, ...]:
        return self.files(sha, "data") if self.git.read(sha, pointer) is not None else ()

    def fetch(self, files: Sequence[DataFile], into: Path) -> None:
        for file in files:
            data = self.remote.get(file.md5)
            if data is None:
                raise UserError(f"the remote does not hold {file.path}", hint="dvc push", code="data_object_missing")
            (into / file.path).parent.mkdir(parents=True, exist_ok=True)
            (into / file.path).write_bytes(data)


class QuickArtifacts:
    """Port Artifacts on the remote."""

    remote: Remote

    def __init__(self, root: Path, branch: Any = None) -> None:
        pass

    def store(self, folder: Path) -> str:
        files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        return self.remote.keep(files, "artifact")

    def fetch(self, pointer: str, into: Path) -> None:
        for name, md5 in self.remote.listing(pointer, "artifact", "artifact_missing"):
            data = self.remote.get(md5)
            if data is None:
                raise UserError(f"the remote does not hold {name}", code="artifact_missing")
            (into / name).parent.mkdir(parents=True, exist_ok=True)
            (into / name).write_bytes(data)


@dataclass
class Trainer:
    """Counts every training by its inputs digest. `quality` of a spec is the value of `max_iter` in hundredths."""

    chaos: Chaos
    trained: Counter[str] = field(default_factory=Counter)
    log: list[tuple[str, int]] = field(default_factory=list)  # (inputs digest, run)

    def train(self, one: Planned, made: Plan, job: Job) -> None:
        """Stands in for `train_job._train`: the artifact and its Evaluation in out/<model>/."""
        folder = job.out / one.model
        folder.mkdir(parents=True, exist_ok=True)
        ports, stored = job.ports, known(one, job.ports)
        pointer = stored and ports.ledger.get(pointer_path(one.model, one.inputs_digest, stored.digest()))
        if stored is not None and pointer:
            ports.artifacts.fetch(pointer.decode(), folder)
            training = stored.training
        else:
            training = self._trained(one, folder, ports.run.id)
        fault = self.chaos.take("disk")
        if fault is not None and fault.kind == "disk_full":
            raise OSError(errno.ENOSPC, "No space left on device")
        result = self._evaluation(one, made, training, job)
        (folder / "evaluation.json").write_bytes(result.canonical())
        self.chaos.done(fault)

    def _trained(self, one: Planned, folder: Path, run: int) -> Training:
        self.trained[one.inputs_digest] += 1
        self.log.append((one.inputs_digest, run))
        content = f"{one.model} {one.inputs_digest}".encode()
        digest = sha256(content)
        (folder / "model.skops").write_bytes(content)
        return a_training(
            one.model, artifact_digest=digest, inputs_digest=one.inputs_digest,
            files=(ArtifactFile(name="model.skops", sha256=digest, size=len(content)),),
            data_files=one.data_files, test_rows_digest=a_digest("test rows", one.model),
        )  # fmt: skip

    def _evaluation(self, one: Planned, made: Plan, training: Training, job: Job) -> Evaluation:
        """Gates are read from the default branch; a floor on the metric is all that they may hold."""
        ports = job.ports
        policy = ports.git.read(job.default_sha, GATES) or b""
        text = ports.git.read(made.head_sha, f"models/{one.model}/model.yaml") or b""
        value = quality(text)
        floor = max((gate["value"] for gate in yaml.safe_load(policy)["gates"]), default=0.0)
        verdict = "pass" if value >= floor else "fail"
        code = "gate_passed" if verdict == "pass" else "metric_below_floor"
        gate = a_gate(
            "worth_it", kind="floor", verdict=verdict, reason_code=code,
            sentence=f"roc_auc is {value}; at least {floor}.", observed=value, threshold=floor,
        )  # fmt: skip
        live = {env: live_digest(env, one.model, ports) for env in spec_at(one, made.head_sha, ports).environments}
        return an_evaluation(
            one.model, training=training, gates=(gate,), metrics=(a_metric("roc_auc", value),), slices=(),
            primary_metric="roc_auc", policy_digest=sha256(policy), budget=(),
            comparisons=tuple(
                a_comparison(0.0, candidate=value, baseline=env, baseline_artifact_digest=digest)
                for env, digest in live.items() if digest is not None
            ),
            missing_baselines=tuple(
                MissingBaseline(environment=env, reason=NOTHING_DEPLOYED, code="nothing_deployed")
                for env, digest in live.items() if digest is None
            ),
            run={"id": ports.run.id, "attempt": ports.run.attempt, "url": ports.run.url},
        )  # fmt: skip


def _believed(self: HandedOver, folder: Path, one: Planned) -> Evaluation | Failure:
    """Stands in for `HandedOver._result`."""
    if not (folder / "evaluation.json").is_file():
        return Failure(message="The training job ended without a result.", hint="Its log says more; run it again.")
    found = Evaluation.parse((folder / "evaluation.json").read_bytes(), source="evaluation.json")
    policy = self.job.ports.git.read(self.job.default_sha, GATES) or b""
    if (found.model, found.inputs_digest, found.policy_digest) != (one.model, one.inputs_digest, sha256(policy)):
        raise UserError("the result is about other inputs than were planned, or the gates have changed since")
    (folder / "evaluation.json").unlink()
    ports = self.job.ports
    return found.model_copy(update={"run": {"id": ports.run.id, "attempt": ports.run.attempt, "url": ports.run.url}})


def quality(spec: bytes) -> float:
    """What a spec's model is worth: `parameters.max_iter` / 1000, 0.5 where it says nothing."""
    try:
        return round(float(yaml.safe_load(spec)["estimator"]["parameters"]["max_iter"]) / 1000, 3)
    except (KeyError, TypeError, ValueError, yaml.YAMLError):
        return 0.5


@contextmanager
def quick(remote: Remote, trainer: Trainer) -> Iterator[None]:
    """Training, data, artifacts and probes stand still for the bot in this process."""
    data = type("Data", (QuickData,), {"remote": remote})
    artifacts = type("Artifacts", (QuickArtifacts,), {"remote": remote})
    with ExitStack() as stack:
        for target, name, value in (
            (dvc, "DvcData", data),
            (dvc, "DvcArtifacts", artifacts),
            (train_job, "_train", trainer.train),
            (HandedOver, "_result", _believed),
            (probes, "_check_all", lambda environment, artifacts, job: [None] * len(artifacts)),
        ):
            stack.enter_context(mock.patch.object(target, name, value))
        yield
