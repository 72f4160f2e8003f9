"""Asks for tables and predictors, and hands them to the pure part."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from bot.errors import MlbotError
from bot.evaluate.assemble import Fitted, case_of
from bot.evaluate.change.report import Version, data_change
from bot.evaluate.evaluate import evaluate as evaluated
from bot.evaluate.facts import Context
from bot.evaluate.labels import slice_columns
from bot.evaluate.score import ml_test_score, score_section
from bot.ports import Predictor
from bot.records.evaluation import Evaluation, Section
from bot.records.plan import DataFile
from bot.records.training import Training
from bot.specs.attestation import Attestation
from bot.specs.contract import Contract
from bot.specs.gates import Gates
from bot.specs.model import ModelSpec

Load = Callable[[Path, Training | None], Predictor]
ReadTable = Callable[[ModelSpec, Path, Sequence[str] | None], Any]


@dataclass(frozen=True)
class Loaders:
    """What the caller lends: `bot.adapters.tables.read_table`, `bot.adapters.predictor.load` and a clock in seconds."""

    read_table: ReadTable
    load: Load
    clock: Callable[[], float] = time.perf_counter


@dataclass(frozen=True)
class Before:
    """The data of the base commit: files, the folder that holds `data/`, and model -> columns of all models that read
    them (None: only this one).
    """

    files: Sequence[DataFile]
    data_dir: Path
    readers: Mapping[str, Sequence[str]] | None = None


def evaluate(
    spec: ModelSpec,
    training: Training,
    folder: Path,
    data_dir: Path,
    baselines: Mapping[str, Path | str],
    gates: Gates,
    *,
    loaders: Loaders,
    uses: Mapping[str, int] | None = None,
    policy_digest: str = "",
    run: Mapping[str, Any] | None = None,
    contract: Contract | None = None,
    now: datetime | None = None,
    before: Before | None = None,
    attestation: Attestation | None = None,
    known_tests: tuple[str, ...] = (),
) -> Evaluation:
    """The Evaluation of the artifact in `folder` on the test rows of its data.

    `baselines`: environment -> artifact folder of the model deployed there, or the reason why there is none to compare
    with (`NOTHING_DEPLOYED` while the environment is empty). `uses` counts, by metric, earlier evaluations of other
    inputs on these test rows. `contract` is the model's schema.yaml; `now` (aware) dates the evaluation; `before` is
    the data of the base commit, for the data change report. `attestation` and `known_tests` (ids of tests known to run)
    belong to the ML Test Score.

    Raises UserError when the candidate or its data cannot be read.
    """
    candidate = Fitted(training, loaders.load(folder, training))
    champions = {name: _champion(where, loaders) for name, where in baselines.items()}
    own = [*training.inputs, *slice_columns(spec)]
    theirs = [column for one in champions.values() if isinstance(one, Fitted) for column in one.training.inputs]
    try:
        table = loaders.read_table(spec, data_dir, _columns([*own, *theirs], contract))
    except MlbotError:
        # a champion's column may be gone from the data; then the champion is what cannot be scored
        table = loaders.read_table(spec, data_dir, _columns(own, contract))
    sections = _change(spec, training, data_dir, before, loaders) if before else ()
    context = Context(gates, policy_digest, uses, run, contract, now, sections)
    found = evaluated(case_of(spec, candidate, champions, table, context, loaders.clock))
    score = score_section(ml_test_score(found, attestation, known_tests))
    return found.model_copy(update={"sections": (*found.sections, score)})


def _columns(names: Sequence[str], contract: Contract | None) -> tuple[str, ...] | None:
    """Without a contract the columns that are used; a contract is about all columns (None)."""
    return tuple(dict.fromkeys(names)) if contract is None else None


def _change(
    spec: ModelSpec, training: Training, data_dir: Path, before: Before, loaders: Loaders
) -> tuple[Section, ...]:
    if {file.path: file.md5 for file in before.files} == {file.path: file.md5 for file in training.data_files}:
        return ()
    old = Version(before.files, loaders.read_table(spec, before.data_dir, None))
    new = Version(training.data_files, loaders.read_table(spec, data_dir, None))
    return data_change(old, new, spec, before.readers or {training.model: training.inputs})


def _champion(where: Path | str, loaders: Loaders) -> Fitted | str:
    if isinstance(where, str):
        return where
    try:
        training = Training.parse((where / "training.json").read_bytes(), source="training.json")
        return Fitted(training, loaders.load(where, training))
    except MlbotError as error:
        return error.message
    except OSError as error:
        return f"its artifact cannot be read: {error.strerror}"
