"""Asks for tables and predictors, and hands them to the pure part."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.errors import MlbotError
from bot.evaluate.assemble import Context, Fitted, case_of
from bot.evaluate.evaluate import Facts
from bot.evaluate.evaluate import evaluate as evaluated
from bot.evaluate.labels import slice_columns
from bot.ports import Predictor
from bot.records.evaluation import Evaluation
from bot.records.training import Training
from bot.specs.gates import Gates
from bot.specs.model import ModelSpec

Load = Callable[[Path, Training | None], Predictor]
ReadTable = Callable[[ModelSpec, Path, Sequence[str]], Any]


@dataclass(frozen=True)
class Loaders:
    """What the caller lends: `bot.adapters.tables.read_table`, `bot.adapters.predictor.load` and a clock in seconds."""

    read_table: ReadTable
    load: Load
    clock: Callable[[], float] = time.perf_counter


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
    facts: Facts | None = None,
) -> Evaluation:
    """The Evaluation of the artifact in `folder` on the test rows of its data.

    `baselines`: environment -> artifact folder of the model deployed there, or the reason why there is none to compare
    with (`NOTHING_DEPLOYED` while the environment is empty). `uses` counts, by metric, earlier evaluations of other
    inputs on these test rows. Raises UserError when the candidate or its data cannot be read.
    """
    candidate = Fitted(training, loaders.load(folder, training))
    champions = {name: _champion(where, loaders) for name, where in baselines.items()}
    own = [*training.inputs, *slice_columns(spec)]
    theirs = [column for one in champions.values() if isinstance(one, Fitted) for column in one.training.inputs]
    try:
        table = loaders.read_table(spec, data_dir, tuple(dict.fromkeys([*own, *theirs])))
    except MlbotError:
        # a champion's column may be gone from the data; then the champion is what cannot be scored
        table = loaders.read_table(spec, data_dir, tuple(dict.fromkeys(own)))
    context = Context(gates, policy_digest, uses, facts, run)
    return evaluated(case_of(spec, candidate, champions, table, context, loaders.clock))


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
