"""A small model that is live, its log and its labels: everything in memory but the tables."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bot.adapters.predictor import load
from bot.monitor.watch import watch
from bot.pipeline.watching import lent
from bot.ports import Ports, Run
from bot.records.evaluation import Evaluation
from bot.records.health import Health
from bot.records.ledger import evaluation_path, pointer_path, promotion_path, release_path
from bot.records.plan import DataFile
from bot.records.release import Release
from bot.specs.policies.monitor import Monitor
from tests.builders import a_metric, a_release, an_evaluation
from tests.fakes.artifacts import FakeArtifacts
from tests.fakes.branch import FakeBranch
from tests.fakes.data import FakeData, _md5
from tests.fakes.git import FakeGit
from tests.fakes.tracker import FakeTracker
from tests.train.small import SPEC, a_spec, rows, trained

COMMIT = "c" * 40
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
SCHEMA = b"""schema_type: dataframe
columns:
  id: {dtype: int64, unique: true}
  signal: {dtype: float64, nullable: true, in_range: {min_value: -9, max_value: 9}}
  noise: {dtype: float64}
  shop: {dtype: str, nullable: true, isin: [north, south, east]}
metadata: {min_rows: 10}
"""
POLICY = {"predictions": "log/{model}", "labels": "labels", "on_alarm": ("issue",)}


KINDS = {
    "binary": {},
    "multiclass": {"task": "multiclass", "data": "{path: data/rows.parquet, target: level, row_id: id}"},
    "regression": {
        "task": "regression", "data": "{path: data/rows.parquet, target: amount, row_id: id}",
        "features": "{numeric: [signal], categorical: [shop]}", "estimator": "Ridge", "metrics": "mae",
    },
}  # fmt: skip


@lru_cache(maxsize=4)
def made(folder: Path, n: int = 2400, seed: int = 0, kind: str = "binary") -> tuple[Any, dict[str, bytes], Any]:
    """(training, files, table) of a model fitted once a session."""
    table = rows(n, seed)
    model = a_spec(resources="{jobs: 1}", **KINDS[kind])
    training, out = trained(folder, model, table)
    data = io.BytesIO()
    pq.write_table(table, data)
    named = DataFile(path="data/rows.parquet", md5=_md5(data.getvalue()), size=len(data.getvalue()))
    files = {path.name: path.read_bytes() for path in out.iterdir()}
    return training.model_copy(update={"data_files": (named,)}), files, data.getvalue()


@dataclass
class Still:
    """Port Clock."""

    at: datetime = NOON

    def now(self) -> datetime:
        return self.at

    def wait_until(self, moment: datetime) -> None:
        """It stands still."""


@dataclass
class World:
    """`folder` is the checkout; the log lies in `log/small`, labels in `labels`."""

    folder: Path
    ports: Ports
    release: Release
    training: Any
    clock: Still
    tracker: FakeTracker
    past: list[Health] = field(default_factory=list)
    number: int = 0

    @property
    def log(self) -> Path:
        return self.folder / "log/small"

    def serve(self, table: pa.Table, *, hours_ago: float = 2, ids: Sequence[str] | None = None, **columns: Any) -> Any:
        """Log what the live model says to these rows, as `mlbot serve` does; `columns` replace or (None) remove."""
        predictor = load(self.folder / "artifact", self.training)
        n = table.num_rows
        inputs = table.select(list(self.training.inputs))
        probabilities = predictor.probabilities(inputs)
        at = self.clock.at - timedelta(hours=hours_ago)
        self.number += 1
        own = {
            "_request_id": list(ids) if ids is not None else [f"r{self.number}-{row}" for row in range(n)],
            "_row": [0] * n,
            "_at": pa.array([at] * n, pa.timestamp("us", tz="UTC")),
            "_version": [self.release.version] * n,
            "_artifact_digest": [self.release.artifact_digest] * n,
            **{name: inputs[name] for name in self.training.inputs},
            "_predict": predictor.predict(inputs).tolist(),
            **{f"_proba_{label}": probabilities[:, place] for place, label in enumerate(self.training.classes or ())},
        }  # fmt: skip
        logged = pa.table({name: value for name, value in {**own, **columns}.items() if value is not None})
        self.log.mkdir(parents=True, exist_ok=True)
        stamp = self.clock.at.strftime("%Y%m%dT%H%M%S%f")
        pq.write_table(logged, self.log / f"{stamp}-{self.number:06d}.parquet")
        return logged

    def label(self, logged: Any, outcome: Sequence[Any], name: str = "labels.csv", **columns: Any) -> None:
        """Labels for logged rows."""
        import pyarrow.csv

        folder = self.folder / "labels"
        folder.mkdir(exist_ok=True)
        table = pa.table({"_request_id": logged["_request_id"], self.training.target: list(outcome), **columns})
        pyarrow.csv.write_csv(table, folder / name)

    def watch(self, *, released: Sequence[Release] = (), **changes: Any) -> Health:
        """One look."""
        return self.look(released=released, **changes)[0]

    def look(self, *, released: Sequence[Release] = (), is_kept: bool = True, **changes: Any) -> tuple[Health, Any]:
        policy = Monitor(**{**POLICY, **changes})
        with lent(self.ports, self.folder) as given:
            live = released or [self.release]
            return watch(self.release, policy, given, self.clock.now(), self.past, live, is_kept=is_kept)

    def again(self, version: str, seed: int, folder: Path) -> Release:
        """Another version that was released before, trained on other rows."""
        training, files, _ = made(folder, 300, seed)
        return self.store(training, files, version, counter=int(version[1]))

    def store(self, training: Any, files: dict[str, bytes], version: str, counter: int) -> Release:
        """Its evaluation, pointer and promotion, in the ledger."""
        evaluation = evaluation_of(training)
        where = ("small", training.inputs_digest, evaluation.digest())
        at = self.folder / f"store-{version}"
        at.mkdir()
        for name, data in files.items():
            (at / name).write_bytes(data)
        pointer = self.ports.artifacts.store(at)
        release = a_release(
            "small", version=version, artifact_digest=training.artifact_digest, counter=counter,
            evaluation_digest=evaluation.digest(), inputs_digest=training.inputs_digest, files=training.files,
            commit=COMMIT, released_at=f"2026-11-0{counter}T12:00:00Z",
        )  # fmt: skip
        self.ports.ledger.commit(
            {
                evaluation_path(*where): evaluation.canonical(),
                pointer_path(*where): pointer.encode(),
                promotion_path("small", counter, "production"): release.canonical(),
            },
            "release",
        )
        return release


def evaluation_of(training: Any) -> Evaluation:
    name = "log_loss" if training.classes else "mae"
    metric = a_metric(name, 0.4, greater_is_better=False)
    return an_evaluation("small", training=training, primary_metric=name, metrics=(metric,))


def spec_of(kind: str) -> bytes:
    """model.yaml of a kind of model."""
    lines = [line for line in SPEC.strip().splitlines() if line.split(":")[0] not in KINDS[kind]]
    return "\n".join(
        [*lines, "resources: {jobs: 1}", *(f"{key}: {text}" for key, text in KINDS[kind].items())]
    ).encode()


def world(tmp: Path, session: Path, n: int = 2400, kind: str = "binary") -> World:
    """`small` v2.0.0 is live in production, trained on `rows(n)`."""
    training, files, data = made(session, n, 0, kind)
    spec = spec_of(kind)
    tree = {"models/small/model.yaml": spec, "models/small/schema.yaml": SCHEMA, "data.dvc": b"x"}
    clock, tracker = Still(), FakeTracker(clock=NOON)
    ports = Ports(
        git=FakeGit({COMMIT: tree}, refs={"HEAD": COMMIT}),
        ledger=FakeBranch(append_only=True),
        environments=FakeBranch(),
        data=FakeData({COMMIT: {"data/rows.parquet": data}}),
        artifacts=FakeArtifacts(),
        pull_requests=None,  # type: ignore[arg-type]
        conversation=None,  # type: ignore[arg-type]
        clock=clock,
        run=Run(id=5, attempt=1, url=None, job="monitor", workflow="monitor", repository="a/b", actor="", sha=COMMIT),
        workspace=tmp,
        tracker=tracker,
    )
    made_ = World(tmp, ports, a_release("small"), training, clock, tracker)
    (tmp / "artifact").mkdir()
    for name, content in files.items():
        (tmp / "artifact" / name).write_bytes(content)
    made_.release = made_.store(training, files, "v2.0.0", 2)
    ports.environments.commit({release_path("production", "small"): made_.release.canonical()}, "release")
    return made_


def fresh(n: int = 400, seed: int = 99) -> Any:
    """New rows of the same world."""
    return rows(n, seed)


def turned(outcome: Any, share: float, seed: int = 0) -> list[str]:
    """Labels of which a share became the other one: the concept drifted."""
    flip = np.random.default_rng(seed).random(len(outcome)) < share
    other = {"yes": "no", "no": "yes"}
    return [other[one] if turn else one for one, turn in zip(outcome.to_pylist(), flip, strict=True)]
