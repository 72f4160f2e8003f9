"""What the screen says of planted copies and of strong, honest signals: the rates are printed (`-s`)."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from sklearn import datasets

from bot.train.inputs import resolve_inputs
from bot.train.screen import screen
from bot.train.target import read_target
from tests.train.small import a_spec


def verdicts(columns: dict[str, np.ndarray], truth: np.ndarray, task: str) -> dict[str, str]:
    """`out`, `said` or nothing, for each column."""
    n = len(truth)
    table = pa.table({"id": np.arange(n), **columns, "outcome": truth})
    metric = {"regression": "mae", "binary": "roc_auc", "multiclass": "log_loss"}[task]
    estimator = "Ridge" if task == "regression" else "LogisticRegression"
    spec = a_spec(features="{auto: true}", task=task, metrics=metric, estimator=estimator)
    findings = screen(table, resolve_inputs(spec, table), read_target(spec, table, np.ones(n, bool)), None)
    return {one.column: "out" if one.certain else "said" for one in findings if one.reason == "leaking"}


def planted(rng: np.random.Generator) -> list[tuple[dict[str, np.ndarray], np.ndarray, str]]:
    """Copies of a target, in other scales, of every skew."""
    found = []
    for sigma in (0.2, 1.0, 2.0):
        for n in (150, 2_000):
            y = np.exp(sigma * rng.normal(size=n))
            copies = {"same": y, "log": np.log(y), "root": np.sqrt(y), "reversed": -(y**3)}
            found.append((copies, y, "regression"))
    for share in (0.5, 0.1):
        flag = (rng.random(2_000) < share).astype(int)
        found.append(({"same": flag * 3.0 + 1, "reversed": -flag.astype(float)}, flag, "binary"))
    return found


def honest() -> list[tuple[dict[str, np.ndarray], np.ndarray, str]]:
    """Tables of scikit-learn, whose inputs are measured and no answers."""
    loaded = (
        (datasets.load_breast_cancer(), "binary"),
        (datasets.load_wine(), "multiclass"),
        (datasets.load_diabetes(), "regression"),
        (datasets.load_digits(), "multiclass"),
    )
    return [
        ({f"x{place}": column for place, column in enumerate(one.data.T)}, one.target, task) for one, task in loaded
    ]


def rates(tables: list[tuple[dict[str, np.ndarray], np.ndarray, str]]) -> tuple[int, int, int]:
    """(left out, said, all columns)."""
    said = [(verdicts(*one), len(one[0])) for one in tables]
    words = [word for found, _ in said for word in found.values()]
    return words.count("out"), words.count("said"), sum(n for _, n in said)


def test_every_planted_copy_is_left_out():
    out, said, n = rates(planted(np.random.default_rng(4)))
    print(f"planted copies: {out} of {n} left out, {said} said")
    assert out == n


def test_no_honest_signal_is_left_out():
    out, said, n = rates(honest())
    print(f"inputs of scikit-learn's tables: {out} of {n} left out, {said} said")
    assert out == 0
    assert said <= 0.05 * n


@pytest.mark.parametrize(("noise", "verdict"), [(0.0, "out"), (0.2, "said"), (1.0, None)])
def test_a_noisy_copy_is_said_and_a_signal_is_neither(noise, verdict):
    rng = np.random.default_rng(5)
    y = rng.normal(size=1_000)
    assert verdicts({"x": y + noise * rng.normal(size=1_000)}, y, "regression").get("x") == verdict
