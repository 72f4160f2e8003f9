"""Small made-up data, a spec and predictors for tests of evaluation."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from bot.records.training import InputColumn, Training
from bot.specs.gates import Gates, read_gates
from bot.specs.model import ModelSpec, read_model_spec
from bot.specs.split import split_rows, test_rows_digest
from tests.builders import a_digest, a_training

SPEC = b"""
task: binary
owner: ana
description: Will the customer leave?
data: {path: data/churn.parquet, target: left, row_id: id}
split: {method: random, test: 0.5}
features: {numeric: [age, spend], categorical: [country]}
estimator: LogisticRegression
metrics: {primary: roc_auc, also: [log_loss, f1]}
slices: [country, {columns: age, bins: 2}]
"""


def a_spec(text: bytes = SPEC) -> ModelSpec:
    """The spec above, or one of the same form."""
    return read_model_spec(text, "models/churn/model.yaml")


def a_table(n: int = 4000, seed: int = 0) -> pa.Table:
    """`left` follows age and spend; country is DE, FR or IT."""
    generator = np.random.default_rng(seed)
    age, spend = generator.normal(40, 10, n), generator.normal(0, 1, n)
    chance = 1 / (1 + np.exp(-(0.08 * (age - 40) + 1.2 * spend)))
    left = np.where(generator.random(n) < chance, "yes", "no")
    country = generator.choice(["DE", "FR", "IT"], n)
    return pa.table({"id": np.arange(n), "age": age, "spend": spend, "country": country, "left": left})


def trained(table: pa.Table, spec: ModelSpec | None = None, **changes: object) -> Training:
    """What training would have recorded for a model of these rows."""
    spec = spec or a_spec()
    train, test = split_rows(spec, table)
    columns = (
        InputColumn(name="age", kind="numeric"),
        InputColumn(name="spend", kind="numeric"),
        InputColumn(name="country", kind="categorical", type="string"),
    )
    fields = {
        "inputs": ("age", "spend", "country"),
        "columns": columns,
        "threshold": 0.5,
        "n_train": int(train.sum()),
        "n_test": int(test.sum()),
        "test_rows_digest": test_rows_digest(table, spec.data.row_id, test),
    }
    return a_training(**{**fields, **changes})


class Formula:
    """A predictor that weighs age and spend, with noise of its own: 0 weighs as the truth does."""

    inputs = ("age", "spend", "country")
    classes = ("no", "yes")

    def __init__(self, noise: float = 0.0, seed: int = 1, shift: float = 0.0) -> None:
        self.noise, self.seed, self.shift = noise, seed, shift

    def probabilities(self, table: pa.Table) -> np.ndarray:
        score = 0.08 * (table["age"].to_numpy() - 40) + 1.2 * table["spend"].to_numpy() + self.shift
        score = score + self.noise * np.random.default_rng(self.seed).normal(size=len(score))
        chance = 1 / (1 + np.exp(-score))
        return np.stack([1 - chance, chance], axis=1)

    def predict(self, table: pa.Table) -> np.ndarray:
        return np.where(self.probabilities(table)[:, 1] >= 0.5, "yes", "no")


def some_gates(*lines: str, head: str = "version: 1\n") -> Gates:
    """A gates file; each line is one gate in flow style."""
    body = "".join(f"  - {line}\n" for line in lines)
    return read_gates(f"{head}gates:\n{body}".encode(), "policies/gates.yaml")


CHAMPION = a_digest("champion")
