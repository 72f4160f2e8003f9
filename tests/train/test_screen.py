"""Suspect columns are found before any fit, and nothing else is."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest

from bot.train.inputs import resolve_inputs
from bot.train.screen import screen
from bot.train.target import read_target
from tests.train.small import a_spec, rows, trained

AUTO = {"features": "{auto: true}", "resources": "{jobs: 1}"}


def found(column: str, values: object, *, time: str | None = None, n: int = 600) -> set[tuple[str, str, bool]]:
    table = rows(n).select(["id", "signal", "noise", "shop", "outcome"]).append_column(column, pa.array(values))
    spec = a_spec(**AUTO)
    if time:
        moments = pa.array([dt.datetime(2024, 1, 1) + dt.timedelta(hours=i) for i in range(n)])
        table = table.append_column(time, moments)
        spec = a_spec(**AUTO, data="{path: data/rows.parquet, target: outcome, row_id: id, time: at}")
    findings = screen(table, resolve_inputs(spec, table), read_target(spec, table, np.ones(n, bool)), time)
    return {(one.column, one.reason, one.certain) for one in findings}


def outcome(n: int = 600) -> np.ndarray:
    return (rows(n)["outcome"].to_numpy(zero_copy_only=False) == "yes").astype(float)


RNG = np.random.default_rng(7)
CASES = {
    "constant": (np.ones(600), "constant"),
    "all missing": ([None] * 599 + [None], None),
    "missing floats": (np.full(600, np.nan), "constant"),
    "a copy": (rows(600)["noise"].to_numpy(), "duplicate"),
    "another unit": (rows(600)["noise"].to_numpy() * 1.8 + 32, "redundant"),
    "other names for the same": (
        [None if v is None else v.upper() for v in rows(600)["shop"].to_pylist()],
        "duplicate",
    ),
    "a counter": (np.arange(600) * 7 + 3, "id_like"),
    "the target itself": (outcome() * 2 - 1, "leaking"),
    "the target as a cut number": (outcome() * 10 + RNG.random(600), "leaking"),
    "missing when the answer is no": (np.where(outcome() > 0, RNG.random(600), np.nan), "leaking"),
    "a fair number": (RNG.normal(size=600), None),
    "a fair category": (RNG.choice(["a", "b"], 600), None),
}


@pytest.mark.parametrize(("values", "reason"), CASES.values(), ids=CASES.keys())
def test_each_suspect_is_named_with_its_reason(values, reason):
    reasons = {name: why for name, why, _ in found("extra", values)}
    assert reasons.get("extra") == reason
    assert set(reasons) <= {"extra"}, "the other columns are innocent"


def test_a_moment_after_the_row_was_observed_is_flagged():
    later = pa.array([dt.datetime(2024, 1, 1) + dt.timedelta(hours=i, minutes=40) for i in range(600)])
    assert ("extra", "leaking", False) in found("extra", later, time="at")


def test_auto_leaves_suspects_out_and_says_why(tmp_path):
    table = rows(400).drop(["amount", "level"])
    table = table.append_column("answer", pa.array(outcome(400))).append_column("same", pa.array(np.ones(400)))
    training, _ = trained(tmp_path, a_spec(**AUTO), table)
    assert {one.column: one.reason for one in training.dropped} == {"answer": "leaking", "same": "constant"}
    assert set(training.inputs) == {"signal", "noise", "shop"}


def test_a_listed_column_is_kept_and_the_suspicion_is_a_warning(tmp_path):
    table = rows(400).append_column("answer", pa.array(outcome(400)))
    spec = a_spec(features="{numeric: [signal, answer]}", resources="{jobs: 1}")
    training, _ = trained(tmp_path, spec, table)
    assert "answer" in training.inputs
    assert any(text.startswith("answer: leaking") for text in training.warnings)
