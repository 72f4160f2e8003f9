"""Asks for tables and predictors, and hands them to the pure part."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from bot.errors import UserError
from bot.evaluate.assemble import Fitted, case_of
from bot.evaluate.evaluate import evaluate as evaluated
from bot.evaluate.facts import Context
from bot.evaluate.lent import Before, Loaders, champion, change_sections, known_ids, table_of
from bot.evaluate.score import ml_test_score, score_section
from bot.records.evaluation import Evaluation
from bot.records.training import Training
from bot.specs.agreement import HIDDEN_HINT, shown_values
from bot.specs.attestation import Attestation
from bot.specs.contract import Contract
from bot.specs.gates import Gates
from bot.specs.model import ModelSpec
from bot.specs.slices import slice_columns


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
    best: Mapping[str, float] | None = None,
    passed: Collection[str] = (),
    policy_digest: str = "",
    run: Mapping[str, Any] | None = None,
    contract: Contract | None = None,
    now: datetime | None = None,
    before: Before | None = None,
    attestation: Attestation | None = None,
    known_tests: Mapping[str, str] | None = None,
) -> Evaluation:
    """The Evaluation of the artifact in `folder` on the test rows of its data.

    `baselines`: environment -> artifact folder of the model deployed there, or the reason why there is none to compare
    with (`NOTHING_DEPLOYED` while the environment is empty). `uses` counts, by metric, earlier evaluations of other
    inputs on these test rows, `best` is the best value released among them, `passed` are the ids of gates that one of
    them passed. `contract` is the model's schema.yaml; `now` (aware) dates the evaluation; `before` is the data of the
    base commit, for the data change report; `attestation` and `known_tests` (ids of tests known to run, and how) belong
    to the ML Test Score.

    Raises UserError when the candidate or its data cannot be read.
    """
    for _, sentence in shown_values(spec, contract) if contract is not None else ():
        raise UserError(f"models/{spec.name}: {sentence}", hint=HIDDEN_HINT, code="slice_sensitive")
    candidate = Fitted(training, loaders.load(folder, training))
    champions = {name: champion(where, loaders, Path.read_bytes) for name, where in baselines.items()}
    theirs = [column for one in champions.values() if isinstance(one, Fitted) for column in one.training.inputs]
    table = table_of(spec, data_dir, [*training.inputs, *slice_columns(spec)], theirs, contract, loaders)
    sections = change_sections(spec, training, data_dir, before, contract, loaders)
    known = known_ids(spec, training, before, loaders)
    context = Context(gates, policy_digest, uses, run, contract, now, sections, best, known, passed)
    found = evaluated(case_of(spec, candidate, champions, table, context, loaders.clock))
    score = score_section(ml_test_score(found, attestation, known_tests))
    return found.model_copy(update={"sections": (*found.sections, score)})
