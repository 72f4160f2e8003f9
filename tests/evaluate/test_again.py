"""Gates that change are judged from stored numbers as a new evaluation would judge them, or said to need one."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.evaluate.again import unmeasured
from bot.evaluate.judged import Known, judged
from bot.records.evaluation import Evaluation
from bot.specs.gates import Gates
from tests.evaluate.test_step import NOT_WORSE, Formula, run
from tests.evaluate.worlds import a_spec, some_gates

FIRST = (NOT_WORSE, "{id: good, kind: floor, value: 0.6}", "{id: everywhere, kind: slice_floor, value: 0.6}")
CHANGED = [
    ("a floor that is higher", "{id: good, kind: floor, value: 0.99}"),
    ("a floor that cannot be told", "{id: good, kind: floor, value: 0.855}"),
    ("a floor of another metric", "{id: good, kind: floor, metric: mcc, value: 0.9}"),
    ("a new ceiling", "{id: sure, kind: ceiling, metric: log_loss, value: 0.4}"),
    ("a smaller margin", "{id: not_worse, kind: non_inferiority, against: production, margin: 0.0001}"),
    ("a margin that is a share", "{id: not_worse, kind: non_inferiority, against: production, margin_share: 0.01}"),
    ("better than a line", "{id: better, kind: superiority, against: linear}"),
    ("better than where nobody looked", "{id: better, kind: superiority, metric: mcc, against: staging}"),
    ("another limit for slices", "{id: everywhere, kind: slice_floor, value: 0.8}"),
    ("slices against production", "{id: nowhere, kind: slice_non_inferiority, against: production, margin: 0.02}"),
    ("a gap", "{id: fair, kind: group_gap, column: country, measure: demographic_parity_difference, value: 0.2}"),
    ("a smaller artifact", "{id: light, kind: operating, name: artifact_bytes, value: 1}"),
    ("another architecture", "{id: here, kind: architecture, allowed: [aarch64]}"),
    ("a contract", "{id: contract, kind: data_contract}"),
    ("overlap", "{id: apart, kind: train_test_overlap, value: 0.1}"),
    ("agreement", '{id: close, kind: condition, condition: "n - o > -0.5 +/- 0.4", reliability: 0.9}'),
    ("a gate that only shows", "{id: good, kind: floor, value: 0.99, blocking: false}"),
    ("of other models only", "{id: good, kind: floor, value: 0.99, models: [other]}"),
]  # fmt: skip
UNMEASURED = [
    ("a difference in a metric that nobody asked about",
     "{id: better, kind: superiority, metric: mcc, against: production}"),
    ("slices of such a metric", "{id: nowhere, kind: slice_floor, metric: mcc, value: 0.1}"),
]  # fmt: skip


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Evaluation:
    return run(tmp_path_factory.mktemp("stored"), Formula(noise=0.3), gates=some_gates(*FIRST))


def now(line: str) -> Gates:
    """The first gates with one that replaces the one of its id, or comes after them."""
    name = line.partition(",")[0]
    kept = [one for one in FIRST if not one.startswith(f"{name},")]
    return some_gates(*kept, line)


@pytest.mark.parametrize(("name", "line"), CHANGED, ids=[one[0] for one in CHANGED])
def test_stored_numbers_say_what_a_new_evaluation_says(
    stored: Evaluation, tmp_path: Path, name: str, line: str
) -> None:
    assert unmeasured(stored, now(line)) == ()
    found = judged(stored, a_spec(), now(line), Known())
    anew = run(tmp_path, Formula(noise=0.3), gates=now(line))
    assert (found.gates, found.verdict) == (anew.gates, anew.verdict)


@pytest.mark.parametrize(("name", "line"), UNMEASURED, ids=[one[0] for one in UNMEASURED])
def test_what_was_not_measured_is_named(stored: Evaluation, name: str, line: str) -> None:
    assert unmeasured(stored, now(line)) == (line.partition(",")[0].removeprefix("{id: "),)


@pytest.mark.parametrize("head", ["confidence: 0.99", "stratified: true", "slices: {minimum_rows: 7}"])
def test_another_way_to_measure_needs_other_intervals(stored: Evaluation, head: str) -> None:
    gates = some_gates(*FIRST, "{id: contract, kind: data_contract}", head=f"version: 1\n{head}\n")
    assert unmeasured(stored, gates) == ("not_worse", "good", "everywhere")


def test_an_older_record_has_no_numbers(stored: Evaluation) -> None:
    assert unmeasured(stored.model_copy(update={"measured": None}), some_gates(*FIRST[:1])) == ("not_worse",)
